;; Recurses for ever. Outcome: a trap, "call stack exhausted".
(module
  (memory (export "memory") 1)
  (func $deeper (param $depth i64) (result i64)
    ;; The addition after the call keeps this from being a tail call.
    (i64.add (call $deeper (i64.add (local.get $depth) (i64.const 1))) (i64.const 1)))
  (func (export "_start")
    (drop (call $deeper (i64.const 0)))))
