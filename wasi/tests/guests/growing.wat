;; Grows its memory between two calls, and has the second one read what lies in
;; the new part. The numbers near 2^32 are a fault. Exits with the number of the
;; first check that fails.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 0 3)
  (func $check (param $number i32) (param $ok i32)
    (if (i32.eqz (local.get $ok)) (then (call $proc_exit (local.get $number)))))
  (func (export "_start")
    ;; No page at all: a fault (21).
    (call $check (i32.const 1)
      (i32.eq (i32.const 21)
        (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 0))))
    (drop (memory.grow (i32.const 1)))
    (call $check (i32.const 2)
      (i32.eq (i32.const 21)
        (call $fd_write (i32.const 1) (i32.const 0x10000) (i32.const 1) (i32.const 8))))
    (drop (memory.grow (i32.const 2)))
    (i32.store (i32.const 0x10000) (i32.const 0x2ffff))
    (i32.store (i32.const 0x10004) (i32.const 1))
    (i32.store8 (i32.const 0x2ffff) (i32.const 33))
    (call $check (i32.const 3)
      (i32.eqz
        (call $fd_write (i32.const 1) (i32.const 0x10000) (i32.const 1) (i32.const 0x2fff8))))
    (call $check (i32.const 4) (i32.eq (i32.load (i32.const 0x2fff8)) (i32.const 1)))
    (i32.store (i32.const 0x10004) (i32.const 2))
    (call $check (i32.const 5)
      (i32.eq (i32.const 21)
        (call $fd_write (i32.const 1) (i32.const 0x10000) (i32.const 1) (i32.const 0))))
    (call $check (i32.const 6)
      (i32.eq (i32.const 21)
        (call $fd_write (i32.const 1) (i32.const 0xfffffff8) (i32.const 1) (i32.const 0))))
    (call $check (i32.const 7)
      (i32.eq (i32.const 21)
        (call $fd_write (i32.const 1) (i32.const 0) (i32.const 0xffffffff) (i32.const 0))))))
