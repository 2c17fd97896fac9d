;; settings: unguarded
(module
  (memory 1)
  (memory $m64 i64 1)
  (func (param i32) (result f64)
    local.get 0
    f64.load offset=16)
  (func (param i64 i32)
    local.get 0
    local.get 1
    i32.store $m64 offset=16))
