(module
  (table $fixed 8 8 funcref)
  (table $growing 8 externref)
  (func (param i32) (result funcref)
    local.get 0
    table.get $fixed)
  (func (param i32 externref)
    local.get 0
    local.get 1
    table.set $growing)
  (func (result i32)
    table.size $growing)
  (func (param externref i32) (result i32)
    local.get 0
    local.get 1
    table.grow $growing))
