//! A server in this process, and clients.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rwasm_serve::{Mode, Mount, Program, ServeError, Server, Settings};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// What to serve.
pub struct Plan {
    pub settings: Settings,
    folder: TempDir,
}

/// A server that runs until this is dropped.
pub struct Running {
    pub addr: SocketAddr,
    pub metrics: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
    _folder: TempDir,
}

impl Plan {
    pub fn new() -> Plan {
        let mut settings = Settings::new("127.0.0.1:0");
        settings.metrics_addr = Some("127.0.0.1:0".into());
        settings.grace = Duration::from_secs(5);
        Plan {
            settings,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Mounts a guest at `/name`.
    pub fn mount(mut self, name: &str, wat: &str, set: impl FnOnce(&mut Program)) -> Plan {
        let file = self.settings.mounts.len();
        let file = self.folder.path().join(format!("{file}.wat"));
        fs::write(&file, wat).unwrap();
        let mut program = Program::new(file);
        set(&mut program);
        let mount = Mount::cgi(format!("/{name}"), program);
        self.settings.mounts.push(mount);
        self
    }

    /// Has all programs meet HTTP in this way.
    pub fn mode(mut self, mode: Mode) -> Plan {
        for mount in &mut self.settings.mounts {
            mount.mode = mode;
        }
        self
    }

    /// A folder that is there as long as the plan or its server.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Why no server comes of it.
    pub fn error(self) -> ServeError {
        Server::bind(self.settings).map(drop).unwrap_err()
    }

    pub fn start(self) -> Running {
        let server = Server::bind(self.settings).unwrap();
        let (addr, metrics) = (server.addr(), server.metrics_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            server.run(async {
                let _ = stopped.await;
            })
        });
        Running {
            addr,
            metrics,
            stop: Some(stop),
            thread: Some(thread),
            _folder: self.folder,
        }
    }
}

impl Running {
    /// A server of one guest.
    pub fn of(name: &str, wat: &str) -> Running {
        Plan::new().mount(name, wat, |_| ()).start()
    }

    /// Tells it to stop.
    pub fn stop(&mut self) {
        self.stop.take();
    }

    /// Waits until it has stopped.
    pub fn wait(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().unwrap();
        }
    }

    /// A new connection.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.addr).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        stream
    }

    /// All that comes back when this is sent.
    pub fn raw(&self, text: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(text.as_bytes()).unwrap();
        rest(&mut stream)
    }

    /// The answer to a request with a connection of its own.
    pub fn get(&self, path: &str) -> Answer {
        Answer::parse(&self.raw(&format!(
            "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )))
    }

    pub fn post(&self, path: &str, body: &str) -> Answer {
        let len = body.len();
        Answer::parse(&self.raw(&format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len}\r\n\r\n\
             {body}"
        )))
    }

    /// A metric's value, its labels included in `name`.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let mut stream = TcpStream::connect(self.metrics).unwrap();
        let request = "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let text = rest(&mut stream);
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.rsplit_once(' ')?.1.parse().ok()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        if !thread::panicking() {
            self.wait();
        }
    }
}

/// An answer of HTTP/1.1.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn parse(text: &str) -> Answer {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut answer = Answer {
            status: status.unwrap_or(0),
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        };
        if answer.head.contains("transfer-encoding: chunked") {
            answer.body = dechunked(body);
        }
        answer
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines();
        lines
            .filter_map(|line| line.split_once(": "))
            .find_map(|(found, value)| (found == name).then_some(value))
    }
}

/// The text of chunks, with `<cut>` at its end if the last is missing.
fn dechunked(mut text: &str) -> String {
    let mut whole = String::new();
    while let Some((len, rest)) = text.split_once("\r\n") {
        let len = usize::from_str_radix(len, 16).unwrap();
        if len == 0 {
            return whole;
        }
        if rest.len() < len + 2 {
            break;
        }
        whole += &rest[..len];
        text = &rest[len + 2..];
    }
    whole + "<cut>"
}

/// What is still to come on a connection.
pub fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset ends it too.
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends requests over one connection of HTTP/2, all at once.
pub fn http_2(
    addr: SocketAddr,
    requests: Vec<Request<Full<Bytes>>>,
) -> Vec<hyper::Result<Response<Bytes>>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(addr).await.unwrap();
        let (client, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        tokio::spawn(connection);
        let sent: Vec<_> = requests
            .into_iter()
            .map(|request| {
                let mut client = client.clone();
                tokio::spawn(async move {
                    let response = client.send_request(request).await?;
                    let (head, body) = response.into_parts();
                    let body = body.collect().await?.to_bytes();
                    Ok(Response::from_parts(head, body))
                })
            })
            .collect();
        let mut answers = Vec::new();
        for answer in sent {
            answers.push(answer.await.unwrap());
        }
        answers
    })
}

/// Waits until it is so.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether this is a process for the test of this name alone. If not, one is run:
/// other tests open and close what the test counts.
pub fn alone(test: &str) -> bool {
    const ALONE: &str = "RWASM_SERVE_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut alone = Command::new(std::env::current_exe().unwrap());
    let status = alone.args([test, "--exact"]).env(ALONE, "1").status();
    assert!(status.unwrap().success());
    false
}

/// How many requests are sent where many are: RWASM_SERVE_REQUESTS, or so many.
pub fn many_requests(otherwise: usize) -> usize {
    let asked = std::env::var("RWASM_SERVE_REQUESTS");
    asked.map_or(otherwise, |asked| asked.parse().unwrap())
}

/// What this process has: descriptors, threads, mappings of memory, bytes that
/// are resident.
pub fn holdings() -> [usize; 4] {
    let entries = |path| fs::read_dir(path).unwrap().count();
    let mappings = fs::read_to_string("/proc/self/maps").unwrap();
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let pages = statm.split(' ').nth(1).unwrap();
    [
        entries("/proc/self/fd"),
        entries("/proc/self/task"),
        mappings.lines().count(),
        pages.parse::<usize>().unwrap() << 12,
    ]
}

pub fn eventually_holds_no_more_than(before: [usize; 4]) {
    eventually("it has what it had before", || {
        let after = holdings();
        after[0] <= before[0]
            && after[1] <= before[1]
            && after[2] <= before[2] + 16
            && after[3] <= before[3] + (4 << 20)
    });
}
