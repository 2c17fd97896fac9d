//! Branches on references and checks of them, as differential fuzzing found
//! them wrong.

mod common;

use rwasm::{Linker, Module, Result, Store};

/// A constant below a block is not in its slot: a branch that takes it along
/// must not put it there for itself alone.
#[test]
fn constants_from_before_a_block_are_there_for_who_goes_on() -> Result<()> {
    let cases = [
        (
            "br_on_null",
            7,
            "(block $l (result i32)
               (i32.const 7) (block)
               (br_on_null $l (ref.func $f)) (drop))",
        ),
        (
            "br_on_non_null",
            7,
            "(block $l (result i32 funcref)
               (i32.const 7) (block)
               (br_on_non_null $l (ref.null func)) (ref.null func))
             (drop)",
        ),
        (
            "br_on_cast of a constant",
            5,
            "(block $l (result anyref)
               (ref.null any) (block)
               (br_on_cast $l anyref (ref i31)) (drop) (return (i32.const 5)))
             (drop) (i32.const 6)",
        ),
        (
            "br_on_cast with a constant below",
            7,
            "(block $l (result i32 anyref)
               (i32.const 7) (ref.null any) (block)
               (br_on_cast $l anyref (ref i31)))
             (drop)",
        ),
        (
            "br_on_cast_fail with a constant below",
            7,
            "(block $l (result i32 anyref)
               (i32.const 7) (block)
               (br_on_cast_fail $l anyref (ref i31) (ref.i31 (i32.const 1))))
             (drop)",
        ),
    ];
    check(&cases)
}

/// What `ref.as_non_null` looked at in a slot must have been made there.
#[test]
fn what_is_checked_for_null_stays_where_it_was_checked() -> Result<()> {
    check(&[
        (
            "a structure for a local",
            0,
            "(local $x anyref)
             (local.set $x (ref.as_non_null (struct.new $s)))
             (ref.is_null (local.get $x))",
        ),
        (
            "a function for a local",
            0,
            "(local $x funcref)
             (local.set $x (ref.as_non_null (table.get $t (i32.const 0))))
             (ref.is_null (local.get $x))",
        ),
    ])
}

/// A vector is returned from its slots, where a conditional return must not put
/// it for itself alone.
#[test]
fn a_vector_that_is_not_returned_is_there_for_who_goes_on() -> Result<()> {
    check(&[(
        "br_if out of the function",
        7,
        "(i32x4.extract_lane 1 (call $v (v128.const i32x4 6 7 8 9) (i32.const 0)))",
    )])
}

/// Runs bodies of functions, each with the `i32` that it must return.
fn check(cases: &[(&str, i32, &str)]) -> Result<()> {
    for (name, expected, body) in cases {
        let engine = common::engine();
        let text = format!(
            "(module (type $s (struct)) (table $t funcref (elem $f))
               (func $v (param v128 i32) (result v128)
                 (local.get 0) (br_if 0 (local.get 1)))
               (func $f (export \"f\") (result i32) {body}))"
        );
        let module = Module::new(&engine, text)?;
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &module)?;
        let func = instance.get_typed_func::<(), i32>(&mut store, "f")?;
        assert_eq!(func.call(&mut store, ())?, *expected, "{name}");
    }
    Ok(())
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
