;; Asks for `len` random bytes and returns the error code.
(module
  (import "wasi_snapshot_preview1" "random_get"
    (func $random_get (param i32 i32) (result i32)))
  (memory (export "memory") 1 65536)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "random") (param $len i32) (result i32)
    (call $random_get (i32.const 0) (local.get $len))))
