//! Constants as operands: of more than 32 bits and of fewer, beside any other
//! operand, as arguments and as addresses. The interpreter keeps them in its
//! instructions, in places that depend on how wide they are.

mod common;

use rwasm::{Trap, TypedFunc, WasmParams, WasmResults};

/// The result of the export `f` of a module, or the trap.
fn run<P: WasmParams, R: WasmResults>(text: &str, params: P) -> Result<R, Trap> {
    let (mut store, instance) = common::instance(text);
    let func: TypedFunc<P, R> = instance.get_typed_func(&mut store, "f").expect("an export");
    func.call(&mut store, params)
        .map_err(|error| error.trap().expect("a trap"))
}

/// Whole numbers at the edges of what has a place of its own.
const VALUES: [i64; 8] = [
    0,
    -1,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    i64::MIN,
    0x0123_4567_89ab_cdef,
];

#[test]
fn operands_of_integers() {
    type Op = (&'static str, fn(i64, i64) -> i64);
    let ops: [Op; 6] = [
        ("add", i64::wrapping_add),
        ("sub", i64::wrapping_sub),
        ("xor", |a, b| a ^ b),
        ("shl", |a, b| a.wrapping_shl(b as u32)),
        ("lt_u", |a, b| i64::from((a as u64) < b as u64)),
        ("div_u", |a, b| (a as u64 / (b as u64).max(1)) as i64),
    ];
    for (name, op) in ops {
        let cast = if name == "lt_u" {
            "i64.extend_i32_u"
        } else {
            ""
        };
        for value in VALUES {
            let divides = name == "div_u";
            for other in [5_i64, -7] {
                if divides && value == 0 {
                    continue;
                }
                let left = format!(
                    "(module (func (export \"f\") (param i64) (result i64)
                        (i64.{name} (i64.const {value}) (local.get 0)) {cast}))"
                );
                assert_eq!(run(&left, other), Ok(op(value, other)), "{left}");
                let right = format!(
                    "(module (func (export \"f\") (param i64) (result i64)
                        (i64.{name} (local.get 0) (i64.const {value})) {cast}))"
                );
                assert_eq!(run(&right, other), Ok(op(other, value)), "{right}");
                let (value, other) = (value as i32, other as i32);
                let narrow = format!(
                    "(module (func (export \"f\") (param i32) (result i32)
                        (i32.sub (i32.const {value}) (local.get 0))))"
                );
                assert_eq!(
                    run(&narrow, other),
                    Ok(value.wrapping_sub(other)),
                    "{narrow}"
                );
            }
        }
    }
}

#[test]
fn arguments_and_moves() {
    for first in VALUES {
        for second in VALUES {
            let text = format!(
                "(module
                    (func $mix (param i64 i64) (result i64)
                        (i64.sub (i64.rotl (local.get 0) (i64.const 7)) (local.get 1)))
                    (func (export \"f\") (param i32) (result i64)
                        (local $a i64)
                        (local.set $a (i64.const {second}))
                        (block $done
                            (br_if $done (local.get 0))
                            (local.set $a (i64.const {first}))
                            (br $done))
                        (i64.add
                            (call $mix (i64.const {first}) (i64.const {second}))
                            (i64.add
                                (call $mix (local.get $a) (i64.const {first}))
                                (call $mix (i64.const {second}) (local.get $a))))))"
            );
            let mix = |a: i64, b: i64| a.rotate_left(7).wrapping_sub(b);
            for (param, a) in [(0, first), (1, second)] {
                let sum = mix(a, first).wrapping_add(mix(second, a));
                let expected = mix(first, second).wrapping_add(sum);
                assert_eq!(run(&text, param), Ok(expected), "{text}");
            }
        }
    }
}

#[test]
fn selections() {
    for value in VALUES {
        for (param, chosen) in [(0, -3), (1, value)] {
            let both = format!(
                "(module (func (export \"f\") (param i32) (result i64)
                    (select (i64.const {value}) (i64.const -3) (local.get 0))))"
            );
            assert_eq!(run(&both, param), Ok(chosen), "{both}");
            let first = format!(
                "(module (func (export \"f\") (param i32) (result i64) (local $b i64)
                    (local.set $b (i64.sub (i64.extend_i32_u (local.get 0)) (i64.const 3)))
                    (select (i64.const {value}) (local.get $b) (local.get 0))))"
            );
            assert_eq!(run(&first, param), Ok(chosen), "{first}");
            let second = format!(
                "(module (func (export \"f\") (param i32) (result i64) (local $b i64)
                    (local.set $b (i64.sub (i64.extend_i32_u (local.get 0)) (i64.const 3)))
                    (select (local.get $b) (i64.const {value}) (local.get 0))))"
            );
            let expected = if param == 0 { value } else { -2 };
            assert_eq!(run(&second, param), Ok(expected), "{second}");
        }
    }
}

#[test]
fn floats() {
    let text = "(module
        (global $g (mut f64) (f64.const 0))
        (func (export \"f\") (param f64) (result f64) (local $a f64)
            (global.set $g (f64.sub (f64.const 3) (f64.const 0.5)))
            (local.set $a (f64.sub (f64.const 10) (local.get 0)))
            (if (f64.lt (f64.const 2) (local.get 0))
                (then (local.set $a (f64.div (local.get $a) (f64.const 4)))))
            (if (f64.lt (local.get 0) (f64.const 2))
                (then (local.set $a (f64.mul (f64.const 8) (local.get $a)))))
            (if (f64.gt (f64.const 1) (f64.const 2))
                (then (local.set $a (f64.const 99))))
            (f64.add (f64.add (local.get $a) (f64.neg (f64.const 1.5))) (global.get $g))))";
    assert_eq!(run(text, 4.0), Ok(6.0 / 4.0 - 1.5 + 2.5));
    assert_eq!(run(text, 1.0), Ok(9.0 * 8.0 - 1.5 + 2.5));
}

/// The instruction holds the sum of a constant address and the offset, which may
/// have more than 32 bits.
#[test]
fn addresses() {
    let access = |address: u32, offset: u32, instruction: &str| {
        format!(
            "(module (memory 1) (data (i32.const 64) \"\\2a\\00\\00\\00\\00\\00\\00\\00\")
                (func $store (param i32)
                    (i32.store offset={offset} (i32.const {address}) (local.get 0)))
                (func $store_constant
                    (i64.store offset={offset} (i32.const {address}) (i64.const -2)))
                (func $store_float
                    (f64.store offset={offset} (i32.const {address}) (f64.const 1.5)))
                (func (export \"f\") (param i32) (result i64)
                    {instruction}
                    (i64.load offset={offset} (i32.const {address}))
                    (drop (f64.load offset={offset} (i32.const {address})))))",
        )
    };
    let instructions = [
        ("", 42),
        ("(call $store (local.get 0))", 7),
        ("(call $store_constant)", -2),
        ("(call $store_float)", 1.5_f64.to_bits() as i64),
    ];
    for (instruction, expected) in instructions {
        for (address, offset) in [(64, 0), (0, 64), (60, 4)] {
            let text = access(address, offset, instruction);
            assert_eq!(run(&text, 7), Ok(expected), "{text}");
        }
        for (address, offset) in [
            (65_536, 0),
            (0, 65_536),
            (u32::MAX, 0),
            (u32::MAX, 65),
            (u32::MAX - 64, 129),
            (u32::MAX, u32::MAX),
            (64, u32::MAX),
        ] {
            let text = access(address, offset, instruction);
            let result = run::<i32, i64>(&text, 7);
            assert_eq!(result, Err(Trap::MemoryOutOfBounds), "{text}");
        }
    }
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
