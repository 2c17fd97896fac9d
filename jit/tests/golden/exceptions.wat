(module
  (tag $e (param i32 f64))
  (func $callee (param i32) (result i32)
    local.get 0
    f64.const 1
    throw $e)
  ;; Calls inside name their handlers, innermost first.
  (func (param i32) (result i32)
    block $handler (result i32 f64)
      block $any
        try_table (catch $e $handler) (catch_all $any)
          local.get 0
          call $callee
          return
        end
        unreachable
      end
      i32.const -1
      return
    end
    drop)
  (func (param exnref)
    local.get 0
    throw_ref))
