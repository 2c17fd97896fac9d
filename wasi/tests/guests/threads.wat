;; What threads do is said by the argument that they are started with: the
;; functions below that have no name for the host. The word at 0 counts, the word
;; at 4 says how many threads are done.
(module
  (import "env" "memory" (memory 1 2 shared))
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_renumber" (func $fd_renumber (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (export "memory" (memory 0))
  (type $thread (func (param $number i32)))
  (table funcref (elem $counts $exits $traps $sleeps $spins $writes $opens $clogs))

  (func (export "wasi_thread_start") (param $number i32) (param $arg i32)
    (call_indirect (type $thread) (local.get $number) (local.get $arg))
    (drop (i32.atomic.rmw.add (i32.const 4) (i32.const 1)))
    (drop (memory.atomic.notify (i32.const 4) (i32.const 1))))

  ;; Starts `count` threads, and waits until they are done.
  (func $run (param $arg i32) (param $count i32)
    (local $left i32) (local $done i32)
    (local.set $left (local.get $count))
    (loop $next
      (if (i32.le_s (call $spawn (local.get $arg)) (i32.const 0)) (then (unreachable)))
      (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (loop $wait
      (local.set $done (i32.atomic.load (i32.const 4)))
      (if (i32.lt_u (local.get $done) (local.get $count))
        (then
          (drop (memory.atomic.wait32 (i32.const 4) (local.get $done) (i64.const -1)))
          (br $wait)))))

  (func (export "count") (result i32)
    (call $run (i32.const 0) (i32.const 8))
    (i32.atomic.load (i32.const 0)))
  ;; Adds 1, and writes a byte, 100 times.
  (func $counts (param $number i32)
    (local $left i32) (local $at i32)
    (local.set $at (i32.shl (local.get $number) (i32.const 5)))
    (i32.store (i32.add (local.get $at) (i32.const 1024)) (i32.const 2048))
    (i32.store (i32.add (local.get $at) (i32.const 1028)) (i32.const 1))
    (local.set $left (i32.const 100))
    (loop $next
      (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
      (if
        (call $fd_write (i32.const 1) (i32.add (local.get $at) (i32.const 1024)) (i32.const 1)
          (i32.add (local.get $at) (i32.const 1032)))
        (then (unreachable)))
      (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))

  ;; The first thread waits for ever.
  (func (export "exit") (drop (call $spawn (i32.const 1))) (call $forever))
  (func $exits (param i32) (call $proc_exit (i32.const 200)))
  (func (export "trap") (drop (call $spawn (i32.const 2))) (call $read))
  (func $traps (param i32) (unreachable))
  (func $forever
    (drop (memory.atomic.wait32 (i32.const 64) (i32.const 0) (i64.const -1))))

  ;; The first thread ends, the others would not.
  (func (export "leave")
    (drop (call $spawn (i32.const 3)))
    (drop (call $spawn (i32.const 4))))
  (func $sleeps (param i32)
    (i32.store (i32.const 512) (i32.const 0))
    (i32.store (i32.const 528) (i32.const 1))
    (i64.store (i32.const 536) (i64.const 3_600_000_000_000))
    (drop (call $poll_oneoff (i32.const 512) (i32.const 576) (i32.const 1) (i32.const 640))))
  (func $spins (param i32) (loop $for_ever (br $for_ever)))

  ;; The first thread waits for input; the other one writes meanwhile.
  (func (export "relay")
    (drop (call $spawn (i32.const 5)))
    (call $read))
  (func $read
    (i32.store (i32.const 256) (i32.const 300))
    (i32.store (i32.const 260) (i32.const 1))
    (if (call $fd_read (i32.const 0) (i32.const 256) (i32.const 1) (i32.const 264))
      (then (unreachable))))
  (func $writes (param i32)
    (i32.store (i32.const 768) (i32.const 300))
    (i32.store (i32.const 772) (i32.const 1))
    (drop (call $fd_write (i32.const 1) (i32.const 768) (i32.const 1) (i32.const 776))))

  ;; The same, where the other one writes more than anybody reads.
  (func (export "clog")
    (drop (call $spawn (i32.const 7)))
    (call $read))
  (func $clogs (param i32)
    (i32.store (i32.const 896) (i32.const 0))
    (i32.store (i32.const 900) (i32.const 0x10000))
    (loop $for_ever
      (br_if $for_ever
        (i32.eqz
          (call $fd_write (i32.const 1) (i32.const 896) (i32.const 1) (i32.const 904))))))

  ;; Opens, renumbers and closes descriptors that others have too.
  (func (export "descriptors") (call $run (i32.const 6) (i32.const 4)))
  (func $opens (param $number i32)
    (local $left i32) (local $at i32) (local $fd i32)
    (local.set $at (i32.add (i32.const 4096) (i32.shl (local.get $number) (i32.const 6))))
    (i32.store8 (local.get $at) (i32.const 0x2e))
    (local.set $left (i32.const 2000))
    (loop $next
      (if
        (i32.eqz
          (call $path_open (i32.const 3) (i32.const 0) (local.get $at) (i32.const 1) (i32.const 0)
            (i64.const 0) (i64.const 0) (i32.const 0) (i32.add (local.get $at) (i32.const 8))))
        (then
          (local.set $fd (i32.load (i32.add (local.get $at) (i32.const 8))))
          (drop (call $fd_renumber (local.get $fd) (i32.add (local.get $fd) (i32.const 1))))
          (drop (call $fd_close (i32.and (local.get $left) (i32.const 7))))
          (drop (call $fd_close (local.get $fd)))))
      (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))

  ;; As many sleeping threads as there can be; what the next one gets.
  (func (export "too_many") (result i32)
    (local $started i32)
    (loop $next
      (br_if $next (i32.gt_s (local.tee $started (call $spawn (i32.const 3))) (i32.const 0))))
    (local.get $started)))
