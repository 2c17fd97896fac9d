//! Programs that accept connections themselves, with a fresh state for each.

use crate::harness::{
    Answer, Plan, alone, eventually, eventually_holds_no_more_than, holdings, many_requests, rest,
};
use crate::servers::{self, server};
use rwasm_serve::{Folder, Mode, Program, ServeError, StartError};
use rwasm_wasi::Access;
use std::collections::HashSet;
use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

/// A server that is given a folder, which is descriptor 3.
fn plan(wat: &str, set: impl FnOnce(&mut Program)) -> Plan {
    let plan = Plan::new();
    let folder = Folder {
        host: plan.folder().into(),
        guest: "/".into(),
        access: Access::ReadWrite,
    };
    plan.mount("server", wat, |program| {
        program.folders.push(folder);
        set(program);
    })
    .mode(Mode::Isolate)
}

fn body(server: &crate::harness::Running) -> String {
    let answer = server.get("/");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

#[test]
fn each_connection_begins_anew() {
    let server = plan(&servers::counter(), |_| ()).start();
    for _ in 0..20 {
        assert_eq!(body(&server), "1");
    }
}

/// In memory, globals, a table, descriptors: also with several slots at work.
#[test]
fn a_secret_is_not_seen_by_a_later_connection() {
    let server = plan(&servers::secret(), |_| ()).start();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    assert_eq!(body(&server), "0");
                }
            });
        }
    });
}

/// The start is one, whatever number of slots there are.
#[test]
fn a_program_is_started_once() {
    let server = plan(&servers::drawn(), |_| ()).start();
    // Held open, so that each has a slot of its own.
    let held: Vec<_> = (0..4).map(|_| server.connect()).collect();
    let mut drawn: HashSet<String> = (0..3).map(|_| body(&server)).collect();
    for mut stream in held {
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        drawn.insert(Answer::parse(&rest(&mut stream)).body);
    }
    assert_eq!(drawn.len(), 1, "{drawn:?}");
}

/// It is suspended where it first polls, asks for more connections than the one that
/// it gets, and ends when it waits for the next.
#[test]
fn event_loops_are_served() {
    let polls_before = "(call $wait (i32.const 4) (i32.const -1))";
    for before in ["", polls_before] {
        let server = plan(&servers::event_loop(before), |_| ()).start();
        for _ in 0..20 {
            assert_eq!(body(&server), "1");
        }
        eventually("no guest runs any more", || {
            server.metric("rwasm_guests_running") == Some(0.0)
        });
        assert_eq!(server.metric("rwasm_problems_total"), None);
    }
}

/// The frames that it is suspended in are many, and none of them is lost.
#[test]
fn it_may_accept_deep_in_its_stack() {
    let wat = server(
        r#"(func $deep (param $n i32) (param $kept i64) (result i64)
             (if (result i64) (local.get $n)
               (then
                 (i64.add (local.get $kept)
                   (call $deep (i32.sub (local.get $n) (i32.const 1))
                     (i64.add (local.get $kept) (i64.const 1)))))
               (else
                 (drop (call $accept (i32.const 4) (i32.const 0) (i32.const 16)))
                 (i64.const 0))))"#,
        "(if (i64.eq (call $deep (i32.const 1000) (i64.const 0)) (i64.const 499500))
           (then
             (call $count)
             (call $receive (i32.load (i32.const 16)))
             (call $answer (i32.load (i32.const 16)))))
         (drop (call $close (i32.load (i32.const 16))))",
        "",
    );
    let server = plan(&wat, |_| ()).start();
    for _ in 0..3 {
        assert_eq!(body(&server), "1");
    }
}

/// The guest's monotonic clock does not go back to before its start.
#[test]
fn time_goes_on() {
    let wat = server(
        "",
        "(drop (call $clock (i32.const 1) (i64.const 0) (i32.const 3000)))
         ;; It sleeps for 50 ms.
         (i64.store (i32.const 2048) (i64.const 0))
         (i64.store (i32.const 2056) (i64.const 0))
         (i32.store (i32.const 2064) (i32.const 1))
         (i64.store (i32.const 2072) (i64.const 50000000))
         (i64.store (i32.const 2080) (i64.const 0))
         (i64.store (i32.const 2088) (i64.const 0))
         (drop (call $poll (i32.const 2048) (i32.const 2200) (i32.const 1) (i32.const 24)))",
        "(call $receive (local.get $c))
         (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 3008)))
         (if (i64.ge_u (i64.sub (i64.load (i32.const 3008)) (i64.load (i32.const 3000)))
               (i64.const 50000000))
           (then (call $count)))
         (call $answer (local.get $c))",
    );
    let server = plan(&wat, |_| ()).start();
    assert_eq!(body(&server), "1");
}

/// What a guest does with a connection is nobody else's business.
#[test]
fn a_hostile_guest_costs_its_own_connection() {
    // Which of these it does, the client says.
    let wat = server(
        "(func $recurse (call $recurse) (call $recurse))",
        "",
        r#"(call $receive (local.get $c))
           (local.set $n (i32.load8_u (i32.const 65536)))
           (if (i32.eq (local.get $n) (i32.const 116)) (then unreachable))
           (if (i32.eq (local.get $n) (i32.const 108)) (then (loop $l (br $l))))
           (if (i32.eq (local.get $n) (i32.const 97))
             (then
               (loop $l (br_if $l (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
               unreachable))
           (if (i32.eq (local.get $n) (i32.const 114)) (then (call $recurse)))
           (if (i32.eq (local.get $n) (i32.const 115))
             (then (loop $l (call $receive (i32.const 5)) (br_if $l (i32.load (i32.const 8))))
               (loop $l (drop (call $read (local.get $c) (i32.const 0) (i32.const 1)
                 (i32.const 8))) (br $l))))
           (if (i32.eq (local.get $n) (i32.const 120)) (then (call $exit (i32.const 3))))
           (if (i32.eq (local.get $n) (i32.const 99))
             (then (drop (call $close (i32.const 4))) (drop (call $close (local.get $c)))))
           (call $count)
           (call $answer (local.get $c))"#,
    );
    let server = plan(&wat, |program| {
        program.limits.timeout = Duration::from_millis(400);
        program.limits.memory = 16 << 20;
    })
    .start();
    for (what, reason) in [
        ("trap", "trap"),
        ("loop", "timeout"),
        ("allocate", "trap"),
        ("recurse", "trap"),
        ("silent", "timeout"),
        ("xit", "exit"),
        ("close", ""),
    ] {
        let mut stream = server.connect();
        stream.write_all(what.as_bytes()).unwrap();
        assert_eq!(rest(&mut stream), "", "{what}");
        assert_eq!(body(&server), "1", "after {what}");
        let name = format!(r#"rwasm_problems_total{{mount="/server",reason="{reason}"}}"#);
        assert!(
            reason.is_empty() || server.metric(&name) > Some(0.0),
            "{what}"
        );
    }
}

#[test]
fn fuel_is_for_each_connection() {
    let wat = server(
        "",
        "",
        "(call $receive (local.get $c))
         (local.set $n (i32.const 100000))
         (loop $l (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
         (call $count) (call $answer (local.get $c))",
    );
    let fuel = |fuel| plan(&wat, |program| program.limits.fuel = Some(fuel)).start();
    let server = fuel(10_000_000);
    for _ in 0..50 {
        assert_eq!(body(&server), "1");
    }
    let server = fuel(50_000);
    assert_eq!(server.get("/").status, 0);
}

/// One is served and one waits; others are closed at once.
#[test]
fn overload_closes_connections() {
    let mut plan = plan(&servers::counter(), |program| {
        program.limits.timeout = Duration::from_secs(3);
    });
    plan.settings.concurrency = Some(1);
    plan.settings.queue = 1;
    let server = plan.start();
    let mut served = server.connect();
    eventually("it is served", || {
        server.metric("rwasm_guests_running") == Some(1.0)
    });
    let mut waits = server.connect();
    eventually("it waits", || {
        server.metric("rwasm_requests_queued") == Some(1.0)
    });
    let begin = Instant::now();
    assert_eq!(rest(&mut server.connect()), "");
    assert!(begin.elapsed() < Duration::from_secs(2));
    for stream in [&mut served, &mut waits] {
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!(Answer::parse(&rest(stream)).body, "1");
    }
    assert_eq!(body(&server), "1");
}

#[test]
fn connections_may_end_when_the_server_stops() {
    let mut server = plan(&servers::counter(), |_| ()).start();
    let mut stream = server.connect();
    eventually("it is served", || {
        server.metric("rwasm_guests_running") == Some(1.0)
    });
    server.stop();
    thread::sleep(Duration::from_millis(50));
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(Answer::parse(&rest(&mut stream)).body, "1");
    server.wait();
}

#[test]
fn programs_that_cannot_be_started_are_refused() {
    let refused = |wat: &str| {
        let plan = plan(wat, |program| {
            program.limits.timeout = Duration::from_millis(300);
            program.limits.memory = 16 << 20;
        });
        match plan.error() {
            ServeError::Start { source, .. } => *source,
            other => panic!("{other}"),
        }
    };
    let start = |setup: &str| server("", setup, "");
    let error = refused(&start("unreachable"));
    assert!(matches!(error, StartError::Failed(_)), "{error}");
    let error = refused(&start("(loop $l (br $l))"));
    assert!(matches!(error, StartError::TimeOver), "{error}");
    let error = refused(&start(
        "(drop (call $read (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 8))) (call $exit (i32.const 5))",
    ));
    assert!(matches!(error, StartError::Ended(5)), "{error}");
    let error = refused("(module (memory (export \"memory\") 1) (func (export \"_start\")))");
    assert!(matches!(error, StartError::Ended(0)), "{error}");
    let error = refused(&start("(drop (call $open (i32.const 1)))"));
    assert!(
        matches!(error, StartError::Open(open) if open.fd == 5),
        "{error}"
    );
    let object = "(drop (struct.new $s)) (local.set $s (struct.new $s))";
    let object = server("(type $s (struct))", "", "")
        .replace("(local $c i32)", "(local $c i32) (local $s (ref null $s))")
        .replace("(loop $next", &format!("{object} (loop $next"));
    let error = refused(&object);
    assert!(matches!(error, StartError::State(_)), "{error}");
    let early = start("").replace(
        "(func (export \"_start\")",
        "(start $s) (func (export \"_start\")) (func $s",
    );
    let error = refused(&early);
    assert!(matches!(error, StartError::TooEarly), "{error}");
    // A file that was closed again, and the standard input, do no harm.
    let closes = start(
        "(drop (call $open (i32.const 1))) (drop (call $close (i32.const 5)))
         (drop (call $close (i32.const 0)))",
    );
    drop(plan(&closes, |_| ()).start());
    let other = Plan::new()
        .mount("a", &servers::counter(), |_| ())
        .mount("b", &servers::counter(), |_| ())
        .mode(Mode::Isolate);
    assert!(matches!(other.error(), ServeError::NotAlone(_)));
}

#[test]
fn nothing_is_left_after_many_connections() {
    if !alone("isolate::nothing_is_left_after_many_connections") {
        return;
    }
    let mut plan = plan(&servers::secret(), |_| ());
    plan.settings.concurrency = Some(1);
    let server = plan.start();
    let many = |count| {
        let mut answer = [0; 256];
        for _ in 0..count {
            let mut stream = server.connect();
            stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
            let mut len = 0;
            loop {
                match stream.read(&mut answer[len..]).unwrap() {
                    0 => break,
                    more => len += more,
                }
            }
            assert!(answer[..len].ends_with(b"\r\n\r\n0"));
        }
    };
    many(500);
    let before = holdings();
    many(many_requests(10_000));
    eventually_holds_no_more_than(before);
}
