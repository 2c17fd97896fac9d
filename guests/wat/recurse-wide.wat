;; Recurses for ever through frames of many locals, by way of a table.
;; Outcome: a trap, "call stack exhausted".
(module
  (memory (export "memory") 1)
  (table 1 funcref)
  (elem (i32.const 0) $wide)
  (type $wide (func (param i64) (result i64)))
  (func $wide (type $wide)
    (local i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
    (local f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64)
    (i64.add
      (call_indirect (type $wide) (local.get 0) (i32.const 0))
      (local.get 0)))
  (func (export "_start")
    (drop (call $wide (i64.const 1)))))
