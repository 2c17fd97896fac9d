;; Grows its table, doubling it, until it gets no more.
;; Outcome: exit code 7, long before the machine's memory is full.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (table $table 1 funcref)
  (func (export "_start")
    (loop $more
      (br_if $more
        (i32.ne
          (table.grow $table (ref.null func) (table.size $table))
          (i32.const -1))))
    (call $proc_exit (i32.const 7))))
