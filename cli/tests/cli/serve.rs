//! `rwasm serve`: from a command line or a file to answers, and to the end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr};

use crate::harness::{Case, Folder};

const GUEST: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 100) "Content-Type: text/plain\n\nhello\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 100))
    (i32.store (i32.const 4) (i32.const 32))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

/// The address that a server tells, what it has said by then, and will say.
fn address(child: &mut Child) -> (String, String, BufReader<ChildStderr>) {
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    loop {
        let begin = said.len();
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "{said}");
        if let Some((_, address)) = said[begin..].split_once("serving on http://") {
            let address = address.trim().to_owned();
            return (address, said, stderr);
        }
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_serves_until_it_is_told_to_stop() {
    let file = r#"
        addr = "127.0.0.1:0"
        grace = "2s"
        [[mount]]
        path = "/a"
        module = "served.wat"
        max-memory = "1MiB"
        timeout = "10s"
        env = { A = "b" }
        [[mount]]
        path = "/b"
        module = "served.wat"
        dir = [".::/here:ro"]
        scratch = "/tmp"
        snapshot = "input"
        max-body = 1000
    "#;
    let folder = Folder::new()
        .with("served.wat", GUEST)
        .with("sub/rwasm.toml", file.replace("served", "../served"))
        .with("rwasm.toml", file);
    for (args, paths) in [
        ("serve --addr 127.0.0.1:0 served.wat", ["/", "/x/y"]),
        (
            "serve --addr 127.0.0.1:0 --snapshot --mount /a=served.wat --mount /b=served.wat",
            ["/a", "/b/c"],
        ),
        ("serve", ["/a", "/b"]),
        ("serve --config sub/rwasm.toml", ["/a", "/b"]),
    ] {
        let mut child = folder.rwasm(args).spawn().unwrap();
        let (address, _, mut stderr) = address(&mut child);
        for path in paths {
            let answer = get(&address, path);
            // In chunks, if the program still ran when its answer began.
            assert!(answer.starts_with("HTTP/1.1 200"), "{args}: {answer}");
            assert!(answer.contains("\nhello\n"), "{args}: {answer}");
        }
        assert!(get(&address, "/\u{1}").starts_with("HTTP/1.1 4"), "{args}");
        let mut kill = folder.shell(&format!("kill -TERM {}", child.id()));
        assert!(kill.status().unwrap().success());
        let mut log = String::new();
        stderr.read_to_string(&mut log).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{args}: {log}");
        assert!(log.contains("status=200"), "{log}");
        assert!(!log.contains("panicked"), "{log}");
    }
}

/// Loops, and then answers.
const HOT: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 100) "Content-Type: text/plain\n\nhello\n")
  (func $step (param i32) (result i32)
    (i32.add (i32.mul (local.get 0) (i32.const 1664525)) (i32.const 1013904223)))
  (func (export "_start") (local $i i32) (local $n i32)
    (loop $l
      (local.set $n (call $step (local.get $n)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $i) (i32.const 3000000))))
    (i32.store (i32.const 0) (i32.const 100))
    (i32.store (i32.const 4) (i32.const 32))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

#[test]
fn a_second_start_has_what_the_first_one_compiled() {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return;
    }
    let folder = Folder::new().with("hot.wat", HOT);
    let serve = || {
        let args = "serve --addr 127.0.0.1:0 --cache-dir kept hot.wat";
        let mut serve = folder.rwasm(args);
        let mut child = serve.env("RWASM_LOG", "cache=debug").spawn().unwrap();
        let (address, said, mut stderr) = address(&mut child);
        for _ in 0..5 {
            assert!(get(&address, "/").starts_with("HTTP/1.1 200"));
        }
        let mut kill = folder.shell(&format!("kill -TERM {}", child.id()));
        assert!(kill.status().unwrap().success());
        let mut log = String::new();
        stderr.read_to_string(&mut log).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{log}");
        assert!(!said.contains("machine code from an earlier run"), "{said}");
        log.contains("machine code from an earlier run")
    };
    assert!(!serve(), "there was none");
    // A loaded machine may compile nothing before the server has ended.
    assert!((0..50).any(|_| serve()));
}

#[test]
fn what_cannot_be_served_is_told_in_a_sentence() {
    let nothing = Folder::new();
    nothing.check(&[Case::new("serve").code(2).stderr(&[
        "there is nothing to serve",
        "rwasm serve app.wasm",
        "rwasm.toml",
    ])]);
    let folder = Folder::new()
        .with("served.wat", GUEST)
        .with("library.wat", "(module)")
        .with("silent.wat", r#"(module (func (export "_start")))"#)
        .with(
            "endless.wat",
            r#"(module (func (export "_start") (loop $l (br $l))))"#,
        )
        .with(
            "listen.toml",
            "[[mount]]\npath = '/'\nmodule = 'served.wat'\nmode = 'listen'\nsnapshot = 'request'",
        )
        .with("empty.toml", "")
        .with("unknown.toml", "[[mount]]\npath = '/'\nmodul = 'a.wasm'")
        .with(
            "bad.toml",
            "[[mount]]\npath = '/'\nmodule = 'a.wasm'\nmax-memory = '1X'",
        )
        .with(
            "foreign.wat",
            r#"(module (import "wbg" "f" (func)) (func (export "_start")))"#,
        );
    folder.check(&[
        Case::new("serve none.wasm")
            .code(1)
            .stderr(&["none.wasm: no such file; check the path"]),
        Case::new("serve library.wat")
            .code(1)
            .stderr(&["library.wat has no `_start`", "wasm32-wasip1"]),
        Case::new("serve foreign.wat")
            .code(1)
            .stderr(&["imports what rwasm does not have", "wasm-bindgen"]),
        Case::new("serve --max-memory 1KiB served.wat")
            .code(1)
            .stderr(&["needs too much", "--max-memory raises the limit"]),
        Case::new("serve --mount a=served.wat")
            .code(2)
            .stderr(&["cannot be a path; write `/`"]),
        Case::new("serve --mount /a")
            .code(2)
            .stderr(&["PATH=MODULE"]),
        Case::new("serve --mount /a=served.wat --mount /a/=served.wat")
            .code(2)
            .stderr(&["two programs are mounted at /a/"]),
        Case::new("serve --dir nowhere served.wat")
            .code(1)
            .stderr(&["the folder nowhere does not exist"]),
        Case::new("serve --addr 8080 served.wat")
            .code(2)
            .stderr(&["the port is missing; write HOST:PORT"]),
        Case::new("serve --snapshot silent.wat").code(1).stderr(&[
            "silent.wat cannot be started once for all requests: it ended with exit code 0",
            "`_start` read a request",
        ]),
        Case::new("serve --mode isolate --addr 127.0.0.1:0 --timeout 100ms endless.wat")
            .code(1)
            .stderr(&["it took too long; --timeout gives it more time"]),
        Case::new("serve --snapshot --mode listen served.wat")
            .code(2)
            .stderr(&["--snapshot is not for the mode listen"]),
        Case::new("serve --config listen.toml")
            .code(2)
            .stderr(&["--snapshot is not for the mode listen"]),
        Case::new("serve --config none.toml")
            .code(1)
            .stderr(&["none.toml: no such file"]),
        Case::new("serve --config empty.toml")
            .code(1)
            .stderr(&["has no [[mount]]"]),
        Case::new("serve --config unknown.toml")
            .code(1)
            .stderr(&["unknown.toml is not as it should be", "`modul`"]),
        Case::new("serve --config bad.toml")
            .code(1)
            .stderr(&["max-memory", "write a number of bytes"]),
    ]);
}
