;; Constants are operands of the instruction that uses them.
(module
  (func $right (param i32) (result i32) (i32.add (local.get 0) (i32.const 5)))
  (func $left (param i32) (result i32) (i32.sub (i32.const 5) (local.get 0)))
  (func $wide (param i64) (result i64)
    (i64.xor (local.get 0) (i64.const 0x123456789abcdef0)))
  (func $negative (param i64) (result i64) (i64.mul (local.get 0) (i64.const -3)))
  (func $both (result i32) (i32.add (i32.const 2) (i32.const 3)))
  (func $shift (param i32) (result i32) (i32.shl (local.get 0) (i32.const 3)))
  (func $float (param f64) (result f64) (f64.mul (local.get 0) (f64.const 0.5)))
  (func $to_local (result i32) (local i32) (local.set 0 (i32.const 9)) (local.get 0)))
