//! `--listen`: connections that the guest accepts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Child;

use crate::harness::{Case, Folder, run};

/// The address that a guest listens on, as `-v` tells it.
fn address(child: &mut Child) -> String {
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    loop {
        line.clear();
        assert_ne!(
            stderr.read_line(&mut line).unwrap(),
            0,
            "it does not listen"
        );
        if let Some((_, rest)) = line.split_once("listening on ") {
            // The rest must not fill the pipe.
            std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
            return rest.split(',').next().unwrap().to_owned();
        }
    }
}

#[test]
fn a_guest_accepts_and_answers() {
    let folder = Folder::new();
    // The name of the flag in wasmtime until 46 is understood, too.
    for flag in ["--listen", "--tcplisten"] {
        let args = format!("-v {flag} 127.0.0.1:0 --timeout 60s echo-tcp.wat");
        let mut child = folder.rwasm(&args).spawn().unwrap();
        let mut peer = TcpStream::connect(address(&mut child)).unwrap();
        let text = "some text that is longer than the buffer";
        peer.write_all(text.as_bytes()).unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        peer.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, text);
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn waiting_for_a_connection_ends_with_the_time() {
    let folder = Folder::new();
    let args = "--listen 127.0.0.1:0 --timeout 200ms echo-tcp.wat";
    let ended = run(&mut folder.rwasm(args), b"");
    assert_eq!(ended.code, 124, "{}", ended.stderr);
}

#[test]
fn addresses_that_cannot_be_used() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap();
    let folder = Folder::new();
    let ended = run(
        &mut folder.rwasm(&format!("--listen {taken} echo-tcp.wat")),
        b"",
    );
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(
        ended.stderr.contains(&format!("cannot listen on {taken}")),
        "{}",
        ended.stderr
    );
    folder.check(&[
        Case::new("--listen :80 echo-tcp.wat")
            .code(2)
            .stderr(&["127.0.0.1:80", "0.0.0.0:80"]),
        Case::new("--listen 80 echo-tcp.wat")
            .code(2)
            .stderr(&["write HOST:PORT"]),
        // Nothing is there to accept from.
        Case::new("echo-tcp.wat").code(8),
        Case::new("--dir . echo-tcp.wat").code(57),
    ]);
}
