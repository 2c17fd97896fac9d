(module
  (func (param i32 i32) (result i32)
    block (result i32)
      local.get 0
      local.get 0
      local.get 1
      i32.lt_s
      br_if 0
      drop
      local.get 1
    end)
  (func (param i32) (result i32)
    block
      block
        block
          local.get 0
          br_table 0 1 2
        end
        i32.const 10
        return
      end
      i32.const 20
      return
    end
    i32.const 30)
  (func (param i64 i32) (result i64)
    local.get 0
    local.get 1
    if (param i64) (result i64)
      i64.const 1
      i64.add
    end))
