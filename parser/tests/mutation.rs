//! Damaged modules give errors (or stay valid), never panics.

mod common;

use common::Random;
use rwasm_parser::wasmparser::FuncValidatorAllocations;
use rwasm_parser::{
    Features, FuncIndex, LocalFuncIndex, Module, ParseError, ParseOptions, SpecVersion,
};

const BINARY_MUTANTS: usize = 10_000;
const TEXT_MUTANTS: usize = 3_000;

/// Asks a module for everything.
fn exercise(module: &Module) {
    let names = module.names();
    for func in 0..module.functions().len() as u32 {
        let func = FuncIndex::from_u32(func);
        let _ = (names.function(func), names.local(func, 0));
    }
    let _ = (
        names.module(),
        names.functions().count(),
        module.producers(),
    );
    for export in module.exports() {
        module
            .export_type(export)
            .expect("an export of something that exists");
    }
    for segment in module.data() {
        let _ = module.data_bytes(&segment);
    }
    for section in module.custom_sections() {
        let _ = section.data(module);
    }
    let mut allocations = FuncValidatorAllocations::default();
    for i in 0..module.bodies().len() as u32 {
        let _ = module.validate_function(LocalFuncIndex::from_u32(i), &mut allocations);
    }
    let _ = module.validate_all();
    let _ = format!("{module:?}");
}

fn options(random: &mut Random) -> ParseOptions {
    ParseOptions {
        features: Features {
            version: [SpecVersion::Wasm3, SpecVersion::Wasm1][usize::from(random.below(8) == 0)],
            threads: random.below(2) == 0,
            custom_page_sizes: random.below(2) == 0,
            wide_arithmetic: random.below(2) == 0,
            legacy_exceptions: random.below(2) == 0,
        },
        validate_bodies: random.below(2) == 0,
    }
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(6) {
            0 => bytes.truncate(at),
            1 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            2 if !bytes.is_empty() => bytes[at] = random.next() as u8,
            3 => bytes.insert(at, random.next() as u8),
            4 if !bytes.is_empty() => drop(bytes.remove(at)),
            _ => {
                // A stretch from elsewhere in the module, or noise.
                let from = random.below(bytes.len());
                let len = random.below(32).min(bytes.len() - from);
                let noise = random.below(4) == 0;
                let stretch: Vec<u8> = bytes[from..from + len]
                    .iter()
                    .map(|&byte| if noise { random.next() as u8 } else { byte })
                    .collect();
                bytes.splice(at..at, stretch);
            }
        }
    }
}

#[test]
fn damaged_binaries() {
    let mut seeds: Vec<Vec<u8>> = common::CORPUS
        .iter()
        .map(|text| common::wat(text))
        .collect();
    seeds.extend(common::suite().into_iter().map(|case| case.bytes));
    let mut random = Random::new(0x5eed);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..BINARY_MUTANTS {
        let mut bytes = seeds[random.below(seeds.len())].clone();
        mutate(&mut bytes, &mut random);
        match Module::parse(bytes.clone().into(), &options(&mut random)) {
            Ok(module) => {
                exercise(&module);
                accepted += 1;
            }
            Err(error) => {
                let _ = error.to_string();
                if let Some(offset) = error.offset() {
                    assert!(offset <= bytes.len() as u64, "{error}");
                }
                refused += 1;
            }
        }
    }
    // The mutations are neither all fatal nor all harmless.
    assert!(accepted > BINARY_MUTANTS / 50 && refused > BINARY_MUTANTS / 50);
}

#[test]
fn damaged_texts() {
    let mut random = Random::new(0x7e47);
    for _ in 0..TEXT_MUTANTS {
        let mut bytes = common::CORPUS[random.below(common::CORPUS.len())]
            .as_bytes()
            .to_vec();
        mutate(&mut bytes, &mut random);
        match Module::parse_any(bytes.into(), Some("mutant.wat"), &options(&mut random)) {
            Ok(module) => exercise(&module),
            Err(error @ ParseError::Text { .. }) => {
                assert_eq!(error.to_string().lines().count(), 3, "{error}");
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

#[test]
fn noise() {
    let mut random = Random::new(0x0153);
    for round in 0..2_000 {
        let mut bytes = match round % 3 {
            0 => Vec::new(),
            1 => b"\0asm\x01\0\0\0".to_vec(),
            _ => b"(module ".to_vec(),
        };
        let len = random.below(300);
        bytes.extend((0..len).map(|_| random.next() as u8));
        if let Ok(module) = Module::parse_any(bytes.into(), None, &options(&mut random)) {
            exercise(&module);
        }
    }
}
