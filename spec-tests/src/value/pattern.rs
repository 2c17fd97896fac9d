//! Result patterns.

use super::{host_number, null};
use rwasm::{AnyRef, ExternRef, Store, Val};
use std::mem::discriminant;
use wast::core::{NanPattern, V128Pattern, WastRetCore};
use wast::token::{F32, F64};

/// Whether `value` is what `pattern` states.
pub(super) fn matches(store: &Store<()>, pattern: &WastRetCore, value: &Val) -> bool {
    match (pattern, *value) {
        (WastRetCore::Either(cases), _) => cases.iter().any(|case| matches(store, case, value)),
        (WastRetCore::I32(expected), Val::I32(actual)) => *expected == actual,
        (WastRetCore::I64(expected), Val::I64(actual)) => *expected == actual,
        (WastRetCore::F32(expected), Val::F32(actual)) => f32_matches(expected, actual),
        (WastRetCore::F64(expected), Val::F64(actual)) => f64_matches(expected, actual),
        (WastRetCore::V128(expected), Val::V128(actual)) => {
            v128_matches(expected, actual.as_u128())
        }
        (WastRetCore::RefNull(None), _) => is_null(value),
        (WastRetCore::RefNull(Some(ty)), _) => {
            let same_kind = |null: Val| discriminant(&null) == discriminant(value);
            null(ty).is_some_and(same_kind) && is_null(value)
        }
        (WastRetCore::RefExtern(expected), Val::ExternRef(Some(actual))) => {
            expected.is_none_or(|expected| host_number(store, actual) == Some(expected))
        }
        (WastRetCore::RefFunc(None), Val::FuncRef(Some(_)))
        | (WastRetCore::RefAny, Val::AnyRef(Some(_))) => true,
        (_, Val::AnyRef(Some(actual))) => any_matches(store, pattern, actual),
        // What the guest has converted is still what it was.
        (_, Val::ExternRef(Some(actual))) => AnyRef::convert_extern(store, actual)
            .is_ok_and(|actual| any_matches(store, pattern, actual)),
        _ => false,
    }
}

/// Whether a value of the guest's is of the kind that a pattern states.
fn any_matches(store: &Store<()>, pattern: &WastRetCore, actual: AnyRef) -> bool {
    let holds = match pattern {
        WastRetCore::RefEq => actual.is_eqref(store),
        WastRetCore::RefI31 | WastRetCore::RefI31Shared => actual.is_i31(store),
        WastRetCore::RefStruct => actual.is_struct(store),
        WastRetCore::RefArray => actual.is_array(store),
        WastRetCore::RefHost(expected) => ExternRef::convert_any(store, actual)
            .map(|actual| host_number(store, actual) == Some(*expected)),
        _ => Ok(false),
    };
    holds.unwrap_or(false)
}

fn is_null(value: &Val) -> bool {
    value.as_ref().is_some_and(|reference| reference.is_null())
}

/// A NaN is canonical if its payload is the quiet bit alone, and arithmetic if
/// the quiet bit is among it; the sign is free (specification, section
/// "NaN Propagation").
fn f32_matches(pattern: &NanPattern<F32>, bits: u32) -> bool {
    const EXPONENT_AND_QUIET: u32 = 0x7fc0_0000;
    let unsigned = bits & 0x7fff_ffff;
    match pattern {
        NanPattern::CanonicalNan => unsigned == EXPONENT_AND_QUIET,
        NanPattern::ArithmeticNan => unsigned & EXPONENT_AND_QUIET == EXPONENT_AND_QUIET,
        NanPattern::Value(expected) => bits == expected.bits,
    }
}

/// The same for 64 bits.
fn f64_matches(pattern: &NanPattern<F64>, bits: u64) -> bool {
    const EXPONENT_AND_QUIET: u64 = 0x7ff8_0000_0000_0000;
    let unsigned = bits & 0x7fff_ffff_ffff_ffff;
    match pattern {
        NanPattern::CanonicalNan => unsigned == EXPONENT_AND_QUIET,
        NanPattern::ArithmeticNan => unsigned & EXPONENT_AND_QUIET == EXPONENT_AND_QUIET,
        NanPattern::Value(expected) => bits == expected.bits,
    }
}

fn v128_matches(pattern: &V128Pattern, bits: u128) -> bool {
    let bytes = bits.to_le_bytes();
    match pattern {
        V128Pattern::I8x16(lanes) => lanes.map(|lane| lane.cast_unsigned()) == bytes,
        V128Pattern::I16x8(lanes) => lanes_are(lanes, &bytes, i16::from_le_bytes),
        V128Pattern::I32x4(lanes) => lanes_are(lanes, &bytes, i32::from_le_bytes),
        V128Pattern::I64x2(lanes) => lanes_are(lanes, &bytes, i64::from_le_bytes),
        V128Pattern::F32x4(lanes) => {
            let (actual, _) = bytes.as_chunks::<4>();
            let mut pairs = lanes.iter().zip(actual);
            pairs.all(|(lane, bytes)| f32_matches(lane, u32::from_le_bytes(*bytes)))
        }
        V128Pattern::F64x2(lanes) => {
            let (actual, _) = bytes.as_chunks::<8>();
            let mut pairs = lanes.iter().zip(actual);
            pairs.all(|(lane, bytes)| f64_matches(lane, u64::from_le_bytes(*bytes)))
        }
    }
}

/// Whether the lanes, `WIDTH` bytes each, are these integers.
fn lanes_are<T: PartialEq, const WIDTH: usize>(
    lanes: &[T],
    bytes: &[u8; 16],
    read: fn([u8; WIDTH]) -> T,
) -> bool {
    let (actual, _) = bytes.as_chunks::<WIDTH>();
    lanes
        .iter()
        .zip(actual)
        .all(|(lane, bytes)| *lane == read(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_patterns_are_told_apart() {
        let value = |bits| NanPattern::Value(F32 { bits });
        let cases = [
            (NanPattern::CanonicalNan, 0x7fc0_0000, true),
            (NanPattern::CanonicalNan, 0xffc0_0000, true),
            (NanPattern::CanonicalNan, 0x7fc0_0001, false),
            (NanPattern::CanonicalNan, 0x7fa0_0000, false),
            (NanPattern::CanonicalNan, 0x7f80_0000, false),
            (NanPattern::ArithmeticNan, 0x7fc0_0000, true),
            (NanPattern::ArithmeticNan, 0xffff_ffff, true),
            (NanPattern::ArithmeticNan, 0x7fa0_0000, false),
            (NanPattern::ArithmeticNan, 0x3fc0_0000, false),
            (value(0), 0x8000_0000, false),
            (value(0x7fa0_0000), 0x7fa0_0000, true),
            (value(0x7fa0_0000), 0x7fe0_0000, false),
        ];
        for (pattern, bits, expected) in cases {
            assert_eq!(
                f32_matches(&pattern, bits),
                expected,
                "{pattern:?} {bits:#x}"
            );
        }
        assert!(f64_matches(&NanPattern::CanonicalNan, 0xfff8 << 48));
        assert!(!f64_matches(&NanPattern::CanonicalNan, (0x7ff8 << 48) + 1));
        assert!(f64_matches(&NanPattern::ArithmeticNan, (0x7ff8 << 48) + 1));
        assert!(!f64_matches(&NanPattern::ArithmeticNan, 0x7ff4 << 48));
    }

    #[test]
    fn lanes_are_little_endian() {
        let bits = u128::from_le_bytes(std::array::from_fn(|i| i as u8));
        let nan = 0x7fc0_0000_u128 << 96;
        let lane = |bits| NanPattern::Value(F32 { bits });
        let cases = [
            (
                V128Pattern::I16x8([0x100, 0x302, 0x504, 0x706, 0x908, 0xb0a, 0xd0c, 0xf0e]),
                bits,
                true,
            ),
            (
                V128Pattern::I32x4([0x0302_0100, 0x0706_0504, 0x0b0a_0908, 0x0f0e_0d0c]),
                bits,
                true,
            ),
            (
                V128Pattern::I32x4([0x0302_0100, 0x0706_0504, 0x0b0a_0908, 0]),
                bits,
                false,
            ),
            (
                V128Pattern::I64x2([0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908]),
                bits,
                true,
            ),
            (
                V128Pattern::F32x4([lane(0), lane(0), lane(0), NanPattern::CanonicalNan]),
                nan,
                true,
            ),
            (
                V128Pattern::F32x4([lane(0), lane(0), NanPattern::CanonicalNan, lane(0)]),
                nan,
                false,
            ),
        ];
        for (pattern, bits, expected) in cases {
            assert_eq!(v128_matches(&pattern, bits), expected, "{pattern:?}");
        }
        let ascending = V128Pattern::I8x16(std::array::from_fn(|i| i as i8));
        assert!(v128_matches(&ascending, bits));
        assert!(!v128_matches(&ascending, bits + 1));
    }
}
