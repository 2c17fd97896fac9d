//! `-W`: proposals beyond WebAssembly 3.0.

use std::time::Duration;

use crate::harness::{Case, Folder, run};

const SHARED: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write"
        (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1 2 shared)
    (data (i32.const 0) "\10\00\00\00\03\00\00\00")
    (data (i32.const 16) "hi\n")
    (func (export "_start")
        (i32.atomic.store8 (i32.const 16) (i32.const 72))
        (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

const WIDE: &str = r#"(module (func (export "f") (result i64 i64)
    (i64.mul_wide_u (i64.const -1) (i64.const 16))))"#;

const BYTES: &str = r#"(module (memory 5 (pagesize 1))
    (func (export "f") (result i32) memory.size))"#;

fn folder() -> Folder {
    Folder::new()
        .with("shared.wat", SHARED)
        .with("wide.wat", WIDE)
        .with("bytes.wat", BYTES)
}

#[test]
fn proposals_are_accepted_by_name() {
    folder().check(&[
        Case::new("-W threads shared.wat").stdout("Hi\n"),
        Case::new("run --wasm=threads=y shared.wat").stdout("Hi\n"),
        Case::new("-Wthreads run shared.wat").stdout("Hi\n"),
        Case::new("-W wide-arithmetic --invoke f wide.wat").stdout("-16\n15\n"),
        Case::new("-W threads=n,custom-page-sizes --invoke f bytes.wat").stdout("5\n"),
        Case::new("validate -W threads,wide-arithmetic shared.wat wide.wat"),
    ]);
}

#[test]
fn what_needs_a_proposal_that_is_off_says_which() {
    folder().check(&[
        Case::new("shared.wat")
            .code(1)
            .stderr(&["shared.wat: ", "; -W threads accepts it\n"]),
        Case::new("-W threads -W threads=n shared.wat")
            .code(1)
            .stderr(&["; -W threads accepts it\n"]),
        Case::new("validate wide.wat")
            .code(1)
            .stderr(&["; -W wide-arithmetic accepts it\n"]),
        Case::new("--validate lazy --invoke f wide.wat")
            .code(1)
            .stderr(&["; -W wide-arithmetic accepts it\n"]),
        Case::new("--invoke f bytes.wat")
            .code(1)
            .stderr(&["; -W custom-page-sizes accepts it\n"]),
    ]);
}

#[test]
fn slips_are_told() {
    folder().check(&[
        Case::new("-W thread shared.wat")
            .code(2)
            .stderr(&["there are threads, wide-arithmetic, custom-page-sizes"]),
        Case::new("-W threads=maybe shared.wat")
            .code(2)
            .stderr(&["write threads=y or threads=n"]),
    ]);
}

/// Nobody is there to notify it.
#[test]
fn a_waiting_guest_ends_with_its_time() {
    let wat = r#"(module (memory 1 1 shared)
        (func (export "_start")
            (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))))"#;
    let folder = Folder::new().with("wait.wat", wat);
    let ended = run(
        &mut folder.rwasm("-W threads --timeout 200ms wait.wat"),
        b"",
    );
    assert_eq!(ended.code, 124, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("after 200ms, as --timeout says"),
        "{}",
        ended.stderr
    );
    // It unwinds, and need not be ended with the process.
    assert!(ended.stderr.contains("0: "), "{}", ended.stderr);
    assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
}
