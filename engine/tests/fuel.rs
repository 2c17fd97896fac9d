//! Fuel.

mod common;

use common::{call, instance, instance_with, link};
use rwasm::{Caller, ConfigError, Engine, Error, Linker, Store, Trap};

const COUNT: &str = r#"(module
    (func (export "count") (param $n i32) (result i32)
        (local $i i32)
        (loop $next
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $i) (local.get $n))))
        local.get $i)
    (func $dive (export "dive") (param i32)
        (if (local.get 0) (then (call $dive (i32.sub (local.get 0) (i32.const 1)))))))"#;

#[test]
fn the_same_work_takes_the_same_fuel() {
    let (mut store, instance) = instance_with(common::config().consume_fuel(true), COUNT);
    for (name, n) in [("count", 10), ("count", 1_000), ("dive", 100)] {
        let mut used = [0; 2];
        for used in &mut used {
            store.set_fuel(1 << 40).unwrap();
            call(&mut store, instance, name, &[n.into()]).unwrap();
            *used = (1 << 40) - store.get_fuel().unwrap();
        }
        assert_eq!(used[0], used[1]);
        assert!(used[0] >= n as u64, "{name}({n}) used {used:?}");
        // Just enough is enough, and one less is not.
        store.set_fuel(used[0]).unwrap();
        call(&mut store, instance, name, &[n.into()]).unwrap();
        assert_eq!(store.get_fuel().unwrap(), 0);
        store.set_fuel(used[0] - 1).unwrap();
        let error = call(&mut store, instance, name, &[n.into()]).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::OutOfFuel));
    }
}

#[test]
fn a_store_begins_without_fuel() {
    let engine = Engine::new(common::config().consume_fuel(true)).unwrap();
    let mut store = Store::new(&engine, ());
    assert_eq!(store.get_fuel().unwrap(), 0);
    let linker = Linker::new(&engine);
    let instance = link(&mut store, &linker, COUNT).unwrap();
    let error = call(&mut store, instance, "count", &[1.into()]).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::OutOfFuel));
}

#[test]
fn endless_loops_and_the_start_function_end() {
    let engine = Engine::new(common::config().consume_fuel(true)).unwrap();
    for wat in [
        "(module (func $f (loop $l (br $l))) (start $f))",
        "(module (func $f (loop $l (br_if $l (i32.const 1)))) (start $f))",
        "(module (func $f (return_call $f)) (start $f))",
        "(module (func $f (loop $l (block $b (br_table $b $l (i32.const 1))))) (start $f))",
    ] {
        let mut store = Store::new(&engine, ());
        store.set_fuel(100_000).unwrap();
        let error = link(&mut store, &Linker::new(&engine), wat).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::OutOfFuel), "{wat}");
        // What is left does not pay for the next few instructions.
        assert!(store.get_fuel().unwrap() < 10, "{wat}");
    }
}

#[test]
fn host_functions_see_and_set_fuel() {
    let engine = Engine::new(common::config().consume_fuel(true)).unwrap();
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap("host", "refuel", |mut caller: Caller<'_, u32>| {
            assert!(caller.get_fuel().unwrap() < 1_000);
            caller.set_fuel(1_000).unwrap();
            *caller.data_mut() += 1;
            if *caller.data() == 100 {
                Err(Error::Exit(0))
            } else {
                Ok(())
            }
        })
        .unwrap();
    let mut store = Store::new(&engine, 0);
    store.set_fuel(500).unwrap();
    let wat = r#"(module (import "host" "refuel" (func $f))
        (func $go (loop $l (call $f) (br $l))) (start $go))"#;
    let error = link(&mut store, &linker, wat).unwrap_err();
    assert_eq!(error.exit_code(), Some(0));
    assert!(store.get_fuel().unwrap() <= 1_000);
}

#[test]
fn fuel_that_is_not_counted_is_an_error() {
    let (mut store, _) = instance("(module)");
    for error in [
        store.get_fuel().unwrap_err(),
        store.set_fuel(1).unwrap_err(),
    ] {
        assert!(matches!(error, Error::Config(ConfigError::FuelDisabled)));
    }
}

#[test]
fn more_fuel_than_can_be_counted() {
    let (mut store, instance) = instance_with(common::config().consume_fuel(true), COUNT);
    store.set_fuel(u64::MAX).unwrap();
    call(&mut store, instance, "count", &[10.into()]).unwrap();
    assert!(store.get_fuel().unwrap() > u64::MAX / 4);
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
