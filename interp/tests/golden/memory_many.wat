;; The first 32-bit memory is guarded; others and 64-bit ones are checked.
(module
  (memory $a 1) (memory $b 1) (memory $c i64 1)
  (func $first (param i32) (result i32) (i32.load $a (local.get 0)))
  (func $second (param i32) (result i32) (i32.load $b offset=8 (local.get 0)))
  (func $third (param i64) (result i32) (i32.load $c offset=0x100000000 (local.get 0)))
  (func $copy (param i32) (memory.copy $b $a (local.get 0) (i32.const 0) (i32.const 16))))
