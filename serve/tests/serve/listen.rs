//! Programs that accept connections themselves.

use crate::harness::{Answer, Plan, rest};
use rwasm_serve::{Mode, ServeError, Server};
use std::io::Write;
use std::time::{Duration, Instant};

/// Answers each connection with how many this instance had before; ends at the
/// third.
const SERVER: &str = r#"(module
  (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 100) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n0")
  (func (export "_start") (local $n i32)
    (loop $next
      (if (call $accept (i32.const 3) (i32.const 0) (i32.const 16)) (then unreachable))
      (i32.store (i32.const 0) (i32.const 1000))
      (i32.store (i32.const 4) (i32.const 4096))
      (drop (call $read (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8)))
      (i32.store8 (i32.const 138) (i32.add (i32.const 48) (local.get $n)))
      (i32.store (i32.const 0) (i32.const 100))
      (i32.store (i32.const 4) (i32.const 39))
      (drop (call $write (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8)))
      (drop (call $close (i32.load (i32.const 16))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $n) (i32.const 3)))))
)"#;

fn plan(workers: usize) -> Plan {
    let mut plan = Plan::new().mount("server", SERVER, |_| ());
    plan.settings.mounts[0].mode = Mode::Listen { workers };
    plan
}

#[test]
fn a_program_lives_on_and_is_started_again_when_it_ends() {
    let mut server = plan(1).start();
    let bodies: Vec<_> = (0..7).map(|_| server.get("/any").body).collect();
    assert_eq!(bodies, ["0", "1", "2", "0", "1", "2", "0"]);
    let begin = Instant::now();
    server.stop();
    server.wait();
    assert!(begin.elapsed() < Duration::from_secs(3));
}

/// Each of the two that have a connection waits for what comes on it.
#[test]
fn workers_share_the_listener() {
    let server = plan(2).start();
    let mut both: Vec<_> = (0..2).map(|_| server.connect()).collect();
    for stream in both.iter_mut().rev() {
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!(Answer::parse(&rest(stream)).body, "0");
    }
}

#[test]
fn a_program_that_listens_is_alone() {
    let plan = plan(1).mount("other", SERVER, |_| ());
    let error = Server::bind(plan.settings).map(drop).unwrap_err();
    assert!(matches!(error, ServeError::NotAlone(_)));
}
