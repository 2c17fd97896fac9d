;; Exits from the start function, before anything else runs.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func $begin (call $proc_exit (i32.const 9)) (unreachable))
  (start $begin)
  (func (export "_start") (unreachable)))
