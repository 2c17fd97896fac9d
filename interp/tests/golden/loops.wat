;; The most used locals of a loop live in registers; its head's address in a
;; loop slot.
(module
  (memory 1)
  (func $count (param i32) (result i32) (local i32)
    (loop
      (local.set 1 (i32.add (local.get 1) (local.get 0)))
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1))
  (func $up (param i32) (result i64) (local $i i32) (local $sum i64)
    (block
      (br_if 0 (i32.eqz (local.get 0)))
      (loop
        (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if 0 (i32.lt_u (local.get $i) (local.get 0)))))
    (local.get $sum))
  (func $sum (param $at i32) (param $end i32) (result f64) (local $sum f64)
    (loop
      (local.set $sum (f64.add (local.get $sum) (f64.load offset=8 (local.get $at))))
      (br_if 0 (i32.ne (local.tee $at (i32.add (local.get $at) (i32.const 16)))
                       (local.get $end))))
    (local.get $sum))
  (func $nest (param $n i32) (result i32) (local $i i32) (local $j i32) (local $x i32)
    (loop $outer
      (local.set $j (i32.const 0))
      (loop $inner
        (local.set $x (i32.xor (local.get $x) (i32.mul (local.get $i) (local.get $j))))
        (br_if $inner (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1)))
                                (local.get $n))))
      (br_if $outer (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
                              (local.get $n))))
    (local.get $x))
  (func $while (param i32) (result i32)
    (block $done
      (loop $again
        (br_if $done (i32.lt_s (local.get 0) (i32.const 2)))
        (local.set 0 (i32.shr_u (local.get 0) (i32.const 1)))
        (br $again)))
    (local.get 0))
  (func $params (param i32) (result i32)
    (i32.const 1)
    (loop (param i32) (result i32)
      (i32.mul (local.get 0))
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))
