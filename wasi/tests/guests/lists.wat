;; Reads and writes by a list of one buffer, in a memory that others have too:
;; they return the error codes.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1 1 shared)
  (func (export "read") (param $list i32) (param $out i32) (result i32)
    (call $read (i32.const 0) (local.get $list) (i32.const 1) (local.get $out)))
  (func (export "write") (param $list i32) (param $out i32) (result i32)
    (call $write (i32.const 1) (local.get $list) (i32.const 1) (local.get $out))))
