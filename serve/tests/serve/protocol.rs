//! HTTP/1.1 and HTTP/2, and the life of a server.

use crate::guests;
use crate::harness::{Answer, Plan, Running, http_2, rest};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Version};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_connection_serves_many_requests() {
    let server = Running::of("status", &guests::status());
    let answer = server.raw(
        "GET /status HTTP/1.1\r\nHost: a\r\n\r\n\
         HEAD /status HTTP/1.1\r\nHost: a\r\n\r\n\
         GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    );
    assert_eq!(answer.matches("HTTP/1.1 404").count(), 3, "{answer}");
    assert_eq!(answer.matches("\r\n\r\nabc").count(), 1, "{answer}");
    let lengths = answer.to_ascii_lowercase();
    assert_eq!(lengths.matches("content-length: 3").count(), 2, "{answer}");
}

#[test]
fn chunks_go_both_ways() {
    let chunked = [
        "Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n",
        "7\r\n second\r\n0\r\n\r\n",
    ];
    // A small body of known length is waited for, but not for long.
    let known = ["Content-Length: 12\r\n\r\nfirst", " second"];
    let server = Running::of("echo", &guests::echo());
    for parts in [chunked, known] {
        goes_both_ways(&server, parts);
    }
}

fn goes_both_ways(server: &Running, [first, second]: [&str; 2]) {
    let mut stream = server.connect();
    let head = "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
    stream
        .write_all(format!("{head}{first}").as_bytes())
        .unwrap();
    // The answer begins before the request has ended.
    let mut begin = [0; 4096];
    let mut len = 0;
    while !begin[..len].windows(5).any(|bytes| bytes == b"first") {
        let more = stream.read(&mut begin[len..]).unwrap();
        assert_ne!(more, 0);
        len += more;
    }
    stream.write_all(second.as_bytes()).unwrap();
    let text = String::from_utf8_lossy(&begin[..len]).into_owned() + &rest(&mut stream);
    assert_eq!(Answer::parse(&text).body, "first second");
}

#[test]
fn a_client_goes_on_only_if_the_program_reads() {
    let server = Plan::new()
        .mount("listener", &guests::listener(), |_| ())
        .mount("deaf", &guests::deaf(), |_| ())
        .start();
    for (path, goes_on) in [("/listener", true), ("/deaf", false)] {
        let mut stream = server.connect();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\n\
             Content-Length: 3\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        if goes_on {
            let mut interim = [0; 25];
            stream.read_exact(&mut interim).unwrap();
            assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
            stream.write_all(b"abc").unwrap();
        }
        let answer = Answer::parse(&rest(&mut stream));
        assert_eq!(answer.status, 200, "{path}");
    }
}

#[test]
fn http_2_is_understood() {
    let server = Plan::new()
        .mount("echo", &guests::echo(), |_| ())
        .mount("env", &guests::environment(), |_| ())
        .mount("late", &guests::late_trap(), |_| ())
        .start();
    let to = |path: &str, body: &str| {
        Request::post(format!("http://example.org:81{path}"))
            .version(Version::HTTP_2)
            .body(Full::from(Bytes::from(body.to_owned())))
            .unwrap()
    };
    let long = "0123456789".repeat(50_000);
    let mut requests: Vec<_> = (0..20).map(|n| to("/echo", &format!("body {n}"))).collect();
    requests.push(to("/echo", &long));
    requests.push(to("/late", ""));
    requests.push(to("/env", ""));
    let mut answers = http_2(server.addr, requests);
    let environment = answers.pop().unwrap().unwrap().into_body();
    let environment = String::from_utf8_lossy(&environment);
    for variable in ["SERVER_PROTOCOL=HTTP/2.0\0", "SERVER_NAME=example.org\0"] {
        assert!(environment.contains(variable), "{environment}");
    }
    // One request is reset, and not the connection.
    assert!(answers.pop().unwrap().is_err());
    assert_eq!(answers.pop().unwrap().unwrap().into_body(), long);
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.unwrap().into_body(), format!("body {n}"));
    }
}

#[test]
fn a_head_that_is_too_long_is_refused() {
    let mut plan = Plan::new().mount("deaf", &guests::deaf(), |_| ());
    plan.settings.max_head = 16 << 10;
    let server = plan.start();
    for (bytes, status) in [(8 << 10, 200), (32 << 10, 431)] {
        let long = "x".repeat(bytes);
        let answer = server.raw(&format!(
            "GET /deaf HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: {long}\r\n\r\n"
        ));
        assert_eq!(Answer::parse(&answer).status, status, "{bytes} bytes");
    }
    assert_eq!(Answer::parse(&server.raw("nonsense\r\n\r\n")).status, 400);
}

#[test]
fn health_and_metrics() {
    let server = Running::of("deaf", &guests::deaf());
    let ask = |path: &str| {
        let mut stream = TcpStream::connect(server.metrics).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        Answer::parse(&rest(&mut stream))
    };
    assert_eq!(ask("/healthz").body, "ok\n");
    assert_eq!(ask("/").status, 404);
    for _ in 0..3 {
        server.get("/deaf");
    }
    let text = ask("/metrics").body;
    for line in [
        r#"rwasm_requests_total{mount="/deaf",code="2xx"} 3"#,
        r#"rwasm_request_seconds_count{mount="/deaf"} 3"#,
        r#"rwasm_response_bytes_total{mount="/deaf"} 18"#,
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

/// What runs may end, and nothing new begins.
#[test]
fn a_server_stops_when_its_requests_have_ended() {
    let mut server = Running::of("echo", &guests::echo());
    let mut stream = server.connect();
    stream
        .write_all(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc")
        .unwrap();
    let mut byte = [0];
    stream.read_exact(&mut byte).unwrap();
    server.stop();
    thread::sleep(Duration::from_millis(100));
    assert!(TcpStream::connect(server.addr).is_err());
    stream.write_all(b"def").unwrap();
    let answer = "H".to_owned() + &rest(&mut stream);
    assert_eq!(Answer::parse(&answer).body, "abcdef");
    server.wait();
}

#[test]
fn a_server_does_not_wait_for_ever() {
    let endless = guests::program("", "(loop $l (br $l))");
    let mut plan = Plan::new().mount("loop", &endless, |_| ());
    plan.settings.grace = Duration::from_millis(200);
    let mut server = plan.start();
    let mut stream = server.connect();
    stream
        .write_all(b"GET /loop HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    thread::sleep(Duration::from_millis(100));
    let begin = Instant::now();
    server.stop();
    server.wait();
    assert!(begin.elapsed() < Duration::from_secs(5));
}
