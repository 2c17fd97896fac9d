//! Servers, on a listener that they are given, and their clients.

use std::{
    collections::HashSet,
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use super::{
    Program,
    trial::{Failure, Guest, Outcome, Trial},
};

pub const PROGRAMS: &[Program] = &[
    Program {
        name: "tcp-server",
        check: tcp_server,
    },
    Program {
        name: "go-files",
        check: go_files,
    },
    Program {
        name: "go-http",
        check: go_http,
    },
    Program {
        name: "visits",
        check: |trial| visits(trial, "visits", Drawn::BeforeTheRequest),
    },
    Program {
        name: "visits-c",
        check: |trial| visits(trial, "visits-c", Drawn::BeforeTheRequest),
    },
    Program {
        name: "go-visits",
        check: |trial| visits(trial, "go-visits", Drawn::AfterTheEnvironment),
    },
];

/// When a program draws its number: after its system has read the environment, as
/// Go's does first of all, it belongs to a request of CGI.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Drawn {
    BeforeTheRequest,
    AfterTheEnvironment,
}

/// A server that nobody stops ends by then.
const TIMEOUT: &str = "60s";

/// How long a server may take to start, on a busy machine too.
const START: Duration = Duration::from_secs(30);

/// A Rust program that waits in `accept` and in `read`.
fn tcp_server(trial: &mut Trial<'_>) -> Result<(), Failure> {
    const CONNECTIONS: usize = 3;
    let guest = Guest::new(trial.modules.guest("tcp-server")).args(&["3"]);
    let outcome = Outcome::success("3 served, then WouldBlock\n");
    serve(trial, guest, &outcome, |address| {
        for index in 0..CONNECTIONS {
            // More than the buffers of a connection hold.
            let text = format!("line {index}\n").repeat(200_000);
            let answer = exchange(address, text.as_bytes());
            compare(answer, &text.to_uppercase())?;
        }
        Ok(())
    })
}

fn go_files(trial: &mut Trial<'_>) -> Result<(), Failure> {
    const OUTPUT: &str = "\
link L--------- 4 2000000003
moved ---------- 4 2000000003
outside: true
ticks: 5
";
    let folder = trial.folder("data")?;
    let guest = Guest::new(trial.modules.guest("go-http"))
        .dir(&folder, "/data")
        .args(&["/data"]);
    trial.expect(guest, &Outcome::code(7).printing(OUTPUT))
}

/// A Go program with a goroutine for each connection, of which none may wait in
/// the host.
fn go_http(trial: &mut Trial<'_>) -> Result<(), Failure> {
    let guest = Guest::new(trial.modules.guest("go-http"));
    serve(trial, guest, &Outcome::success("stopped\n"), |address| {
        // A client that says nothing keeps no other waiting.
        let idle = connect(address);
        compare(get(address, "/hello?name=wasi"), "hello, wasi\n")?;
        let body = "0123456789".repeat(100_000);
        let request = format!(
            "POST /echo HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        compare(exchange(address, request.as_bytes()).map(body_of), &body)?;
        let asked: Vec<_> = (0..8)
            .map(|index| thread::spawn(move || get(address, &format!("/hello?name={index}"))))
            .collect();
        for (index, asked) in asked.into_iter().enumerate() {
            let answer = asked.join().map_err(|_| io::ErrorKind::Other.into());
            compare(answer.flatten(), &format!("hello, {index}\n"))?;
        }
        drop(idle);
        compare(get(address, "/stop"), "stopping\n")
    })
}

/// A program that counts its visitors, behind `rwasm serve` in all ways: whether the
/// count goes on says what lives on, and the number that it draws at its start how
/// often it was started.
fn visits(trial: &mut Trial<'_>, name: &str, drawn: Drawn) -> Result<(), Failure> {
    const VISITORS: usize = 5;
    let module = trial.modules.guest(name);
    let early = drawn == Drawn::BeforeTheRequest;
    for (flags, lives_on, starts_once) in [
        (&["--mode", "cgi"][..], false, false),
        (&["--mode", "cgi", "--snapshot"], false, early),
        (&["--mode", "listen"], true, true),
        (&["--mode", "isolate"], false, true),
    ] {
        trial.serve(&module, flags, |address| {
            let mut numbers = HashSet::new();
            for visit in 1..=VISITORS {
                let body = format!("visitor {visit} ").repeat(10_000);
                let answer = exchange_http(address, &body)?;
                let (first, rest) = answer.split_once('\n').unwrap_or((&answer, ""));
                let (count, number) = first.split_once(' ').unwrap_or((first, ""));
                let expected = if lives_on { visit } else { 1 };
                compare(Ok(count.to_owned()), &expected.to_string())?;
                compare(Ok(rest.to_owned()), &body.to_uppercase())?;
                numbers.insert(number.to_owned());
            }
            let expected = if starts_once { 1 } else { VISITORS };
            compare(Ok(numbers.len().to_string()), &expected.to_string())
        })?;
    }
    Ok(())
}

/// The body of the answer to one that is sent.
fn exchange_http(address: SocketAddr, body: &str) -> Result<String, Failure> {
    let request = format!(
        "POST / HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    // The connection stays open: who shuts it down has no more interest in hyper's
    // eyes.
    let answer = send(address, request.as_bytes()).and_then(receive);
    answer.map(body_of).map_err(|error| Failure::Answer {
        actual: error.to_string(),
        expected: "an answer".to_owned(),
    })
}

/// Runs a server, and a client meanwhile.
fn serve(
    trial: &mut Trial<'_>,
    guest: Guest,
    outcome: &Outcome,
    client: impl FnOnce(SocketAddr) -> Result<(), Failure> + Send,
) -> Result<(), Failure> {
    let address = free_address().map_err(|error| Failure::Answer {
        actual: error.to_string(),
        expected: "a free port".to_owned(),
    })?;
    let guest = guest
        .flag("--listen", address.to_string())
        .flag("--timeout", TIMEOUT);
    thread::scope(|scope| {
        let client = scope.spawn(|| client(address));
        let served = trial.expect(guest, outcome);
        // The client knows better what went wrong.
        client.join().unwrap_or(Ok(())).and(served)
    })
}

/// Some port that is free now, and most likely still when the server starts.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// Connects as soon as somebody listens.
fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let start = Instant::now();
    loop {
        match TcpStream::connect(address) {
            Err(_) if start.elapsed() < START => thread::sleep(Duration::from_millis(5)),
            result => return result,
        }
    }
}

/// Sends all, then reads all.
fn exchange(address: SocketAddr, sent: &[u8]) -> io::Result<String> {
    let stream = send(address, sent)?;
    stream.shutdown(Shutdown::Write)?;
    receive(stream)
}

fn send(address: SocketAddr, sent: &[u8]) -> io::Result<TcpStream> {
    let mut stream = connect(address)?;
    stream.set_read_timeout(Some(START))?;
    stream.write_all(sent)?;
    Ok(stream)
}

fn receive(mut stream: TcpStream) -> io::Result<String> {
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn get(address: SocketAddr, path: &str) -> io::Result<String> {
    let request = format!("GET {path} HTTP/1.0\r\n\r\n");
    exchange(address, request.as_bytes()).map(body_of)
}

fn body_of(answer: String) -> String {
    match answer.split_once("\r\n\r\n") {
        Some((_, body)) => body.to_owned(),
        None => answer,
    }
}

fn compare(answer: io::Result<String>, expected: &str) -> Result<(), Failure> {
    /// What of a long answer is shown.
    const SHOWN: usize = 200;
    let shown = |text: &str| text.chars().take(SHOWN).collect::<String>();
    match answer {
        Ok(answer) if answer == expected => Ok(()),
        Ok(answer) => Err(Failure::Answer {
            actual: shown(&answer),
            expected: shown(expected),
        }),
        Err(error) => Err(Failure::Answer {
            actual: error.to_string(),
            expected: shown(expected),
        }),
    }
}
