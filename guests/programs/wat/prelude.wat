;; What the programs in text have in common. It stands before each of them, in
;; one module: `--size N`, and a checksum. A program defines
;;   (func $compute (param $size i32) (result i64))

(import "wasi_snapshot_preview1" "args_sizes_get"
  (func $args_sizes_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "args_get"
  (func $args_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_write"
  (func $fd_write (param i32 i32 i32 i32) (result i32)))

(memory (export "memory") 1)

(func (export "_start")
  (call $print (call $compute (call $size))))

;; The number that the third argument is, or 100 if there are fewer.
(func $size (result i32)
  (local $at i32) (local $size i32) (local $digit i32)
  (if (call $args_sizes_get (i32.const 0) (i32.const 4)) (then unreachable))
  (if (i32.or
        (i32.ne (i32.load (i32.const 0)) (i32.const 3))
        (i32.gt_u (i32.load (i32.const 4)) (i32.const 1000)))
    (then (return (i32.const 100))))
  (if (call $args_get (i32.const 16) (i32.const 1024)) (then unreachable))
  (local.set $at (i32.load (i32.const 24)))
  (loop $next
    (local.set $digit (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
    (if (i32.lt_u (local.get $digit) (i32.const 10))
      (then
        (local.set $size
          (i32.add (i32.mul (local.get $size) (i32.const 10)) (local.get $digit)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next))))
  (local.get $size))

;; Prints a checksum as 16 hexadecimal digits and a new line.
(func $print (param $checksum i64)
  (local $at i32) (local $digit i32)
  (local.set $at (i32.const 48))
  (i32.store8 (i32.const 48) (i32.const 10))
  (loop $next
    (local.set $at (i32.sub (local.get $at) (i32.const 1)))
    (local.set $digit (i32.and (i32.wrap_i64 (local.get $checksum)) (i32.const 15)))
    (i32.store8 (local.get $at)
      (i32.add (local.get $digit)
        (select (i32.const 48) (i32.const 87) (i32.lt_u (local.get $digit) (i32.const 10)))))
    (local.set $checksum (i64.shr_u (local.get $checksum) (i64.const 4)))
    (br_if $next (i32.gt_u (local.get $at) (i32.const 32))))
  (i32.store (i32.const 0) (i32.const 32))
  (i32.store (i32.const 4) (i32.const 17))
  (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
    (then unreachable)))

;; Adds a number to a checksum (FNV-1a, by words).
(func $mix (param $checksum i64) (param $value i64) (result i64)
  (i64.mul (i64.xor (local.get $checksum) (local.get $value)) (i64.const 0x0100000001b3)))
