//! Wide arithmetic: where the two results of an instruction go.
//!
//! What they are the official suite checks.

mod common;

use common::{call, instance_with};
use rwasm::Val;

const A: u128 = 0xfedc_ba98_7654_3210_8123_4567_89ab_cdef;
const B: u128 = 0x0f1e_2d3c_4b5a_6978_8796_a5b4_c3d2_e1f0;

fn halves(value: u128) -> [i64; 2] {
    [value as i64, (value >> 64) as i64]
}

/// `$al $ah $bl $bh` are the halves of the operands, `$x` and `$y` locals. The
/// bodies return two values.
#[test]
fn results_go_where_they_are_wanted() {
    let add = "(i64.add128 (local.get $al) (local.get $ah) (local.get $bl) (local.get $bh))";
    let sub = "(i64.sub128 (local.get $al) (local.get $ah) (local.get $bl) (local.get $bh))";
    let mul = "(i64.mul_wide_u (local.get $al) (local.get $bl))";
    let [sum, difference] = [A.wrapping_add(B), A.wrapping_sub(B)].map(halves);
    let product = halves(u128::from(A as u64) * u128::from(B as u64));
    let signed = halves((i128::from(A as i64) * i128::from(B as i64)) as u128);
    let swap = |[low, high]: [i64; 2]| [high, low];
    let cases = [
        (add.to_owned(), sum),
        (sub.to_owned(), difference),
        (mul.to_owned(), product),
        (
            "(i64.mul_wide_s (local.get $al) (local.get $bl))".to_owned(),
            signed,
        ),
        // To locals, in both orders, and one over the other.
        (
            format!("{add} (local.set $y) (local.set $x) (local.get $x) (local.get $y)"),
            sum,
        ),
        (
            format!("{sub} (local.set $x) (local.set $y) (local.get $x) (local.get $y)"),
            swap(difference),
        ),
        (
            format!("{add} (local.set $x) (local.set $x) (local.get $x) (local.get $x)"),
            [sum[0]; 2],
        ),
        // Over its own operands.
        (
            format!("{add} (local.set $ah) (local.set $al) (local.get $al) (local.get $ah)"),
            sum,
        ),
        (
            format!("{add} (local.set $al) (local.set $ah) (local.get $al) (local.get $ah)"),
            swap(sum),
        ),
        (
            format!("{mul} (local.set $bl) (local.set $al) (local.get $al) (local.get $bl)"),
            product,
        ),
        // Kept, dropped, chained.
        (format!("{add} (local.tee $x) (local.get $x) (drop)"), sum),
        (
            format!("{mul} (drop) (local.get $ah)"),
            [product[0], (A >> 64) as i64],
        ),
        (
            format!("{add} (local.get $bl) (local.get $bh) (i64.sub128)"),
            halves(A),
        ),
        // As arguments, alone and behind others.
        (format!("{add} (call $swap)"), swap(sum)),
        (
            format!("(local.get $x) {sub} (call $second) (local.get $y)"),
            [difference[0], 0],
        ),
        (format!("{add} {sub} (call $last)"), difference),
        // Through blocks and on both sides of a branch.
        (
            format!("(block (result i64 i64) {add} (br_if 0 (i32.const 1)))"),
            sum,
        ),
        (
            format!("(if (result i64 i64) (i64.eqz (local.get $x)) (then {add}) (else {sub}))"),
            sum,
        ),
    ];
    for (body, expected) in cases {
        let wat = format!(
            r#"(module
                (func $swap (param i64 i64) (result i64 i64) (local.get 1) (local.get 0))
                (func $second (param i64 i64 i64) (result i64) (local.get 1))
                (func $last (param i64 i64 i64 i64) (result i64 i64) (local.get 2) (local.get 3))
                (func (export "f") (param $al i64) (param $ah i64) (param $bl i64) (param $bh i64)
                    (result i64 i64) (local $x i64) (local $y i64)
                    {body}))"#
        );
        check(&wat, expected, &body);
    }
}

/// In a loop, where locals live in registers: the hundredth power, say.
#[test]
fn results_go_to_locals_in_registers() {
    let wat = r#"(module
        (func (export "f") (param $al i64) (param $ah i64) (param $bl i64) (param $bh i64)
            (result i64 i64) (local $n i32)
            (loop $again
                (i64.add128 (local.get $al) (local.get $ah) (local.get $bl) (local.get $bh))
                (local.set $ah)
                (local.set $al)
                (br_if $again (i32.lt_u
                    (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 100))))
            (local.get $al) (local.get $ah)))"#;
    let sum = (0..100).fold(A, |sum, _| sum.wrapping_add(B));
    check(wat, halves(sum), "a loop");
}

fn check(wat: &str, expected: [i64; 2], what: &str) {
    let (mut store, instance) = instance_with(common::config().wide_arithmetic(true), wat);
    let params: Vec<Val> = [halves(A), halves(B)]
        .concat()
        .into_iter()
        .map(Val::I64)
        .collect();
    let results = call(&mut store, instance, "f", &params).unwrap();
    assert!(
        matches!(results[..], [Val::I64(low), Val::I64(high)] if [low, high] == expected),
        "{what}: {results:x?}, not {expected:x?}"
    );
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
