;; Lists the first directory through a buffer of 100 bytes, and exits with the
;; number of entries.
(module
  (import "wasi_snapshot_preview1" "fd_readdir"
    (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (local $cookie i64) (local $count i32) (local $at i32) (local $used i32) (local $end i32)
    (loop $call
      (if (call $fd_readdir (i32.const 3) (i32.const 64) (i32.const 100)
            (local.get $cookie) (i32.const 0))
        (then (call $proc_exit (i32.const 255))))
      (local.set $used (i32.load (i32.const 0)))
      (local.set $at (i32.const 64))
      (block $cut
        (loop $entry
          ;; Are the header, and then the name, there as a whole?
          (br_if $cut
            (i32.gt_u (i32.add (local.get $at) (i32.const 24))
              (i32.add (local.get $used) (i32.const 64))))
          (local.set $end
            (i32.add (i32.add (local.get $at) (i32.const 24))
              (i32.load offset=16 (local.get $at))))
          (br_if $cut
            (i32.gt_u (local.get $end) (i32.add (local.get $used) (i32.const 64))))
          (local.set $count (i32.add (local.get $count) (i32.const 1)))
          (local.set $cookie (i64.load (local.get $at)))
          (local.set $at (local.get $end))
          (br $entry)))
      (br_if $call (i32.eq (local.get $used) (i32.const 100))))
    (call $proc_exit (local.get $count))))
