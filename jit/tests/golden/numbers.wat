(module
  (func (param i32 i32) (result i32)
    local.get 0
    local.get 1
    i32.div_s)
  (func (param i64 i64) (result i64)
    local.get 0
    local.get 1
    i64.rem_u)
  (func (param f64) (result i32)
    local.get 0
    i32.trunc_f64_s)
  (func (param f32) (result i64)
    local.get 0
    i64.trunc_sat_f32_u)
  (func (param i32 i32 i32) (result i32)
    local.get 0
    local.get 1
    local.get 2
    i32.eqz
    select)
  (func (param i64 i64) (result i64 i64)
    local.get 0
    local.get 1
    i64.mul_wide_u))
