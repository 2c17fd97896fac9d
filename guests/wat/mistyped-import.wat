;; Imports a WASI function with another type. Outcome: an error that names the
;; function and both types.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func (param i64)))
  (memory (export "memory") 1)
  (func (export "_start")))
