//! Stores: their data, and handles that are used with another one.

mod common;

use common::{instance, link};
use rwasm::{
    AsContext, AsContextMut, Caller, Config, ConfigError, Engine, Error, Extern, ExternRef,
    ExternType, Func, FuncType, Global, GlobalType, Instance, InterruptHandle, Linker, Memory,
    MemoryType, Module, Mutability, Ref, RefType, Store, StoreContextMut, Table, TableType, Tier,
    TypedFunc, Val, ValType,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

#[test]
fn data_is_kept_and_given_back() {
    let mut store = Store::new(&common::engine(), vec![1]);
    store.data_mut().push(2);
    assert_eq!(store.data(), &[1, 2]);
    let func = Func::wrap(&mut store, |mut caller: Caller<'_, Vec<i32>>, n: i32| {
        caller.data_mut().push(n);
    });
    func.typed::<i32, ()>(&store)
        .unwrap()
        .call(&mut store, 3)
        .unwrap();
    assert_eq!(store.into_data(), [1, 2, 3]);
}

#[test]
fn data_is_dropped_once() {
    let data = Arc::new(());
    let store = Store::new(&common::engine(), data.clone());
    drop(store);
    assert_eq!(Arc::strong_count(&data), 1);
    let store = Store::new(&common::engine(), data.clone());
    drop(store.into_data());
    assert_eq!(Arc::strong_count(&data), 1);
}

#[test]
fn handles_of_another_store_are_errors_in_calls() {
    let engine = common::engine();
    let mut one = Store::new(&engine, ());
    let mut two = Store::new(&engine, ());
    let func = Func::wrap(&mut one, |_: Option<Func>| {});
    let typed = func.typed::<Option<Func>, ()>(&one).unwrap();
    let foreign = Func::wrap(&mut two, |_: Option<Func>| {});
    let value = ExternRef::new(&mut two, 1).unwrap();
    let takes_value = Func::wrap(&mut one, |_: Option<ExternRef>| {});

    let table = TableType::new(RefType::FUNCREF, 1, None);
    let table = Table::new(&mut one, table, Ref::Func(None)).unwrap();
    let global = GlobalType::new(ValType::FUNCREF, Mutability::Var);
    let global = Global::new(&mut one, global, Val::FuncRef(None)).unwrap();
    let returns = Func::wrap(&mut one, move || foreign);
    let returns_values = Func::new(
        &mut one,
        FuncType::new([], [ValType::FUNCREF]),
        move |_, _, results| {
            results[0] = foreign.into();
            Ok(())
        },
    )
    .unwrap();
    let module = Module::new(&engine, r#"(module (import "" "" (func (param funcref))))"#).unwrap();
    let mut linker = Linker::new(&engine);
    linker.define(&one, "", "", func).unwrap();

    let cases: Vec<(&str, rwasm::Result<()>)> = vec![
        ("call", func.call(&mut two, &[Val::FuncRef(None)], &mut [])),
        ("typed call", typed.call(&mut two, None)),
        ("typed", func.typed::<Option<Func>, ()>(&two).map(drop)),
        ("argument", func.call(&mut one, &[foreign.into()], &mut [])),
        ("typed argument", typed.call(&mut one, Some(foreign))),
        (
            "external argument",
            takes_value.call(&mut one, &[value.into()], &mut []),
        ),
        ("result", returns.call(&mut one, &[], &mut [Val::I32(0)])),
        (
            "result by value",
            returns_values.call(&mut one, &[], &mut [Val::I32(0)]),
        ),
        ("table element", table.set(&mut one, 0, foreign.into())),
        ("table", table.set(&mut two, 0, foreign.into())),
        ("tables", Table::copy(&mut two, &table, 0, &table, 0, 0)),
        ("global value", global.set(&mut one, foreign.into())),
        ("global", global.set(&mut two, foreign.into())),
        (
            "import",
            Instance::new(&mut two, &module, &[func.into()]).map(drop),
        ),
        (
            "linked import",
            linker.instantiate(&mut two, &module).map(drop),
        ),
        ("definition", linker.define(&two, "", "x", func).map(drop)),
    ];
    for (what, result) in cases {
        assert!(
            matches!(result, Err(Error::StoreMismatch(_))),
            "{what}: {result:?}"
        );
    }
}

#[test]
fn handles_of_another_store_are_panics_elsewhere() {
    let (mut one, instance) = instance(r#"(module (memory (export "memory") 1))"#);
    let memory = instance.get_memory(&mut one, "memory").unwrap();
    let value = ExternRef::new(&mut one, 1).unwrap();
    let mut two = Store::<()>::default();
    type Case<'a> = (&'a str, &'a mut dyn FnMut(&mut Store<()>));
    let cases: [Case<'_>; 6] = [
        ("data", &mut |s| _ = memory.data(&*s).len()),
        ("size", &mut |s| _ = memory.size(&*s)),
        ("grow", &mut |s| _ = memory.grow(s, 1)),
        ("export", &mut |s| _ = instance.get_export(s, "memory")),
        ("exports", &mut |s| _ = instance.exports(s).len()),
        ("value", &mut |s| _ = value.data(&*s).is_some()),
    ];
    for (what, case) in cases {
        assert!(
            catch_unwind(AssertUnwindSafe(|| case(&mut two))).is_err(),
            "{what}"
        );
    }
}

#[test]
fn modules_of_another_engine_are_errors() {
    let module = Module::new(&common::engine(), "(module)").unwrap();
    let mut store = Store::<()>::default();
    let error = Instance::new(&mut store, &module, &[]).unwrap_err();
    assert!(matches!(error, Error::StoreMismatch(_)), "{error:?}");
}

#[test]
fn types_of_another_engine_are_errors() {
    // A struct there, a function here: the number alone would tell them apart
    // no more than the guest's references.
    let structs = r#"(module (type $t (struct)) (table (export "x") 1 (ref null $t)))"#;
    let foreign = Module::new(&common::engine(), structs).unwrap();
    let Some(ExternType::Table(table)) = foreign.get_export("x") else {
        panic!("a table");
    };
    let ty = ValType::Ref(table.element());
    let mut store = Store::<()>::default();
    let func = r#"(module (type $t (func)) (import "" "" (func (type $t))))"#;
    Module::new(store.engine(), func).unwrap();
    let func_type = FuncType::new([ty], []);
    let global = GlobalType::new(ty, Mutability::Var);
    let mut linker = Linker::<()>::new(store.engine());
    let cases: [(&str, rwasm::Result<()>); 4] = [
        (
            "function",
            Func::new(&mut store, func_type.clone(), |_, _, _| Ok(())).map(drop),
        ),
        (
            "linker",
            linker
                .func_new("", "", func_type, |_, _, _| Ok(()))
                .map(drop),
        ),
        (
            "table",
            Table::new(&mut store, table, Ref::Any(None)).map(drop),
        ),
        (
            "global",
            Global::new(&mut store, global, Val::AnyRef(None)).map(drop),
        ),
    ];
    for (what, result) in cases {
        assert!(
            matches!(result, Err(Error::StoreMismatch(_))),
            "{what}: {result:?}"
        );
    }
}

#[test]
fn linkers_of_another_engine_are_errors() {
    let mut linker = Linker::new(&common::engine());
    linker.func_wrap("m", "f", || {}).unwrap();
    let mut store = Store::new(&common::engine(), ());
    let module = Module::new(store.engine(), "(module)").unwrap();
    assert!(matches!(
        linker.instantiate(&mut store, &module),
        Err(Error::StoreMismatch(_))
    ));
    assert!(linker.get(&mut store, "m", "f").is_none());
}

#[test]
fn stores_move_between_threads() {
    let (mut store, instance) = instance(
        r#"(module (memory 1) (global $g (mut i32) (i32.const 0))
            (func (export "next") (result i32)
                (global.set $g (i32.add (global.get $g) (i32.const 1)))
                (i32.store (i32.const 0) (global.get $g))
                (i32.load (i32.const 0)))
            (func (export "fault") (drop (i32.load (i32.const -4)))))"#,
    );
    for n in 1..=4 {
        store = std::thread::spawn(move || {
            let next = instance
                .get_typed_func::<(), i32>(&mut store, "next")
                .unwrap();
            assert_eq!(next.call(&mut store, ()).unwrap(), n);
            let fault = instance
                .get_typed_func::<(), ()>(&mut store, "fault")
                .unwrap();
            assert!(fault.call(&mut store, ()).unwrap_err().trap().is_some());
            store
        })
        .join()
        .unwrap();
    }
}

#[test]
fn what_goes_between_threads() {
    fn check<T: Send + Sync>() {}
    check::<Engine>();
    check::<Module>();
    check::<Linker<std::cell::Cell<u8>>>();
    check::<Store<u8>>();
    check::<StoreContextMut<'_, u8>>();
    check::<Instance>();
    check::<Extern>();
    check::<Val>();
    check::<Ref>();
    check::<TypedFunc<Option<ExternRef>, Option<Func>>>();
    check::<Error>();
    check::<InterruptHandle>();
}

#[test]
fn stores_run_side_by_side() {
    let engine = common::engine();
    let module = Module::new(
        &engine,
        r#"(module (func $fib (export "fib") (param i32) (result i32)
            (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
                (then (local.get 0))
                (else (i32.add
                    (call $fib (i32.sub (local.get 0) (i32.const 1)))
                    (call $fib (i32.sub (local.get 0) (i32.const 2))))))))"#,
    )
    .unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut store = Store::new(&engine, ());
                let instance = Instance::new(&mut store, &module, &[]).unwrap();
                let fib = instance
                    .get_typed_func::<i32, i32>(&mut store, "fib")
                    .unwrap();
                assert_eq!(fib.call(&mut store, 20).unwrap(), 6765);
            });
        }
    });
}

#[test]
fn contexts_come_from_many_things() {
    fn generic(mut ctx: impl AsContextMut<Data = u8>) -> u8 {
        let mut ctx = ctx.as_context_mut();
        *ctx.data_mut() += 1;
        *ctx.as_context().data()
    }
    fn exact(ctx: StoreContextMut<'_, u8>) -> u8 {
        generic(ctx)
    }
    let mut store = Store::new(&common::engine(), 0u8);
    assert_eq!(generic(&mut store), 1);
    assert_eq!(generic(&mut &mut store), 2);
    assert_eq!(exact(store.as_context_mut()), 3);
    let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
    let func = Func::wrap(&mut store, move |mut caller: Caller<'_, u8>| {
        assert_eq!(generic(&mut caller), 4);
        assert_eq!(
            memory.data(&caller).len(),
            memory.data_mut(&mut caller).len()
        );
        assert_eq!(exact(caller.as_context_mut()), 5);
    });
    func.call(&mut store, &[], &mut []).unwrap();
}

#[test]
fn what_this_build_cannot_do() {
    let jit = Engine::new(Config::new().tier(Tier::Jit));
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        jit.unwrap();
    } else {
        let error = jit.unwrap_err();
        assert!(matches!(error, Error::Config(ConfigError::NoJit)));
    }
    for tier in ["interp", "auto"] {
        let tier: Tier = tier.parse().unwrap();
        Engine::new(Config::new().tier(tier)).unwrap();
    }
    assert!("fast".parse::<Tier>().is_err());
}

#[test]
fn guests_that_link_each_other_are_of_one_store() {
    let engine = common::engine();
    let mut one = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    let lib = link(&mut one, &linker, r#"(module (func (export "f")))"#).unwrap();
    linker.instance(&mut one, "lib", lib).unwrap();
    let mut two = Store::new(&engine, ());
    let wat = r#"(module (import "lib" "f" (func)))"#;
    assert!(matches!(
        link(&mut two, &linker, wat),
        Err(Error::StoreMismatch(_))
    ));
    assert!(linker.get(&mut two, "lib", "f").is_none());
    link(&mut one, &linker, wat).unwrap();
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
