;; Exceptions: a recursive walk that throws out of several frames one time in
;; eight, and else pays for its handlers only.

(tag $found (param i32))
(tag $other)

;; Goes `depth` calls down and throws there if `wanted` is zero.
(func $walk (param $depth i32) (param $wanted i32) (result i32)
  (if (i32.eqz (local.get $depth))
    (then
      (if (i32.eqz (local.get $wanted)) (then (throw $found (i32.const 17))))
      (return (local.get $wanted))))
  (block $here
    (return
      (try_table (result i32) (catch $other $here)
        (i32.add
          (call $walk (i32.sub (local.get $depth) (i32.const 1)) (local.get $wanted))
          (i32.const 1)))))
  (i32.const -1))

(func $compute (param $size i32) (result i64)
  (local $round i32) (local $checksum i64)
  (local.set $size (i32.mul (local.get $size) (i32.const 40000)))
  (loop $next
    (local.set $checksum
      (call $mix (local.get $checksum)
        (i64.extend_i32_u
          (block $caught (result i32)
            (try_table (result i32) (catch $found $caught)
              (call $walk (i32.const 6) (i32.and (local.get $round) (i32.const 7))))))))
    (local.set $round (i32.add (local.get $round) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $round) (local.get $size))))
  (local.get $checksum))
