//! What the interpreter makes of code that keeps its variables in memory, and of
//! interpreters, and of loops: the modules whose register code `fused.code`,
//! `fused_loops.code` and `switch.code` in `interp/tests/golden/` hold, run.

mod common;

use rwasm::{Instance, Module, Store, TypedFunc, WasmParams, WasmResults};

const MODULE: &str = include_str!("../../interp/tests/golden/fused.wat");

const LOOPS: &str = include_str!("../../interp/tests/golden/fused_loops.wat");

const SWITCH: &str = include_str!("../../interp/tests/golden/switch.wat");

/// The result of an export in an instance of its own.
fn call<P: WasmParams, R: WasmResults>(name: &str, params: P) -> R {
    call_of(MODULE, name, params)
}

fn call_of<P: WasmParams, R: WasmResults>(module: &str, name: &str, params: P) -> R {
    let engine = common::engine();
    let module = Module::new(&engine, module).expect("a module");
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).expect("no imports");
    let func: TypedFunc<P, R> = instance
        .get_typed_func(&mut store, name)
        .expect("an export of this type");
    func.call(&mut store, params).expect("no trap")
}

#[test]
fn variables_in_memory() {
    assert_eq!(call::<i32, i32>("unoptimised", 5), 15);
}

#[test]
fn a_stored_value_stands_for_its_load() {
    assert_eq!(call::<i32, i32>("twice", 64), 205);
    assert_eq!(call::<(i32, i32), i32>("assigned_after", (200, 6)), 42);
    assert_eq!(
        call::<(i32, i64), i64>("narrowed", (208, 0x1_2345_6789)),
        0x2345_6789
    );
    assert_eq!(call::<(i32, i32), i32>("below_branch", (64, 1)), 5);
    assert_eq!(call::<(i32, i32), i32>("below_branch", (64, 0)), 133);
}

#[test]
fn pairs_compute_what_their_parts_do() {
    assert_eq!(call::<i32, i32>("chain", 64), 10);
    call::<(i32, i32), ()>("copy", (64, 128));
    assert_eq!(call::<i32, i32>("branches", 64), 44);
    assert_eq!(call::<i32, i32>("branches", 128), 88);
    assert_eq!(call::<i32, i32>("branches", 160), 1);
    assert_eq!(call::<(i32, i32), i32>("label_between", (64, 1)), 33);
    assert_eq!(call::<(i32, i32), i32>("label_between", (64, 0)), 161);
}

/// What the functions return is what wasmi returns.
#[test]
fn loops_compute_what_their_parts_do() {
    for (name, results) in [
        ("order", [-6, 1_877_017_596, -1_018_744_266]),
        ("mix", [895_063_621, 110_107_397, 380_154_697]),
        ("classes", [1_001, 29_158, 357_475]),
        ("touch", [2_060, 114_496, 261_668]),
        ("strings", [857, 13_613, 11_638]),
        ("calls", [2, 6_275, 952_031]),
        ("floats", [-1_451_162_708, 1_152_083_076, -312_890_437]),
    ] {
        for (rounds, result) in [1, 100, 1_234].into_iter().zip(results) {
            assert_eq!(call_of::<i32, i32>(LOOPS, name, rounds), result, "{name}");
        }
    }
}

/// Two loads are one handler only where both addresses are in places that it knows;
/// lowering CPython panicked where the second was a constant.
#[test]
fn floats_are_loaded_from_any_addresses() {
    for (first, second) in [
        ("(local.get 0)", "(i32.const 8)"),
        ("(i32.const 0)", "(i32.const 8)"),
        ("(i32.const 0)", "(local.get 1)"),
        ("(local.get 0)", "(local.get 1)"),
    ] {
        let module = format!(
            r#"(module
                (memory 1)
                (data (i32.const 0) "\00\00\00\00\00\00\f8\3f\00\00\00\00\00\00\02\40")
                (func (export "difference") (param i32 i32) (result f64)
                    (local $a f64) (local $b f64)
                    (local.set $a (f64.load {first}))
                    (local.set $b (f64.load {second}))
                    (f64.sub (local.get $a) (local.get $b))))"#
        );
        let difference: f64 = call_of(&module, "difference", (0, 8));
        assert_eq!(difference, 1.5 - 2.25, "{first} {second}");
    }
}

#[test]
fn interpreters_go_through_their_head() {
    // + 7, nothing, the place (67), - 3, - 4.
    assert_eq!(call_of::<i32, i32>(SWITCH, "run", 64), 60);
    // - 3, - 4.
    assert_eq!(call_of::<i32, i32>(SWITCH, "run", 68), -7);
    assert_eq!(call_of::<i32, i32>(SWITCH, "run", 71), 0);
    // Six bytes before the 0, one of them 1.
    assert_eq!(call_of::<i32, i32>(SWITCH, "nested", 64), 36);
    assert_eq!(call_of::<i32, i32>(SWITCH, "ends", 5), 5);
    assert_eq!(call_of::<i32, i32>(SWITCH, "ends", 6), 15);
    assert_eq!(call_of::<i32, i32>(SWITCH, "ends", 7), 100);
}

#[test]
fn locals_read_before_they_are_assigned_are_zero() {
    assert_eq!(call::<i32, i32>("zeroed", 1), 4);
    assert_eq!(call::<i32, i32>("zeroed", 0), 13);
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
