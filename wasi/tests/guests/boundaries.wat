;; Memories of the extreme sizes. `grow` makes the memory larger; `write` writes
;; `len` bytes from `ptr` on, by a list of buffers that lies at `list`, with the
;; result at `out`, and returns the error code.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 0 65536)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "put") (param $list i32) (param $ptr i32) (param $len i32)
    (i32.store (local.get $list) (local.get $ptr))
    (i32.store offset=4 (local.get $list) (local.get $len)))
  (func (export "write") (param $list i32) (param $out i32) (result i32)
    (call $write (i32.const 1) (local.get $list) (i32.const 1) (local.get $out))))
