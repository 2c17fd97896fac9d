//! Instructions that the interpreter runs in one handler, with their operands
//! in every place that it knows: pinned locals, other locals, what was just
//! computed, constants. The code is generated, and its results computed here.

mod common;

use rwasm::{Instance, Module, Store};
use std::fmt::Write;

/// Locals of a function, the first three of which are used most in its loop and
/// so are pinned; the fourth is in the frame.
const LOCALS: usize = 4;

/// What they hold before the instructions in question.
const VALUES: [u32; LOCALS] = [0x8000_0007, 13, 0xfffe_fdfc, 0x0123_4567];

const CONSTANTS: [u32; 2] = [3, 0xff0f];

type Op = (&'static str, fn(u32, u32) -> u32);

const OPS: [Op; 9] = [
    ("i32.add", u32::wrapping_add),
    ("i32.sub", u32::wrapping_sub),
    ("i32.mul", u32::wrapping_mul),
    ("i32.and", |a, b| a & b),
    ("i32.or", |a, b| a | b),
    ("i32.xor", |a, b| a ^ b),
    ("i32.shl", u32::wrapping_shl),
    ("i32.shr_u", u32::wrapping_shr),
    ("i32.rotl", |a, b| a.rotate_left(b & 31)),
];

#[derive(Clone, Copy)]
enum Operand {
    Local(usize),
    Const(u32),
}

impl Operand {
    fn text(self) -> String {
        match self {
            Operand::Local(local) => format!("local.get {local}"),
            Operand::Const(value) => format!("i32.const {value}"),
        }
    }

    fn value(self, locals: &[u32; LOCALS]) -> u32 {
        match self {
            Operand::Local(local) => locals[local],
            Operand::Const(value) => value,
        }
    }
}

fn operands() -> Vec<Operand> {
    let locals = (0..LOCALS).map(Operand::Local);
    locals.chain(CONSTANTS.map(Operand::Const)).collect()
}

/// A function without parameters that runs `body` once, in a loop, with the
/// locals set, and returns a digest of them.
fn function(body: &str) -> String {
    let mut text = String::from("(func (result i32) (local i32 i32 i32 i32 i32)\n");
    for (local, value) in VALUES.iter().enumerate() {
        let _ = writeln!(text, "i32.const {value} local.set {local}");
    }
    text += "loop\n";
    // Three uses more, so that they are the heaviest.
    for local in 0..3 {
        let _ = writeln!(
            text,
            "local.get {local} drop local.get {local} drop local.get {local} drop"
        );
    }
    text += body;
    text += "local.get 4 i32.const 1 i32.add local.tee 4 i32.const 1 i32.lt_u br_if 0\nend\n";
    text += "local.get 0";
    for local in 1..LOCALS {
        let _ = write!(text, " i32.const 7 i32.rotl local.get {local} i32.xor");
    }
    text + ")\n"
}

fn digest(locals: &[u32; LOCALS]) -> u32 {
    let rest = locals[1..].iter();
    rest.fold(locals[0], |digest, local| digest.rotate_left(7) ^ local)
}

/// Runs functions and compares their results.
fn check(functions: &[(String, u32)]) {
    let mut text = String::from("(module (memory 1)\n");
    let mut table = String::new();
    for (index, (function, _)) in functions.iter().enumerate() {
        text += function;
        let _ = writeln!(table, "(export \"{index}\" (func {index}))");
    }
    let text = text + &table + ")";
    let engine = common::engine();
    let module = Module::new(&engine, &text).unwrap_or_else(|error| panic!("{error}"));
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).expect("no imports");
    for (index, (function, expected)) in functions.iter().enumerate() {
        let func = instance.get_typed_func::<(), u32>(&mut store, &index.to_string());
        let result = func
            .expect("exported")
            .call(&mut store, ())
            .expect("no trap");
        assert_eq!(result, *expected, "{function}");
    }
}

#[test]
fn two_operations() {
    for (first, f) in OPS {
        let mut functions = Vec::new();
        for (second, g) in OPS {
            for x in operands() {
                for y in operands() {
                    // Operands of the second, and where the result goes, in turn.
                    let turn = functions.len();
                    let z = operands()[turn % operands().len()];
                    let d = turn % LOCALS;
                    let (x_text, y_text, z_text) = (x.text(), y.text(), z.text());
                    let body =
                        format!("{x_text} {y_text} {first} {z_text} {second} local.set {d}\n");
                    let mut locals = VALUES;
                    let result = f(x.value(&locals), y.value(&locals));
                    locals[d] = g(result, z.value(&locals));
                    functions.push((function(&body), digest(&locals)));
                }
            }
        }
        check(&functions);
    }
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
