;; A tail call leaves its arguments where the caller's were.
(module
  (import "env" "host" (func $host (param i32)))
  (type $loop (func (param i64 i64) (result i64)))
  (table 1 funcref)
  (func $factorial (type $loop)
    (if (result i64) (i64.eqz (local.get 0))
      (then (local.get 1))
      (else (return_call $factorial
        (i64.sub (local.get 0) (i64.const 1))
        (i64.mul (local.get 0) (local.get 1))))))
  (func $imported (param i32) (return_call $host (local.get 0)))
  (func $indirect (param i32) (result i64)
    (return_call_indirect (type $loop) (i64.const 1) (i64.const 2) (local.get 0)))
  (func $reference (param (ref $loop)) (result i64)
    (return_call_ref $loop (i64.const 1) (i64.const 2) (local.get 0)))
  (func $more_arguments (param i64) (result i64)
    (return_call $factorial (local.get 0) (i64.const 1))))
