;; CRC-32 (reflected, 0xEDB88320) by table over a 64 KiB buffer, n times.
(module
  (memory 2)
  (global $table i32 (i32.const 0))
  (global $buffer i32 (i32.const 1024))

  (func $make_table
    (local $i i32) (local $bit i32) (local $c i32)
    (loop $entries
      (local.set $c (local.get $i))
      (local.set $bit (i32.const 8))
      (loop $bits
        (local.set $c
          (i32.xor
            (i32.shr_u (local.get $c) (i32.const 1))
            (i32.and (i32.const 0xEDB88320)
              (i32.sub (i32.const 0) (i32.and (local.get $c) (i32.const 1))))))
        (br_if $bits (local.tee $bit (i32.sub (local.get $bit) (i32.const 1)))))
      (i32.store (i32.shl (local.get $i) (i32.const 2)) (local.get $c))
      (br_if $entries
        (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1)))
          (i32.const 256)))))

  (func $crc (param $crc i32) (param $p i32) (param $len i32) (result i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $p) (local.get $len)))
    (local.set $crc (i32.xor (local.get $crc) (i32.const -1)))
    (loop $bytes
      (local.set $crc
        (i32.xor
          (i32.shr_u (local.get $crc) (i32.const 8))
          (i32.load
            (i32.shl
              (i32.and
                (i32.xor (local.get $crc) (i32.load8_u (local.get $p)))
                (i32.const 0xFF))
              (i32.const 2)))))
      (br_if $bytes
        (i32.lt_u
          (local.tee $p (i32.add (local.get $p) (i32.const 1)))
          (local.get $end))))
    (i32.xor (local.get $crc) (i32.const -1)))

  (func (export "run") (param $n i32) (result i64)
    (local $i i32) (local $crc i32)
    (call $make_table)
    (loop $fill
      (i32.store8
        (i32.add (global.get $buffer) (local.get $i))
        (i32.add (i32.mul (local.get $i) (i32.const 31)) (i32.const 7)))
      (br_if $fill
        (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1)))
          (i32.const 65536))))
    (loop $rounds
      (local.set $crc
        (call $crc (local.get $crc) (global.get $buffer) (i32.const 65536)))
      (br_if $rounds (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i64.extend_i32_u (local.get $crc))))
