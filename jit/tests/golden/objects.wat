(module
  (type $point (sub (struct (field (mut i32)) (field (mut f64)) (field i8))))
  (type $point3 (sub final $point (struct (field (mut i32)) (field (mut f64)) (field i8) (field i64))))
  (type $bytes (array (mut i8)))
  ;; The cursor of a size class is bumped.
  (func (param i32 f64) (result (ref $point))
    local.get 0
    local.get 1
    i32.const 7
    struct.new $point)
  (func (param (ref null $point)) (result i32)
    local.get 0
    struct.get_s $point 2)
  (func (param (ref null $bytes) i32 i32)
    local.get 0
    local.get 1
    local.get 2
    array.set $bytes)
  ;; One comparison, and a look into the display for subtypes.
  (func (param anyref) (result i32)
    local.get 0
    ref.test (ref $point))
  ;; Without subtypes, one comparison.
  (func (param anyref) (result (ref null $point3))
    local.get 0
    ref.cast (ref null $point3))
  (func (param i31ref) (result i32)
    local.get 0
    i31.get_s)
  (func (param (ref $bytes) i32 i32)
    local.get 0
    local.get 1
    i32.const 0
    local.get 2
    array.fill $bytes))
