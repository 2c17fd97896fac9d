//! `--invoke`: arguments read by the types of a function, and its results
//! written so that they can be read back.

use std::ffi::OsString;

use rwasm::{FuncType, Val, ValType};

/// Reads one argument for each parameter; an error says what is wrong, and
/// with which argument.
pub fn parse_args(ty: &FuncType, args: &[OsString]) -> Result<Vec<Val>, String> {
    let params = ty.params();
    if params.len() != args.len() {
        let given = match args.len() {
            1 => "1 was given".to_owned(),
            n => format!("{n} were given"),
        };
        return Err(match params {
            [] => format!("it takes no argument, and {given}"),
            [one] => format!("it takes 1 argument ({one}), and {given}"),
            _ => {
                let types: Vec<String> = params.iter().map(ValType::to_string).collect();
                format!(
                    "it takes {} arguments ({}), and {given}",
                    params.len(),
                    types.join(" ")
                )
            }
        });
    }
    let pairs = params.iter().zip(args).enumerate();
    pairs
        .map(|(i, (&ty, text))| {
            let value = text.to_str().and_then(|text| parse(ty, text));
            value.ok_or_else(|| {
                let text = text.to_string_lossy();
                format!(
                    "argument {}, `{text}`, is no {ty}; write {}",
                    i + 1,
                    form(ty)
                )
            })
        })
        .collect()
}

/// Writes a result as one line, without its end.
pub fn format(value: &Val) -> String {
    match *value {
        Val::I32(v) => v.to_string(),
        Val::I64(v) => v.to_string(),
        Val::F32(bits) => {
            let payload = u64::from(bits & 0x7f_ffff);
            format_float(
                f32::from_bits(bits).into(),
                &f32::from_bits(bits),
                payload,
                1 << 22,
            )
        }
        Val::F64(bits) => {
            let payload = bits & 0xf_ffff_ffff_ffff;
            format_float(
                f64::from_bits(bits),
                &f64::from_bits(bits),
                payload,
                1 << 51,
            )
        }
        Val::V128(v) => format!("{:#034x}", v.as_u128()),
        Val::FuncRef(None) | Val::ExternRef(None) | Val::AnyRef(None) | Val::ExnRef(None) => {
            "null".into()
        }
        Val::FuncRef(Some(_)) => "funcref".into(),
        Val::ExternRef(Some(_)) => "externref".into(),
        Val::AnyRef(Some(_)) => "anyref".into(),
        Val::ExnRef(Some(_)) => "exnref".into(),
    }
}

/// What to write for a value of type `ty`, for a message.
fn form(ty: ValType) -> &'static str {
    match ty {
        ValType::I32 => "a whole number from -2147483648 to 4294967295, or 0x and hex digits",
        ValType::I64 => {
            "a whole number from -9223372036854775808 to 18446744073709551615, \
             or 0x and hex digits"
        }
        ValType::F32 | ValType::F64 => "a number, inf or nan",
        ValType::V128 => "0x and up to 32 hex digits",
        ValType::Ref(ty) if ty.is_nullable() => "null",
        ValType::Ref(_) => "a caller in another language: this type has no null",
    }
}

fn parse(ty: ValType, text: &str) -> Option<Val> {
    match ty {
        ValType::I32 => {
            let value = parse_integer(text)?;
            let signed = i32::try_from(value).ok();
            signed
                .or_else(|| u32::try_from(value).ok().map(|v| v as i32))
                .map(Val::I32)
        }
        ValType::I64 => {
            let value = parse_integer(text)?;
            let signed = i64::try_from(value).ok();
            signed
                .or_else(|| u64::try_from(value).ok().map(|v| v as i64))
                .map(Val::I64)
        }
        ValType::F32 => {
            let nan = parse_nan(text, f32::NAN.to_bits().into(), 1 << 23, 1 << 31);
            let bits = nan.map(|bits| bits as u32);
            bits.or_else(|| text.parse().ok().map(f32::to_bits))
                .map(Val::F32)
        }
        ValType::F64 => {
            let bits = parse_nan(text, f64::NAN.to_bits(), 1 << 52, 1 << 63);
            bits.or_else(|| text.parse().ok().map(f64::to_bits))
                .map(Val::F64)
        }
        ValType::V128 => {
            let digits = hex_digits(text)?;
            u128::from_str_radix(&digits, 16)
                .ok()
                .map(|bits| Val::V128(bits.into()))
        }
        ValType::Ref(ty) if text == "null" => rwasm::Ref::null(ty).map(Val::from),
        ValType::Ref(_) => None,
    }
}

/// `12`, `-12`, `+12`, `0xc`, `-0xc`, with `_` between digits.
fn parse_integer(text: &str) -> Option<i128> {
    let (negative, magnitude) = sign(text);
    let value = match hex_digits(magnitude) {
        Some(digits) => i128::from_str_radix(&digits, 16).ok()?,
        None if magnitude.starts_with(|c: char| c.is_ascii_digit()) => {
            magnitude.replace('_', "").parse().ok()?
        }
        None => return None,
    };
    Some(if negative { -value } else { value })
}

/// `nan:0x…` as in the text format: a NaN with this payload. Other numbers and
/// the plain `nan` are left to the standard library, but for its sign.
fn parse_nan(text: &str, nan: u64, payload_end: u64, sign_bit: u64) -> Option<u64> {
    let (negative, magnitude) = sign(text);
    let bits = if magnitude.eq_ignore_ascii_case("nan") {
        nan
    } else {
        let digits = hex_digits(magnitude.strip_prefix("nan:")?)?;
        let payload = u64::from_str_radix(&digits, 16).ok()?;
        if payload == 0 || payload >= payload_end {
            return None;
        }
        let infinity = nan & !(payload_end - 1);
        infinity | payload
    };
    Some(if negative { bits | sign_bit } else { bits })
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// The digits behind `0x`, without the `_` between them.
fn hex_digits(text: &str) -> Option<String> {
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))?;
    let starts = digits.starts_with(|c: char| c.is_ascii_hexdigit());
    starts.then(|| digits.replace('_', ""))
}

/// Writes a float in the fewest digits that read back as the same bits:
/// `shortest` is the value in its own width.
fn format_float(
    value: f64,
    shortest: &(impl std::fmt::Display + std::fmt::LowerExp),
    payload: u64,
    canonical: u64,
) -> String {
    if value.is_nan() {
        let sign = if value.is_sign_negative() { "-" } else { "" };
        return if payload == canonical {
            format!("{sign}nan")
        } else {
            format!("{sign}nan:{payload:#x}")
        };
    }
    // Beyond these, digits are mostly zeros.
    let plain = 1e-5..1e16;
    if value == 0.0 || value.is_infinite() || plain.contains(&value.abs()) {
        shortest.to_string()
    } else {
        format!("{shortest:e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(value: Val) -> u128 {
        match value {
            Val::I32(v) => (v as u32).into(),
            Val::I64(v) => (v as u64).into(),
            Val::F32(v) => v.into(),
            Val::F64(v) => v.into(),
            Val::V128(v) => v.as_u128(),
            _ => 0,
        }
    }

    #[test]
    fn values_are_read_and_written() {
        // What is given, and what is printed for it.
        let cases: [(ValType, &[(&str, &str)]); 5] = [
            (
                ValType::I32,
                &[
                    ("0", "0"),
                    ("+7", "7"),
                    ("-2147483648", "-2147483648"),
                    ("4294967295", "-1"),
                    ("0xffff_ffff", "-1"),
                    ("-0x1", "-1"),
                    ("1_000", "1000"),
                ],
            ),
            (
                ValType::I64,
                &[
                    ("18446744073709551615", "-1"),
                    ("-9223372036854775808", "-9223372036854775808"),
                    ("0x7fffffffffffffff", "9223372036854775807"),
                ],
            ),
            (
                ValType::F32,
                &[
                    ("1.5", "1.5"),
                    ("4", "4"),
                    ("0.1", "0.1"),
                    ("-0", "-0"),
                    ("1e30", "1e30"),
                    ("1e-30", "1e-30"),
                    ("inf", "inf"),
                    ("-INF", "-inf"),
                    ("nan", "nan"),
                    ("-nan", "-nan"),
                    ("nan:0x400000", "nan"),
                    ("nan:0x1", "nan:0x1"),
                ],
            ),
            (
                ValType::F64,
                &[
                    ("0.1", "0.1"),
                    ("1e300", "1e300"),
                    ("NaN", "nan"),
                    ("-nan:0xf", "-nan:0xf"),
                    ("3.141592653589793", "3.141592653589793"),
                ],
            ),
            (
                ValType::V128,
                &[
                    ("0x1", "0x00000000000000000000000000000001"),
                    (
                        "0xffffffffffffffffffffffffffffffff",
                        "0xffffffffffffffffffffffffffffffff",
                    ),
                ],
            ),
        ];
        for (ty, values) in cases {
            for (given, printed) in values {
                let value = parse(ty, given).unwrap_or_else(|| panic!("{ty} {given}"));
                assert_eq!(format(&value), *printed, "{ty} {given}");
                let back = parse(ty, printed).unwrap_or_else(|| panic!("{ty} {printed}"));
                assert_eq!(bits(back), bits(value), "{ty} {printed}");
            }
        }
    }

    #[test]
    fn nulls_are_read_and_written() {
        for ty in [ValType::FUNCREF, ValType::EXTERNREF, ValType::ANYREF] {
            assert_eq!(format(&parse(ty, "null").unwrap()), "null");
            assert!(parse(ty, "0").is_none());
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        let cases: [(ValType, &[&str]); 4] = [
            (
                ValType::I32,
                &[
                    "",
                    "-",
                    "x",
                    "1.0",
                    "4294967296",
                    "-2147483649",
                    "0x",
                    "0x_1",
                    "--1",
                    "_1",
                    " 1",
                ],
            ),
            (
                ValType::I64,
                &["18446744073709551616", "-9223372036854775809"],
            ),
            (
                ValType::F32,
                &["", "1,5", "nan:0x0", "nan:0x800000", "nan:", "0x"],
            ),
            (
                ValType::V128,
                &["1", "0x", "0x1ffffffffffffffffffffffffffffffff", "-0x1"],
            ),
        ];
        for (ty, texts) in cases {
            for text in texts {
                assert!(parse(ty, text).is_none(), "{ty} {text}");
            }
        }
    }

    #[test]
    fn the_number_of_arguments_is_checked() {
        let add = FuncType::new([ValType::I32, ValType::I64], []);
        let error = parse_args(&add, &["1".into()]).unwrap_err();
        assert_eq!(error, "it takes 2 arguments (i32 i64), and 1 was given");
        let error = parse_args(&add, &["1".into(), "z".into()]).unwrap_err();
        assert!(
            error.starts_with("argument 2, `z`, is no i64; write "),
            "{error}"
        );
    }
}
