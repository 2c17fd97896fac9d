//! Where a guest was when it trapped.

mod common;

use common::{call, call_back, link, linker};
use rwasm::{Caller, Config, Engine, Error, Linker, Result, Store, Tier, Trap};

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

/// The same text whatever tier the frames are of, traps of all kinds included:
/// faults, trap instructions, a full stack, and the host's.
#[test]
fn tiers_print_the_same() {
    const GUEST: &str = r#"(module $guest
        (import "host" "f" (func $f))
        (memory 1)
        (func $load (param i32) (result i32) (i32.load (local.get 0)))
        (func (export "fault") (drop (call $load (i32.const -1))))
        (func $stop unreachable)
        (func (export "stop") (call $stop))
        (func $divide (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
        (func (export "divide") (drop (call $divide (i32.const 0))))
        (func $deep (export "deep") (call $deep) (call $stop))
        (func (export "fill") (memory.fill (i32.const -1) (i32.const 0) (i32.const 9)))
        (func $host (call $f))
        (func (export "host") (call $host) (call $stop)))"#;
    let texts = |config: &Config| -> Vec<String> {
        let engine = Engine::new(config).unwrap();
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        let stop = || -> Result<()> { Err(Trap::Interrupted.into()) };
        linker.func_wrap("host", "f", stop).unwrap();
        let instance = link(&mut store, &linker, GUEST).unwrap();
        let exports = ["fault", "stop", "divide", "deep", "fill", "host"];
        let texts = exports.map(|name| {
            let error = call(&mut store, instance, name, &[]).unwrap_err();
            let Error::Trap(error) = error else {
                panic!("{error:?}")
            };
            format!("{error}\n{}", error.backtrace)
        });
        texts.into()
    };
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return;
    }
    let interpreted = texts(Config::new().tier(Tier::Interp));
    assert_eq!(texts(Config::new().tier(Tier::Jit)), interpreted);
    for seed in 0..8 {
        let mut config = common::config();
        config.tier(Tier::Jit).mixed_tiers(Some(seed));
        assert_eq!(texts(&config), interpreted, "seed {seed}");
    }
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
