;; Starts a thread, which exits, and waits for ever.
(module
  (import "env" "memory" (memory 1 1 shared))
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (export "memory" (memory 0))
  (func (export "wasi_thread_start") (param $number i32) (param $code i32)
    (call $proc_exit (local.get $code)))
  (func $forever
    (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))
  (func (export "_start")
    (if (i32.le_s (call $spawn (i32.const 200)) (i32.const 0)) (then (unreachable)))
    (call $forever))
  (func (export "alone") (call $forever)))
