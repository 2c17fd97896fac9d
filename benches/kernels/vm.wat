;; An interpreter in the interpreter: a stack machine of eight instructions,
;; one byte each with an operand byte, dispatched by `br_table`. Its program
;; counts down from a number and sums what an odd-even test selects.
(module
  (memory 1)
  ;; 0 push constant    1 load variable   2 store variable  3 add
  ;; 4 subtract         5 and             6 jump if zero    7 halt
  (data (i32.const 0)
    "\01\00\06\20"          ;;  0: if a == 0 goto 32
    "\01\00\00\01\05\00"    ;;  4: a & 1
    "\06\14"                ;; 10: if zero goto 20
    "\01\01\01\00\03\00"    ;; 12: b + a
    "\02\01"                ;; 18: b := it
    "\01\00\00\01\04\00"    ;; 20: a - 1
    "\02\00"                ;; 26: a := it
    "\00\00\06\00"          ;; 28: goto 0
    "\01\01\07\00")         ;; 32: b, halt

  (func $execute (param $a i32) (result i32)
    (local $pc i32) (local $sp i32) (local $code i32) (local $operand i32)
    ;; Variables at 1024, the stack from 2048 up.
    (i32.store (i32.const 1024) (local.get $a))
    (i32.store (i32.const 1028) (i32.const 0))
    (local.set $sp (i32.const 2048))
    (loop $next
      (local.set $code (i32.load16_u (local.get $pc)))
      (local.set $operand (i32.shr_u (local.get $code) (i32.const 8)))
      (local.set $pc (i32.add (local.get $pc) (i32.const 2)))
      (block $halt
        (block $jump_if_zero
          (block $and
            (block $subtract
              (block $add
                (block $store
                  (block $load
                    (block $push
                      (br_table $push $load $store $add $subtract $and $jump_if_zero $halt
                        (i32.and (local.get $code) (i32.const 7))))
                    (i32.store (local.get $sp) (local.get $operand))
                    (local.set $sp (i32.add (local.get $sp) (i32.const 4)))
                    (br $next))
                  (i32.store (local.get $sp)
                    (i32.load offset=1024
                      (i32.shl (local.get $operand) (i32.const 2))))
                  (local.set $sp (i32.add (local.get $sp) (i32.const 4)))
                  (br $next))
                (local.set $sp (i32.sub (local.get $sp) (i32.const 4)))
                (i32.store offset=1024
                  (i32.shl (local.get $operand) (i32.const 2))
                  (i32.load (local.get $sp)))
                (br $next))
              (local.set $sp (i32.sub (local.get $sp) (i32.const 4)))
              (i32.store (i32.sub (local.get $sp) (i32.const 4))
                (i32.add
                  (i32.load (i32.sub (local.get $sp) (i32.const 4)))
                  (i32.load (local.get $sp))))
              (br $next))
            (local.set $sp (i32.sub (local.get $sp) (i32.const 4)))
            (i32.store (i32.sub (local.get $sp) (i32.const 4))
              (i32.sub
                (i32.load (i32.sub (local.get $sp) (i32.const 4)))
                (i32.load (local.get $sp))))
            (br $next))
          (local.set $sp (i32.sub (local.get $sp) (i32.const 4)))
          (i32.store (i32.sub (local.get $sp) (i32.const 4))
            (i32.and
              (i32.load (i32.sub (local.get $sp) (i32.const 4)))
              (i32.load (local.get $sp))))
          (br $next))
        (local.set $sp (i32.sub (local.get $sp) (i32.const 4)))
        (if (i32.eqz (i32.load (local.get $sp)))
          (then (local.set $pc (local.get $operand))))
        (br $next)))
    (i32.load (i32.sub (local.get $sp) (i32.const 4))))

  (func (export "run") (param $n i32) (result i64)
    (i64.extend_i32_u (call $execute (local.get $n)))))
