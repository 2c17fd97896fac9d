;; A hash map of u64 → u64: open addressing, linear probing, 2^15 entries of 16
;; bytes, a 64-bit mixer of multiplications and shifts. n insertions of keys
;; from a range of 20,000, each followed by a lookup.
(module
  (memory 16)

  (func $mix (param $x i64) (result i64)
    (local.set $x
      (i64.mul
        (i64.xor (local.get $x) (i64.shr_u (local.get $x) (i64.const 30)))
        (i64.const 0xBF58476D1CE4E5B9)))
    (local.set $x
      (i64.mul
        (i64.xor (local.get $x) (i64.shr_u (local.get $x) (i64.const 27)))
        (i64.const 0x94D049BB133111EB)))
    (i64.xor (local.get $x) (i64.shr_u (local.get $x) (i64.const 31))))

  ;; Address of the entry for $key: its own, or the empty one where it belongs.
  (func $find (param $key i64) (result i32)
    (local $entry i32) (local $found i64)
    (local.set $entry
      (i32.and
        (i32.shl (i32.wrap_i64 (call $mix (local.get $key))) (i32.const 4))
        (i32.const 0x7FFF0)))
    (loop $probe (result i32)
      (local.set $found (i64.load (local.get $entry)))
      (if
        (i32.or
          (i64.eq (local.get $found) (local.get $key))
          (i64.eqz (local.get $found)))
        (then (return (local.get $entry))))
      (local.set $entry
        (i32.and (i32.add (local.get $entry) (i32.const 16)) (i32.const 0x7FFF0)))
      (br $probe)))

  (func (export "run") (param $n i32) (result i64)
    (local $seed i64) (local $key i64) (local $sum i64) (local $entry i32)
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 0x80000))
    (local.set $seed (i64.const 88172645463325252))
    (loop $next
      ;; xorshift64
      (local.set $seed
        (i64.xor (local.get $seed) (i64.shl (local.get $seed) (i64.const 13))))
      (local.set $seed
        (i64.xor (local.get $seed) (i64.shr_u (local.get $seed) (i64.const 7))))
      (local.set $seed
        (i64.xor (local.get $seed) (i64.shl (local.get $seed) (i64.const 17))))
      (local.set $key
        (i64.add (i64.rem_u (local.get $seed) (i64.const 20000)) (i64.const 1)))
      (local.set $entry (call $find (local.get $key)))
      (i64.store (local.get $entry) (local.get $key))
      (i64.store offset=8 (local.get $entry)
        (i64.add (i64.load offset=8 (local.get $entry)) (local.get $seed)))
      (local.set $sum
        (i64.xor
          (i64.mul (local.get $sum) (i64.const 31))
          (i64.load offset=8
            (call $find (i64.sub (i64.const 20001) (local.get $key))))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
