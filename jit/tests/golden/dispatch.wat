(module
  (memory 1)
  ;; A bytecode interpreter: each case ends in a br_table of its own.
  (func (param $pc i32) (param $acc i32) (result i32)
    loop $next
      block $halt
        block $double
          block $increment
            local.get $pc
            i32.load8_u
            local.get $pc
            i32.const 1
            i32.add
            local.set $pc
            br_table $increment $double $halt
          end
          local.get $acc
          i32.const 1
          i32.add
          local.set $acc
          br $next
        end
        local.get $acc
        i32.const 1
        i32.shl
        local.set $acc
        br $next
      end
    end
    local.get $acc))
