//! Published advisories of other runtimes about code, types and tables: one test
//! each, named by its number. What an advisory is an example of is tested at
//! length elsewhere; these are the programs that went wrong as they were
//! published. Those about WASI stand in `wasi/`.

mod common;

use common::{call, engine, instance};
use rwasm::{Error, Instance, Linker, Module, Store, Trap, Val};
use std::thread;

/// The only result of a function.
fn one(store: &mut Store<()>, instance: Instance, name: &str, params: &[Val]) -> Val {
    call(store, instance, name, params).expect(name)[0]
}

fn trap(store: &mut Store<()>, instance: Instance, name: &str, params: &[Val]) -> Option<Trap> {
    call(store, instance, name, params).expect_err(name).trap()
}

/// Cranelift (RUSTSEC-2021-0067): a 32-bit value that was spilled came back
/// extended by its sign, and was used as an address.
#[test]
fn cve_2021_32629_spilled_values_keep_their_upper_half() {
    // More values than there are registers, all alive when the address is used.
    let indices = 0..40;
    let sets: String = indices
        .clone()
        .map(|index| {
            format!(
                "(local.set {} (i32.add (local.get 0) (i32.const {index})))\n",
                index + 1
            )
        })
        .collect();
    let sums: String = indices
        .map(|index| {
            format!(
                "(local.set $sum (i64.add (local.get $sum)
                    (i64.extend_i32_u (local.get {}))))\n",
                index + 1
            )
        })
        .collect();
    let locals = "i32 ".repeat(40);
    let (mut store, instance) = instance(&format!(
        r#"(module
            (memory 1)
            (func $nothing)
            (func (export "sum") (param i32) (result i64)
                (local {locals}) (local $sum i64)
                {sets} (call $nothing) {sums} (local.get $sum))
            (func (export "load") (param i32) (result i32)
                (local {locals}) (local $sum i64)
                {sets} (call $nothing) {sums}
                (i32.wrap_i64 (i64.add (local.get $sum)
                    (i64.load8_u (local.get 1))))))"#
    ));
    let first = 0x8000_0000_u64;
    let sum = (0..40).map(|index| first + index).sum::<u64>();
    let start = Val::I32(i32::MIN);
    let result = one(&mut store, instance, "sum", &[start]);
    assert_eq!(result.unwrap_i64() as u64, sum);
    let trap = trap(&mut store, instance, "load", &[start]);
    assert_eq!(trap, Some(Trap::MemoryOutOfBounds));
}

/// wasmtime (RUSTSEC-2022-0095, GHSA-jqwc-c49r-4w2x): `i8x16.swizzle` with a constant,
/// and `select` of vectors.
#[test]
fn cve_2022_31104_swizzle_and_select() {
    let (mut store, instance) = instance(
        r#"(module
            (func (export "swizzle") (param i32) (result i64)
                (i64x2.extract_lane 0 (i8x16.swizzle
                    (i8x16.splat (local.get 0))
                    (v128.const i8x16 0 15 16 17 127 128 240 255 0 0 0 0 0 0 0 0))))
            (func (export "select") (param i32) (result i64)
                (i64x2.extract_lane 1 (select
                    (v128.const i64x2 1 2) (v128.const i64x2 3 4) (local.get 0)))))"#,
    );
    let swizzled = one(&mut store, instance, "swizzle", &[Val::I32(0xab)]);
    assert_eq!(swizzled.unwrap_i64(), 0xabab);
    for (condition, expected) in [(0, 4), (1, 2), (i32::MIN, 2)] {
        let selected = one(&mut store, instance, "select", &[Val::I32(condition)]);
        assert_eq!(selected.unwrap_i64(), expected, "{condition}");
    }
}

/// wasmtime (RUSTSEC-2022-0101, GHSA-7f6x-jwh5-m9r4): division by constants, which were
/// extended as if they had another sign.
#[test]
fn cve_2022_31169_division_by_constants() {
    for divisor in [-1_i64, 1, 3, -7, 10, -128, 0x8000_0000, i64::MIN + 9] {
        let small = divisor as i32;
        let (mut store, instance) = instance(&format!(
            r#"(module
                (func (export "s32") (param i32) (result i32)
                    (i32.div_s (local.get 0) (i32.const {small})))
                (func (export "u32") (param i32) (result i32)
                    (i32.div_u (local.get 0) (i32.const {small})))
                (func (export "r32") (param i32) (result i32)
                    (i32.rem_u (local.get 0) (i32.const {small})))
                (func (export "s64") (param i64) (result i64)
                    (i64.div_s (local.get 0) (i64.const {divisor})))
                (func (export "u64") (param i64) (result i64)
                    (i64.div_u (local.get 0) (i64.const {divisor}))))"#
        ));
        for value in [0_i64, 1, -1, 1000, -1000, 0x7fff_fff0, -0x7fff_fff0] {
            let what = format!("{value} / {divisor}");
            let narrow = value as i32;
            let [s32, u32, r32] = ["s32", "u32", "r32"]
                .map(|name| one(&mut store, instance, name, &[Val::I32(narrow)]).unwrap_i32());
            let [s64, u64] = ["s64", "u64"]
                .map(|name| one(&mut store, instance, name, &[Val::I64(value)]).unwrap_i64());
            assert_eq!(s32, narrow / small, "{what}");
            assert_eq!(u32 as u32, narrow as u32 / small as u32, "{what}");
            assert_eq!(r32 as u32, narrow as u32 % small as u32, "{what}");
            assert_eq!(s64, value / divisor, "{what}");
            assert_eq!(u64 as u64, value as u64 / divisor as u64, "{what}");
        }
    }
}

/// wasmtime (RUSTSEC-2023-0090, GHSA-ff4p-7xrq-q5r8): a shift in an address was done
/// with 64 bits, so that the address had 35. So it was with shifts on AArch64
/// (CVE-2026-34971, RUSTSEC-2026-0096).
#[test]
fn cve_2023_26489_shifts_in_addresses_are_of_32_bits() {
    for guarded in [None, Some(false)] {
        for shift in 1..4 {
            let (mut store, instance) = common::instance_with(
                common::config().guarded_memories(guarded),
                &format!(
                    r#"(module
                        (memory 1)
                        (data (i32.const 0) "\00\01\02\03\04\05\06\07\08\09\0a\0b\0c\0d\0e\0f")
                        (func (export "load") (param i32) (result i32)
                            (i32.load8_u offset=3 (i32.shl (local.get 0) (i32.const {shift}))))
                        (func (export "store") (param i32)
                            (i32.store8 offset=3
                                (i32.shl (local.get 0) (i32.const {shift})) (i32.const 99))))"#
                ),
            );
            // What is shifted out is gone.
            let wraps = 1_i32 << (32 - shift);
            for (index, expected) in [(0, 3), (1, 3 + (1 << shift)), (wraps, 3)] {
                let loaded = one(&mut store, instance, "load", &[Val::I32(index)]);
                assert_eq!(loaded.unwrap_i32(), expected, "{index} << {shift}");
            }
            let beyond = Val::I32(wraps - 1);
            for name in ["load", "store"] {
                let trap = trap(&mut store, instance, name, &[beyond]);
                assert_eq!(trap, Some(Trap::MemoryOutOfBounds), "{name} << {shift}");
            }
        }
    }
}

/// wasmtime (RUSTSEC-2023-0093, GHSA-xm67-587q-r2vw): a selection by lanes whose operands
/// were the same ones.
#[test]
fn cve_2023_27477_selections_of_the_same() {
    let (mut store, instance) = instance(
        r#"(module
            (func (export "same") (param i64 i64) (result i64)
                (local v128)
                (local.set 2 (i64x2.splat (local.get 0)))
                (i64x2.extract_lane 1 (v128.bitselect
                    (local.get 2) (local.get 2) (i64x2.splat (local.get 1)))))
            (func (export "mask") (param i64 i64) (result i64)
                (local v128)
                (local.set 2 (i64x2.splat (local.get 0)))
                (i64x2.extract_lane 1 (v128.bitselect
                    (local.get 2) (i64x2.splat (local.get 1)) (local.get 2))))
            (func (export "shuffle") (param i64 i64) (result i64)
                (local v128)
                (local.set 2 (i64x2.replace_lane 1 (i64x2.splat (local.get 0)) (local.get 1)))
                (i64x2.extract_lane 0 (i8x16.shuffle
                    0 24 1 25 2 26 3 27 4 28 5 29 6 30 7 31 (local.get 2) (local.get 2)))))"#,
    );
    let (a, b) = (0x1122_3344_5566_7788_u64, 0xf0f0_0000_ffff_0f0f_u64);
    let params = [a, b].map(|value| Val::I64(value as i64));
    let mut result = |name| one(&mut store, instance, name, &params).unwrap_i64() as u64;
    assert_eq!(result("same"), a);
    assert_eq!(result("mask"), (a & a) | (b & !a));
    let mut interleaved = [0; 8];
    for (index, pair) in interleaved.chunks_exact_mut(2).enumerate() {
        pair.copy_from_slice(&[a.to_le_bytes()[index], b.to_le_bytes()[index]]);
    }
    assert_eq!(result("shuffle"), u64::from_le_bytes(interleaved));
}

/// wasmtime (RUSTSEC-2023-0091, GHSA-gw5p-q8mj-p7gh): `i64x2.shr_s` by constants above 32.
#[test]
fn cve_2023_41880_arithmetic_shifts_by_constants() {
    for shift in [0, 1, 31, 32, 33, 47, 63, 64, 65, 127] {
        let (mut store, instance) = instance(&format!(
            r#"(module
                (func (export "high") (param i64) (result i64)
                    (i64x2.extract_lane 1
                        (i64x2.shr_s (i64x2.splat (local.get 0)) (i32.const {shift}))))
                (func (export "low") (param i64) (result i64)
                    (i64x2.extract_lane 0
                        (i64x2.shr_s (i64x2.splat (local.get 0)) (i32.const {shift})))))"#
        ));
        for value in [
            i64::MIN,
            i64::MAX,
            -1,
            0x1234_5678_9abc_def0,
            -0x1234_5678_9abc_def0,
        ] {
            for name in ["high", "low"] {
                let shifted = one(&mut store, instance, name, &[Val::I64(value)]);
                assert_eq!(
                    shifted.unwrap_i64(),
                    value >> (shift % 64),
                    "{value} {shift}"
                );
            }
        }
    }
}

/// wasmtime (RUSTSEC-2024-0441, GHSA-75hq-h6g9-h4q5): the use of an element segment of
/// external references that was dropped was a panic.
#[test]
fn cve_2024_30266_dropped_segments() {
    let (mut store, instance) = instance(
        r#"(module
            (table $t 4 externref)
            (elem $e externref (ref.null extern) (ref.null extern))
            (func (export "drop") (elem.drop $e))
            (func (export "init") (param i32)
                (table.init $t $e (i32.const 0) (i32.const 0) (local.get 0))))"#,
    );
    call(&mut store, instance, "init", &[Val::I32(2)]).expect("two");
    for _ in 0..2 {
        call(&mut store, instance, "drop", &[]).expect("any number of times");
        call(&mut store, instance, "init", &[Val::I32(0)]).expect("none");
        let trap = trap(&mut store, instance, "init", &[Val::I32(1)]);
        assert_eq!(trap, Some(Trap::TableOutOfBounds));
    }
}

/// wasmtime (RUSTSEC-2024-0440, GHSA-q8hx-mm92-4wvg): a tail call of a function of the host
/// that has a backtrace taken. WasmEdge#5286: where it returns to.
#[test]
fn cve_2024_47763_tail_calls_of_the_host() {
    let engine = engine();
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap("host", "fail", |n: i32| match n {
            0 => Ok(7),
            _ => Err(Error::from(Trap::Unreachable)),
        })
        .expect("new");
    let module = Module::new(
        &engine,
        r#"(module
            (import "host" "fail" (func $fail (param i32) (result i32)))
            (func $tail (export "tail") (param i32) (result i32)
                (return_call $fail (local.get 0)))
            (func $outer (export "outer") (param i32) (result i32)
                (i32.add (i32.const 100) (call $tail (local.get 0))))
            (func (export "twice") (param i32) (result i32)
                (i32.add (call $outer (i32.const 0)) (call $outer (local.get 0)))))"#,
    );
    let module = module.expect("valid");
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module).expect("linked");
    for (name, expected) in [("tail", 7), ("outer", 107), ("twice", 214)] {
        let result = one(&mut store, instance, name, &[Val::I32(0)]);
        assert_eq!(result.unwrap_i32(), expected, "{name}");
        let error = call(&mut store, instance, name, &[Val::I32(1)]).expect_err(name);
        assert_eq!(error.trap(), Some(Trap::Unreachable), "{name}");
    }
}

/// wasmtime (RUSTSEC-2024-0439, GHSA-7qmx-3fpx-r45m): types of one engine that are registered
/// and dropped by several threads at once got each other's numbers, so that an
/// indirect call took one function for another.
#[test]
fn cve_2024_47813_types_of_modules_that_come_and_go() {
    const ROUNDS: usize = 60;
    let engine = engine();
    let text = |params: &str, results: &str| {
        format!(
            r#"(module
                (type $own (func (param {params}) (result {results})))
                (type $other (func (param {params} i32) (result {results})))
                (table funcref (elem $f))
                (func $f (type $own) ({results}.const 5))
                (func (export "right") (result {results})
                    (call_indirect (type $own) ({params}.const 0) (i32.const 0)))
                (func (export "wrong") (result {results})
                    (call_indirect (type $other) ({params}.const 0) (i32.const 0) (i32.const 0))))"#
        )
    };
    thread::scope(|scope| {
        for (params, results) in [
            ("i32", "i64"),
            ("i64", "i64"),
            ("f32", "i32"),
            ("f64", "i32"),
        ] {
            let (engine, text) = (&engine, text(params, results));
            scope.spawn(move || {
                for _ in 0..ROUNDS {
                    let module = Module::new(engine, &text).expect("valid");
                    let mut store = Store::new(engine, ());
                    let instance = Instance::new(&mut store, &module, &[]).expect("linked");
                    let right = one(&mut store, instance, "right", &[]);
                    assert!(matches!(right, Val::I32(5) | Val::I64(5)), "{right:?}");
                    let trap = trap(&mut store, instance, "wrong", &[]);
                    assert_eq!(trap, Some(Trap::IndirectCallTypeMismatch));
                }
            });
        }
    });
}

/// wasmtime (RUSTSEC-2026-0006, GHSA-vc8c-j3xm-xj73): `f64.copysign` loaded 16 bytes of an
/// operand of 8. So did `f64x2.splat` (CVE-2026-34944, RUSTSEC-2026-0087).
#[test]
fn cve_2026_24116_loads_at_the_end_of_memory() {
    for guarded in [None, Some(false)] {
        let (mut store, instance) = common::instance_with(
            common::config().guarded_memories(guarded),
            r#"(module
                (memory 1 1)
                (data (i32.const 65528) "\00\00\00\00\00\00\f8\bf")
                (func (export "copysign") (param f64 i32) (result f64)
                    (f64.copysign (local.get 0) (f64.load (local.get 1))))
                (func (export "magnitude") (param f64 i32) (result f64)
                    (f64.copysign (f64.load (local.get 1)) (local.get 0)))
                (func (export "splat") (param f64 i32) (result f64)
                    (f64x2.extract_lane 1 (f64x2.splat (f64.load (local.get 1)))))
                (func (export "sqrt") (param f64 i32) (result f64)
                    (f64.sqrt (f64.abs (f64.load (local.get 1)))))
                (func (export "narrow") (param f64 i32) (result f64)
                    (f64.promote_f32 (f32.copysign
                        (f32.demote_f64 (local.get 0)) (f32.load offset=4 (local.get 1))))))"#,
        );
        let two = Val::F64(2_f64.to_bits());
        for (name, expected) in [
            ("copysign", -2.0),
            ("magnitude", 1.5),
            ("splat", -1.5),
            ("sqrt", 1.5_f64.sqrt()),
            ("narrow", -2.0),
        ] {
            let result = one(&mut store, instance, name, &[two, Val::I32(65528)]);
            assert!(
                matches!(result, Val::F64(bits) if f64::from_bits(bits) == expected),
                "{name}"
            );
            let trap = trap(&mut store, instance, name, &[two, Val::I32(65529)]);
            assert_eq!(trap, Some(Trap::MemoryOutOfBounds), "{name}");
        }
    }
}

/// wasmtime (RUSTSEC-2026-0094, GHSA-f984-pcp8-v2p7): the upper half of what `table.grow`
/// returned was not its own. Tables with 64-bit indices: CVE-2026-34945 (RUSTSEC-2026-0086).
#[test]
fn cve_2026_35186_results_of_growing() {
    let (mut store, instance) = instance(
        r#"(module
            (table $t 3 10 funcref)
            (table $w i64 2 10 funcref)
            (memory 2 5)
            (func (export "table") (param i32) (result i64)
                (i64.extend_i32_u (table.grow $t (ref.null func) (local.get 0))))
            (func (export "wide") (param i64) (result i64)
                (table.grow $w (ref.null func) (local.get 0)))
            (func (export "get") (param i64) (result i32)
                (ref.is_null (table.get $w (local.get 0))))
            (func (export "fill") (param i64 i64)
                (table.fill $w (local.get 0) (ref.null func) (local.get 1)))
            (func (export "memory") (param i32) (result i64)
                (i64.extend_i32_u (memory.grow (local.get 0)))))"#,
    );
    let failed = i64::from(u32::MAX);
    for (name, delta, expected) in [
        ("table", 1, 3),
        ("table", 7, failed),
        ("table", -1, failed),
        ("memory", 1, 2),
        ("memory", 3, failed),
        ("memory", -1, failed),
    ] {
        let result = one(&mut store, instance, name, &[Val::I32(delta)]);
        assert_eq!(result.unwrap_i64(), expected, "{name} {delta}");
    }
    for (delta, expected) in [(1, 2), (1 << 32, -1), (-1, -1), (0, 3)] {
        let result = one(&mut store, instance, "wide", &[Val::I64(delta)]);
        assert_eq!(result.unwrap_i64(), expected, "{delta}");
    }
    for index in [3, 1 << 32, -1, 1 << 61] {
        let trap = trap(&mut store, instance, "get", &[Val::I64(index)]);
        assert_eq!(trap, Some(Trap::TableOutOfBounds), "{index}");
    }
    for (index, len) in [(0, 4), (3, 1), (-1, 2), (1, -1), (1 << 32, 0)] {
        let range = [index, len].map(Val::I64);
        let trap = trap(&mut store, instance, "fill", &range);
        assert_eq!(trap, Some(Trap::TableOutOfBounds), "{index} {len}");
    }
}

/// wasmtime (GHSA-cfhf-m2cr-62wj): a tag was imported as if it had another type, so
/// that what was thrown with numbers was caught with references.
#[test]
fn ghsa_cfhf_tags_of_another_type() {
    let engine = engine();
    let exports = Module::new(
        &engine,
        r#"(module (tag (export "numbers") (param i64)) (tag (export "reference") (param anyref)))"#,
    );
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    let exporter = linker
        .instantiate(&mut store, &exports.expect("valid"))
        .expect("linked");
    linker
        .instance(&mut store, "tags", exporter)
        .expect("new names");
    for (import, links) in [
        (r#""numbers" (tag (param i64))"#, true),
        (r#""numbers" (tag (param anyref))"#, false),
        (r#""numbers" (tag (param i32))"#, false),
        (r#""reference" (tag (param anyref))"#, true),
        // An exact match is asked for, not a subtype.
        (r#""reference" (tag (param eqref))"#, false),
        (r#""reference" (tag (param i64))"#, false),
    ] {
        let module = Module::new(&engine, format!(r#"(module (import "tags" {import}))"#));
        let made = linker.instantiate(&mut store, &module.expect("valid"));
        assert_eq!(made.is_ok(), links, "{import}");
    }
}

/// WAMR: constants of one function, so many that their offsets were not those that
/// had been counted.
#[test]
fn cve_2026_54912_tens_of_thousands_of_constants() {
    const COUNT: i64 = 40_000;
    let mut body = String::new();
    for n in 0..COUNT {
        // Some are equal in other types, and some are there twice.
        let value = match n % 4 {
            0 => format!("(i64.extend_i32_u (i32.const {n}))"),
            1 => format!("(i64.const {})", n << 33 | n),
            2 => format!("(i64.reinterpret_f64 (f64.const {n}))"),
            _ => format!("(i64.const {})", n - 3),
        };
        body +=
            &format!("(local.set 0 (i64.add (i64.rotl (local.get 0) (i64.const 1)) {value}))\n");
    }
    let (mut store, instance) = instance(&format!(
        r#"(module (func (export "f") (result i64) (local i64) {body} (local.get 0)))"#
    ));
    let mut expected = 0_i64;
    for n in 0..COUNT {
        let value = match n % 4 {
            0 => n,
            1 => n << 33 | n,
            2 => (n as f64).to_bits() as i64,
            _ => n - 3,
        };
        expected = expected.rotate_left(1).wrapping_add(value);
    }
    let result = one(&mut store, instance, "f", &[]);
    assert_eq!(result.unwrap_i64(), expected);
}

/// WAMR (CVE-2025-64713): operands of code that is never reached, which have no type yet,
/// below a block that takes one.
#[test]
fn cve_2025_64713_operands_of_dead_code() {
    let gets = "(global.get $g)\n".repeat(30);
    let (mut store, instance) = instance(&format!(
        r#"(module
            (global $g (mut i32) (i32.const 7))
            (func (export "f") (param i32) (result i32) (local i32)
                {gets}
                block
                    local.get 0
                    br_if 0
                    block
                        f64.const 3
                        unreachable
                        select
                        loop (param i64) (result i32)
                            global.get $g
                            i32.eqz
                            if
                                unreachable
                            end
                            i32.wrap_i64
                        end
                        local.set 1
                    end
                end
                {adds}
                local.get 1
                i32.add))"#,
        adds = "i32.add\n".repeat(29)
    ));
    let result = one(&mut store, instance, "f", &[Val::I32(1)]);
    assert_eq!(result.unwrap_i32(), 210);
    let trap = trap(&mut store, instance, "f", &[Val::I32(0)]);
    assert_eq!(trap, Some(Trap::Unreachable));
}

/// wasm3#570: the length of a `br_table` near 2^32, to which something was added.
#[test]
fn wasm3_570_lengths_of_branch_tables() {
    let engine = engine();
    for length in [u32::MAX, u32::MAX - 1, u32::MAX - 3, 1 << 31, 70_000] {
        let mut leb = Vec::new();
        let mut rest = length;
        while rest >= 0x80 {
            leb.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        leb.push(rest as u8);
        let mut body = vec![0, 0x41, 0, 0x0e];
        body.extend(leb);
        body.extend([0, 0, 0x0b]);
        let mut bytes = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a".to_vec();
        bytes.extend([body.len() as u8 + 2, 1, body.len() as u8]);
        bytes.extend(body);
        let made = Module::new(&engine, &bytes);
        assert!(matches!(made, Err(Error::Parse(_))), "{length}: {made:?}");
    }
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
