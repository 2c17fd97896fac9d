;; Integer arithmetic in three nested loops, all of it in locals: no memory, no
;; calls. The inner body mixes a linear congruential generator with shifts and
;; a data-dependent branch.
(module
  (func (export "run") (param $n i32) (result i64)
    (local $i i32) (local $j i32) (local $k i32)
    (local $seed i32) (local $sum i64)
    (local.set $seed (i32.const 12345))
    (loop $outer
      (local.set $j (i32.const 0))
      (loop $middle
        (local.set $k (i32.const 0))
        (loop $inner
          (local.set $seed
            (i32.add
              (i32.mul (local.get $seed) (i32.const 1664525))
              (i32.const 1013904223)))
          (if (i32.and (local.get $seed) (i32.const 0x10000))
            (then
              (local.set $sum
                (i64.add
                  (local.get $sum)
                  (i64.extend_i32_u (i32.shr_u (local.get $seed) (i32.const 7))))))
            (else
              (local.set $sum
                (i64.xor
                  (i64.rotl (local.get $sum) (i64.const 5))
                  (i64.extend_i32_s (i32.xor (local.get $k) (local.get $seed)))))))
          (br_if $inner
            (i32.lt_u
              (local.tee $k (i32.add (local.get $k) (i32.const 1)))
              (i32.const 100))))
        (br_if $middle
          (i32.lt_u
            (local.tee $j (i32.add (local.get $j) (i32.const 1)))
            (i32.const 100))))
      (br_if $outer
        (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1)))
          (local.get $n))))
    (local.get $sum)))
