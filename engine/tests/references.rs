//! References: of the host, to functions, in tables and globals.

mod common;

use common::{call, instance, link, linker};
use rwasm::{
    Error, ExternRef, Func, Global, GlobalType, HeapType, Mutability, Ref, RefType, Result, Store,
    Table, TableType, TypeError, Val, ValType,
};
use std::sync::Arc;

#[test]
fn values_of_the_host_go_through_the_guest() {
    let (mut store, mut linker) = linker(());
    linker
        .func_wrap(
            "host",
            "name",
            |caller: rwasm::Caller<'_, ()>, value: ExternRef| -> Result<i32> {
                let text = value
                    .data(&caller)
                    .and_then(|value| value.downcast_ref::<String>());
                Ok(text.ok_or_else(|| Error::host("no string"))?.len() as i32)
            },
        )
        .unwrap();
    let instance = link(
        &mut store,
        &linker,
        r#"(module
            (import "host" "name" (func $name (param (ref extern)) (result i32)))
            (table $t (export "t") 4 externref)
            (global $g (export "g") (mut externref) (ref.null extern))
            (func (export "keep") (param i32 externref)
                (table.set $t (local.get 0) (local.get 1))
                (global.set $g (local.get 1)))
            (func (export "back") (param i32) (result externref) (table.get $t (local.get 0)))
            (func (export "null") (param externref) (result i32) (ref.is_null (local.get 0)))
            (func (export "name") (param externref) (result i32)
                (call $name (ref.as_non_null (local.get 0)))))"#,
    )
    .unwrap();
    let text = ExternRef::new(&mut store, String::from("value")).unwrap();
    let number = ExternRef::new(&mut store, 42u64).unwrap();
    let keep = instance
        .get_typed_func::<(i32, Option<ExternRef>), ()>(&mut store, "keep")
        .unwrap();
    let back = instance
        .get_typed_func::<i32, Option<ExternRef>>(&mut store, "back")
        .unwrap();
    let null = instance
        .get_typed_func::<Option<ExternRef>, i32>(&mut store, "null")
        .unwrap();
    let name = instance
        .get_typed_func::<Option<ExternRef>, i32>(&mut store, "name")
        .unwrap();

    keep.call(&mut store, (1, Some(text))).unwrap();
    keep.call(&mut store, (2, Some(number))).unwrap();
    assert_eq!(back.call(&mut store, 0).unwrap(), None);
    assert_eq!(back.call(&mut store, 1).unwrap(), Some(text));
    let value = back.call(&mut store, 2).unwrap().unwrap();
    assert_eq!(value.data(&store).unwrap().downcast_ref(), Some(&42u64));
    assert_eq!(null.call(&mut store, None).unwrap(), 1);
    assert_eq!(null.call(&mut store, Some(text)).unwrap(), 0);
    assert_eq!(name.call(&mut store, Some(text)).unwrap(), 5);
    assert_eq!(
        name.call(&mut store, Some(number)).unwrap_err().to_string(),
        "no string"
    );
    assert!(name.call(&mut store, None).unwrap_err().trap().is_some());

    let global = instance.get_global(&mut store, "g").unwrap();
    assert_eq!(global.get(&store).unwrap_externref(), Some(number));
    let results = call(&mut store, instance, "back", &[Val::I32(1)]).unwrap();
    assert_eq!(results[0].unwrap_externref(), Some(text));
}

#[test]
fn values_of_the_host_are_freed_with_the_store() {
    let value = Arc::new(());
    let mut store = Store::<()>::default();
    ExternRef::new(&mut store, value.clone()).unwrap();
    let func = {
        let value = value.clone();
        Func::wrap(&mut store, move || drop(value.clone()))
    };
    func.call(&mut store, &[], &mut []).unwrap();
    assert_eq!(Arc::strong_count(&value), 3);
    drop(store);
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn functions_go_through_the_guest() {
    let (mut store, instance) = instance(
        r#"(module
            (type $unary (func (param i32) (result i32)))
            (table $t 1 funcref)
            (func $double (export "double") (type $unary)
                (i32.mul (local.get 0) (i32.const 2)))
            (elem declare func $double)
            (func (export "own") (result funcref) (ref.func $double))
            (func (export "call") (param funcref i32) (result i32)
                (table.set $t (i32.const 0) (local.get 0))
                (call_indirect $t (type $unary) (local.get 1) (i32.const 0)))
            (func (export "strict") (param (ref $unary) i32) (result i32)
                (call_ref $unary (local.get 1) (local.get 0))))"#,
    );
    let apply = instance
        .get_typed_func::<(Option<Func>, i32), i32>(&mut store, "call")
        .unwrap();
    let own = instance
        .get_typed_func::<(), Option<Func>>(&mut store, "own")
        .unwrap();
    let double = own.call(&mut store, ()).unwrap().unwrap();
    assert_eq!(Some(double), instance.get_func(&mut store, "double"));
    assert_eq!(apply.call(&mut store, (Some(double), 21)).unwrap(), 42);

    let host = Func::wrap(&mut store, |n: i32| n - 1);
    assert_eq!(apply.call(&mut store, (Some(host), 21)).unwrap(), 20);
    let other = Func::wrap(&mut store, |n: i64| n);
    for func in [None, Some(other)] {
        assert!(
            apply
                .call(&mut store, (func, 21))
                .unwrap_err()
                .trap()
                .is_some()
        );
    }

    // A parameter of a special function type takes only what has that type.
    let strict = instance.get_func(&mut store, "strict").unwrap();
    let mut results = [Val::I32(0)];
    strict
        .call(&mut store, &[host.into(), 8.into()], &mut results)
        .unwrap();
    assert_eq!(results[0].unwrap_i32(), 7);
    for wrong in [Val::from(other), Val::FuncRef(None)] {
        let error = strict
            .call(&mut store, &[wrong, 8.into()], &mut results)
            .unwrap_err();
        assert!(
            matches!(error, Error::Type(TypeError::Mismatch { .. })),
            "{error:?}"
        );
    }
    assert!(strict.typed::<(Func, i32), i32>(&store).is_err());
}

#[test]
fn tables_from_the_host() {
    let mut store = Store::<()>::default();
    let one = Func::wrap(&mut store, || 1);
    let two = Func::wrap(&mut store, || 2);
    let ty = TableType::new(RefType::FUNCREF, 2, Some(5));
    let table = Table::new(&mut store, ty, one.into()).unwrap();
    let funcs = |store: &Store<()>| -> Vec<Option<Func>> {
        (0..table.size(store))
            .map(|i| table.get(store, i).unwrap().as_func().unwrap())
            .collect()
    };
    assert_eq!(funcs(&store), [Some(one); 2]);
    assert_eq!(table.grow(&mut store, 2, Ref::Func(None)).unwrap(), 2);
    assert!(matches!(
        table.grow(&mut store, 2, Ref::Func(None)),
        Err(Error::Limit(_))
    ));
    table.set(&mut store, 3, two.into()).unwrap();
    assert_eq!(funcs(&store), [Some(one), Some(one), None, Some(two)]);
    Table::copy(&mut store, &table, 0, &table, 1, 3).unwrap();
    assert_eq!(funcs(&store), [Some(one), None, Some(two), Some(two)]);
    table.fill(&mut store, 1, one.into(), 2).unwrap();
    assert_eq!(funcs(&store), [Some(one), Some(one), Some(one), Some(two)]);
    assert_eq!(
        table.ty(&store),
        TableType::new(RefType::FUNCREF, 4, Some(5))
    );

    // Beyond the end, also where the sum overflows.
    assert!(table.get(&store, 4).is_none() && table.get(&store, u64::MAX).is_none());
    for (at, len) in [(4, 1), (0, 5), (u64::MAX, 1), (1, u64::MAX)] {
        let error = table.fill(&mut store, at, one.into(), len).unwrap_err();
        assert_eq!(error.to_string(), "out of bounds table access");
        let error = Table::copy(&mut store, &table, at, &table, 0, len).unwrap_err();
        assert!(matches!(error, Error::Access(_)));
    }
    assert_eq!(funcs(&store)[3], Some(two));
    assert!(matches!(
        table.set(&mut store, 0, Ref::Extern(None)),
        Err(Error::Type(_))
    ));
    let strict = TableType::new(RefType::new(false, HeapType::Func), 1, None);
    assert!(Table::new(&mut store, strict, Ref::Func(None)).is_err());
    let strict = Table::new(&mut store, strict, one.into()).unwrap();
    Table::copy(&mut store, &table, 0, &strict, 0, 1).unwrap();
    let error = Table::copy(&mut store, &strict, 0, &table, 0, 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "type mismatch: expected (ref func), found funcref"
    );
    let reversed = TableType::new(RefType::FUNCREF, 2, Some(1));
    assert!(Table::new(&mut store, reversed, Ref::Func(None)).is_err());
}

#[test]
fn globals_from_the_host() {
    let mut store = Store::<()>::default();
    let func = Func::wrap(&mut store, || {});
    let value = ExternRef::new(&mut store, 5).unwrap();
    let cases: [(ValType, Val, Val); 7] = [
        (ValType::I32, Val::I32(-1), Val::I64(0)),
        (ValType::I64, Val::I64(i64::MIN), Val::I32(0)),
        (ValType::F32, Val::F32(0x7fa0_0000), Val::F64(0)),
        (ValType::F64, Val::F64(u64::MAX), Val::F32(0)),
        (ValType::V128, Val::V128((7u128 << 99).into()), Val::F32(0)),
        (ValType::FUNCREF, func.into(), Val::ExternRef(None)),
        (ValType::EXTERNREF, value.into(), Val::FuncRef(None)),
    ];
    for (ty, value, wrong) in cases {
        let zero = Val::default_for_ty(ty).unwrap();
        let variable = GlobalType::new(ty, Mutability::Var);
        let global = Global::new(&mut store, variable, zero).unwrap();
        assert_eq!(global.ty(&store), variable);
        assert_eq!(format!("{:?}", global.get(&store)), format!("{zero:?}"));
        global.set(&mut store, value).unwrap();
        assert_eq!(format!("{:?}", global.get(&store)), format!("{value:?}"));
        assert!(
            matches!(global.set(&mut store, wrong), Err(Error::Type(_))),
            "{ty}"
        );
        assert!(Global::new(&mut store, variable, wrong).is_err());

        let constant = GlobalType::new(ty, Mutability::Const);
        let global = Global::new(&mut store, constant, value).unwrap();
        let error = global.set(&mut store, zero).unwrap_err();
        assert!(matches!(error, Error::Type(TypeError::ImmutableGlobal)));
    }
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
