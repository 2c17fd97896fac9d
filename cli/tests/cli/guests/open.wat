;; Opens the path that is its only argument below the first folder, to make it if
;; it begins with `n`, and exits with the error code.
(module
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)

  (func (export "_start")
    (local $path i32)
    (drop (call $args_sizes_get (i32.const 0) (i32.const 4)))
    (drop (call $args_get (i32.const 16) (i32.const 1024)))
    (local.set $path (i32.load (i32.const 20)))
    (call $proc_exit
      (call $path_open (i32.const 3) (i32.const 1)
        (local.get $path)
        ;; Up to the NUL that ends the arguments.
        (i32.sub
          (i32.add (i32.const 1023) (i32.load (i32.const 4)))
          (local.get $path))
        ;; FD_WRITE with CREAT, or FD_READ.
        (i32.eq (i32.load8_u (local.get $path)) (i32.const 0x6e))
        (select (i64.const 0x40) (i64.const 2)
          (i32.eq (i32.load8_u (local.get $path)) (i32.const 0x6e)))
        (i64.const 0) (i32.const 0) (i32.const 8)))))
