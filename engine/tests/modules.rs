//! Modules: where they come from, and what is wrong with them.

mod common;

use common::call;
use rwasm::{
    Config, Engine, Error, Instance, Module, ModuleBytes, ParseError, Store, Tier, Validation,
    parser,
};

const INVALID_BODY: &str = r#"(module
    (func (export "good") (result i32) (i32.const 1))
    (func (export "bad") (result i32) (i64.const 1)))"#;

fn lazy() -> Engine {
    Engine::new(common::config().validation(Validation::Lazy)).unwrap()
}

#[test]
fn text_and_binary() {
    let engine = common::engine();
    let text = "(module $named (func))";
    let module = Module::new(&engine, text).unwrap();
    assert_eq!(module.name(), Some("named"));
    let binary = module.parsed().bytes().to_vec();
    assert!(binary.starts_with(b"\0asm"));
    for module in [
        Module::new(&engine, &binary).unwrap(),
        Module::from_bytes(&engine, ModuleBytes::from(binary.clone())).unwrap(),
    ] {
        assert_eq!(module.name(), Some("named"));
        assert_eq!(module.parsed().bodies().len(), 1);
    }
    Module::validate(&engine, &binary).unwrap();
}

#[test]
fn files() {
    let folder = std::env::temp_dir().join(format!("rwasm-modules-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("module.wat");
    for engine in [common::engine(), lazy()] {
        let wat = r#"(module (func (export "f") (result i32) (i32.const 3)))"#;
        std::fs::write(&path, wat).unwrap();
        let module = Module::from_file(&engine, &path).unwrap();
        let binary = folder.join("module.wasm");
        std::fs::write(&binary, module.parsed().bytes()).unwrap();
        let module = Module::from_file(&engine, &binary).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        assert_eq!(
            call(&mut store, instance, "f", &[]).unwrap()[0].unwrap_i32(),
            3
        );

        std::fs::write(&path, "(module\n  (fun))").unwrap();
        let error = Module::from_file(&engine, &path).unwrap_err().to_string();
        assert!(error.contains("module.wat:2:4"), "{error}");
        for missing in [folder.join("missing"), folder.clone()] {
            match Module::from_file(&engine, &missing).unwrap_err() {
                Error::Io { path, .. } => assert_eq!(path, missing),
                error => panic!("{error:?}"),
            }
        }
        std::fs::write(&path, r#"(module (func (export "f")))"#).unwrap();
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_module_that_was_validated_does_not_change_with_its_file() {
    let path = std::env::temp_dir().join(format!("rwasm-changed-{}.wasm", std::process::id()));
    let engine = common::engine();
    let wat = r#"(module (func (export "f") (result i32) (i32.const 3)))"#;
    let bytes = Module::new(&engine, wat).unwrap().parsed().bytes().to_vec();
    std::fs::write(&path, &bytes).unwrap();
    let module = Module::from_file(&engine, &path).unwrap();
    std::fs::write(&path, vec![0xff; bytes.len()]).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    assert_eq!(
        call(&mut store, instance, "f", &[]).unwrap()[0].unwrap_i32(),
        3
    );
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn invalid_bodies_are_found_when_the_configuration_says() {
    let eager = common::engine();
    let error = Module::new(&eager, INVALID_BODY).unwrap_err();
    assert!(error.to_string().contains("type mismatch"), "{error}");

    let engine = lazy();
    assert!(Module::validate(&engine, INVALID_BODY).is_err());
    let module = Module::new(&engine, INVALID_BODY).unwrap();
    assert!(matches!(module.validate_all(), Err(Error::Parse(_))));
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    assert_eq!(
        call(&mut store, instance, "good", &[]).unwrap()[0].unwrap_i32(),
        1
    );
    for _ in 0..2 {
        let error = call(&mut store, instance, "bad", &[]).unwrap_err();
        assert!(matches!(&error, Error::Parse(_)), "{error:?}");
    }
}

#[test]
fn what_is_no_module() {
    let engine = common::engine();
    type Check = fn(&ParseError) -> bool;
    let cases: [(&[u8], Check); 5] = [
        (b"", |e| matches!(e, ParseError::Empty)),
        (b"\x7fELF\x02\x01\x01", |e| {
            matches!(e, ParseError::NotWasm { .. })
        }),
        (b"\0asm\x0d\0\x01\0", |e| matches!(e, ParseError::Component)),
        (b"\0asm\x01\0\0\0\x01\xff", |e| {
            matches!(e, ParseError::Binary { .. })
        }),
        (b"(module (func (export))", |e| {
            matches!(e, ParseError::Text { .. })
        }),
    ];
    for (bytes, check) in cases {
        for result in [
            Module::new(&engine, bytes).map(drop),
            Module::validate(&engine, bytes),
        ] {
            match result.unwrap_err() {
                Error::Parse(error) => assert!(check(&error), "{error:?}"),
                error => panic!("{error:?}"),
            }
        }
    }
}

#[test]
fn proposals_are_off_unless_switched_on() {
    type Switch = fn(&mut Config, bool) -> &mut Config;
    let cases: [(Switch, &str); 3] = [
        (Config::threads, "(module (memory 1 1 shared))"),
        (
            Config::custom_page_sizes,
            "(module (memory 1 (pagesize 1)))",
        ),
        (
            Config::wide_arithmetic,
            "(module (func (param i64) (result i64 i64)
                (i64.mul_wide_u (local.get 0) (local.get 0))))",
        ),
    ];
    for (switch, wat) in cases {
        for on in [false, true] {
            let engine = Engine::new(switch(&mut common::config(), on)).unwrap();
            assert_eq!(Module::new(&engine, wat).is_ok(), on, "{wat}");
        }
    }
}

#[test]
fn the_decoded_module_is_at_hand() {
    let engine = common::engine();
    let module = Module::new(&engine, r#"(module (import "a" "b" (func)) (memory 2))"#).unwrap();
    let parsed: &parser::Module = module.parsed();
    assert_eq!((parsed.imports().len(), parsed.memories()[0].min), (1, 2));
    let import = module.imports().next().unwrap();
    assert_eq!((import.module(), import.name()), ("a", "b"));
    assert_eq!(import.ty().to_string(), "func () -> ()");
}

/// A body that is validated while it is lowered gives the error that validation
/// alone gives, wherever the mistake is.
#[test]
fn invalid_bodies_are_told_as_by_validation() {
    // Bodies with their locals, without their sizes.
    let bodies: &[&[u8]] = &[
        b"\x00\x42\x01\x0b",                 // an i64 as result
        b"\x00\x20\x05\x0b",                 // no such local
        b"\x00\x41\x01\x41\x01\x0b",         // one value too many
        b"\x00\x02\x40\x41\x01\x0b",         // a block without its end
        b"\x00\x41\x01\x0b\x01",             // more behind the end
        b"\x00\x41\x01\xff\x0b",             // no such instruction
        b"\x00\x41",                         // cut short
        b"\x01\xff\xff\xff\xff\x0f\x7f\x0b", // too many locals
        b"\x01\x01\x11\x0b",                 // no such type
        b"\x00\x03\x40\x20\x00\xff\x0b\x0b", // in a loop, which is read ahead
        b"",
    ];
    for body in bodies {
        let mut bytes = b"\0asm\x01\0\0\0\x01\x05\x01\x60\0\x01\x7f\x03\x02\x01\0".to_vec();
        bytes.extend(b"\x07\x05\x01\x01f\0\0");
        bytes.extend([10, body.len() as u8 + 2, 1, body.len() as u8]);
        bytes.extend_from_slice(body);
        let engine = lazy();
        let module = Module::new(&engine, &bytes).unwrap();
        let expected = module.validate_all().unwrap_err().to_string();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let error = call(&mut store, instance, "f", &[]).unwrap_err();
        assert!(error.to_string().contains(&expected), "{error}: {expected}");
    }
}

/// A function without machine code is interpreted, and counted.
#[test]
fn functions_that_are_left_to_the_interpreter_are_counted() {
    let mut config = Config::new();
    config.tier(Tier::Jit).validation(Validation::Lazy);
    let Ok(engine) = Engine::new(&config) else {
        return;
    };
    let mut invalid = Module::new(
        &engine,
        r#"(module (func (export "f") (result i32) (i32.const 7)) (func (drop (i32.const 8))))"#,
    )
    .unwrap()
    .parsed()
    .bytes()
    .to_vec();
    // The second function's `drop` becomes an addition.
    let at = invalid.iter().rposition(|&byte| byte == 0x1a).unwrap();
    invalid[at] = 0x6a;
    let before = engine.tier_stats();
    let module = Module::new(&engine, &invalid).unwrap();
    let stats = engine.tier_stats();
    assert_eq!(stats.compiled - before.compiled, 1);
    assert_eq!(stats.failed - before.failed, 1);
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let results = call(&mut store, instance, "f", &[]).unwrap();
    assert_eq!(results[0].unwrap_i32(), 7);
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
