;; Accepts one connection from the listener at 3, sends back what it receives
;; until the other side ends, and exits with the error code.
(module
  (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_recv"
    (func $recv (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_send"
    (func $send (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_shutdown" (func $shutdown (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)

  (func $check (param $error i32)
    (if (local.get $error) (then (call $proc_exit (local.get $error)))))

  (func (export "_start")
    (local $fd i32)
    (call $check (call $accept (i32.const 3) (i32.const 0) (i32.const 0)))
    (local.set $fd (i32.load (i32.const 0)))
    (i32.store (i32.const 8) (i32.const 1024))
    (block $end
      (loop $more
        (i32.store (i32.const 12) (i32.const 7))
        (call $check
          (call $recv (local.get $fd) (i32.const 8) (i32.const 1) (i32.const 0)
            (i32.const 12) (i32.const 16)))
        (br_if $end (i32.eqz (i32.load (i32.const 12))))
        (call $check
          (call $send (local.get $fd) (i32.const 8) (i32.const 1) (i32.const 0) (i32.const 20)))
        (br $more)))
    (call $check (call $shutdown (local.get $fd) (i32.const 2)))))
