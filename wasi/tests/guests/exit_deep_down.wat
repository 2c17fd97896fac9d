;; Exits from a thousand calls deep, through a table, with the code 255.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (type $step (func (param i32)))
  (table funcref (elem $descend))
  (func $descend (type $step)
    (if (i32.eqz (local.get 0)) (then (call $proc_exit (i32.const 255))))
    (call_indirect (type $step) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))
    (unreachable))
  (func (export "_start") (call $descend (i32.const 1000)) (unreachable)))
