//! Stopping a guest from another thread.

mod common;

use common::{call, call_back, instance_with, link};
use rwasm::{Caller, Config, Engine, InterruptHandle, Linker, Store, Trap};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

fn config() -> Config {
    common::config().interruption(true).clone()
}

fn interrupt_soon(handle: InterruptHandle) -> JoinHandle<()> {
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(30));
        handle.interrupt();
    })
}

#[test]
fn endless_guests_are_stopped() {
    for body in [
        "(loop $l (br $l))",
        "(loop $l (br_if $l (i32.const 1)))",
        "(loop $a (loop $b (br_if $a (i32.const 1))))",
        "(loop $l (block $b (br_table $b $l (i32.const 1))))",
        "(return_call $f)",
        "(loop $l (call $leaf) (br $l))",
        "(call $binary (i32.const 60))",
    ] {
        let wat = format!(
            r#"(module
                (func $f (export "f") {body})
                (func $leaf)
                (func $binary (param i32)
                    (if (local.get 0) (then
                        (call $binary (i32.sub (local.get 0) (i32.const 1)))
                        (call $binary (i32.sub (local.get 0) (i32.const 1)))))))"#
        );
        let (mut store, instance) = instance_with(&config(), &wat);
        let thread = interrupt_soon(store.interrupt_handle());
        let error = call(&mut store, instance, "f", &[]).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::Interrupted), "{body}");
        thread.join().unwrap();
        // The request is used up.
        assert!(!store.interrupt_handle().is_interrupted());
    }
}

#[test]
fn a_request_before_the_call_counts() {
    let (mut store, instance) = instance_with(
        &config(),
        r#"(module (func (export "f") (loop $l (br $l))))"#,
    );
    store.interrupt_handle().interrupt();
    let error = call(&mut store, instance, "f", &[]).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::Interrupted));
}

#[test]
fn a_request_can_be_taken_back() {
    let (mut store, instance) = instance_with(&config(), r#"(module (func (export "f")))"#);
    let handle = store.interrupt_handle();
    handle.interrupt();
    assert!(handle.is_interrupted());
    handle.clear();
    call(&mut store, instance, "f", &[]).unwrap();
}

#[test]
fn a_host_function_cannot_swallow_it() {
    let engine = Engine::new(&config()).unwrap();
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap("host", "f", |mut caller: Caller<'_, u32>| {
            let error = call_back(&mut caller, "spin").unwrap_err();
            assert_eq!(error.trap(), Some(Trap::Interrupted));
            *caller.data_mut() += 1;
        })
        .unwrap();
    let wat = r#"(module (import "host" "f" (func $f))
        (func (export "spin") (loop $l (br $l)))
        (func (export "go") (loop $l (call $f) (br $l))))"#;
    let mut store = Store::new(&engine, 0);
    let instance = link(&mut store, &linker, wat).unwrap();
    let thread = interrupt_soon(store.interrupt_handle());
    let error = call(&mut store, instance, "go", &[]).unwrap_err();
    assert_eq!((error.trap(), *store.data()), (Some(Trap::Interrupted), 1));
    thread.join().unwrap();
}

#[test]
fn host_functions_wait_interruptibly() {
    let engine = Engine::new(&config()).unwrap();
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap(
            "host",
            "sleep",
            |caller: Caller<'_, ()>, ms: u64| -> rwasm::Result<()> {
                match caller
                    .interrupt_handle()
                    .wait_timeout(Duration::from_millis(ms))
                {
                    true => Err(Trap::Interrupted.into()),
                    false => Ok(()),
                }
            },
        )
        .unwrap();
    let wat = r#"(module (import "host" "sleep" (func $sleep (param i64)))
        (export "sleep" (func $sleep)))"#;
    let mut store = Store::new(&engine, ());
    let instance = link(&mut store, &linker, wat).unwrap();
    let sleep = instance
        .get_typed_func::<u64, ()>(&mut store, "sleep")
        .unwrap();
    sleep.call(&mut store, 1).unwrap();
    for ms in [60_000, u64::MAX] {
        let started = Instant::now();
        let thread = interrupt_soon(store.interrupt_handle());
        let error = sleep.call(&mut store, ms).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::Interrupted));
        assert!(started.elapsed() < Duration::from_secs(30));
        thread.join().unwrap();
    }
}

#[test]
fn handles_outlive_the_store() {
    let (store, _) = instance_with(&config(), "(module)");
    let handle = store.interrupt_handle();
    drop(store);
    handle.interrupt();
    assert!(handle.is_interrupted());
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
