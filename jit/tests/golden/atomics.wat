(module
  (memory 1 1 shared)
  (func (param i32 i32) (result i32)
    local.get 0
    local.get 1
    i32.atomic.rmw.add offset=4)
  (func (param i32 i64 i64) (result i64)
    local.get 0
    local.get 1
    local.get 2
    i64.atomic.rmw8.cmpxchg_u)
  (func (param i32 i32)
    local.get 0
    local.get 1
    i32.atomic.store)
  (func (param i32 i32 i64) (result i32)
    local.get 0
    local.get 1
    local.get 2
    memory.atomic.wait32))
