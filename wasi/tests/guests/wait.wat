;; Waits in the host: for input, and for a connection at 3.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "read") (param i32) (result i32)
    (i32.store (i32.const 4) (i32.const 64))
    (call $read (local.get 0) (i32.const 0) (i32.const 1) (i32.const 8)))
  (func (export "accept") (param i32) (result i32)
    (call $accept (local.get 0) (i32.const 0) (i32.const 0))))
