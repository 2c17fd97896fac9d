//! Calls from the host, typed and by value, of every shape of signature.

mod common;

use common::{call, instance, shown};
use rwasm::{
    Error, Func, FuncType, Instance, Store, Trap, TypeError, V128, Val, ValType, WasmParams,
    WasmResults,
};

/// Rotates its parameters by one, so that each ends up in another's place.
fn rotation(types: &[&str]) -> String {
    let mut results = types.to_vec();
    results.rotate_left(1);
    let mut gets: Vec<_> = (0..types.len())
        .map(|i| format!("(local.get {i})"))
        .collect();
    gets.rotate_left(1);
    format!(
        "(module (func (export \"f\") (param {}) (result {}) {}))",
        types.join(" "),
        results.join(" "),
        gets.join(" ")
    )
}

#[test]
fn values_of_every_shape() {
    let numbers = |n: u64| {
        [
            Val::I32(-(n as i32)),
            Val::I64(n as i64),
            Val::F32(n as u32),
            Val::F64(n << 40),
        ]
    };
    let cases: [Vec<Val>; 8] = [
        vec![Val::I32(i32::MIN)],
        vec![Val::I64(i64::MIN)],
        vec![1.5f32.into()],
        vec![(-0.0f64).into()],
        vec![1.into(), 2i64.into()],
        numbers(7).to_vec(),
        (0..4).flat_map(numbers).collect(),
        // More than the host keeps on its own stack.
        (0..25).flat_map(numbers).collect(),
    ];
    for params in cases {
        let names: Vec<_> = params
            .iter()
            .map(|param| match param {
                Val::I32(_) => "i32",
                Val::I64(_) => "i64",
                Val::F32(_) => "f32",
                _ => "f64",
            })
            .collect();
        let (mut store, instance) = instance(&rotation(&names));
        let mut expected = params.clone();
        expected.rotate_left(1);
        let results = call(&mut store, instance, "f", &params).unwrap();
        assert_eq!(shown(&results), shown(&expected));
    }
}

/// Calls a rotation of these types and gives its results.
fn rotated<P: WasmParams, R: WasmResults>(types: &[&str], params: P) -> R {
    let (mut store, instance) = instance(&rotation(types));
    instance
        .get_typed_func::<P, R>(&mut store, "f")
        .unwrap()
        .call(&mut store, params)
        .unwrap()
}

#[test]
fn typed_values_of_every_shape() {
    assert_eq!(rotated::<_, i32>(&["i32"], -1i32), -1);
    assert_eq!(rotated::<_, (u32,)>(&["i32"], (u32::MAX,)), (u32::MAX,));
    assert_eq!(rotated::<_, i64>(&["i64"], i64::MIN), i64::MIN);
    assert_eq!(rotated::<_, u64>(&["i64"], u64::MAX), u64::MAX);
    assert_eq!(rotated::<_, f32>(&["f32"], 1.5f32), 1.5);
    assert_eq!(rotated::<_, f64>(&["f64"], -2.5f64), -2.5);
    assert_eq!(rotated::<_, (i64, i32)>(&["i32", "i64"], (1, 2i64)), (2, 1));
    assert_eq!(
        rotated::<_, (i64, f32, f64, i32)>(
            &["i32", "i64", "f32", "f64"],
            (i32::MIN, -2i64, f32::MIN, f64::MAX)
        ),
        (-2, f32::MIN, f64::MAX, i32::MIN)
    );
    let (a, b) = (V128::from(1u128 << 100 | 7), V128::from(u128::MAX));
    assert_eq!(
        rotated::<_, (i32, V128, V128)>(&["v128", "i32", "v128"], (a, 5, b)),
        (5, b, a)
    );
}

#[test]
fn sixteen_typed_values() {
    let types = ["i32", "i64", "f32", "f64"].repeat(4);
    let params = (
        1, 2i64, 3f32, 4f64, 5, 6i64, 7f32, 8f64, 9, 10i64, 11f32, 12f64, 13, 14i64, 15f32, 16f64,
    );
    type Sixteen = (
        (i64, f32, f64, i32),
        (i64, f32, f64, i32),
        (i64, f32, f64, i32),
        (i64, f32, f64, i32),
    );
    let (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) = rotated(&types, params);
    let results: Sixteen = ((a, b, c, d), (e, f, g, h), (i, j, k, l), (m, n, o, p));
    let expected: Sixteen = (
        (2, 3.0, 4.0, 5),
        (6, 7.0, 8.0, 9),
        (10, 11.0, 12.0, 13),
        (14, 15.0, 16.0, 1),
    );
    assert_eq!(results, expected);
}

#[test]
fn vectors_take_two_slots_each_through_host_functions() {
    let mut store = Store::<()>::default();
    let swap = Func::wrap(&mut store, |a: V128, n: i32, b: V128| (b, n, a));
    let (a, b) = (V128::from(1u128 << 100 | 7), V128::from(u128::MAX));
    let typed = swap
        .typed::<(V128, i32, V128), (V128, i32, V128)>(&store)
        .unwrap();
    assert_eq!(typed.call(&mut store, (a, 5, b)).unwrap(), (b, 5, a));

    let mut results = [Val::I32(0); 3];
    swap.call(&mut store, &[a.into(), 5.into(), b.into()], &mut results)
        .unwrap();
    assert_eq!(shown(&results), shown(&[b.into(), 5.into(), a.into()]));
}

#[test]
fn nothing_in_and_nothing_out() {
    let (mut store, instance) = instance(r#"(module (func (export "f")))"#);
    instance
        .get_typed_func::<(), ()>(&mut store, "f")
        .unwrap()
        .call(&mut store, ())
        .unwrap();
    assert!(call(&mut store, instance, "f", &[]).unwrap().is_empty());
}

#[test]
fn nan_payloads_survive() {
    let (mut store, instance) = instance(&rotation(&["f32", "f64"]));
    let (f32_bits, f64_bits) = (0x7fa0_0001, 0x7ff4_0000_0000_0001);
    let params = [Val::F32(f32_bits), Val::F64(f64_bits)];
    let results = call(&mut store, instance, "f", &params).unwrap();
    assert_eq!(
        shown(&results),
        shown(&[Val::F64(f64_bits), Val::F32(f32_bits)])
    );
}

#[test]
fn typed_look_ups_that_do_not_fit() {
    let (mut store, instance) = instance(
        r#"(module
            (memory (export "m") 1)
            (func (export "f") (param i32 i64) (result f32) (f32.const 0)))"#,
    );
    type Check = fn(&Instance, &mut Store<()>) -> Error;
    let cases: [(Check, &str); 7] = [
        (
            |i, s| i.get_typed_func::<(), ()>(s, "g").unwrap_err(),
            "unknown export `g`",
        ),
        (
            |i, s| i.get_typed_func::<(), ()>(s, "m").unwrap_err(),
            "export `m` is a memory, not a function",
        ),
        (
            |i, s| i.get_typed_func::<i32, f32>(s, "f").unwrap_err(),
            "expected 2 parameters, found 1",
        ),
        (
            |i, s| i.get_typed_func::<(i32, i64), ()>(s, "f").unwrap_err(),
            "expected 0 results, found 1",
        ),
        (
            |i, s| i.get_typed_func::<(i32, i32), f32>(s, "f").unwrap_err(),
            "type mismatch: expected i64, found i32",
        ),
        (
            |i, s| i.get_typed_func::<(i32, i64), f64>(s, "f").unwrap_err(),
            "type mismatch: expected f64, found f32",
        ),
        (
            |i, s| {
                i.get_typed_func::<(i32, Option<Func>), f32>(s, "f")
                    .unwrap_err()
            },
            "type mismatch: expected i64, found funcref",
        ),
    ];
    for (check, message) in cases {
        let error = check(&instance, &mut store);
        assert!(matches!(error, Error::Type(_)), "{error:?}");
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn calls_by_value_that_do_not_fit() {
    let (mut store, instance) =
        instance(r#"(module (func (export "f") (param i32 funcref) (result i32) (i32.const 0)))"#);
    let func = instance.get_func(&mut store, "f").unwrap();
    let null = Val::FuncRef(None);
    let cases: [(&[Val], usize, TypeError); 5] = [
        (
            &[],
            1,
            TypeError::Count {
                what: "arguments",
                expected: 2,
                found: 0,
            },
        ),
        (
            &[Val::I32(0)],
            1,
            TypeError::Count {
                what: "arguments",
                expected: 2,
                found: 1,
            },
        ),
        (
            &[Val::I32(0), null],
            0,
            TypeError::Count {
                what: "results",
                expected: 1,
                found: 0,
            },
        ),
        (
            &[Val::I64(0), null],
            1,
            TypeError::Mismatch {
                expected: ValType::I32,
                found: ValType::I64,
            },
        ),
        (
            &[Val::I32(0), Val::F32(0)],
            1,
            TypeError::Mismatch {
                expected: ValType::FUNCREF,
                found: ValType::F32,
            },
        ),
    ];
    for (params, results, expected) in cases {
        let error = func
            .call(&mut store, params, &mut vec![Val::I32(7); results])
            .unwrap_err();
        assert!(
            matches!(&error, Error::Type(found) if *found == expected),
            "{error:?}"
        );
    }
}

#[test]
fn traps_come_out_typed() {
    let (mut store, instance) = instance(
        r#"(module
            (memory 1)
            (table 1 funcref)
            (func (export "unreachable") unreachable)
            (func (export "load") (drop (i32.load (i32.const 65536))))
            (func (export "divide") (drop (i32.div_u (i32.const 1) (i32.const 0))))
            (func (export "overflow")
                (drop (i32.div_s (i32.const 0x80000000) (i32.const -1))))
            (func (export "convert") (drop (i32.trunc_f32_s (f32.const nan))))
            (func (export "null") (call_indirect (i32.const 0)))
            (func (export "beyond") (call_indirect (i32.const 1)))
            (func (export "table") (drop (table.get (i32.const 1))))
            (func $dive (export "dive") (call $dive)))"#,
    );
    for (name, trap) in [
        ("unreachable", Trap::Unreachable),
        ("load", Trap::MemoryOutOfBounds),
        ("divide", Trap::IntegerDivideByZero),
        ("overflow", Trap::IntegerOverflow),
        ("convert", Trap::BadConversionToInteger),
        ("null", Trap::UninitializedElement),
        ("beyond", Trap::UndefinedElement),
        ("table", Trap::TableOutOfBounds),
        ("dive", Trap::StackOverflow),
    ] {
        // Twice, since the store must be as good as before.
        for _ in 0..2 {
            let error = call(&mut store, instance, name, &[]).unwrap_err();
            assert_eq!(error.trap(), Some(trap), "{name}: {error:?}");
            assert_eq!(error.to_string(), format!("wasm trap: {trap}"));
        }
    }
}

#[test]
fn types_are_told() {
    let (mut store, instance) =
        instance(r#"(module (func (export "f") (param i32 f64) (result i64) (i64.const 0)))"#);
    let func = instance.get_func(&mut store, "f").unwrap();
    let ty = FuncType::new([ValType::I32, ValType::F64], [ValType::I64]);
    assert_eq!(func.ty(&store), ty);
    assert_eq!(ty.to_string(), "(i32, f64) -> (i64)");
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
