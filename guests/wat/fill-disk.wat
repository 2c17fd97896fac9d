;; Writes to the file `full.bin` in the first folder it is given until that
;; fails. Outcome: the errno as the exit code: 51, nospc, on a full disk; 22,
;; fbig, at the limit of a file's size; 8, badf, without a folder.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 3)
  (data (i32.const 1024) "full.bin")
  (func (export "_start")
    (local $errno i32)
    (local.set $errno
      (call $path_open
        (i32.const 3) (i32.const 0)
        (i32.const 1024) (i32.const 8)
        (i32.const 9)   ;; oflags: creat, trunc
        (i64.const 64)  ;; rights: fd_write
        (i64.const 0)
        (i32.const 0)
        (i32.const 16)))
    (if (local.get $errno) (then (call $proc_exit (local.get $errno))))
    (i32.store (i32.const 0) (i32.const 65536))
    (i32.store (i32.const 4) (i32.const 65536))
    (loop $more
      (local.set $errno
        (call $fd_write (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8)))
      (br_if $more (i32.eqz (local.get $errno))))
    (call $proc_exit (local.get $errno))))
