;; settings: interruption
(module
  (memory 1)
  (func (param i32) (result i32)
    (local i32)
    loop
      local.get 1
      local.get 0
      i32.load8_u
      i32.add
      local.set 1
      local.get 0
      i32.const 1
      i32.sub
      local.tee 0
      br_if 0
    end
    local.get 1))
