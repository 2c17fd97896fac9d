//! Bodies validated late give the verdict that they give at once, and both
//! give that of `wasmparser` and of the official test suite.

mod common;

use rwasm_parser::wasmparser::{FuncValidatorAllocations, Validator};
use rwasm_parser::{LocalFuncIndex, Module, ModuleBytes, ParseError, ParseOptions};

/// One body after the other, in order, up to the first that is invalid.
fn one_by_one(module: &Module) -> Result<(), ParseError> {
    let mut allocations = FuncValidatorAllocations::default();
    (0..module.bodies().len() as u32)
        .try_for_each(|i| module.validate_function(LocalFuncIndex::from_u32(i), &mut allocations))
}

#[test]
fn late_and_early_validation_agree() {
    let (mut valid, mut invalid) = (0, 0);
    for case in common::suite() {
        let bytes = ModuleBytes::from(case.bytes);
        let parse = |validate_bodies| {
            let options = ParseOptions {
                features: case.features,
                validate_bodies,
            };
            Module::parse(bytes.clone(), &options)
        };
        let early = parse(true).map(drop);
        assert_eq!(
            parse(false).and_then(|m| m.validate_all()),
            early,
            "{}",
            case.name
        );
        assert_eq!(
            parse(false).and_then(|m| one_by_one(&m)),
            early,
            "{}",
            case.name
        );

        let mut reference = Validator::new_with_features(case.features.to_wasmparser());
        let reference = reference
            .validate_all(&bytes)
            .map(drop)
            .map_err(ParseError::from);
        if early != Err(ParseError::Component) {
            assert_eq!(early, reference, "{}", case.name);
        }

        if let Some(expected) = case.valid {
            assert_eq!(early.is_ok(), expected, "{}: {early:?}", case.name);
        }
        *(if early.is_ok() {
            &mut valid
        } else {
            &mut invalid
        }) += 1;
    }
    println!("{valid} valid modules, {invalid} invalid ones");
}

#[test]
fn the_first_of_many_invalid_bodies_is_reported() {
    // Large enough for several threads; every third body is invalid.
    let body: &[u8] = &[0; 300];
    let count = 3000;
    let first_invalid = 1500;
    let mut functions = Vec::new();
    let mut code = Vec::new();
    common::leb128(&mut functions, count);
    common::leb128(&mut code, count);
    for i in 0..count {
        functions.push(0);
        // Nothing but `unreachable`, and `end` only where the body is valid.
        let mut body = body.to_vec();
        let valid = i < first_invalid || i % 3 != 0;
        body[299] = if valid { 0x0b } else { 0x00 };
        common::leb128(&mut code, body.len());
        code.extend_from_slice(&body);
    }
    let bytes = common::binary(&[(1, b"\x01\x60\0\0"), (3, &functions), (10, &code)]);
    let options = ParseOptions {
        validate_bodies: false,
        ..ParseOptions::default()
    };
    let module = Module::parse(bytes.into(), &options).unwrap();
    let expected = one_by_one(&module).unwrap_err();
    assert_eq!(
        expected.offset(),
        Some(module.bodies()[first_invalid].end() as u64)
    );
    for _ in 0..20 {
        assert_eq!(module.validate_all(), Err(expected.clone()));
    }
}
