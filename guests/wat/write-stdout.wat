;; Writes to standard output until that fails. Outcome: exit code 64, errno pipe,
;; when the reader has gone; 51, nospc, when standard output is a full disk; a
;; time-out otherwise.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 1024) "the same line over and over\n")
  (func (export "_start")
    (local $errno i32)
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 28))
    (loop $more
      (local.set $errno
        (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (br_if $more (i32.eqz (local.get $errno))))
    (call $proc_exit (local.get $errno))))
