;; Exports no memory.
(module
  (import "wasi_snapshot_preview1" "sched_yield" (func $sched_yield (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes_get (param i32 i32) (result i32)))
  (func (export "without") (result i32) (call $sched_yield))
  (func (export "with") (result i32) (call $args_sizes_get (i32.const 0) (i32.const 4))))
