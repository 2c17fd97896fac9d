//! What several test files need: modules to work on, and a source of
//! reproducible randomness.
#![allow(dead_code, reason = "each test file uses a part of this")]

use std::path::{Path, PathBuf};
use std::{fs, io};

use rwasm_parser::{Features, Module, ModuleBytes, ParseError, ParseOptions, SpecVersion};
use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, Wast, WastDirective, WastExecute, Wat, lexer::Lexer};

/// Text modules that use every kind of section and most kinds of entries.
pub const CORPUS: &[&str] = &[
    r#"(module $empty)"#,
    r#"(module $functions
        (type $binary (func (param i32 i32) (result i32)))
        (import "env" "log" (func $log (param i32)))
        (import "env" "memory" (memory 1 2))
        (func $add (export "add") (type $binary) (param $a i32) (param $b i32) (result i32)
            local.get $a local.get $b i32.add)
        (func $main (local $i i32)
            (loop $again
                (call $log (call $add (local.get $i) (i32.const 1)))
                (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
                    (i32.const 10)))))
        (start $main)
        (data (i32.const 8) "hello") (data "passive"))"#,
    r#"(module $tables
        (type $f (func)) (import "env" "t" (table 1 10 funcref))
        (import "env" "g" (global $base i32))
        (table $t 4 externref) (table $i i64 1 (ref null $f) (ref.func $a))
        (func $a) (func $b (drop (ref.func $b)))
        (elem (global.get $base) $a $b) (elem declare func $b)
        (elem (table $i) (offset i64.const 0) (ref null $f) (ref.func $a) (ref.null $f))
        (func (param i32) (call_indirect (type $f) (local.get 0))
            (table.init 0 1 (i32.const 0) (i32.const 0) (i32.const 0))))"#,
    r#"(module $gc
        (rec (type $list (sub (struct (field (ref null $list)) (field (mut i8)))))
             (type $pair (sub final $list (struct (field (ref null $list)) (field (mut i8))
                 (field f64)))))
        (type $bytes (array (mut i16)))
        (global (ref $list) (struct.new $list (ref.null $list) (i32.const 7)))
        (global (ref $bytes) (array.new_fixed $bytes 2 (i32.const 1) (i32.const 2)))
        (global (ref any) (any.convert_extern (extern.convert_any (ref.i31 (i32.const 1)))))
        (func (param anyref) (result i32)
            (block $no (result anyref)
                (return (struct.get_u $list 1
                    (br_on_cast_fail $no anyref (ref $list) (local.get 0)))))
            drop (array.len (array.new_default $bytes (i32.const 3)))))"#,
    r#"(module $exceptions
        (type $t (func (param i32))) (tag $e (type $t)) (tag (export "e") (param i64 f32))
        (func (result i32)
            (block $h (result i32)
                (try_table (catch $e $h) (throw $e (i32.const 1))) (i32.const 0))))"#,
    r#"(module $wide
        (memory $m i64 1 4) (memory 0)
        (global $g (mut i64) (i64.add (i64.const 1) (i64.mul (i64.const 2) (i64.const 3))))
        (global v128 (v128.const i32x4 1 2 3 4)) (global f32 (f32.const nan:0x200001))
        (data (memory $m) (offset i64.const 16) "\00\01")
        (func (param v128) (result v128) (i32x4.add (local.get 0) (v128.const i8x16
            0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)))
        (func (i64.store offset=8 (i64.const 0) (global.get $g)) (memory.grow 1 (i32.const 1)) drop)
        (func (param i32) (block (block (br_table 0 1 0 (local.get 0)))))
        (func $tail (return_call $tail))
        (@custom "notes" (before first) "whatever") (@custom ".debug_info" "\01\02"))"#,
];

/// A module as an official test has it, with what the test says of it.
pub struct Case {
    pub name: String,
    pub bytes: Vec<u8>,
    /// Whether it must be accepted; None where the test does not say (a
    /// custom section that is invalid, which is no error here).
    pub valid: Option<bool>,
    pub features: Features,
}

/// The modules of the official test suite, or none where it is not at hand.
pub fn suite() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/testsuite");
    let mut cases = Vec::new();
    for (folder, features) in [
        ("core", Features::default()),
        ("proposals/threads", Features::WASM1_THREADS),
        (
            "proposals/custom-page-sizes",
            Features {
                custom_page_sizes: true,
                ..WASM3
            },
        ),
        (
            "proposals/wide-arithmetic",
            Features {
                wide_arithmetic: true,
                ..WASM3
            },
        ),
    ] {
        let mut files = Vec::new();
        if let Err(error) = wast_files(&root.join(folder), &mut files) {
            println!("skipped: no {} ({error})", root.join(folder).display());
            continue;
        }
        for file in files {
            let text = fs::read_to_string(&file).expect("a readable test file");
            collect(&file.display().to_string(), &text, features, &mut cases);
        }
    }
    cases
}

const WASM3: Features = Features {
    version: SpecVersion::Wasm3,
    threads: false,
    custom_page_sizes: false,
    wide_arithmetic: false,
    legacy_exceptions: false,
};

fn wast_files(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?
        .map(|e| Ok(e?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            wast_files(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "wast")
        {
            files.push(path);
        }
    }
    Ok(())
}

fn collect(file: &str, text: &str, features: Features, cases: &mut Vec<Case>) {
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).expect("a test file's tokens");
    let wast = parser::parse::<Wast<'_>>(&buffer).expect("a test file's directives");
    for directive in wast.directives {
        let (line, _) = directive.span().linecol_in(text);
        let (mut module, valid) = match directive {
            WastDirective::Module(module) | WastDirective::ModuleDefinition(module) => {
                (module, Some(true))
            }
            WastDirective::AssertInvalid { module, .. }
            | WastDirective::AssertMalformed { module, .. } => (module, Some(false)),
            WastDirective::AssertInvalidCustom { module, .. } => (module, None),
            WastDirective::AssertUnlinkable { module, .. } => (QuoteWat::Wat(module), Some(true)),
            WastDirective::AssertTrap {
                exec: WastExecute::Wat(module),
                ..
            } => (QuoteWat::Wat(module), Some(true)),
            _ => continue,
        };
        // What is malformed as text has no binary.
        let Ok(bytes) = module.encode() else { continue };
        let name = format!("{file}:{}", line + 1);
        cases.push(Case {
            name,
            bytes,
            valid,
            features,
        });
    }
}

/// Encodes a text module.
pub fn wat(text: &str) -> Vec<u8> {
    let buffer = ParseBuffer::new(text).expect("tokens");
    parser::parse::<Wat<'_>>(&buffer)
        .and_then(|mut wat| wat.encode())
        .expect("a text module")
}

pub fn parse(bytes: impl Into<ModuleBytes>) -> Result<Module, ParseError> {
    Module::parse(bytes.into(), &ParseOptions::default())
}

/// A binary module of sections given by id and contents.
pub fn binary(sections: &[(u8, &[u8])]) -> Vec<u8> {
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    for (id, contents) in sections {
        bytes.push(*id);
        leb128(&mut bytes, contents.len());
        bytes.extend_from_slice(contents);
    }
    bytes
}

/// Appends an unsigned integer in LEB128.
pub fn leb128(bytes: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// A generator of reproducible pseudo-random numbers (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below a bound, or 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 33) as usize % bound.max(1)
    }
}
