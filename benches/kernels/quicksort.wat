;; Quicksort of n pseudo-random i32: comparisons, swaps in memory, recursion.
(module
  (memory 64)

  ;; Sorts the words from $low up to and including $high (addresses).
  (func $sort (param $low i32) (param $high i32)
    (local $i i32) (local $j i32) (local $pivot i32) (local $swap i32)
    (if (i32.ge_s (local.get $low) (local.get $high)) (then (return)))
    (local.set $pivot
      (i32.load
        (i32.and
          (i32.shr_u (i32.add (local.get $low) (local.get $high)) (i32.const 1))
          (i32.const -4))))
    (local.set $i (local.get $low))
    (local.set $j (local.get $high))
    (block $crossed
      (loop $partition
        (block $left
          (loop $up
            (br_if $left (i32.ge_s (i32.load (local.get $i)) (local.get $pivot)))
            (local.set $i (i32.add (local.get $i) (i32.const 4)))
            (br $up)))
        (block $right
          (loop $down
            (br_if $right (i32.le_s (i32.load (local.get $j)) (local.get $pivot)))
            (local.set $j (i32.sub (local.get $j) (i32.const 4)))
            (br $down)))
        (br_if $crossed (i32.gt_s (local.get $i) (local.get $j)))
        (local.set $swap (i32.load (local.get $i)))
        (i32.store (local.get $i) (i32.load (local.get $j)))
        (i32.store (local.get $j) (local.get $swap))
        (local.set $i (i32.add (local.get $i) (i32.const 4)))
        (local.set $j (i32.sub (local.get $j) (i32.const 4)))
        (br_if $partition (i32.le_s (local.get $i) (local.get $j)))))
    (call $sort (local.get $low) (local.get $j))
    (call $sort (local.get $i) (local.get $high)))

  (func (export "run") (param $n i32) (result i64)
    (local $p i32) (local $end i32) (local $seed i32) (local $sum i64)
    (local.set $end (i32.shl (local.get $n) (i32.const 2)))
    (local.set $seed (i32.const 1))
    (loop $fill
      (local.set $seed
        (i32.add (i32.mul (local.get $seed) (i32.const 1664525)) (i32.const 1013904223)))
      (i32.store (local.get $p) (i32.shr_s (local.get $seed) (i32.const 4)))
      (br_if $fill
        (i32.lt_u
          (local.tee $p (i32.add (local.get $p) (i32.const 4)))
          (local.get $end))))
    (call $sort (i32.const 0) (i32.sub (local.get $end) (i32.const 4)))
    (local.set $p (i32.const 0))
    (loop $check
      (local.set $sum
        (i64.add
          (i64.mul (local.get $sum) (i64.const 31))
          (i64.load32_s (local.get $p))))
      (br_if $check
        (i32.lt_u
          (local.tee $p (i32.add (local.get $p) (i32.const 4)))
          (local.get $end))))
    (local.get $sum)))
