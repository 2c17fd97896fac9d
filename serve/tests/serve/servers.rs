//! Guests in text form that accept connections themselves.

/// A server: `setup` is done at its start, `serve` for each connection, whose
/// descriptor is `$c`; `fields` are more fields of the module. It accepts from the
/// descriptor 4, behind one folder, and waits for the next when it has closed the
/// connection.
pub fn server(fields: &str, setup: &str, serve: &str) -> String {
    format!(
        r#"(module {COMMON} {fields}
          (func $serve (param $c i32) (local $n i32) {serve})
          (func (export "_start") (local $n i32) (local $c i32)
            {setup}
            (loop $next
              (if (call $accept (i32.const 4) (i32.const 0) (i32.const 16))
                (then (call $exit (i32.const 9))))
              (local.set $c (i32.load (i32.const 16)))
              (call $serve (local.get $c))
              (drop (call $close (local.get $c)))
              (br $next))))"#
    )
}

/// A server that never waits in `sock_accept`, and serves as one of an event loop
/// does: `before` is done when it first polls, `$answer` answers.
pub fn event_loop(before: &str) -> String {
    format!(
        r#"(module {COMMON}
          ;; Waits until one of these can be read; the second may be -1.
          (func $wait (param $a i32) (param $b i32) (local $count i32)
            (call $subscription (i32.const 2048) (local.get $a))
            (call $subscription (i32.const 2096) (local.get $b))
            (local.set $count (select (i32.const 1) (i32.const 2)
              (i32.eq (local.get $b) (i32.const -1))))
            (if (call $poll (i32.const 2048) (i32.const 2200) (local.get $count) (i32.const 24))
              (then (call $exit (i32.const 7)))))
          (func $subscription (param $at i32) (param $fd i32)
            (i64.store (local.get $at) (i64.const 0))
            (i64.store offset=8 (local.get $at) (i64.const 1))
            (i32.store offset=16 (local.get $at) (local.get $fd)))
          (func (export "_start") (local $c i32)
            (drop (call $set_flags (i32.const 4) (i32.const 4)))
            {before}
            (loop $next
              (call $wait (i32.const 4) (i32.const -1))
              (if (call $accept (i32.const 4) (i32.const 4) (i32.const 16))
                (then (call $exit (i32.const 8))))
              (local.set $c (i32.load (i32.const 16)))
              ;; No second one: EAGAIN.
              (if (i32.ne (i32.const 6) (call $accept (i32.const 4) (i32.const 4) (i32.const 16)))
                (then (call $exit (i32.const 9))))
              (call $wait (local.get $c) (i32.const 4))
              (call $receive (local.get $c))
              (call $count)
              (call $answer (local.get $c))
              (drop (call $close (local.get $c)))
              (br $next))))"#
    )
}

const COMMON: &str = r#"
(import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_renumber" (func $renumber (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_fdstat_set_flags"
  (func $set_flags (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "path_open"
  (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
(memory (export "memory") 4)
(data (i32.const 1024) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
(data (i32.const 1100) "0")
(data (i32.const 1140) "secret")
;; What is answered, and how often it was counted.
(global $at (mut i32) (i32.const 1100))
(global $len (mut i32) (i32.const 1))
(func $count
  (i32.store8 (i32.const 1100) (i32.add (i32.load8_u (i32.const 1100)) (i32.const 1))))
(func $send (param $c i32) (param $from i32) (param $bytes i32)
  (i32.store (i32.const 0) (local.get $from))
  (i32.store (i32.const 4) (local.get $bytes))
  (drop (call $write (local.get $c) (i32.const 0) (i32.const 1) (i32.const 8))))
(func $answer (param $c i32)
  (call $send (local.get $c) (i32.const 1024) (i32.const 38))
  (call $send (local.get $c) (global.get $at) (global.get $len)))
;; Some of the request.
(func $receive (param $c i32)
  (i32.store (i32.const 0) (i32.const 65536))
  (i32.store (i32.const 4) (i32.const 4096))
  (drop (call $read (local.get $c) (i32.const 0) (i32.const 1) (i32.const 8))))
(func $open (param $flags i32) (result i32)
  (call $path_open (i32.const 3) (i32.const 0) (i32.const 1140) (i32.const 6)
    (local.get $flags) (i64.const 0x42) (i64.const 0) (i32.const 0) (i32.const 24)))
"#;

/// Counts connections, and says how many there were.
pub fn counter() -> String {
    server(
        "",
        "",
        "(call $receive (local.get $c)) (call $count) (call $answer (local.get $c))",
    )
}

/// Answers `0` if nothing is left of an earlier connection, and leaves all that it
/// can: in memory, globals, a table, and as a descriptor; in locals, operands and
/// frames all the time.
pub fn secret() -> String {
    server(
        r#"(global $g (mut i64) (i64.const 0))
           (table $t 4 1000 funcref)
           (elem declare func $count)"#,
        "",
        r#"(call $receive (local.get $c))
           (local.set $n (i64.ne (i64.const 0) (i64.or (global.get $g)
             (i64.load (i32.const 200000)))))
           (local.set $n (i32.or (local.get $n)
             (i32.eqz (ref.is_null (table.get $t (i32.const 1))))))
           (local.set $n (i32.or (local.get $n) (i32.ne (table.size $t) (i32.const 4))))
           (local.set $n (i32.or (local.get $n) (i32.ne (memory.size) (i32.const 4))))
           (local.set $n (i32.or (local.get $n) (i32.ne (local.get $c) (i32.const 5))))
           ;; There is no descriptor 6, and there is no descriptor 0 either: see below.
           (local.set $n (i32.or (local.get $n)
             (i32.ne (call $close (i32.const 6)) (i32.const 8))))
           (local.set $n (i32.or (local.get $n) (call $close (i32.const 0))))
           (if (local.get $n) (then (call $count)))
           (call $answer (local.get $c))
           (global.set $g (i64.const 1))
           (i64.store (i32.const 200000) (i64.const 1))
           (table.set $t (i32.const 1) (ref.func $count))
           (drop (table.grow $t (ref.func $count) (i32.const 9)))
           (drop (memory.grow (i32.const 1)))
           (if (call $open (i32.const 1)) (then (call $exit (i32.const 2))))
           (drop (call $renumber (i32.const 4) (i32.const 2)))"#,
    )
}

/// Answers with eight letters that it has drawn at its start.
pub fn drawn() -> String {
    server(
        "",
        r#"(drop (call $random (i32.const 3000) (i32.const 8)))
           (i64.store (i32.const 3000) (i64.add (i64.const 0x4141414141414141)
             (i64.and (i64.load (i32.const 3000)) (i64.const 0x0f0f0f0f0f0f0f0f))))
           (global.set $at (i32.const 3000))
           (global.set $len (i32.const 8))"#,
        "(call $receive (local.get $c)) (call $answer (local.get $c))",
    )
}
