;; Functions of WASI, each called `n` times in the first folder that is given.
;; Paths and lists lie below 1024, what is read and written from there on.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir"
    (func $readdir (param i32 i32 i32 i64 i32) (result i32)))
  (memory (export "memory") 2)
  ;; A list of one buffer of 4 KiB.
  (data (i32.const 0) "\00\04\00\00\00\10\00\00")
  (data (i32.const 64) "a/b/c/file")
  (data (i32.const 96) "output")

  (func (export "args_sizes_get") (param $n i32)
    (loop $next
      (if (call $sizes (i32.const 16) (i32.const 20)) (then (unreachable)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))

  ;; Within the first MiB of the file, so that no pages are allocated.
  (func (export "fd_write") (param $n i32)
    (local $fd i32)
    (if
      (call $open (i32.const 3) (i32.const 0) (i32.const 96) (i32.const 6) (i32.const 1)
        (i64.const 0x44) (i64.const 0) (i32.const 0) (i32.const 16))
      (then (unreachable)))
    (local.set $fd (i32.load (i32.const 16)))
    (loop $next
      (if (i32.eqz (i32.and (local.get $n) (i32.const 255)))
        (then
          (if (call $seek (local.get $fd) (i64.const 0) (i32.const 0) (i32.const 16))
            (then (unreachable)))))
      (if (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 16))
        (then (unreachable)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (if (call $close (local.get $fd)) (then (unreachable))))

  (func (export "open_close") (param $n i32)
    (loop $next
      (if
        (call $open (i32.const 3) (i32.const 1) (i32.const 64) (i32.const 10) (i32.const 0)
          (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16))
        (then (unreachable)))
      (if (call $close (i32.load (i32.const 16))) (then (unreachable)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))

  ;; Lists the folder, of which `n` is the number of entries.
  (func (export "fd_readdir") (param $n i32)
    (local $cookie i64) (local $at i32) (local $end i32) (local $after i32)
    (loop $more
      (if
        (call $readdir (i32.const 3) (i32.const 0x10000) (i32.const 0x8000) (local.get $cookie)
          (i32.const 16))
        (then (unreachable)))
      (local.set $at (i32.const 0x10000))
      (local.set $end (i32.add (local.get $at) (i32.load (i32.const 16))))
      (loop $entry
        (if (i32.le_u (i32.add (local.get $at) (i32.const 24)) (local.get $end))
          (then
            (local.set $after
              (i32.add (i32.const 24)
                (i32.add (local.get $at) (i32.load offset=16 (local.get $at)))))
            (if (i32.le_u (local.get $after) (local.get $end))
              (then
                (local.set $cookie (i64.load (local.get $at)))
                (local.set $at (local.get $after))
                (local.set $n (i32.sub (local.get $n) (i32.const 1)))
                (br $entry))))))
      (br_if $more (i32.eq (i32.load (i32.const 16)) (i32.const 0x8000))))
    ;; `.` and `..` come with them.
    (if (i32.ne (local.get $n) (i32.const -2)) (then (unreachable)))))
