(module
  (memory 1)
  (func (param i32 i32 i32)
    local.get 0
    local.get 1
    local.get 2
    memory.copy)
  (func (param i32) (result i32)
    local.get 0
    i32.load8_u
    i32.load16_u
    i32.load8_u offset=7))
