//! Serves as many connections as the first argument says, on the listener that
//! is descriptor 3: sends back what it receives, in upper case, until the other
//! side has sent all, then shuts the connection down.

use std::env;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::os::fd::FromRawFd;

const LISTENER: i32 = 3;

fn main() {
    let connections = env::args()
        .nth(1)
        .and_then(|arg| arg.parse().ok())
        .unwrap_or(1);
    // SAFETY: nothing else in the program uses this descriptor.
    let listener = unsafe { TcpListener::from_raw_fd(LISTENER) };
    for _ in 0..connections {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("all that is sent");
        bytes.make_ascii_uppercase();
        stream.write_all(&bytes).expect("a reader");
        stream.shutdown(Shutdown::Both).expect("it was open");
    }
    // And once without waiting.
    listener.set_nonblocking(true).expect("a flag");
    let nobody = listener.accept().expect_err("nobody is there");
    println!("{connections} served, then {:?}", nobody.kind());
}
