;; Objects: short-lived binary trees beside one that stays.

(type $tree (struct (field $left (ref null $tree)) (field $right (ref null $tree))
  (field $value i32)))

(func $make (param $depth i32) (param $value i32) (result (ref $tree))
  (if (i32.eqz (local.get $depth))
    (then (return (struct.new $tree (ref.null $tree) (ref.null $tree) (local.get $value)))))
  (local.set $depth (i32.sub (local.get $depth) (i32.const 1)))
  (struct.new $tree
    (call $make (local.get $depth) (i32.shl (local.get $value) (i32.const 1)))
    (call $make (local.get $depth)
      (i32.add (i32.shl (local.get $value) (i32.const 1)) (i32.const 1)))
    (local.get $value)))

(func $sum (param $tree (ref null $tree)) (result i32)
  (local $here (ref $tree))
  (block $none
    (local.set $here (br_on_null $none (local.get $tree)))
    (return
      (i32.add (struct.get $tree $value (local.get $here))
        (i32.xor
          (call $sum (struct.get $tree $left (local.get $here)))
          (i32.rotl (call $sum (struct.get $tree $right (local.get $here))) (i32.const 1))))))
  (i32.const 0))

(func $compute (param $size i32) (result i64)
  (local $stays (ref $tree)) (local $round i32) (local $checksum i64)
  (local.set $stays (call $make (i32.const 14) (i32.const 1)))
  (local.set $size (i32.mul (local.get $size) (i32.const 120)))
  (loop $next
    (if (i32.lt_u (local.get $round) (local.get $size))
      (then
        (local.set $checksum
          (call $mix (local.get $checksum)
            (i64.extend_i32_u (call $sum (call $make (i32.const 9) (local.get $round))))))
        (local.set $round (i32.add (local.get $round) (i32.const 1)))
        (br $next))))
  (call $mix (local.get $checksum) (i64.extend_i32_u (call $sum (local.get $stays)))))
