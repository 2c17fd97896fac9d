;; Copies 32 KiB by a loop of 32-bit words, then by one of bytes, and reads the
;; copy back: what a memcpy without bulk memory compiles to. n rounds.
(module
  (memory 2)

  (func $copy_words (param $to i32) (param $from i32) (param $len i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $len)))
        (i32.store (local.get $to) (i32.load (local.get $from)))
        (i32.store offset=4 (local.get $to) (i32.load offset=4 (local.get $from)))
        (local.set $to (i32.add (local.get $to) (i32.const 8)))
        (local.set $from (i32.add (local.get $from) (i32.const 8)))
        (local.set $len (i32.sub (local.get $len) (i32.const 8)))
        (br $next))))

  (func $copy_bytes (param $to i32) (param $from i32) (param $len i32)
    (block $done
      (br_if $done (i32.eqz (local.get $len)))
      (loop $next
        (i32.store8 (local.get $to) (i32.load8_u (local.get $from)))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (br_if $next
          (local.tee $len (i32.sub (local.get $len) (i32.const 1)))))))

  (func $sum (param $p i32) (param $len i32) (result i64)
    (local $sum i64)
    (loop $next
      (local.set $sum
        (i64.add
          (i64.rotl (local.get $sum) (i64.const 1))
          (i64.load (local.get $p))))
      (local.set $p (i32.add (local.get $p) (i32.const 8)))
      (br_if $next (local.tee $len (i32.sub (local.get $len) (i32.const 8)))))
    (local.get $sum))

  (func (export "run") (param $n i32) (result i64)
    (local $i i32) (local $sum i64)
    (loop $fill
      (i32.store (local.get $i) (i32.mul (local.get $i) (i32.const 0x9E3779B1)))
      (br_if $fill
        (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 4)))
          (i32.const 32768))))
    (loop $rounds
      (call $copy_words (i32.const 65536) (i32.const 0) (i32.const 32768))
      (i32.store offset=65536
        (i32.and (i32.shl (local.get $n) (i32.const 2)) (i32.const 0x7FFC))
        (local.get $n))
      (call $copy_bytes (i32.const 0) (i32.const 65536) (i32.const 32768))
      (local.set $sum
        (i64.xor
          (local.get $sum)
          (call $sum (i32.const 0) (i32.const 32768))))
      (br_if $rounds (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
