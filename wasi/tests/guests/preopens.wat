;; Looks for preopened directories from 3 on until `badf`, as wasi-libc does,
;; and writes each name with a newline. Exits with any other error.
(module
  (import "wasi_snapshot_preview1" "fd_prestat_get"
    (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name"
    (func $fd_prestat_dir_name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func $check (param $errno i32)
    (if (local.get $errno) (then (call $proc_exit (local.get $errno)))))
  (func (export "_start")
    (local $fd i32) (local $errno i32) (local $len i32)
    (local.set $fd (i32.const 3))
    (loop $next
      (local.set $errno (call $fd_prestat_get (local.get $fd) (i32.const 0)))
      (if (i32.eq (local.get $errno) (i32.const 8)) (then (return)))
      (call $check (local.get $errno))
      (local.set $len (i32.load (i32.const 4)))
      (call $check
        (call $fd_prestat_dir_name (local.get $fd) (i32.const 64) (local.get $len)))
      (i32.store8 offset=64 (local.get $len) (i32.const 10))
      (i32.store (i32.const 8) (i32.const 64))
      (i32.store (i32.const 12) (i32.add (local.get $len) (i32.const 1)))
      (call $check
        (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))
      (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
      (br $next))))
