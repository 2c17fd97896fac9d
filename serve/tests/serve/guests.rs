//! Guests in text form. Each is a body for `_start` behind what they all have.

/// A program whose `_start` has this body, with more fields before it.
pub fn program(fields: &str, body: &str) -> String {
    format!("(module {COMMON} {fields} (func (export \"_start\") (local $n i32) {body}))")
}

/// The first 64 KiB of memory are texts, the second a buffer.
const COMMON: &str = r#"
(import "wasi_snapshot_preview1" "fd_write"
  (func $fd_write (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_read"
  (func $fd_read (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
(import "wasi_snapshot_preview1" "path_open"
  (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "environ_sizes_get"
  (func $environ_sizes_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
(memory (export "memory") 4)
(data (i32.const 1024) "Content-Type: text/plain\n\n\00")
(data (i32.const 1100) "clean\n\00")
(data (i32.const 1120) "seen\n\00")
(data (i32.const 1140) "secret\00")
(data (i32.const 1160) "no header at all\n\n\00")
(data (i32.const 1200) "Status: 404 Gone Fishing\nX-Own: yes\nContent-Length: 3\n\nabc\00")
(data (i32.const 1300) "Location: /echo?x\n\n\00")
(data (i32.const 1340) "Content-Length: 10\n\nshort\00")
(data (i32.const 1380) "Location: /round\n\n\00")
;; Writes all of these bytes; exits if it cannot.
(func $write (param $at i32) (param $len i32)
  (loop $again
    (if (local.get $len)
      (then
        (i32.store (i32.const 0) (local.get $at))
        (i32.store (i32.const 4) (local.get $len))
        (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
          (then (call $exit (i32.const 1))))
        (local.set $at (i32.add (local.get $at) (i32.load (i32.const 8))))
        (local.set $len (i32.sub (local.get $len) (i32.load (i32.const 8))))
        (br $again)))))
;; Writes up to a NUL.
(func $print (param $at i32) (local $len i32)
  (loop $next
    (if (i32.load8_u (i32.add (local.get $at) (local.get $len)))
      (then (local.set $len (i32.add (local.get $len) (i32.const 1))) (br $next))))
  (call $write (local.get $at) (local.get $len)))
;; Reads into the buffer; returns how many bytes.
(func $read (result i32)
  (i32.store (i32.const 0) (i32.const 65536))
  (i32.store (i32.const 4) (i32.const 65536))
  (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
    (then (call $exit (i32.const 1))))
  (i32.load (i32.const 8)))
"#;

/// The head that most answer with.
const HEAD: &str = "(call $print (i32.const 1024))";

/// All variables, each with a NUL behind it.
pub fn environment() -> String {
    program(
        "",
        &format!(
            "{HEAD}
             (drop (call $environ_sizes_get (i32.const 16) (i32.const 20)))
             (drop (call $environ_get (i32.const 131072) (i32.const 65536)))
             (call $write (i32.const 65536) (i32.load (i32.const 20)))"
        ),
    )
}

/// The body of the request.
pub fn echo() -> String {
    program(
        "",
        &format!(
            "{HEAD}
             (loop $more
               (local.set $n (call $read))
               (if (local.get $n)
                 (then (call $write (i32.const 65536) (local.get $n)) (br $more))))"
        ),
    )
}

/// `clean` if nothing is left of an earlier run, `seen` otherwise; and leaves all
/// that it can: in memory, a global, a table, the scratch folder and a descriptor.
pub fn secret() -> String {
    program(
        r#"(global $g (mut i32) (i32.const 0))
           (table $t 4 funcref)
           (elem declare func $read)
           (func $open (param $flags i32) (result i32)
             (call $path_open (i32.const 3) (i32.const 0) (i32.const 1140) (i32.const 6)
               (local.get $flags) (i64.const 0x42) (i64.const 0) (i32.const 0) (i32.const 24)))"#,
        &format!(
            "{HEAD}
             (local.set $n (i32.or (global.get $g) (i32.load (i32.const 200000))))
             (local.set $n (i32.or (local.get $n)
               (i32.eqz (ref.is_null (table.get $t (i32.const 1))))))
             ;; It does not open, for there is no such file: 44, and no descriptor 4.
             (local.set $n (i32.or (local.get $n)
               (i32.ne (call $open (i32.const 0)) (i32.const 44))))
             (local.set $n (i32.or (local.get $n)
               (i32.ne (call $fd_close (i32.const 4)) (i32.const 8))))
             (local.set $n (i32.or (local.get $n) (i32.ne (memory.size) (i32.const 4))))
             (call $print (select (i32.const 1120) (i32.const 1100) (local.get $n)))
             (global.set $g (i32.const 1))
             (i32.store (i32.const 200000) (i32.const 1))
             (table.set $t (i32.const 1) (ref.func $read))
             (drop (memory.grow (i32.const 1)))
             (if (call $open (i32.const 1)) (then (call $exit (i32.const 2))))"
        ),
    )
}

/// A status, a header and a length of its own.
pub fn status() -> String {
    program("", "(call $print (i32.const 1200))")
}

/// A head, and nothing of the body is read.
pub fn deaf() -> String {
    program("", &format!("{HEAD} (call $print (i32.const 1100))"))
}

/// Sends on to the path of `echo`.
pub fn elsewhere() -> String {
    program("", "(call $print (i32.const 1300))")
}

/// Sends on to itself.
pub fn round() -> String {
    program("", "(call $print (i32.const 1380))")
}

/// Guests that do what they must not, with the status that a client gets.
pub fn hostile() -> Vec<(&'static str, String, u16)> {
    vec![
        ("trap", program("", "unreachable"), 502),
        ("loop", program("", "(loop $l (br $l))"), 504),
        (
            "loop-before-the-start",
            format!(
                "(module (func $l (loop $l (br $l))) (start $l) (func (export \"_start\")) {})",
                "(memory (export \"memory\") 1)"
            ),
            504,
        ),
        (
            "allocate",
            program(
                "",
                "(loop $l (br_if $l (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
                 unreachable",
            ),
            502,
        ),
        (
            "recurse",
            program("(func $f (call $f) (call $f))", "(call $f)"),
            502,
        ),
        ("silent", program("", ""), 502),
        (
            "no-head",
            program("", "(call $print (i32.const 1160))"),
            502,
        ),
        (
            "no-output",
            program("", &format!("(drop (call $fd_close (i32.const 1))) {HEAD}")),
            502,
        ),
        (
            "endless-head",
            program(
                "",
                "(loop $l (call $write (i32.const 1024) (i32.const 24)) (br $l))",
            ),
            502,
        ),
        ("exit", program("", "(call $exit (i32.const 3))"), 502),
        // Nobody sends a body, and it is none that never ends.
        (
            "reads",
            program("", &format!("(drop (call $read)) {HEAD}")),
            200,
        ),
    ]
}

/// A head, then a trap.
pub fn early_trap() -> String {
    program("", &format!("{HEAD} unreachable"))
}

/// Less than it has promised.
pub fn short() -> String {
    program("", "(call $print (i32.const 1340))")
}

/// More than waits in memory, then a trap.
pub fn late_trap() -> String {
    // Far more than waits in memory, so that the head is on its way.
    let much = "(call $write (i32.const 0) (i32.const 262144))".repeat(16);
    program("", &format!("{HEAD} {much} unreachable"))
}

/// Output without end.
pub fn chatter() -> String {
    program(
        "",
        &format!("{HEAD} (loop $l (call $write (i32.const 1024) (i32.const 26)) (br $l))"),
    )
}

/// Reads the body before it says a word.
pub fn listener() -> String {
    program(
        "",
        &format!("(loop $l (br_if $l (call $read))) {HEAD} (call $print (i32.const 1100))"),
    )
}
