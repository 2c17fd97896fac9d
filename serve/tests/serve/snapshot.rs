//! Programs that are started once for all requests of the Common Gateway Interface.

use crate::guests::{self, program};
use crate::harness::{Plan, Running};
use rwasm_serve::{Mode, Program, ServeError, Snapshot, StartError};
use std::collections::HashSet;
use std::thread;
use std::time::Duration;

const SNAPSHOT: Mode = Mode::Cgi {
    snapshot: Some(Snapshot::Request),
};

/// Draws eight letters to 3000.
const DRAW: &str = r#"(func $draw
  (drop (call $random (i32.const 3000) (i32.const 8)))
  (i64.store (i32.const 3000) (i64.add (i64.const 0x4141414141414141)
    (i64.and (i64.load (i32.const 3000)) (i64.const 0x0f0f0f0f0f0f0f0f)))))"#;

const RANDOM: &str = r#"(import "wasi_snapshot_preview1" "random_get"
  (func $random (param i32 i32) (result i32)))"#;

/// As [`program`], with a way to draw.
fn drawing(fields: &str, body: &str) -> String {
    let wat = program(&format!("{DRAW} {fields}"), body);
    wat.replacen("(module", &format!("(module {RANDOM}"), 1)
}

fn plan(wat: &str, set: impl FnOnce(&mut Program)) -> Plan {
    Plan::new().mount("a", wat, set).mode(SNAPSHOT)
}

fn bodies(server: &Running, count: usize) -> HashSet<String> {
    thread::scope(|scope| {
        let asked: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..count).map(|_| server.get("/a").body).collect()))
            .collect();
        let sets = asked.into_iter().map(|asked| asked.join().unwrap());
        sets.flat_map(|set: HashSet<String>| set).collect()
    })
}

/// It is done once, and what a request does with it is not seen by another.
#[test]
fn a_program_initialises_itself() {
    let wat = drawing(
        r#"(global $g (mut i32) (i32.const 0))
           (table $t 2 funcref)
           (elem declare func $read)
           (func (export "wizer.initialize")
             (call $draw)
             (drop (memory.grow (i32.const 1)))
             (table.set $t (i32.const 0) (ref.func $read))
             (global.set $g (i32.const 48)))"#,
        r#"(if (i32.ne (memory.size) (i32.const 5)) (then unreachable))
           (if (ref.is_null (table.get $t (i32.const 0))) (then unreachable))
           (if (i32.eqz (ref.is_null (table.get $t (i32.const 1)))) (then unreachable))
           (call $print (i32.const 1024))
           (global.set $g (i32.add (global.get $g) (i32.const 1)))
           (i32.store8 (i32.const 3008) (global.get $g))
           (call $print (i32.const 3000))
           (i64.store (i32.const 3000) (i64.const 0x5858585858585858))
           (drop (memory.grow (i32.const 1)))
           (table.set $t (i32.const 1) (ref.func $read))"#,
    );
    let server = plan(&wat, |_| ()).start();
    let bodies = bodies(&server, 25);
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    let body = bodies.iter().next().unwrap();
    assert!(body.len() == 9 && body.ends_with('1'), "{body}");
    // Each time anew, if nobody asks for the other.
    let server = Running::of("a", &wat);
    assert_eq!(server.get("/a").status, 502);
}

/// Where the request begins to matter, each request has its own: its variables, its
/// body, its output, its scratch folder.
#[test]
fn a_program_goes_on_where_a_request_comes_in() {
    let secret = guests::secret();
    for wat in [&guests::environment(), &guests::echo(), &secret] {
        let server = plan(wat, |program| {
            program.scratch = Some("/tmp".into());
            program.env.push(("OWN".into(), "value".into()));
        })
        .start();
        for n in 0..10 {
            let answer = server.post(&format!("/a/{n}?q={n}"), &format!("body {n}"));
            assert_eq!(answer.status, 200, "{answer:?}");
            let expected = if *wat == guests::environment() {
                assert!(answer.body.contains("OWN=value\0"), "{answer:?}");
                format!("QUERY_STRING=q={n}\0")
            } else if *wat == secret {
                "clean".to_owned()
            } else {
                format!("body {n}")
            };
            assert!(answer.body.contains(&expected), "{answer:?}");
        }
    }
}

#[test]
fn what_comes_before_is_done_once() {
    let wat = drawing(
        "",
        "(call $draw)
         (i32.store8 (i32.const 3008) (i32.const 10))
         (local.set $n (call $read))
         (call $print (i32.const 1024))
         (call $print (i32.const 3000))
         (call $write (i32.const 65536) (local.get $n))
         (i64.store (i32.const 3000) (i64.const 0x5858585858585858))",
    );
    let server = plan(&wat, |_| ()).start();
    let one = server.post("/a", "one").body;
    let two = server.post("/a", "two").body;
    assert!(
        one.ends_with("\none") && two.ends_with("\ntwo"),
        "{one} {two}"
    );
    assert_eq!(one[..9], two[..9]);
    assert_eq!(bodies(&server, 20).len(), 1);
    // Otherwise it is done each time.
    let server = Running::of("a", &wat);
    assert!(bodies(&server, 5).len() > 1);
}

/// A program that copies its environment before anything else, and draws, is started
/// for each request, or goes without the request's variables.
#[test]
fn the_environment_may_be_that_of_the_start() {
    let wat = drawing(
        "",
        "(drop (call $environ_sizes_get (i32.const 16) (i32.const 20)))
         (drop (call $environ_get (i32.const 131072) (i32.const 150000)))
         (call $draw)
         (i32.store8 (i32.const 3008) (i32.const 10))
         (local.set $n (call $read))
         (call $print (i32.const 1024))
         (call $print (i32.const 3000))
         (call $write (i32.const 65536) (local.get $n))
         (call $write (i32.const 150000) (i32.load (i32.const 20)))",
    );
    let own = |program: &mut Program| program.env.push(("OWN".into(), "value".into()));
    let server = plan(&wat, own).start();
    assert!(server.get("/a").body.contains("GATEWAY_INTERFACE="));
    assert!(bodies(&server, 2).len() > 1);
    let at = Mode::Cgi {
        snapshot: Some(Snapshot::Input),
    };
    let server = plan(&wat, own).mode(at).start();
    let one = server.post("/a", "one").body;
    let two = server.post("/a", "two").body;
    assert_eq!(one[..9], two[..9]);
    assert_eq!((&one[9..], &two[9..]), ("oneOWN=value\0", "twoOWN=value\0"));
}

#[test]
fn a_guest_that_fails_costs_its_own_request() {
    let wat = program(
        "",
        "(local.set $n (call $read))
         (if (i32.eq (i32.load8_u (i32.const 65536)) (i32.const 116)) (then unreachable))
         (if (i32.eq (i32.load8_u (i32.const 65536)) (i32.const 108)) (then (loop $l (br $l))))
         (call $print (i32.const 1024))
         (call $write (i32.const 65536) (local.get $n))",
    );
    let server = plan(&wat, |program| {
        program.limits.timeout = Duration::from_millis(400);
        program.limits.fuel = Some(1_000_000_000);
    })
    .start();
    for (body, status) in [("trap", 502), ("loop", 504), ("trap", 502), ("loop", 504)] {
        assert_eq!(server.post("/a", body).status, status, "{body}");
        assert_eq!(server.post("/a", "good").body, "good");
    }
}

#[test]
fn programs_that_cannot_be_started_are_refused() {
    let refused = |wat: &str, fuel: Option<u64>| {
        let plan = plan(wat, |program| {
            program.limits.timeout = Duration::from_millis(300);
            program.limits.fuel = fuel;
            program.scratch = Some("/tmp".into());
        });
        match plan.error() {
            ServeError::Start { source, .. } => *source,
            other => panic!("{other}"),
        }
    };
    let open = "(drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 1140) (i32.const 6)
      (i32.const 1) (i64.const 0x42) (i64.const 0) (i32.const 0) (i32.const 24)))";
    let once = |body: &str| {
        let initialises = format!("(func (export \"wizer.initialize\") {body})");
        [program(&initialises, ""), program("", body)]
    };
    for wat in once("unreachable") {
        let error = refused(&wat, None);
        assert!(matches!(error, StartError::Failed(_)), "{error}");
    }
    for wat in once("(call $exit (i32.const 3))") {
        let error = refused(&wat, None);
        assert!(matches!(error, StartError::Ended(3)), "{error}");
    }
    for wat in once("(loop $l (br $l))") {
        let error = refused(&wat, None);
        assert!(matches!(error, StartError::TimeOver), "{error}");
        let error = refused(&wat, Some(1000));
        assert!(matches!(error, StartError::OutOfFuel), "{error}");
    }
    for wat in once(&format!("{open} (drop (call $read))")) {
        let error = refused(&wat, None);
        assert!(
            matches!(error, StartError::Open(open) if open.fd == 4),
            "{error}"
        );
    }
    let wrong = program("(func (export \"wizer.initialize\") (param i32))", "");
    assert!(matches!(refused(&wrong, None), StartError::Failed(_)));
    assert!(matches!(
        refused(&program("", ""), None),
        StartError::Ended(0)
    ));
    // A start function is a part of the start.
    let starts = program(
        "(func $s (loop $l (br $l))) (start $s)",
        "(drop (call $read))",
    );
    assert!(matches!(refused(&starts, None), StartError::TimeOver));
    let object = program(
        "(type $s (struct)) (global $g (mut (ref null $s)) (ref.null $s))",
        "(global.set $g (struct.new $s)) (drop (call $read))",
    );
    assert!(matches!(refused(&object, None), StartError::State(_)));
}
