//! Where a guest was when it trapped.

mod common;

use common::{call, call_back, link, linker};
use rwasm::{Caller, Error, Result, Trap};

/// Module and function names, innermost first.
fn names(error: &Error) -> Vec<String> {
    let Error::Trap(error) = error else {
        panic!("{error:?}");
    };
    let frames = error.backtrace.frames().iter();
    frames
        .map(|frame| {
            let module = frame.module_name().unwrap_or("?");
            let index = frame.func_index().to_string();
            format!("{module}!{}", frame.func_name().unwrap_or(&index))
        })
        .collect()
}

const GUEST: &str = r#"(module $guest
    (import "host" "f" (func $f))
    (memory 1)
    (func $innermost (param i32) (drop (i32.load (local.get 0))))
    (func (param i32) (call $innermost (local.get 0)))
    (func $fault (export "fault") (call 2 (i32.const -1)))
    (func $stop (export "stop") unreachable)
    (func $outer (export "outer") (call $f)))"#;

#[test]
fn frames_are_named() {
    let (mut store, mut linker) = linker(());
    linker.func_wrap("host", "f", || {}).unwrap();
    let instance = link(&mut store, &linker, GUEST).unwrap();
    let error = call(&mut store, instance, "fault", &[]).unwrap_err();
    assert_eq!(names(&error), ["guest!innermost", "guest!2", "guest!fault"]);
    let error = call(&mut store, instance, "stop", &[]).unwrap_err();
    assert_eq!(names(&error), ["guest!stop"]);

    let Error::Trap(error) = error else {
        unreachable!()
    };
    let bytes = instance.module(&store).parsed().bytes().to_vec();
    let offset = error.backtrace.frames()[0].offset().unwrap();
    // The opcode of `unreachable`.
    assert_eq!(bytes[offset as usize], 0);
    let text = error.backtrace.to_string();
    assert_eq!(text.trim_end(), format!("   0: guest!stop @ {offset:#x}"));
}

#[test]
fn frames_of_nested_calls_are_all_there() {
    let (mut store, mut linker) = linker(());
    linker
        .func_wrap("host", "f", |mut caller: Caller<'_, ()>| {
            call_back(&mut caller, "fault")
        })
        .unwrap();
    let instance = link(&mut store, &linker, GUEST).unwrap();
    let error = call(&mut store, instance, "outer", &[]).unwrap_err();
    assert_eq!(
        names(&error),
        ["guest!innermost", "guest!2", "guest!fault", "guest!outer"]
    );
}

#[test]
fn a_trap_of_the_host_has_the_guests_frames() {
    let (mut store, mut linker) = linker(());
    linker
        .func_wrap("host", "f", || -> Result<()> {
            Err(Trap::Interrupted.into())
        })
        .unwrap();
    let instance = link(&mut store, &linker, GUEST).unwrap();
    let error = call(&mut store, instance, "outer", &[]).unwrap_err();
    assert_eq!(names(&error), ["guest!outer"]);
}

#[test]
fn deep_stacks_give_short_backtraces() {
    let (mut store, linker) = linker(());
    let wat = r#"(module $deep (func $dive (export "dive") (call $dive)))"#;
    let instance = link(&mut store, &linker, wat).unwrap();
    let names = names(&call(&mut store, instance, "dive", &[]).unwrap_err());
    assert!((1..1000).contains(&names.len()), "{} frames", names.len());
    assert!(names.iter().all(|name| name == "deep!dive"));
}
