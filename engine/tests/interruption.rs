//! Stopping a guest from another thread.

mod common;

use common::{call, call_back, instance_with, link};
use rwasm::{
    Caller, Config, Engine, InterruptHandle, Linker, Memory, MemoryType, Store, Trap, Val,
};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

fn config() -> Config {
    common::config().interruption(true).clone()
}

/// Machine code asks in another way where there is a guarded memory of one store's.
const MEMORIES: [&str; 3] = ["", "(memory 0)", "(memory i64 1)"];

fn interrupt_soon(handle: InterruptHandle) -> JoinHandle<()> {
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(30));
        handle.interrupt();
    })
}

#[test]
fn endless_guests_are_stopped() {
    for (body, memory) in [
        "(loop $l (br $l))",
        "(loop $l (br_if $l (i32.const 1)))",
        "(loop $a (loop $b (br_if $a (i32.const 1))))",
        "(loop $l (block $b (br_table $b $l (i32.const 1))))",
        "(return_call $f)",
        "(loop $l (call $leaf) (br $l))",
        "(call $binary (i32.const 60))",
    ]
    .into_iter()
    .flat_map(|body| MEMORIES.map(|memory| (body, memory)))
    {
        let wat = format!(
            r#"(module {memory}
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
        assert_eq!(error.trap(), Some(Trap::Interrupted), "{body} {memory}");
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

/// Pages that are taken away are given back, of all memories of a store, and of no
/// other store.
#[test]
fn each_request_stops_one_call() {
    let wat = r#"(module
        (import "host" "memory" (memory 1))
        (func (export "loop") (param i32)
            (loop $l
                (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                (br_if $l (local.get 0)))))"#;
    let engine = Engine::new(&config()).unwrap();
    let stores = || {
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        let instances = [0; 2].map(|_| {
            let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
            linker.allow_shadowing(true);
            linker.define(&store, "host", "memory", memory).unwrap();
            let instance = link(&mut store, &linker, wat).unwrap();
            (memory, instance)
        });
        (store, instances)
    };
    let [(mut first, instances), (mut second, others)] = [stores(), stores()];
    let count = [Val::I32(1000)];
    for round in 0..3 {
        for (memory, instance) in instances {
            first.interrupt_handle().interrupt();
            let error = call(&mut first, instance, "loop", &count).unwrap_err();
            assert_eq!(error.trap(), Some(Trap::Interrupted), "round {round}");
            for (_, instance) in instances {
                call(&mut first, instance, "loop", &count).unwrap();
            }
            // A memory is as good as before while a request is pending.
            first.interrupt_handle().interrupt();
            memory.data_mut(&mut first)[0] = 1;
            memory.grow(&mut first, 1).unwrap();
            let new = Memory::new(&mut first, MemoryType::new(1, None)).unwrap();
            assert_eq!(new.data(&first)[0], 0);
            let (_, other) = others[0];
            call(&mut second, other, "loop", &count).unwrap();
            first.interrupt_handle().clear();
            call(&mut first, instance, "loop", &count).unwrap();
        }
    }
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
