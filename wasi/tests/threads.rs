//! `wasi-threads`: guests that start threads.

use rustix::io::ioctl_fionread;
use rwasm::{Config, Engine, Error, Linker, Module, Result, Store, Trap, WasmResults};
use rwasm_wasi::{Access, Capture, Input, Output, Threads, WasiCtx, WasiCtxBuilder};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Threads at a time.
const LIMIT: u32 = 8;

/// Nothing here takes as long, and some guests would wait for ever.
const SOON: Duration = Duration::from_secs(20);

/// Runs an exported function as the first thread.
fn run<R: WasmResults>(name: &str, setup: impl FnOnce(&mut WasiCtxBuilder)) -> Result<R> {
    let mut config = Config::new();
    config.threads(true).interruption(true);
    let engine = Engine::new(&config)?;
    let module = Module::new(&engine, include_str!("guests/threads.wat"))?;
    assert!(rwasm_wasi::starts_threads(&module));
    let mut linker = Linker::new(&engine);
    rwasm_wasi::add_to_linker(&mut linker, |ctx: &mut WasiCtx| ctx)?;
    let of_threads = engine.clone();
    let threads = Threads::new(&module, &mut linker, LIMIT, move |ctx: &mut WasiCtx| {
        Store::new(&of_threads, ctx.share())
    })?;
    let mut builder = WasiCtx::builder();
    setup(&mut builder);
    let mut store = Store::new(&engine, builder.build().expect("the state"));
    let instance = linker.instantiate(&mut store, &module)?;
    let function = instance.get_typed_func::<(), R>(&mut store, name)?;
    let begin = Instant::now();
    let result = threads.run(&mut store, |store| function.call(store, ()));
    assert!(begin.elapsed() < SOON, "{name}");
    result
}

#[test]
fn threads_share_memory_and_files() {
    let stdout = Capture::new(1 << 20);
    let counted = run::<i32>("count", |builder| {
        builder.stdout(Output::capture(&stdout));
    });
    assert_eq!(counted.expect("no trap"), 800);
    assert_eq!(stdout.bytes().len(), 800);
}

/// While another waits, which is interrupted.
#[test]
fn any_thread_ends_the_guest() {
    let error = run::<()>("exit", |_| {}).expect_err("it exits");
    assert!(matches!(error, Error::Exit(200)), "{error}");
    let (input, _writer) = std::io::pipe().expect("a pipe");
    let error = run::<()>("trap", |builder| {
        builder.stdin(Input::file(OwnedFd::from(input).into()));
    });
    let error = error.expect_err("it traps");
    assert_eq!(error.trap(), Some(Trap::Unreachable), "{error}");
}

#[test]
fn the_first_thread_does_not_wait_for_the_others() {
    run::<()>("leave", |_| {}).expect("no trap");
}

/// One waits for input, which only comes when the other has written.
#[test]
fn a_thread_that_waits_does_not_stop_the_others() {
    let (input, mut to_guest) = std::io::pipe().expect("a pipe");
    let (mut from_guest, output) = std::io::pipe().expect("a pipe");
    let peer = std::thread::spawn(move || {
        let mut byte = [0];
        from_guest.read_exact(&mut byte).expect("it writes");
        to_guest.write_all(&byte).expect("it reads");
    });
    let relayed = run::<()>("relay", |builder| {
        builder
            .stdin(Input::file(OwnedFd::from(input).into()))
            .stdout(Output::file(OwnedFd::from(output).into()));
    });
    relayed.expect("no trap");
    peer.join().expect("no panic");
}

/// One waits until its pipe takes more, which is never; the other has input.
#[test]
fn a_thread_that_writes_to_a_full_pipe_does_not_stop_the_others() {
    const PIPE: u64 = 0x10000;
    let (input, mut to_guest) = std::io::pipe().expect("a pipe");
    let (from_guest, output) = std::io::pipe().expect("a pipe");
    let (ended, end) = std::sync::mpsc::channel::<()>();
    let peer = std::thread::spawn(move || {
        while ioctl_fionread(&from_guest).expect("a pipe") < PIPE {
            std::thread::sleep(Duration::from_millis(1));
        }
        // It is full; the guest may not have noticed.
        std::thread::sleep(Duration::from_millis(50));
        to_guest.write_all(&[1]).expect("it reads");
        let _ = end.recv_timeout(SOON);
    });
    let clogged = run::<()>("clog", |builder| {
        builder
            .stdin(Input::file(OwnedFd::from(input).into()))
            .stdout(Output::file(OwnedFd::from(output).into()));
    });
    drop(ended);
    clogged.expect("no trap");
    peer.join().expect("no panic");
}

/// GHSA-fm79 and GHSA-3p27 of wasmtime, from several threads.
#[test]
fn ghsa_fm79_3p27_descriptors_of_several_threads() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || std::fs::read_dir("/proc/self/fd").expect("Linux").count();
    let before = open();
    let done = run::<()>("descriptors", |builder| {
        builder
            .preopened_dir(folder.path(), "/", Access::ReadWrite)
            .expect("it is there");
    });
    done.expect("no trap");
    // Nothing that was replaced stays open; other tests open a few.
    assert!(open() < before + 100, "{before}");
}

#[test]
fn threads_are_limited() {
    const AGAIN: i32 = 6;
    let refused = run::<i32>("too_many", |_| {}).expect("no trap");
    assert_eq!(refused, -AGAIN);
}
