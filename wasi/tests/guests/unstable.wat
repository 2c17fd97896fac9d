;; The ABI of 2019: `whence` begins with the current position, a `filestat` is
;; shorter, and a clock's subscription has an identifier before it. Exits with
;; the number of the first check that fails.
(module
  (import "wasi_unstable" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_unstable" "fd_seek"
    (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_unstable" "fd_filestat_get"
    (func $fd_filestat_get (param i32 i32) (result i32)))
  (import "wasi_unstable" "poll_oneoff"
    (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_unstable" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "file")
  (func $check (param $number i32) (param $ok i32)
    (if (i32.eqz (local.get $ok)) (then (call $proc_exit (local.get $number)))))
  (func (export "_start")
    (local $fd i32)
    (call $check (i32.const 1)
      (i32.eqz (call $path_open (i32.const 3) (i32.const 1) (i32.const 8) (i32.const 4)
        (i32.const 0) (i64.const 0x3fffffbf) (i64.const 0) (i32.const 0) (i32.const 0))))
    (local.set $fd (i32.load (i32.const 0)))
    ;; From the start, then from the current position, then from the end.
    (drop (call $fd_seek (local.get $fd) (i64.const 3) (i32.const 2) (i32.const 32)))
    (call $check (i32.const 2) (i64.eq (i64.load (i32.const 32)) (i64.const 3)))
    (drop (call $fd_seek (local.get $fd) (i64.const 2) (i32.const 0) (i32.const 32)))
    (call $check (i32.const 3) (i64.eq (i64.load (i32.const 32)) (i64.const 5)))
    (drop (call $fd_seek (local.get $fd) (i64.const -1) (i32.const 1) (i32.const 32)))
    (call $check (i32.const 4) (i64.eq (i64.load (i32.const 32)) (i64.const 9)))
    (i64.store (i32.const 120) (i64.const -1))
    (call $check (i32.const 5)
      (i32.eqz (call $fd_filestat_get (local.get $fd) (i32.const 64))))
    (call $check (i32.const 6) (i64.eq (i64.load (i32.const 88)) (i64.const 10)))
    (call $check (i32.const 7) (i64.eq (i64.load (i32.const 120)) (i64.const -1)))
    (i64.store (i32.const 256) (i64.const 42))
    (i64.store (i32.const 272) (i64.const -1))
    (i32.store (i32.const 280) (i32.const 1))
    (i64.store (i32.const 288) (i64.const 1000))
    (call $check (i32.const 8)
      (i32.eqz (call $poll_oneoff (i32.const 256) (i32.const 512) (i32.const 1) (i32.const 0))))
    (call $check (i32.const 9) (i64.eq (i64.load (i32.const 512)) (i64.const 42)))
    (call $check (i32.const 10) (i32.eqz (i32.load16_u (i32.const 520))))))
