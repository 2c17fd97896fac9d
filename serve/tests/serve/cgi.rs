//! What a program is told, and what becomes of what it says.

use crate::guests;
use crate::harness::{Plan, Running};

#[test]
fn the_request_is_in_the_environment() {
    let server = Plan::new()
        .mount("env", &guests::environment(), |program| {
            program.env.push(("OWN".into(), "1".into()));
            program.env.push(("REQUEST_METHOD".into(), "forged".into()));
        })
        .start();
    let answer = server.get("/env/a%20b?x=1&y");
    assert_eq!(answer.status, 200, "{answer:?}");
    let mut variables: Vec<&str> = answer.body.split_terminator('\0').collect();
    variables.retain(|variable| !variable.starts_with("REMOTE_PORT"));
    variables.sort_unstable();
    let port = format!("SERVER_PORT={}", server.addr.port());
    let software = concat!("SERVER_SOFTWARE=rwasm/", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        variables,
        [
            "GATEWAY_INTERFACE=CGI/1.1",
            "HTTP_HOST=a",
            "OWN=1",
            "PATH_INFO=/a b",
            "QUERY_STRING=x=1&y",
            "REMOTE_ADDR=127.0.0.1",
            "REMOTE_HOST=127.0.0.1",
            "REQUEST_METHOD=GET",
            "REQUEST_URI=/env/a%20b?x=1&y",
            "SCRIPT_NAME=/env",
            "SERVER_NAME=a",
            &port,
            "SERVER_PROTOCOL=HTTP/1.1",
            software,
        ]
    );
}

#[test]
fn the_body_goes_through_the_program() {
    let server = Running::of("echo", &guests::echo());
    let body = "0123456789abcdef".repeat(40_000);
    for body in ["", "x", &body] {
        let answer = server.post("/echo", body);
        assert_eq!(answer.status, 200);
        assert!(answer.body == body, "{} bytes", answer.body.len());
    }
}

#[test]
fn a_program_says_status_headers_and_length() {
    let server = Running::of("status", &guests::status());
    let answer = server.get("/status");
    assert_eq!((answer.status, &*answer.body), (404, "abc"));
    assert_eq!(answer.header("x-own"), Some("yes"));
    assert_eq!(answer.header("content-length"), Some("3"));
}

#[test]
fn a_program_can_send_a_request_on() {
    let server = Plan::new()
        .mount("on", &guests::elsewhere(), |_| ())
        .mount("round", &guests::round(), |_| ())
        .mount("echo", &guests::environment(), |_| ())
        .start();
    let answer = server.post("/on", "body");
    assert_eq!(answer.status, 200, "{answer:?}");
    for variable in ["REQUEST_METHOD=GET", "QUERY_STRING=x", "SCRIPT_NAME=/echo"] {
        assert!(answer.body.contains(variable), "{variable} in {answer:?}");
    }
    assert!(!answer.body.contains("CONTENT_LENGTH"), "{answer:?}");
    assert_eq!(server.get("/round").status, 502);
}

#[test]
fn a_request_finds_its_program() {
    let plan = Plan::new()
        .mount("a", &guests::environment(), |_| ())
        .mount("a/b", &guests::environment(), |_| ());
    let server = plan.start();
    for (path, script) in [
        ("/a", Some("/a")),
        ("/a/", Some("/a")),
        ("/a/c", Some("/a")),
        ("/a/b", Some("/a/b")),
        ("/%61/b/c", Some("/a/b")),
        ("/ab", None),
        ("/", None),
    ] {
        let answer = server.get(path);
        match script {
            None => assert_eq!(answer.status, 404, "{path}"),
            Some(script) => {
                let variable = format!("SCRIPT_NAME={script}\0");
                assert!(answer.body.contains(&variable), "{path}: {answer:?}");
            }
        }
    }
    assert_eq!(server.get("/a/%00").status, 400);
}
