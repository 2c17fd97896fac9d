(module
  (type $f (func (param i32) (result i32)))
  (type $open (sub (func (param i32) (result i32))))
  (import "m" "f" (func $imported (type $f)))
  (table 8 8 funcref)
  (memory 1)
  (func $own (type $f)
    local.get 0
    call $own)
  (func (type $f)
    local.get 0
    call $imported)
  ;; A final type is compared once.
  (func (param i32 i32) (result i32)
    local.get 0
    local.get 1
    call_indirect (type $f))
  ;; Another one has subtypes.
  (func (param i32 i32) (result i32)
    local.get 0
    local.get 1
    call_indirect (type $open))
  (func (param i32 (ref null $f)) (result i32)
    local.get 0
    local.get 1
    call_ref $f)
  (func (type $f)
    local.get 0
    return_call $own)
  (func (param i32 (ref null $f)) (result i32)
    local.get 0
    local.get 1
    return_call_ref $f)
  (func (result funcref)
    ref.func $own)
  (elem declare func $own))
