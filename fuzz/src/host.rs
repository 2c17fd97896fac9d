//! What modules can import: functions whose results follow from their
//! arguments, and globals. The same in every runtime.

use crate::record::{Digest, Value};
use std::fmt::Write;

/// The name of the module that all of it is imported from.
pub const MODULE: &str = "host";

/// The type of a value that the host takes or gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ty {
    I32,
    I64,
    F32,
    F64,
    V128,
}

use Ty::*;

/// A function of the host.
pub struct HostFunc {
    pub name: &'static str,
    pub params: &'static [Ty],
    pub results: &'static [Ty],
}

/// All functions: one for each shape of adapter that a runtime may have.
pub const FUNCS: &[HostFunc] = &[
    func("nothing", &[], &[]),
    func("i32", &[I32], &[I32]),
    func("mixed", &[I64, F32, F64], &[I64]),
    func("floats", &[F64, F32], &[F32]),
    func(
        "many",
        &[I32, I64, F32, F64, I32, I64, F32, F64],
        &[I32, F64, I64],
    ),
    func("vector", &[V128, I32], &[V128]),
];

const fn func(name: &'static str, params: &'static [Ty], results: &'static [Ty]) -> HostFunc {
    HostFunc {
        name,
        params,
        results,
    }
}

/// A global of the host.
pub struct HostGlobal {
    pub name: &'static str,
    pub mutable: bool,
    pub value: Value,
}

pub const GLOBALS: &[HostGlobal] = &[
    HostGlobal {
        name: "counter",
        mutable: true,
        value: Value::I32(7),
    },
    HostGlobal {
        name: "base",
        mutable: false,
        value: Value::I32(64),
    },
    HostGlobal {
        name: "ratio",
        mutable: true,
        value: Value::F64(0x3fe0_0000_0000_0000),
    },
    HostGlobal {
        name: "wide",
        mutable: false,
        value: Value::I64(1 << 40),
    },
];

impl Ty {
    fn name(self) -> &'static str {
        match self {
            I32 => "i32",
            I64 => "i64",
            F32 => "f32",
            F64 => "f64",
            V128 => "v128",
        }
    }

    /// The type of a number.
    pub fn of(value: Value) -> Option<Ty> {
        Some(match value {
            Value::I32(_) => I32,
            Value::I64(_) => I64,
            Value::F32(_) => F32,
            Value::F64(_) => F64,
            Value::V128(_) => V128,
            Value::Null | Value::Reference => return None,
        })
    }
}

/// A module that imports all of it, as text.
pub fn imports(simd: bool) -> String {
    let mut text = "(module".to_owned();
    let names = |types: &[Ty]| {
        types
            .iter()
            .map(|ty| ty.name())
            .collect::<Vec<_>>()
            .join(" ")
    };
    for HostFunc {
        name,
        params,
        results,
    } in FUNCS
    {
        if simd || !params.contains(&V128) {
            let (params, results) = (names(params), names(results));
            let _ = write!(
                text,
                "(import {MODULE:?} {name:?} (func (param {params}) (result {results})))"
            );
        }
    }
    for global in GLOBALS {
        let ty = Ty::of(global.value).map_or("", Ty::name);
        let ty = if global.mutable {
            format!("(mut {ty})")
        } else {
            ty.to_owned()
        };
        let _ = write!(text, "(import {MODULE:?} {:?} (global {ty}))", global.name);
    }
    text + ")"
}

/// What the host has been called with: the data of a store.
pub struct Trace {
    pub calls: u64,
    digest: Digest,
}

impl Default for Trace {
    fn default() -> Self {
        Trace {
            calls: 0,
            digest: Digest::new(),
        }
    }
}

impl Trace {
    /// A call of `FUNCS[func]`: takes note of it, and gives its results.
    pub fn call(&mut self, func: usize, args: impl Iterator<Item = Value>) -> Vec<Value> {
        self.calls += 1;
        self.digest.word(func as u64);
        args.for_each(|arg| self.digest.value(arg));
        let mut digest = self.digest;
        FUNCS[func]
            .results
            .iter()
            .map(|&ty| {
                digest.word(1);
                number(ty, digest.finish())
            })
            .collect()
    }

    pub fn digest(&self) -> u64 {
        self.digest.finish()
    }
}

/// A number made of random bits. Floats are finite: not all runtimes keep NaN
/// payloads across their API.
pub fn number(ty: Ty, bits: u64) -> Value {
    let small = (bits % 4001) as f64 / 8.0 - 250.0;
    // Small integers are more telling than large ones: as addresses, as counts.
    let integer = if bits & 3 == 0 {
        bits >> 40 & 0xff
    } else {
        bits
    };
    match ty {
        I32 => Value::I32(integer as u32),
        I64 => Value::I64(integer),
        F32 => Value::F32((small as f32).to_bits()),
        F64 => Value::F64(small.to_bits()),
        V128 => Value::V128(u128::from(bits) << 64 | u128::from(bits.rotate_left(17))),
    }
}
