;; Has no `_start`. Outcome: an error that says so and names what can be called
;; with `--invoke`.
(module
  (memory (export "memory") 1)
  (func (export "main") (param i32) (result i32) (local.get 0))
  (func (export "answer") (result i32) (i32.const 42)))
