;; Gives the host pointers and lengths that reach past the end of memory.
;; Outcome: exit code 0 when each call returned an errno; the number of the first
;; call that did not, otherwise.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get"
    (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name"
    (func $fd_prestat_dir_name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get"
    (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (global $calls (mut i32) (i32.const 0))
  (func $expect_errno (param $errno i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (if (i32.eqz (local.get $errno)) (then (call $proc_exit (global.get $calls)))))
  (func (export "_start")
    ;; A vector at 0 that is sound but for its length, and one at 8 that starts
    ;; outside.
    (i32.store (i32.const 0) (i32.const 65535))
    (i32.store (i32.const 4) (i32.const 2))
    (i32.store (i32.const 8) (i32.const 0xffffffff))
    (i32.store (i32.const 12) (i32.const 1))
    ;; 1, 2: the bytes are outside.
    (call $expect_errno
      (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))
    (call $expect_errno
      (call $fd_read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 64)))
    ;; 3, 4: the vectors are outside, or too many.
    (call $expect_errno
      (call $fd_write (i32.const 1) (i32.const 65532) (i32.const 1) (i32.const 64)))
    (call $expect_errno
      (call $fd_write (i32.const 1) (i32.const 0) (i32.const 0xffffffff) (i32.const 64)))
    ;; 5, 6: the buffer is longer than memory.
    (call $expect_errno (call $random_get (i32.const 0) (i32.const 0xffffffff)))
    (call $expect_errno (call $random_get (i32.const 65536) (i32.const 1)))
    ;; 7: the result's place is outside.
    (call $expect_errno (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 65529)))
    ;; 8: the path is outside.
    (call $expect_errno
      (call $path_open (i32.const 3) (i32.const 0)
        (i32.const 65530) (i32.const 0x7fffffff)
        (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 64)))
    ;; 9: so many subscriptions that their size overflows.
    (call $expect_errno
      (call $poll_oneoff (i32.const 0) (i32.const 0) (i32.const 0x20000000) (i32.const 64)))
    ;; 10: a name longer than memory.
    (call $expect_errno
      (call $fd_prestat_dir_name (i32.const 3) (i32.const 0) (i32.const 0xffffffff)))
    ;; 11: the arguments' pointers are outside.
    (call $expect_errno (call $args_get (i32.const 65534) (i32.const 0)))))
