(module
  (memory 1)
  (data (i32.const 64) "\01\07" "\04" "\03" "\05" "\02\04" "\00")

  ;; An interpreter: its head is one instruction, also behind the ways back to it.
  (func $run (export "run") (param $next i32) (result i32) (local $op i32) (local $sum i32)
    loop $loop
      block $other
        block $minus
          block $place
            block $plus
              block $two
                block $halt
                  local.get $next
                  local.tee $op
                  i32.const 1
                  i32.add
                  local.set $next
                  local.get $op
                  i32.load8_u
                  br_table $halt $plus $two $place $loop $minus $other
                end
                local.get $sum
                return
              end
              ;; Two bytes: the sum goes by one way or another.
              local.get $sum
              local.get $op
              i32.load8_u offset=1
              i32.sub
              local.set $sum
              local.get $op
              i32.const 2
              i32.add
              local.set $next
              br $loop
            end
            local.get $sum
            local.get $op
            i32.load8_u offset=1
            i32.add
            local.set $sum
            local.get $op
            i32.const 2
            i32.add
            local.set $next
            br $loop
          end
          local.get $op
          local.set $sum
          br $loop
        end
        local.get $sum
        i32.const 3
        i32.sub
        local.set $sum
        br $loop
      end
      local.get $sum
      i32.const 1
      i32.shl
      local.set $sum
      br $loop
    end
    unreachable)

  ;; A head in an outer loop, reached by falling into it too.
  (func $nested (export "nested") (param $next i32) (result i32) (local $op i32) (local $sum i32) (local $i i32)
    loop $loop
      block $rest
        block $halt
          local.get $next
          local.tee $op
          i32.const 1
          i32.add
          local.set $next
          local.get $op
          i32.load8_u
          br_table $halt $loop $rest
        end
        local.get $sum
        return
      end
      i32.const 3
      local.set $i
      loop $inner
        local.get $sum
        local.get $i
        i32.add
        local.set $sum
        local.get $i
        i32.const 1
        i32.sub
        local.tee $i
        br_if $inner
      end
      br $loop
    end
    unreachable)

  ;; The ends of blocks and loops with something before.
  (func $ends (export "ends") (param $x i32) (result i32) (local $y i32)
    block $end
      block $one
        block $zero
          local.get $x
          i32.const 5
          i32.sub
          br_table $zero $one $end
        end
        local.get $x
        local.set $y
        br $end
      end
      local.get $x
      i32.const 9
      i32.add
      local.set $y
      br $end
    end
    block $join
      block $more
        local.get $y
        i32.load8_u offset=64
        br_table $join $more $join
      end
      local.get $y
      i32.const 100
      i32.add
      local.set $y
    end
    local.get $y)
)
