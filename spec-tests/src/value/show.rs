//! Values and patterns as a script writes them.

use super::host_number;
use rwasm::{Store, Val};
use std::fmt::{Debug, Display};
use wast::core::{HeapType, NanPattern, V128Pattern, WastRetCore};
use wast::token::{F32, F64};

/// Several of them on one line.
pub(super) fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        "no results".to_owned()
    } else {
        items.join(" ")
    }
}

/// A value.
pub(super) fn value(store: &Store<()>, value: &Val) -> String {
    match *value {
        Val::I32(value) => format!("(i32.const {value})"),
        Val::I64(value) => format!("(i64.const {value})"),
        Val::F32(bits) => format!("(f32.const {})", f32(bits)),
        Val::F64(bits) => format!("(f64.const {})", f64(bits)),
        Val::V128(bits) => {
            let lanes = bits.as_u128().to_le_bytes();
            let (lanes, _) = lanes.as_chunks::<4>();
            let lanes = lanes
                .iter()
                .map(|lane| format!("{:#010x}", u32::from_le_bytes(*lane)));
            format!("(v128.const i32x4 {})", lanes.collect::<Vec<_>>().join(" "))
        }
        Val::FuncRef(None) => "(ref.null func)".to_owned(),
        Val::FuncRef(Some(_)) => "(ref.func)".to_owned(),
        Val::ExternRef(None) => "(ref.null extern)".to_owned(),
        Val::ExternRef(Some(reference)) => match host_number(store, reference) {
            Some(number) => format!("(ref.extern {number})"),
            None => "(ref.extern)".to_owned(),
        },
        Val::AnyRef(None) => "(ref.null any)".to_owned(),
        Val::AnyRef(Some(_)) => "(ref.any)".to_owned(),
        Val::ExnRef(None) => "(ref.null exn)".to_owned(),
        Val::ExnRef(Some(_)) => "(ref.exn)".to_owned(),
    }
}

/// A result pattern.
pub(super) fn pattern(pattern: &WastRetCore) -> String {
    match pattern {
        WastRetCore::I32(value) => format!("(i32.const {value})"),
        WastRetCore::I64(value) => format!("(i64.const {value})"),
        WastRetCore::F32(lane) => format!("(f32.const {})", f32_pattern(lane)),
        WastRetCore::F64(lane) => format!("(f64.const {})", f64_pattern(lane)),
        WastRetCore::V128(lanes) => format!("(v128.const {})", v128_pattern(lanes)),
        WastRetCore::RefNull(None) => "(ref.null)".to_owned(),
        WastRetCore::RefNull(Some(HeapType::Abstract { ty, .. })) => {
            format!("(ref.null {})", format!("{ty:?}").to_lowercase())
        }
        WastRetCore::RefNull(Some(ty)) => format!("(ref.null {ty:?})"),
        WastRetCore::RefExtern(None) => "(ref.extern)".to_owned(),
        WastRetCore::RefExtern(Some(number)) => format!("(ref.extern {number})"),
        WastRetCore::RefHost(number) => format!("(ref.host {number})"),
        WastRetCore::RefFunc(None) => "(ref.func)".to_owned(),
        WastRetCore::RefFunc(Some(index)) => format!("(ref.func {index:?})"),
        WastRetCore::RefAny => "(ref.any)".to_owned(),
        WastRetCore::RefEq => "(ref.eq)".to_owned(),
        WastRetCore::RefArray => "(ref.array)".to_owned(),
        WastRetCore::RefStruct => "(ref.struct)".to_owned(),
        WastRetCore::RefI31 => "(ref.i31)".to_owned(),
        WastRetCore::RefI31Shared => "(ref.i31_shared)".to_owned(),
        WastRetCore::Either(cases) => {
            format!("(either {})", list(cases.iter().map(self::pattern)))
        }
    }
}

fn f32_pattern(pattern: &NanPattern<F32>) -> String {
    nan_pattern(pattern, |value| f32(value.bits))
}

fn f64_pattern(pattern: &NanPattern<F64>) -> String {
    nan_pattern(pattern, |value| f64(value.bits))
}

fn nan_pattern<T>(pattern: &NanPattern<T>, show: impl FnOnce(&T) -> String) -> String {
    match pattern {
        NanPattern::CanonicalNan => "nan:canonical".to_owned(),
        NanPattern::ArithmeticNan => "nan:arithmetic".to_owned(),
        NanPattern::Value(value) => show(value),
    }
}

fn v128_pattern(pattern: &V128Pattern) -> String {
    match pattern {
        V128Pattern::I8x16(lanes) => lanes_of("i8x16", lanes, i8::to_string),
        V128Pattern::I16x8(lanes) => lanes_of("i16x8", lanes, i16::to_string),
        V128Pattern::I32x4(lanes) => lanes_of("i32x4", lanes, i32::to_string),
        V128Pattern::I64x2(lanes) => lanes_of("i64x2", lanes, i64::to_string),
        V128Pattern::F32x4(lanes) => lanes_of("f32x4", lanes, f32_pattern),
        V128Pattern::F64x2(lanes) => lanes_of("f64x2", lanes, f64_pattern),
    }
}

fn lanes_of<T>(shape: &str, lanes: &[T], show: fn(&T) -> String) -> String {
    let lanes: Vec<String> = lanes.iter().map(show).collect();
    format!("{shape} {}", lanes.join(" "))
}

/// A float in decimal, and its bits, because decimal says nothing of NaNs.
fn f32(bits: u32) -> String {
    format!("{} ({bits:#010x})", decimal(f32::from_bits(bits)))
}

fn f64(bits: u64) -> String {
    format!("{} ({bits:#018x})", decimal(f64::from_bits(bits)))
}

/// The shorter of the two usual forms.
fn decimal<T: Display + Debug>(value: T) -> String {
    let (plain, scientific) = (value.to_string(), format!("{value:?}"));
    if scientific.len() < plain.len() {
        scientific
    } else {
        plain
    }
}
