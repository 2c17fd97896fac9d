(module
  (memory 1)
  (func (param i32 v128) (result v128)
    local.get 0
    v128.load
    local.get 1
    i32x4.add
    local.get 1
    f32x4.mul)
  (func (param v128 v128 v128) (result v128)
    local.get 0
    local.get 1
    local.get 2
    f32x4.relaxed_madd)
  (func (param v128 v128) (result v128)
    local.get 0
    local.get 1
    i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23)
  (func (param i32 v128) (result v128)
    local.get 0
    local.get 1
    v128.load16_lane 3)
  (func (param v128) (result i32)
    local.get 0
    i8x16.all_true))
