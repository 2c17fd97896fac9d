(module
  (memory 1)
  ;; No check: base, index and offset reach only what is mapped.
  (func (param i32) (result i32)
    local.get 0
    i32.load offset=8)
  (func (param i32 i64)
    local.get 0
    local.get 1
    i64.store16)
  ;; The base is loaded once, outside of the loop.
  (func (param i32)
    loop
      local.get 0
      local.get 0
      i32.load8_u
      i32.const 1
      i32.add
      i32.store8
      local.get 0
      i32.const 1
      i32.sub
      local.tee 0
      br_if 0
    end)
  ;; A pointer is loaded as it is used, with 64 bits.
  (func (param i32) (result i32)
    local.get 0
    i32.load
    i32.load offset=8)
  ;; An offset beyond the guard is checked.
  (func (param i32) (result i32)
    local.get 0
    i32.load offset=0x40000000)
  (func (param i32 i32 i32)
    local.get 0
    local.get 1
    local.get 2
    memory.fill)
  (func (param i32) (result i32)
    local.get 0
    memory.grow
    memory.size
    i32.add))
