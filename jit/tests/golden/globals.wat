(module
  (import "m" "g" (global $imported (mut i32)))
  (global $a (mut i32) (i32.const 1))
  (global $b (mut i64) (i64.const 2))
  (global $fixed f64 (f64.const 3))
  ;; A store to one does not make the others be loaded again.
  (func (result i32)
    global.get $a
    i64.const 5
    global.set $b
    global.get $a
    i32.add)
  (func (param f64) (result f64)
    local.get 0
    global.get $fixed
    f64.mul)
  (func (param i32)
    local.get 0
    global.set $imported))
