//! One request, by RFC 3875.

use std::env;
use std::io::{self, IoSlice, Read, Write};

use payload_core::JSON;

fn main() -> io::Result<()> {
    let variable = |name| env::var(name).unwrap_or_default();
    let mut body = Vec::new();
    if let Ok(bytes) = variable("CONTENT_LENGTH").parse() {
        body.reserve_exact(bytes);
        io::stdin().take(bytes as u64).read_to_end(&mut body)?;
    }
    let path = variable("SCRIPT_NAME") + &variable("PATH_INFO");
    let answer = payload_core::answer(
        &variable("REQUEST_METHOD"),
        &path,
        &variable("QUERY_STRING"),
        &body,
    );
    let bytes = answer.body.len();
    let mut head = format!("Status: {}\nContent-Length: {bytes}\n", answer.status);
    if bytes > 0 {
        head += &format!("Content-Type: {JSON}\n");
    }
    head += "\n";
    // Head and body in one write, where the host takes as much.
    let mut stdout = io::stdout().lock();
    let written =
        stdout.write_vectored(&[IoSlice::new(head.as_bytes()), IoSlice::new(&answer.body)])?;
    if written < head.len() {
        stdout.write_all(&head.as_bytes()[written..])?;
    }
    stdout.write_all(&answer.body[written.saturating_sub(head.len())..])?;
    stdout.flush()
}
