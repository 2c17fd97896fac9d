//! Guests in text form, run through the public API.

mod common;

use common::{Ended, ended, guest, linker, run, start, store};
use rwasm::{Config, Engine, Error, Linker, Module, Trap};
use rwasm_wasi::{Access, Capture, Input, NoMemory, Output, WasiCtx, WasiCtxBuilder};
use std::fs;
use std::io::{self, Read};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, contents) in files {
        fs::write(folder.path().join(name), contents).expect("a file");
    }
    folder
}

fn give(builder: &mut WasiCtxBuilder, folder: &TempDir, name: &str, access: Access) {
    builder
        .preopened_dir(folder.path(), name, access)
        .expect("the folder is there");
}

/// A linker for one module has what that imports, and all if it imports more.
#[test]
fn a_linker_for_a_module() {
    let engine = Engine::default();
    let linker = |imports: &str| {
        let module = Module::new(&engine, format!("(module {imports})")).unwrap();
        let mut linker = Linker::new(&engine);
        rwasm_wasi::add_imports_to_linker(&mut linker, &module, |ctx| ctx).unwrap();
        linker
    };
    let has = |linker: &Linker<WasiCtx>, module: &str, name: &str| {
        let mut store = store(&engine, &mut WasiCtx::builder());
        linker.get(&mut store, module, name).is_some()
    };
    const ONE: &str = "wasi_snapshot_preview1";
    const ZERO: &str = "wasi_unstable";
    let exit = |module: &str| format!(r#"(import "{module}" "proc_exit" (func (param i32)))"#);
    let few = linker(&(exit(ONE) + &exit(ONE)));
    assert!(has(&few, ONE, "proc_exit"));
    assert!(!has(&few, ONE, "fd_write") && !has(&few, ZERO, "proc_exit"));
    let old = linker(&exit(ZERO));
    assert!(has(&old, ZERO, "proc_exit") && !has(&old, ONE, "proc_exit"));
    for more in [
        r#"(import "env" "f" (func))"#,
        r#"(import "wasi_snapshot_preview1" "fd_wrote" (func))"#,
        // Younger than that name.
        r#"(import "wasi_unstable" "sock_accept" (func))"#,
    ] {
        let all = linker(&(exit(ONE) + more));
        assert!(
            has(&all, ONE, "fd_write") && has(&all, ZERO, "fd_write"),
            "{more}"
        );
    }
}

#[test]
fn hello() {
    assert_eq!(run(guest!("hello"), |_| {}), ended(0, "hello, world\n"));
}

#[test]
fn standard_input() {
    let text = "more than seven bytes, several times over";
    let setup = |builder: &mut WasiCtxBuilder| {
        builder.stdin(Input::bytes(text));
    };
    assert_eq!(run(guest!("cat"), setup), ended(0, text));
    assert_eq!(run(guest!("cat"), |_| {}), ended(0, ""));
}

#[test]
fn arguments_and_environment() {
    let ended = run(guest!("args"), |builder| {
        builder.args(["tool", "", "-x"]).env("A", "1").env("B", "");
    });
    assert_eq!(ended.code, 32);
    assert_eq!(ended.stdout, "tool\0\0-x\0A=1\0B=\0");
    assert_eq!(run(guest!("args"), |_| {}).code, 0);
}

/// WI#675 and WR#361: codes above 125, and from anywhere.
#[test]
fn exit_codes() {
    assert_eq!(run(guest!("exit_in_start"), |_| {}).code, 9);
    assert_eq!(run(guest!("exit_deep_down"), |_| {}).code, 255);
}

#[test]
fn preopened_directories() {
    let (one, two) = (folder(&[]), folder(&[]));
    let found = run(guest!("preopens"), |builder| {
        give(builder, &one, "/", Access::ReadWrite);
        give(builder, &two, "some/where", Access::ReadOnly);
    });
    assert_eq!(found, ended(0, "/\nsome/where\n"));
    assert_eq!(run(guest!("preopens"), |_| {}), ended(0, ""));
}

#[test]
fn files() {
    const EXIST: i32 = 20;
    const NOENT: i32 = 44;
    const ROFS: i32 = 69;
    let contents = "0123456789".repeat(77);
    let folder = folder(&[("from", &contents)]);
    let copy = |access| {
        run(guest!("copy"), |builder| {
            give(builder, &folder, "/", access)
        })
    };
    assert_eq!(copy(Access::ReadOnly).code, ROFS);
    assert_eq!(copy(Access::ReadWrite).code, 0);
    let copied = fs::read_to_string(folder.path().join("to")).expect("the copy");
    assert_eq!(copied, contents);
    assert_eq!(copy(Access::ReadWrite).code, EXIST);
    fs::remove_file(folder.path().join("from")).expect("it is there");
    assert_eq!(copy(Access::ReadWrite).code, NOENT);
}

#[test]
fn listings() {
    let names: Vec<String> = (0..120).map(|index| format!("file-{index}")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    let folder = folder(&files);
    let listed = run(guest!("count_entries"), |builder| {
        give(builder, &folder, "/", Access::ReadOnly);
    });
    assert_eq!(listed.code, 122);
}

#[test]
fn the_unstable_abi() {
    let folder = folder(&[("file", "0123456789")]);
    let checked = run(guest!("unstable"), |builder| {
        give(builder, &folder, "/", Access::ReadOnly);
    });
    assert_eq!(checked.code, 0);
}

#[test]
fn a_module_without_memory() {
    let engine = Engine::default();
    let mut store = store(&engine, &mut WasiCtx::builder());
    let module = Module::new(&engine, guest!("no_memory")).expect("valid");
    let instance = linker(&engine)
        .instantiate(&mut store, &module)
        .expect("linked");
    let mut call = |name| {
        let function = instance.get_typed_func::<(), i32>(&mut store, name)?;
        function.call(&mut store, ())
    };
    assert_eq!(call("without").expect("it needs none"), 0);
    let error = call("with").expect_err("it needs one");
    let found = error.downcast_ref::<NoMemory>().map(|error| error.function);
    assert_eq!(found, Some("args_sizes_get"), "{error}");
}

/// Runs `_start` of a program whose memory we have too, as another thread would.
fn run_shared(wat: &str, setup: impl FnOnce(&mut WasiCtxBuilder)) -> Ended {
    let wat = wat.replace(
        r#"(memory (export "memory") 1)"#,
        r#"(memory (export "memory") 1 2 shared)"#,
    );
    assert!(wat.contains("shared"), "{wat}");
    let stdout = Capture::new(1 << 20);
    let mut builder = WasiCtx::builder();
    builder.stdout(Output::capture(&stdout));
    setup(&mut builder);
    let engine = Engine::new(Config::new().threads(true)).expect("an engine");
    let mut store = store(&engine, &mut builder);
    let module = Module::new(&engine, wat).expect("valid");
    let instance = linker(&engine)
        .instantiate(&mut store, &module)
        .expect("linked");
    let memory = instance.get_memory(&mut store, "memory");
    let shared = memory.and_then(|memory| memory.to_shared(&store));
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start");
    let code = match start.expect("exported").call(&mut store, ()) {
        Ok(()) => 0,
        Err(Error::Exit(code)) => code,
        Err(error) => panic!("{error}"),
    };
    drop(shared.expect("it is shared"));
    Ended {
        code,
        stdout: stdout.text(),
    }
}

/// What can be borrowed of other memories is copied from and to this one.
#[test]
fn a_memory_that_other_threads_have_too() {
    assert_eq!(
        run_shared(guest!("hello"), |_| {}),
        ended(0, "hello, world\n")
    );
    let text = "more than seven bytes, several times over";
    let echoed = run_shared(guest!("cat"), |builder| {
        builder.stdin(Input::bytes(text));
    });
    assert_eq!(echoed, ended(0, text));
    let shown = run_shared(guest!("args"), |builder| {
        builder.args(["tool", "", "-x"]).env("A", "1").env("B", "");
    });
    assert_eq!(shown, ended(32, "tool\0\0-x\0A=1\0B=\0"));
    let (one, two) = (folder(&[("file", "0123456789")]), folder(&[]));
    let found = run_shared(guest!("preopens"), |builder| {
        give(builder, &one, "/", Access::ReadWrite);
        give(builder, &two, "some/where", Access::ReadOnly);
    });
    assert_eq!(found, ended(0, "/\nsome/where\n"));
    let checked = run_shared(guest!("unstable"), |builder| {
        give(builder, &one, "/", Access::ReadOnly);
    });
    assert_eq!(checked.code, 0);
    let listed = run_shared(guest!("count_entries"), |builder| {
        give(builder, &one, "/", Access::ReadOnly);
    });
    assert_eq!(listed.code, 3);
}

#[test]
fn a_function_that_does_not_exist() {
    let wat = r#"(module
        (import "wasi_unstable" "sock_accept" (func (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_wriet" (func)))"#;
    let error = start(&Engine::default(), wat, &mut WasiCtx::builder()).expect_err("unknown");
    let message = error.to_string();
    for expected in ["sock_accept", "fd_wriet", "`fd_write`"] {
        assert!(message.contains(expected), "{message}");
    }
}

/// Interrupts the guest after a while, and checks that it does not take long to
/// notice.
fn assert_interrupted(
    builder: &mut WasiCtxBuilder,
    wat: &str,
    prepare: &[(&str, i32)],
    name: &str,
    argument: i64,
) {
    let mut config = Config::new();
    config.interruption(true);
    let engine = Engine::new(&config).expect("an engine");
    let mut store = store(&engine, builder);
    let module = Module::new(&engine, wat).expect("valid");
    let instance = linker(&engine)
        .instantiate(&mut store, &module)
        .expect("linked");
    for (name, argument) in prepare {
        let function = instance.get_typed_func::<i32, i32>(&mut store, name);
        function
            .expect("it is there")
            .call(&mut store, *argument)
            .expect("prepared");
    }
    let handle = store.interrupt_handle();
    let interrupting = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        handle.interrupt();
    });
    let begin = Instant::now();
    let result = match instance.get_typed_func::<i64, i32>(&mut store, name) {
        Ok(function) => function.call(&mut store, argument),
        Err(_) => instance
            .get_typed_func::<i32, i32>(&mut store, name)
            .expect("it is there")
            .call(&mut store, argument as i32),
    };
    let error = result.expect_err("it was interrupted");
    assert_eq!(error.trap(), Some(Trap::Interrupted), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(5));
    interrupting.join().expect("no panic");
}

#[test]
fn a_guest_that_sleeps_can_be_interrupted() {
    let builder = &mut WasiCtx::builder();
    assert_interrupted(builder, guest!("sleep"), &[], "sleep", i64::MAX);
}

/// Whether it has its state alone or together with others.
#[test]
fn the_embedder_is_told_of_waits() {
    let engine = Engine::default();
    let module = Module::new(&engine, guest!("sleep")).expect("a module");
    for shared in [false, true] {
        let waits = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&waits);
        let mut builder = WasiCtx::builder();
        builder.on_wait(move |wait| {
            let begin = Instant::now();
            wait();
            assert!(begin.elapsed() >= Duration::from_millis(1));
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let mut store = store(&engine, &mut builder);
        let _other = shared.then(|| store.data_mut().share());
        let instance = linker(&engine).instantiate(&mut store, &module);
        let instance = instance.expect("an instance");
        let sleep = instance.get_typed_func::<i64, i32>(&mut store, "sleep");
        let sleep = sleep.expect("it is exported");
        for nanoseconds in [0, 2_000_000, 0] {
            assert_eq!(sleep.call(&mut store, nanoseconds).expect("no trap"), 0);
        }
        assert_eq!(waits.load(Ordering::Relaxed), 1);
    }
}

/// Of a pipe that nobody writes to, and of a socket that nobody sends to.
#[test]
fn a_guest_that_waits_for_input_can_be_interrupted() {
    let (pipe, _writer) = io::pipe().expect("a pipe");
    let (socket, _peer) = UnixStream::pair().expect("a socket");
    for input in [OwnedFd::from(pipe), OwnedFd::from(socket)] {
        let builder = &mut WasiCtx::builder();
        builder.stdin(Input::file(input.into()));
        assert_interrupted(builder, guest!("wait"), &[], "read", 0);
    }
}

/// A reader that has nothing, and says every 5 ms that it was interrupted.
struct Silent;

impl Read for Silent {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        thread::sleep(Duration::from_millis(5));
        Err(io::ErrorKind::Interrupted.into())
    }
}

#[test]
fn a_guest_that_waits_for_a_reader_can_be_interrupted() {
    let builder = &mut WasiCtx::builder();
    builder.stdin(Input::reader(Silent));
    assert_interrupted(builder, guest!("wait"), &[], "read", 0);
}

#[test]
fn a_guest_that_waits_for_a_connection_can_be_interrupted() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let builder = &mut WasiCtx::builder();
    builder.listener(listener);
    assert_interrupted(builder, guest!("wait"), &[], "accept", 3);
}

/// Four gigabytes of random bytes take seconds.
#[test]
fn a_guest_that_waits_for_random_bytes_can_be_interrupted() {
    // One page is there from the start.
    let pages = [("grow", u16::MAX.into())];
    let builder = &mut WasiCtx::builder();
    let all = u32::MAX.into();
    assert_interrupted(builder, guest!("random"), &pages, "random", all);
}
