//! What is wrong is said, and where.

mod common;

use rwasm_parser::{Features, FileKind, Module, ModuleBytes, ParseError, ParseOptions};

fn parse_any(bytes: &[u8]) -> Result<Module, ParseError> {
    Module::parse_any(
        bytes.to_vec().into(),
        Some("test.wat"),
        &ParseOptions::default(),
    )
}

const TYPE: (u8, &[u8]) = (1, b"\x01\x60\0\0");
const FUNCTION: (u8, &[u8]) = (3, b"\x01\0");
const CODE: (u8, &[u8]) = (10, b"\x01\x02\0\x0b");

#[test]
fn binary_errors_have_offsets() {
    let cases: &[(Vec<u8>, u64, &str)] = &[
        // The header.
        (b"\0asm".to_vec(), 4, "unexpected end"),
        (b"\0asm\x02\0\0\0".to_vec(), 4, "unknown binary version"),
        (b"\0asm\0\0\x01\0".to_vec(), 4, "unknown binary version"),
        (b"\0as".to_vec(), 0, "unexpected end"),
        (b"wasm\x01\0\0\0".to_vec(), 0, "magic header not detected"),
        // Sections: unknown, repeated, out of order, too long, too short.
        (common::binary(&[(20, b"")]), 10, "malformed section id"),
        (common::binary(&[TYPE, TYPE]), 16, "section out of order"),
        (common::binary(&[FUNCTION, TYPE]), 11, "unknown type"),
        (common::binary(&[CODE]), 10, "function section is absent"),
        (
            common::binary(&[(1, b"\x01\x60\0\0\0")]),
            14,
            "section size mismatch",
        ),
        (
            common::binary(&[(1, b"\x02\x60\0\0")]),
            14,
            "unexpected end",
        ),
        (
            [&common::binary(&[]), &b"\x01\x20\0"[..]].concat(),
            10,
            "unexpected end",
        ),
        (
            [&common::binary(&[TYPE]), &b"\0asm"[..]].concat(),
            14,
            "expected section",
        ),
        // Items.
        (
            common::binary(&[(1, b"\x01\x60\x01\x11\0")]),
            13,
            "invalid value type",
        ),
        (
            common::binary(&[(2, b"\x01\x01a\x01b\0\x05")]),
            11,
            "unknown type",
        ),
        (
            common::binary(&[(2, b"\x01\x01\xff\x01b\x02\0\0")]),
            12,
            "malformed UTF-8",
        ),
        (common::binary(&[(3, b"\x01\x05")]), 11, "unknown type"),
        (
            common::binary(&[(4, b"\x01\x70\x01\x02\x01")]),
            11,
            "size minimum must not",
        ),
        (
            common::binary(&[(5, b"\x01\0\x81\x80\x04")]),
            11,
            "memory size must be at most",
        ),
        (
            common::binary(&[(5, b"\x01\x03\x01\x01")]),
            11,
            "threads must be enabled",
        ),
        (
            common::binary(&[(6, b"\x01\x7f\0\x42\0\x0b")]),
            15,
            "type mismatch",
        ),
        (
            common::binary(&[(6, b"\x01\x7f\0\x41\0\x45\x0b")]),
            15,
            "constant expression required",
        ),
        (
            common::binary(&[TYPE, (13, b"\x01\0\x07")]),
            17,
            "unknown type",
        ),
        (
            common::binary(&[(5, b"\x01\0\x01"), (7, b"\x02\x01m\x02\0\x01m\x02\0")]),
            20,
            "duplicate",
        ),
        (
            common::binary(&[(7, b"\x01\x01f\0\0")]),
            11,
            "unknown function",
        ),
        (common::binary(&[(8, b"\0")]), 10, "unknown function"),
        (
            common::binary(&[(9, b"\x01\0\x41\0\x0b\0")]),
            11,
            "unknown table",
        ),
        (
            common::binary(&[(11, b"\x01\0\x41\0\x0b\0")]),
            11,
            "unknown memory",
        ),
        (
            common::binary(&[(5, b"\x01\0\0"), (11, b"\x01\0\x42\0\x0b\0")]),
            19,
            "type mismatch",
        ),
        // Bodies and what belongs to them.
        (
            common::binary(&[TYPE, FUNCTION]),
            18,
            "function section has non-zero count",
        ),
        (
            common::binary(&[TYPE, FUNCTION, (10, b"\x01\x01\0")]),
            23,
            "control frames remain",
        ),
        (
            common::binary(&[TYPE, FUNCTION, (10, b"\x01\x03\0\x1a\x0b")]),
            23,
            "type mismatch",
        ),
        (
            common::binary(&[TYPE, FUNCTION, (10, b"\x01\x02\0\x0b\0")]),
            24,
            "trailing bytes",
        ),
        (
            common::binary(&[(12, b"\x01")]),
            11,
            "data count is non-zero",
        ),
    ];
    for (bytes, offset, message) in cases {
        let error = common::parse(bytes.clone()).expect_err(message);
        assert!(
            error.message().starts_with(message),
            "{bytes:x?}: {message}: {error}"
        );
        assert_eq!(error.offset(), Some(*offset), "{bytes:x?}: {error}");
        assert!(
            error
                .to_string()
                .contains(&format!("(at offset {offset:#x})")),
            "{error}"
        );
    }
}

/// An owner that gives fewer bytes from the second time on, like a mapped file
/// that is cut short.
struct Shrinking(Vec<u8>, std::sync::atomic::AtomicBool);

impl AsRef<[u8]> for Shrinking {
    fn as_ref(&self) -> &[u8] {
        let whole = self.1.swap(false, std::sync::atomic::Ordering::Relaxed);
        if whole { &self.0 } else { &self.0[..9] }
    }
}

#[test]
fn bytes_that_vanish_are_errors() {
    let bytes = common::wat(common::CORPUS[1]);
    let owner = Shrinking(bytes, true.into());
    let late = ParseOptions {
        validate_bodies: false,
        ..ParseOptions::default()
    };
    let module = Module::parse(ModuleBytes::new(owner), &late).unwrap();
    assert!(module.validate_all().is_err());
    assert_eq!(module.names().functions().count(), 0);
    assert_eq!(module.data_bytes(&module.data_segment(0).unwrap()), b"");
}

/// What is first found out when bodies are validated, and only then.
#[test]
fn late_errors_are_those_of_bodies() {
    let body = |text: &str| format!("(module (memory 1) (func) (func {text}) (data \"\"))");
    let cases = [
        (body("ref.func 0 drop"), "undeclared function reference"),
        (body("call 7"), "unknown function 7"),
        (body("i32.add drop"), "type mismatch"),
        (body("local.get 3 drop"), "unknown local 3"),
    ];
    for (text, message) in &cases {
        let bytes = common::wat(text);
        let late = ParseOptions {
            validate_bodies: false,
            ..ParseOptions::default()
        };
        let module = Module::parse(bytes.clone().into(), &late).unwrap();
        let error = module.validate_all().unwrap_err();
        assert!(error.message().starts_with(message), "{error}");
        assert_eq!(common::parse(bytes).map(drop), Err(error));
    }
    // `data.drop` needs the count of data segments in front of the code.
    let drop_data: &[u8] = b"\x01\x05\0\xfc\x09\0\x0b";
    let bytes = common::binary(&[TYPE, FUNCTION, (10, drop_data), (11, b"\x01\x01\0")]);
    let error = common::parse(bytes).unwrap_err();
    assert_eq!(error.message(), "data count section required");
}

#[test]
fn features_are_what_the_options_say() {
    let shared = "(module (memory 1 1 shared) (func (drop (i32.atomic.load (i32.const 0)))))";
    let pages = "(module (memory 1 (pagesize 1)))";
    let wide = "(module (func (param i64 i64 i64 i64) (result i64 i64)
        (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3))))";
    let legacy = "(module (func try catch_all end))";
    let wasm3 = "(module (memory 1) (memory i64 1) (type (struct)) (tag))";
    let base = Features::default();
    let cases = [
        (
            shared,
            Features {
                threads: true,
                ..base
            },
            true,
        ),
        (shared, base, false),
        (shared, Features::WASM1_THREADS, true),
        (
            pages,
            Features {
                custom_page_sizes: true,
                ..base
            },
            true,
        ),
        (pages, base, false),
        (
            wide,
            Features {
                wide_arithmetic: true,
                ..base
            },
            true,
        ),
        (wide, base, false),
        (
            legacy,
            Features {
                legacy_exceptions: true,
                ..base
            },
            true,
        ),
        (legacy, base, false),
        (wasm3, base, true),
        (wasm3, Features::WASM1_THREADS, false),
        ("(module (cont 0))", base, false),
    ];
    for (text, features, accepted) in cases {
        let options = ParseOptions {
            features,
            validate_bodies: true,
        };
        let result = Module::parse_any(text.as_bytes().to_vec().into(), None, &options);
        assert_eq!(
            result.is_ok(),
            accepted,
            "{text} {features:?}: {:?}",
            result.err()
        );
    }
}

#[test]
fn text_errors_show_the_line() {
    let long = format!("(module (func {} oops) (func))", "nop ".repeat(100));
    let cases = [
        (
            "(module\n  (func (export \"f\")\n    local.get $x))\n",
            "invalid WebAssembly text at test.wat:3:15: \
                unknown local: failed to find name `$x`\n  \
                3 |     local.get $x))\n    |               ^",
        ),
        (
            "(module\n\t(func é nop))",
            "invalid WebAssembly text at test.wat:2:8: unexpected character '\\u{e9}'\n  \
                2 |  (func é nop))\n    |        ^",
        ),
        (
            "(module (func)\n\n\n",
            "invalid WebAssembly text at test.wat:1:15: expected `)`\n  \
                1 | (module (func)\n    |               ^",
        ),
        (
            &long,
            "invalid WebAssembly text at test.wat:1:416: \
                unknown operator or unexpected token\n  \
                1 | …op nop nop nop nop nop nop nop nop nop nop nop nop nop nop  oops) (func))\n    \
                |                                                              ^",
        ),
    ];
    for (text, expected) in cases {
        let error = parse_any(text.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let ParseError::Text {
        line,
        column,
        message,
        file,
        ..
    } = parse_any(b"(module\n (memory x\xff))").unwrap_err()
    else {
        panic!("a text error")
    };
    assert_eq!((line, column, file.as_deref()), (2, 11, Some("test.wat")));
    assert_eq!(message, "malformed UTF-8 encoding");
    let anonymous = Module::parse_any(b"(modul)".to_vec().into(), None, &ParseOptions::default());
    let error = anonymous.unwrap_err().to_string();
    assert!(
        error.starts_with("invalid WebAssembly text at line 1, column 2: "),
        "{error}"
    );
}

#[test]
fn text_that_is_valid_but_unusual() {
    let cases: &[&[u8]] = &[
        b"(module)",
        b" \n (; comment (; nested ;) ;) ;; line\n (module)",
        b"(func) (memory 1)",
        b"(module binary \"\\00asm\\01\\00\\00\\00\")",
        "(module (func (export \"\u{202e}\")))".as_bytes(),
        b"(module quote \"(func)\")",
    ];
    for text in cases {
        let result = parse_any(text);
        let quoted = text.starts_with(b"(module quote");
        assert_eq!(result.is_ok(), !quoted, "{:?}", result.err());
    }
}

#[test]
fn other_files_are_recognised() {
    let mut tar = vec![0; 512];
    tar[257..262].copy_from_slice(b"ustar");
    let cases: &[(&[u8], FileKind)] = &[
        (b"\x7fELF\x02\x01\x01\0", FileKind::Elf),
        (b"\xcf\xfa\xed\xfe\x07\0\0\x01", FileKind::MachO),
        (b"\xca\xfe\xba\xbe\0\0\0\x02", FileKind::MachO),
        (b"MZ\x90\0\x03\0", FileKind::Pe),
        (b"!<arch>\nfoo.o/", FileKind::Archive),
        (b"BC\xc0\xde5\x14\0\0", FileKind::LlvmBitcode),
        (b"\x1f\x8b\x08\0", FileKind::Gzip),
        (b"BZh91AY", FileKind::Bzip2),
        (b"\xfd7zXZ\0\0", FileKind::Xz),
        (b"\x28\xb5\x2f\xfd\x24", FileKind::Zstd),
        (b"PK\x03\x04\x14\0", FileKind::Zip),
        (&tar, FileKind::Tar),
        (b"#!/bin/sh\necho (module)\n", FileKind::Script),
        (b"\n <!DOCTYPE html>", FileKind::Markup),
        (b"\xff\xfe(\0m\0", FileKind::Utf16Text),
        (b" \n\t ", FileKind::Blank),
        (b"fn main() {}\n", FileKind::Text),
        ("caffè".as_bytes(), FileKind::Text),
        (b"\x01\x02\x03\x04", FileKind::Data),
        (b"\0as", FileKind::Data),
    ];
    for (bytes, kind) in cases {
        let error = parse_any(bytes).map(drop).unwrap_err();
        assert_eq!(error, ParseError::NotWasm { what: *kind });
        assert!(
            error
                .to_string()
                .starts_with("this is no WebAssembly module but "),
            "{error}"
        );
    }
    assert_eq!(parse_any(b"").map(drop), Err(ParseError::Empty));
}

#[test]
fn components_are_recognised() {
    let cases: &[&[u8]] = &[
        b"\0asm\x0d\0\x01\0",
        b"\0asm\x01\0\x01\0 and whatever follows",
        b"(component)",
        b" (; a ;) ( component $c this is not even parsed",
    ];
    for bytes in cases {
        assert_eq!(parse_any(bytes).map(drop), Err(ParseError::Component));
    }
    assert!(ParseError::Component.to_string().contains("wasm32-wasip1"));
}

#[test]
fn deep_nesting_is_no_trouble() {
    let depth = 50_000;
    let exprs = |open: &str, close: &str| {
        format!(
            "(module (func {}{}))",
            open.repeat(depth),
            close.repeat(depth)
        )
    };
    assert!(parse_any(exprs("(block ", ")").as_bytes()).is_ok());
    assert!(parse_any(exprs("block ", "end ").as_bytes()).is_ok());
    let nested = format!("(module {}", "(".repeat(depth));
    assert!(matches!(
        parse_any(nested.as_bytes()),
        Err(ParseError::Text { .. })
    ));
    let comment = format!("{}{}(module)", "(;".repeat(depth), ";)".repeat(depth));
    assert!(parse_any(comment.as_bytes()).is_ok());
    // Constants nest on the operand stack alone.
    let sums = format!(
        "(module (global i32 {} i32.const 0 {}))",
        "i32.const 1 ".repeat(depth),
        "i32.add ".repeat(depth)
    );
    assert_eq!(parse_any(sums.as_bytes()).unwrap().globals().len(), 1);
}
