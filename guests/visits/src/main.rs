//! Counts its visitors, and tells each the count, a number that was drawn at the
//! start, and what it has sent, in upper case. By CGI if it is called so; else as a
//! server on the listener that is descriptor 3, one connection after the other.

use std::env;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::fd::FromRawFd;
use std::sync::atomic::{AtomicU32, Ordering};

const LISTENER: i32 = 3;

static VISITS: AtomicU32 = AtomicU32::new(0);

fn main() -> io::Result<()> {
    let drawn = RandomState::new().hash_one(());
    if env::var_os("GATEWAY_INTERFACE").is_some() {
        let mut body = Vec::new();
        io::stdin().read_to_end(&mut body)?;
        let mut stdout = io::stdout().lock();
        write!(stdout, "Content-Type: text/plain\n\n")?;
        return stdout.write_all(&answer(drawn, &body));
    }
    // SAFETY: nothing else in the program uses this descriptor.
    let listener = unsafe { TcpListener::from_raw_fd(LISTENER) };
    for stream in listener.incoming() {
        let mut stream = BufReader::new(stream?);
        let Ok(body) = request(&mut stream) else {
            continue;
        };
        let answer = answer(drawn, &body);
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            answer.len()
        );
        let stream = stream.get_mut();
        let _ = stream.write_all(&[head.as_bytes(), &answer].concat());
    }
    Ok(())
}

fn answer(drawn: u64, body: &[u8]) -> Vec<u8> {
    let visit = VISITS.fetch_add(1, Ordering::Relaxed) + 1;
    let mut answer = format!("{visit} {drawn:016x}\n").into_bytes();
    answer.extend(body.to_ascii_uppercase());
    answer
}

/// The body of a request.
fn request(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(body)
}
