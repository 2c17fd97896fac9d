//! Hostile guests and clients, each of which costs its own request.

use crate::guests;
use crate::harness::{Answer, Plan, Running, eventually, rest};
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

fn short_of_time(program: &mut rwasm_serve::Program) {
    program.limits.timeout = Duration::from_millis(400);
}

#[test]
fn a_hostile_guest_costs_its_own_request() {
    let mut plan = Plan::new().mount("good", &guests::deaf(), |_| ());
    for (name, wat, _) in guests::hostile() {
        plan = plan.mount(name, &wat, |program| {
            program.limits.timeout = Duration::from_millis(400);
            program.limits.memory = 16 << 20;
        });
    }
    let server = plan.start();
    for (name, _, status) in guests::hostile() {
        let answer = server.get(&format!("/{name}"));
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        assert_eq!(server.get("/good").status, 200, "after {name}");
    }
    let traps = r#"rwasm_problems_total{mount="/trap",reason="trap"}"#;
    assert_eq!(server.metric(traps), Some(1.0));
}

#[test]
fn a_guest_that_fails_in_the_middle_resets_the_connection() {
    let server = Plan::new()
        .mount("late", &guests::late_trap(), |_| ())
        .mount("early", &guests::early_trap(), |_| ())
        .mount("short", &guests::short(), |_| ())
        .start();
    let answer = server.get("/late");
    assert_eq!(answer.status, 200);
    assert!(answer.body.ends_with("<cut>"), "the end is not an end");
    // Whether the head was sent by then is a matter of chance.
    for _ in 0..50 {
        let answer = server.get("/early");
        let cut = answer.status == 200 && answer.body == "<cut>";
        assert!(cut || answer.status == 502, "{answer:?}");
        let answer = server.get("/short");
        let cut = answer.status == 200 && answer.body == "short";
        assert!(cut || answer.status == 502, "{answer:?}");
    }
}

#[test]
fn too_much_output_is_cut() {
    let server = Plan::new()
        .mount("chatter", &guests::chatter(), |program| {
            // More than waits in memory: the head is on its way when it is reached.
            program.limits.output = 4 << 20;
        })
        .mount("little", &guests::deaf(), |program| {
            program.limits.output = 5;
        })
        .start();
    let answer = server.get("/chatter");
    assert!(answer.body.ends_with("<cut>"));
    assert!(answer.body.len() <= 4 << 20);
    assert_eq!(server.get("/little").status, 502);
}

#[test]
fn fuel_ends_a_guest() {
    let endless = guests::program("", "(loop $l (br $l))");
    let server = Plan::new()
        .mount("loop", &endless, |program| {
            program.limits.fuel = Some(1_000_000)
        })
        .mount("good", &guests::deaf(), |program| {
            program.limits.fuel = Some(1_000_000)
        })
        .start();
    assert_eq!(server.get("/loop").status, 504);
    assert_eq!(server.get("/good").status, 200);
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let server = Plan::new()
        .mount("listener", &guests::listener(), |program| {
            program.limits.body = 1000;
        })
        .start();
    assert_eq!(server.post("/listener", &"x".repeat(1000)).status, 200);
    assert_eq!(server.post("/listener", &"x".repeat(1001)).status, 413);
    let chunk = format!("{:x}\r\n{}\r\n", 600, "x".repeat(600));
    let answer = server.raw(&format!(
        "POST /listener HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\
         \r\n{chunk}{chunk}0\r\n\r\n"
    ));
    assert_eq!(Answer::parse(&answer).status, 413);
}

#[test]
fn a_client_that_sends_no_body_is_not_waited_for() {
    let server = Plan::new()
        .mount("listener", &guests::listener(), short_of_time)
        .start();
    let begin = Instant::now();
    let text =
        "POST /listener HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\n";
    assert_eq!(Answer::parse(&server.raw(text)).status, 504);
    assert!(begin.elapsed() < Duration::from_secs(10));
    // Nor one that goes away in the middle of it.
    let mut stream = server.connect();
    stream.write_all(text.as_bytes()).unwrap();
    drop(stream);
    eventually("its guest has ended", || {
        server.metric("rwasm_guests_running") == Some(0.0)
    });
}

#[test]
fn a_client_that_does_not_read_is_not_waited_for() {
    let server = Plan::new()
        .mount("chatter", &guests::chatter(), short_of_time)
        .start();
    let mut stream = server.connect();
    stream
        .write_all(b"GET /chatter HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    eventually("its guest runs", || {
        server.metric("rwasm_guests_running") == Some(1.0)
    });
    eventually("its guest has ended", || {
        server.metric("rwasm_guests_running") == Some(0.0)
    });
    drop(rest(&mut stream));
}

#[test]
fn a_guest_ends_when_its_client_has_gone() {
    let server = Running::of("chatter", &guests::chatter());
    let mut stream = server.connect();
    stream
        .write_all(b"GET /chatter HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    eventually("its guest runs", || {
        server.metric("rwasm_guests_running") == Some(1.0)
    });
    drop(stream);
    eventually("its guest has ended", || {
        server.metric("rwasm_guests_running") == Some(0.0)
    });
}

/// Two run and two wait, the others are told to come again.
#[test]
fn overload_is_told() {
    let endless = guests::program("", "(loop $l (br $l))");
    let mut plan = Plan::new()
        .mount("loop", &endless, |program| {
            program.limits.timeout = Duration::from_millis(2500);
        })
        .mount("good", &guests::deaf(), |_| ());
    plan.settings.concurrency = Some(2);
    plan.settings.queue = 2;
    let server = plan.start();
    let mut statuses: Vec<u16> = thread::scope(|scope| {
        let asked: Vec<_> = (0..8)
            .map(|_| {
                thread::sleep(Duration::from_millis(20));
                scope.spawn(|| {
                    let begin = Instant::now();
                    let answer = server.get("/loop");
                    if begin.elapsed() < Duration::from_millis(500) {
                        assert_eq!(answer.header("retry-after"), Some("1"));
                    }
                    answer.status
                })
            })
            .collect();
        asked
            .into_iter()
            .map(|asked| asked.join().unwrap())
            .collect()
    });
    statuses.sort_unstable();
    // Of those that wait, it is a matter of chance whether they begin in time.
    let refused = statuses.iter().filter(|status| **status == 503).count();
    assert!((4..=6).contains(&refused), "{statuses:?}");
    assert_eq!(
        statuses.len() - refused,
        statuses.iter().filter(|s| **s == 504).count()
    );
    eventually("it recovers", || server.get("/good").status == 200);
}
