(module
  (memory 1)
  ;; A leaf: translated in place of its calls.
  (func $leaf (param i32 i32) (result i32)
    local.get 0
    i32.eqz
    if
      i32.const -1
      return
    end
    local.get 0
    i32.load
    local.get 1
    i32.add)
  (func (param i32) (result i32)
    local.get 0
    i32.const 7
    call $leaf
    i32.const 1
    i32.shl))
