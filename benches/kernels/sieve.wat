;; Sieve of Eratosthenes over bytes: strided stores, byte loads.
(module
  (memory 64)

  (func (export "run") (param $n i32) (result i64)
    (local $i i32) (local $j i32) (local $count i64) (local $round i32)
    (loop $again
      (memory.fill (i32.const 0) (i32.const 0) (local.get $n))
      (local.set $count (i64.const 0))
      (local.set $i (i32.const 2))
      (loop $candidates
        (if (i32.eqz (i32.load8_u (local.get $i)))
          (then
            (local.set $count (i64.add (local.get $count) (i64.const 1)))
            (local.set $j (i32.shl (local.get $i) (i32.const 1)))
            (block $struck
              (br_if $struck (i32.ge_u (local.get $j) (local.get $n)))
              (loop $strike
                (i32.store8 (local.get $j) (i32.const 1))
                (br_if $strike
                  (i32.lt_u
                    (local.tee $j (i32.add (local.get $j) (local.get $i)))
                    (local.get $n)))))))
        (br_if $candidates
          (i32.lt_u
            (local.tee $i (i32.add (local.get $i) (i32.const 1)))
            (local.get $n))))
      (br_if $again
        (i32.lt_u
          (local.tee $round (i32.add (local.get $round) (i32.const 1)))
          (i32.const 10))))
    (local.get $count)))
