//! Nothing of a request is there for another, and nothing is left over.

use crate::guests;
use crate::harness::{
    Plan, Running, alone, eventually_holds_no_more_than, holdings, many_requests,
};
use std::io::{Read, Write};
use std::thread;

/// In memory, a global, a table, the scratch folder and a descriptor.
#[test]
fn a_secret_is_not_seen_by_a_later_request() {
    let server = Plan::new()
        .mount("secret", &guests::secret(), |program| {
            program.scratch = Some("/tmp".into());
        })
        .start();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let answer = server.get("/secret");
                    assert_eq!((answer.status, &*answer.body), (200, "clean\n"));
                }
            });
        }
    });
}

/// Sends requests over one connection, and reads their answers.
fn many(server: &Running, path: &str, count: usize) {
    let mut stream = server.connect();
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut answer = [0; 4096];
    for _ in 0..count {
        stream.write_all(request.as_bytes()).unwrap();
        let mut len = 0;
        loop {
            // In chunks, or with a length.
            let text = std::str::from_utf8(&answer[..len]).unwrap();
            let end = match text.contains("chunked") {
                true => "\r\n0\r\n\r\n",
                false => "\r\n\r\nclean\n",
            };
            if text.ends_with(end) {
                break;
            }
            let more = stream.read(&mut answer[len..]).unwrap();
            assert_ne!(more, 0);
            len += more;
        }
        let text = std::str::from_utf8(&answer[..len]).unwrap();
        assert!(
            text.starts_with("HTTP/1.1 200") && text.contains("clean\n"),
            "{text}"
        );
    }
}

/// In a process of its own: other tests open and close what is counted.
#[test]
fn nothing_is_left_after_many_requests() {
    if !alone("isolation::nothing_is_left_after_many_requests") {
        return;
    }
    // One guest at a time, so that all threads have started before it is counted.
    let mut plan = Plan::new();
    plan.settings.concurrency = Some(1);
    let server = plan
        .mount("secret", &guests::secret(), |program| {
            program.scratch = Some("/tmp".into());
        })
        .start();
    many(&server, "/secret", 500);
    let before = holdings();
    many(&server, "/secret", many_requests(3000));
    eventually_holds_no_more_than(before);
}
