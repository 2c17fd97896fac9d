;; Copies the file `from` to a new file `to`, both below the first directory, 100
;; bytes at a time. Exits with the first error code.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 32) "fromto")
  (func $check (param $errno i32)
    (if (local.get $errno) (then (call $proc_exit (local.get $errno)))))
  (func (export "_start")
    (local $from i32) (local $to i32)
    (call $check
      (call $path_open (i32.const 3) (i32.const 1) (i32.const 32) (i32.const 4)
        (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 0)))
    (local.set $from (i32.load (i32.const 0)))
    ;; Create, and only if it does not exist yet.
    (call $check
      (call $path_open (i32.const 3) (i32.const 1) (i32.const 36) (i32.const 2)
        (i32.const 5) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 0)))
    (local.set $to (i32.load (i32.const 0)))
    (loop $again
      (i32.store (i32.const 8) (i32.const 64))
      (i32.store (i32.const 12) (i32.const 100))
      (call $check
        (call $fd_read (local.get $from) (i32.const 8) (i32.const 1) (i32.const 12)))
      (if (i32.load (i32.const 12))
        (then
          (call $check
            (call $fd_write (local.get $to) (i32.const 8) (i32.const 1) (i32.const 0)))
          (br $again))))
    (call $check (call $fd_close (local.get $from)))
    (call $check (call $fd_close (local.get $to)))))
