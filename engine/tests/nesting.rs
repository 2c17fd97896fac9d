//! Calls from the host into a guest from a host function, however deep.

mod common;

use common::{call, call_back, link, linker};
use rwasm::{Caller, Config, Engine, Error, Instance, Limits, Module, Result, Store, Tier, Trap};
use std::thread;

/// Counts down through `host.f`, which calls `down` again.
const DOWN: &str = r#"(module
    (import "host" "f" (func $f (param i32) (result i32)))
    (func (export "down") (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0))
            (then (i32.const 0))
            (else (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1))))))))"#;

fn down(store: &mut Store<u32>, depth: i32) -> Result<i32> {
    let mut linker = rwasm::Linker::new(store.engine());
    linker.func_wrap(
        "host",
        "f",
        |mut caller: Caller<'_, u32>, n: i32| -> Result<i32> {
            *caller.data_mut() += 1;
            let down = caller
                .get_export("down")
                .and_then(|export| export.into_func())
                .unwrap();
            let inner = down.typed::<i32, i32>(&caller)?.call(&mut caller, n);
            // The limit is the guest's to meet, and the host's to see.
            if let Err(error) = &inner {
                assert_eq!(error.trap(), Some(Trap::StackOverflow));
            }
            inner
        },
    )?;
    let instance = link(store, &linker, DOWN)?;
    instance
        .get_typed_func::<i32, i32>(&mut *store, "down")?
        .call(store, depth)
}

#[test]
fn deep_nesting_works() {
    let mut store = Store::default();
    assert_eq!(down(&mut store, 30).unwrap(), 30);
    assert_eq!(*store.data(), 30);
}

#[test]
fn endless_nesting_is_a_trap_on_every_thread() {
    // The main thread has 8 MiB of native stack, these have what they are given.
    for kib in [256, 512, 2048, 16384] {
        let thread = thread::Builder::new().stack_size(kib << 10);
        let run = || {
            let mut store = Store::default();
            for _ in 0..2 {
                let error = down(&mut store, i32::MAX).unwrap_err();
                assert_eq!(error.trap(), Some(Trap::StackOverflow));
            }
            // The store is as good as before.
            assert_eq!(down(&mut store, 1).unwrap(), 1);
        };
        thread.spawn(run).unwrap().join().unwrap();
    }
}

#[test]
fn the_value_stack_is_shared_by_nested_calls() {
    // Frames of a guest that recurses, then nests, must not overlap.
    let wat = r#"(module
        (import "host" "f" (func $f))
        (func $sum (export "sum") (param $n i64) (result i64)
            (local $at i64)
            (local.set $at (local.get $n))
            (if (i64.eqz (local.get $n)) (then (call $f) (return (i64.const 0))))
            (i64.add (call $sum (i64.sub (local.get $n) (i64.const 1))) (local.get $at)))
        (func (export "noise") (drop (call $waste (i64.const 50))))
        (func $waste (param i64) (result i64)
            (local i64 i64 i64 i64)
            (local.set 1 (i64.const -1)) (local.set 2 (i64.const -1))
            (local.set 3 (i64.const -1)) (local.set 4 (i64.const -1))
            (if (result i64) (i64.eqz (local.get 0))
                (then (local.get 1))
                (else (call $waste (i64.sub (local.get 0) (i64.const 1)))))))"#;
    let (mut store, mut linker) = linker(());
    linker
        .func_wrap("host", "f", |mut caller: Caller<'_, ()>| {
            call_back(&mut caller, "noise")
        })
        .unwrap();
    let instance = link(&mut store, &linker, wat).unwrap();
    let sum = instance
        .get_typed_func::<i64, i64>(&mut store, "sum")
        .unwrap();
    assert_eq!(sum.call(&mut store, 100).unwrap(), 5050);
}

#[test]
fn a_host_function_may_go_on_after_a_trap() {
    let wat = r#"(module
        (import "host" "try" (func $try))
        (memory 1)
        (func (export "fail") (drop (i32.load (i32.const -1))))
        (func (export "go") (result i32)
            (call $try) (call $try) (i32.const 7)))"#;
    let (mut store, mut linker) = linker(0);
    linker
        .func_wrap("host", "try", |mut caller: Caller<'_, i32>| {
            let error = call_back(&mut caller, "fail").unwrap_err();
            assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds));
            *caller.data_mut() += 1;
        })
        .unwrap();
    let instance = link(&mut store, &linker, wat).unwrap();
    assert_eq!(
        call(&mut store, instance, "go", &[]).unwrap()[0].unwrap_i32(),
        7
    );
    assert_eq!(*store.data(), 2);
}

#[test]
fn a_store_of_another_store() {
    // Each host function runs a guest of the store below.
    struct Level(Option<Box<Store<Level>>>);
    fn store(depth: usize) -> Store<Level> {
        let inner = (depth > 0).then(|| Box::new(store(depth - 1)));
        Store::new(&common::engine(), Level(inner))
    }
    fn run(store: &mut Store<Level>) -> Result<i32> {
        let mut linker = rwasm::Linker::new(store.engine());
        linker.func_wrap(
            "host",
            "f",
            |mut caller: Caller<'_, Level>| -> Result<i32> {
                match &mut caller.data_mut().0 {
                    Some(inner) => run(inner),
                    None => Err(Trap::Unreachable.into()),
                }
            },
        )?;
        let wat = r#"(module
            (import "host" "f" (func $f (result i32)))
            (memory 1)
            (func (export "go") (result i32)
                (i32.store (i32.const 0) (i32.const 1))
                (i32.add (call $f) (i32.load (i32.const 0)))))"#;
        let instance = link(store, &linker, wat)?;
        instance
            .get_typed_func::<(), i32>(&mut *store, "go")?
            .call(store, ())
    }
    let error = run(&mut store(5)).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::Unreachable));
}

#[test]
fn the_stack_limit_decides_how_deep_a_guest_goes() {
    let wat = r#"(module
        (global (export "depth") (mut i32) (i32.const 0))
        (func $dive (export "dive")
            (global.set 0 (i32.add (global.get 0) (i32.const 1)))
            (call $dive)))"#;
    for tier in [Tier::Interp, Tier::Jit] {
        let engine = Engine::new(Config::new().tier(tier)).unwrap();
        let module = Module::new(&engine, wat).unwrap();
        let depths = [16 << 10, 64 << 10, 256 << 10, 1 << 20].map(|bytes| {
            let mut store = Store::new(&engine, ());
            store.limits(Limits::default().stack_bytes(bytes)).unwrap();
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let error = call(&mut store, instance, "dive", &[]).unwrap_err();
            assert!(matches!(&error, Error::Trap(_)), "{error:?}");
            let depth = instance.get_global(&mut store, "depth").unwrap();
            depth.get(&store).unwrap_i32()
        });
        assert!(
            depths.is_sorted() && depths[0] * 2 < depths[2] && depths[2] * 2 < depths[3],
            "{tier:?}: {depths:?}"
        );
    }
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
