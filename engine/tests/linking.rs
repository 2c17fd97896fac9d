//! Imports by name: what is found, what is not, and what does not fit.

mod common;

use common::{call, instance, link, linker};
use rwasm::{
    Error, Extern, ExternType, Func, FuncType, Global, GlobalType, Instance, LinkError, Linker,
    Memory, MemoryType, Module, Mutability, Ref, RefType, Store, Table, TableType, Tag, TagType,
    Trap, Val, ValType,
};

fn unknown_imports(error: Error) -> Vec<rwasm::UnknownImport> {
    match error {
        Error::Link(LinkError::UnknownImports(imports)) => imports,
        error => panic!("{error:?}"),
    }
}

#[test]
fn all_unknown_imports_are_listed_with_suggestions() {
    let (mut store, mut linker) = linker(());
    linker
        .func_wrap("wasi_snapshot_preview1", "fd_write", || {})
        .unwrap()
        .func_wrap("wasi_snapshot_preview1", "fd_read", || {})
        .unwrap()
        .func_wrap("env", "abort", || {})
        .unwrap();
    let error = link(
        &mut store,
        &linker,
        r#"(module
            (import "wasi_snapshot_preview1" "fd_wirte" (func (param i32)))
            (import "wasi_snapshot_preview1" "fd_write" (func))
            (import "wasi_unstable" "fd_read" (func))
            (import "env" "nothing_like_it" (memory 1))
            (import "ENV" "abort" (global i64)))"#,
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown imports:\
         \n  `wasi_snapshot_preview1` `fd_wirte` (func (i32) -> ()); \
         did you mean `wasi_snapshot_preview1` `fd_write`?\
         \n  `wasi_unstable` `fd_read` (func () -> ()); \
         did you mean `wasi_snapshot_preview1` `fd_read`?\
         \n  `env` `nothing_like_it` (memory 1)\
         \n  `ENV` `abort` (global i64); did you mean `env` `abort`?"
    );
    let imports = unknown_imports(error);
    assert_eq!(imports.len(), 4);
    assert_eq!(imports[1].module, "wasi_unstable");
    assert_eq!(
        imports[3].ty,
        GlobalType::new(ValType::I64, Mutability::Const).into()
    );
}

#[test]
fn one_unknown_import_reads_as_the_suite_has_it() {
    let (mut store, linker) = linker(());
    let error = link(&mut store, &linker, r#"(module (import "a" "b" (func)))"#).unwrap_err();
    assert_eq!(error.to_string(), "unknown import `a` `b` (func () -> ())");
}

#[test]
fn hostile_names_take_no_time() {
    let (mut store, mut linker) = linker(());
    for n in 0..100 {
        linker
            .func_wrap("host", &format!("{n}{}", "y".repeat(100)), || {})
            .unwrap();
    }
    let long = "x".repeat(90_000);
    let imports: String = (0..5_000)
        .map(|n| format!(r#"(import "host" "{n}zzzzzzzz" (func))"#))
        .collect();
    let wat = format!(r#"(module (import "host" "{long}" (func)) {imports})"#);
    let started = std::time::Instant::now();
    let imports = unknown_imports(link(&mut store, &linker, &wat).unwrap_err());
    assert_eq!(imports.len(), 5_001);
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

#[test]
fn incompatible_imports_tell_both_types() {
    let (mut store, mut linker) = linker(());
    let memory = Memory::new(&mut store, MemoryType::new(1, Some(2))).unwrap();
    let global = Global::new(
        &mut store,
        GlobalType::new(ValType::I32, Mutability::Const),
        Val::I32(0),
    );
    let table = Table::new(
        &mut store,
        TableType::new(RefType::FUNCREF, 1, None),
        Ref::Func(None),
    );
    linker
        .func_wrap("h", "func", |_: i32| {})
        .unwrap()
        .define(&store, "h", "memory", memory)
        .unwrap()
        .define(&store, "h", "global", global.unwrap())
        .unwrap()
        .define(&store, "h", "table", table.unwrap())
        .unwrap();
    for (import, expected, found) in [
        (r#""func" (func)"#, "func () -> ()", "func (i32) -> ()"),
        (r#""func" (memory 1)"#, "memory 1", "func (i32) -> ()"),
        (r#""memory" (memory 2)"#, "memory 2", "memory 1 2"),
        (r#""memory" (memory 1 1)"#, "memory 1 1", "memory 1 2"),
        (r#""memory" (memory i64 1)"#, "memory i64 1", "memory 1 2"),
        (
            r#""global" (global (mut i32))"#,
            "global mut i32",
            "global i32",
        ),
        (r#""global" (global i64)"#, "global i64", "global i32"),
        (
            r#""table" (table 1 externref)"#,
            "table 1 externref",
            "table 1 funcref",
        ),
        (
            r#""table" (table 2 funcref)"#,
            "table 2 funcref",
            "table 1 funcref",
        ),
    ] {
        let error = link(
            &mut store,
            &linker,
            &format!(r#"(module (import "h" {import}))"#),
        );
        let error = error.unwrap_err();
        let name = import.split('"').nth(1).unwrap();
        assert_eq!(
            error.to_string(),
            format!(
                "incompatible import type for `h` `{name}`: expected {expected}, found {found}"
            )
        );
        assert!(matches!(
            error,
            Error::Link(LinkError::IncompatibleImport { .. })
        ));
    }
}

#[test]
fn matching_imports_of_all_kinds_are_shared() {
    let (mut store, mut linker) = linker(());
    let exporter = link(
        &mut store,
        &linker,
        r#"(module
            (func (export "f") (result i32) (i32.const 5))
            (memory (export "m") 1 4)
            (table (export "t") 2 funcref)
            (global (export "g") (mut i64) (i64.const 1)))"#,
    )
    .unwrap();
    linker.instance(&mut store, "lib", exporter).unwrap();
    let importer = link(
        &mut store,
        &linker,
        r#"(module
            (import "lib" "f" (func $f (result i32)))
            (import "lib" "m" (memory 1))
            (import "lib" "t" (table 1 funcref))
            (import "lib" "g" (global $g (mut i64)))
            (elem (i32.const 1) func $f)
            (func (export "go") (result i32)
                (global.set $g (i64.const 77))
                (i32.store (i32.const 8) (i32.const 99))
                (drop (memory.grow (i32.const 1)))
                (call_indirect (result i32) (i32.const 1))))"#,
    )
    .unwrap();
    assert_eq!(
        call(&mut store, importer, "go", &[]).unwrap()[0].unwrap_i32(),
        5
    );
    let memory = exporter.get_memory(&mut store, "m").unwrap();
    assert_eq!((memory.size(&store), memory.data(&store)[8]), (2, 99));
    let global = exporter.get_global(&mut store, "g").unwrap();
    assert_eq!(global.get(&store).unwrap_i64(), 77);
    let table = exporter.get_table(&mut store, "t").unwrap();
    assert!(table.get(&store, 0).unwrap().is_null());
    assert!(!table.get(&store, 1).unwrap().is_null());
}

#[test]
fn names_are_defined_once_unless_shadowing_is_allowed() {
    let (mut store, mut linker) = linker(());
    linker.func_wrap("m", "f", || 1).unwrap();
    let error = linker.func_wrap("m", "f", || 2).unwrap_err();
    assert_eq!(error.to_string(), "`m` `f` is defined twice");
    linker
        .allow_shadowing(true)
        .func_wrap("m", "f", || 2)
        .unwrap();
    let wat = r#"(module (import "m" "f" (func (result i32))) (export "f" (func 0)))"#;
    let instance = link(&mut store, &linker, wat).unwrap();
    assert_eq!(
        call(&mut store, instance, "f", &[]).unwrap()[0].unwrap_i32(),
        2
    );
}

#[test]
fn aliases() {
    let (mut store, mut linker) = linker(());
    linker
        .func_wrap("m", "f", || 1)
        .unwrap()
        .func_wrap("m", "g", || 2)
        .unwrap();
    linker
        .alias("m", "f", "n", "h")
        .unwrap()
        .alias_module("m", "copy")
        .unwrap();
    for (module, name, found) in [
        ("n", "h", true),
        ("copy", "f", true),
        ("copy", "g", true),
        ("n", "f", false),
    ] {
        assert_eq!(
            linker.get(&mut store, module, name).is_some(),
            found,
            "{module} {name}"
        );
    }
    let error = linker.alias("m", "x", "n", "x").unwrap_err();
    assert_eq!(error.to_string(), "`m` `x` is not defined");
}

#[test]
fn a_host_function_is_one_function_in_a_store() {
    let (mut store, mut linker) = linker(());
    linker.func_wrap("m", "f", || {}).unwrap();
    let first = linker.get(&mut store, "m", "f").unwrap();
    let wat = r#"(module (import "m" "f" (func)) (export "f" (func 0)))"#;
    for _ in 0..3 {
        let instance = link(&mut store, &linker, wat).unwrap();
        assert_eq!(instance.get_export(&mut store, "f"), Some(first));
    }
    // In another store it is another one, from the same linker.
    let mut other = Store::new(linker.engine(), ());
    assert_ne!(linker.get(&mut other, "m", "f"), Some(first));
}

#[test]
fn instances_from_imports_in_order() {
    let engine = common::engine();
    let mut store = Store::new(&engine, ());
    let module = Module::new(
        &engine,
        r#"(module (import "" "" (func (result i32))) (import "" "" (memory 1))
            (export "f" (func 0)))"#,
    )
    .unwrap();
    let func = Func::wrap(&mut store, || 11);
    let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
    for imports in [
        &[][..],
        &[func.into()],
        &[func.into(), memory.into(), memory.into()],
    ] {
        let error = Instance::new(&mut store, &module, imports).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("expected 2 imports, found {}", imports.len())
        );
    }
    assert!(Instance::new(&mut store, &module, &[memory.into(), func.into()]).is_err());
    let instance = Instance::new(&mut store, &module, &[func.into(), memory.into()]).unwrap();
    assert_eq!(
        call(&mut store, instance, "f", &[]).unwrap()[0].unwrap_i32(),
        11
    );
    assert_eq!(instance.module(&store).imports().len(), 2);
}

#[test]
fn the_start_function_runs_and_may_fail() {
    let (mut store, mut linker) = linker(0);
    linker
        .func_wrap("host", "f", |mut caller: rwasm::Caller<'_, i32>| {
            *caller.data_mut() += 1
        })
        .unwrap();
    let wat = r#"(module (import "host" "f" (func $f)) (start $f))"#;
    link(&mut store, &linker, wat).unwrap();
    assert_eq!(*store.data(), 1);
    let error = link(
        &mut store,
        &linker,
        "(module (func $f unreachable) (start $f))",
    );
    assert_eq!(error.unwrap_err().trap(), Some(Trap::Unreachable));
}

#[test]
fn segments_beyond_the_end_are_traps() {
    let (mut store, linker) = linker(());
    for (wat, trap) in [
        (
            r#"(module (memory 1) (data (i32.const 65536) "x"))"#,
            Trap::MemoryOutOfBounds,
        ),
        (
            "(module (table 1 funcref) (func) (elem (i32.const 1) 0))",
            Trap::TableOutOfBounds,
        ),
    ] {
        assert_eq!(
            link(&mut store, &linker, wat).unwrap_err().trap(),
            Some(trap)
        );
    }
}

#[test]
fn exports_are_told_by_module_and_instance() {
    let (mut store, instance) = instance(
        r#"(module
            (func (export "f") (param i32)) (memory (export "m") 1)
            (table (export "t") 1 2 externref) (global (export "g") f32 (f32.const 1)))"#,
    );
    let expected: [(&str, ExternType); 4] = [
        ("f", FuncType::new([ValType::I32], []).into()),
        ("m", MemoryType::new(1, None).into()),
        ("t", TableType::new(RefType::EXTERNREF, 1, Some(2)).into()),
        ("g", GlobalType::new(ValType::F32, Mutability::Const).into()),
    ];
    let module = instance.module(&store).clone();
    let of_module: Vec<_> = module
        .exports()
        .map(|e| (e.name(), e.ty().clone()))
        .collect();
    assert_eq!(of_module, expected);
    let exports: Vec<(String, Extern)> = instance
        .exports(&mut store)
        .map(|export| (export.name().to_owned(), export.into_extern()))
        .collect();
    for ((name, export), (expected_name, ty)) in exports.into_iter().zip(expected) {
        assert_eq!((name.as_str(), &export.ty(&store)), (expected_name, &ty));
        assert_eq!(module.get_export(&name), Some(ty));
        assert_eq!(instance.get_export(&mut store, &name), Some(export));
    }
    assert!(module.get_export("x").is_none() && instance.get_export(&mut store, "x").is_none());
}

#[test]
fn tags_are_their_own() {
    let (mut store, mut linker) = linker(());
    let ty = TagType::new(FuncType::new([ValType::I32], []));
    let tag = Tag::new(&mut store, &ty).unwrap();
    assert_eq!(tag.ty(&store), ty);
    assert_ne!(tag, Tag::new(&mut store, &ty).unwrap());
    let with_result = TagType::new(FuncType::new([], [ValType::I32]));
    assert!(matches!(
        Tag::new(&mut store, &with_result),
        Err(Error::Type(_))
    ));
    linker.define(&store, "m", "t", tag).unwrap();
    let wat = r#"(module (import "m" "t" (tag (param i32))) (export "t" (tag 0)))"#;
    let instance = link(&mut store, &linker, wat).unwrap();
    assert_eq!(instance.get_tag(&mut store, "t"), Some(tag));
}

#[test]
fn linkers_are_cloned() {
    let engine = common::engine();
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("m", "f", || {}).unwrap();
    let mut copy = linker.clone();
    copy.func_wrap("m", "g", || {}).unwrap();
    let mut store = Store::new(&engine, ());
    assert!(copy.get(&mut store, "m", "f").is_some());
    assert!(linker.get(&mut store, "m", "g").is_none());
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
