//! Instantiation: imports, initialisers, exports, failure.

use crate::fixture::{ENTRIES, Fixture, unreachable_entry};
use rwasm_parser::{ExternKind, FuncType, GlobalType, ValType};
use rwasm_runtime::code::CodeSettings;
use rwasm_runtime::handle::Extern;
use rwasm_runtime::instantiate::{InstantiateError, LinkError};
use rwasm_runtime::layout::VmCtxKind;
use rwasm_runtime::limits::{LimitError, LimitKind, Limits, ResourceError};
use rwasm_runtime::reference::{HostRef, i31_from_slot};
use rwasm_runtime::store::OwnedStore;
use rwasm_runtime::trap::Trap;
use std::sync::Arc;

fn link(error: InstantiateError) -> LinkError {
    match error {
        InstantiateError::Link(error) => error,
        other => panic!("{other}"),
    }
}

#[test]
fn globals_are_initialised_in_order() {
    let mut fixture = Fixture::new();
    let seven = fixture.new_i32(7, false);
    let instance = fixture
        .instantiate(
            r#"(module
                (import "" "" (global $seven i32))
                (global (export "i32") i32 (i32.const -1))
                (global (export "i64") i64 (i64.const -1))
                (global (export "f32") f32 (f32.const -0.0))
                (global (export "f64") (mut f64) (f64.const 1))
                (global (export "v128") v128 (v128.const i64x2 1 2))
                (global $product (export "product") i32
                    (i32.mul (i32.sub (global.get $seven) (i32.const 9)) (i32.const 3)))
                (global (export "sum") i32 (i32.add (global.get $product) (i32.const 1)))
                (global (export "wide") i64
                    (i64.sub (i64.mul (i64.const 4) (i64.add (i64.const 1) (i64.const 2)))
                             (i64.const 1)))
                (global (export "null") externref (ref.null extern))
                (global (export "i31") (ref i31) (ref.i31 (i32.const -2)))
                (global (export "func") funcref (ref.func $f))
                (func $f (export "f")))"#,
            &[seven],
        )
        .unwrap();
    for (name, value) in [
        ("i32", [0xffff_ffff, 0]),
        ("i64", [u64::MAX, 0]),
        ("f32", [0x8000_0000, 0]),
        ("f64", [1f64.to_bits(), 0]),
        ("v128", [1, 2]),
        ("product", [-6i32 as u32 as u64, 0]),
        ("sum", [-5i32 as u32 as u64, 0]),
        ("wide", [11, 0]),
        ("null", [0, 0]),
    ] {
        assert_eq!(fixture.global(instance, name), value, "{name}");
    }
    assert_eq!(
        i31_from_slot(fixture.global(instance, "i31")[0]),
        Some(0x7fff_fffe)
    );
    let f = fixture.func(instance, "f");
    assert_eq!(fixture.global(instance, "func"), [f.as_ptr() as u64, 0]);
}

#[test]
fn initialisers_make_objects() {
    let mut fixture = Fixture::new();
    let cases: [(&str, &str, &[u64]); 6] = [
        (
            "(struct (field i8) (field i64) (field (ref null any)))",
            "(struct.new 0 (i32.const -1) (i64.const 2) (ref.i31 (i32.const 3)))",
            &[0xff, 2, 7],
        ),
        (
            "(struct (field i32) (field f64))",
            "(struct.new_default 0)",
            &[0, 0],
        ),
        (
            "(array i16)",
            "(array.new 0 (i32.const 7) (i32.const 3))",
            &[7, 7, 7],
        ),
        ("(array i8)", "(array.new_default 0 (i32.const 2))", &[0, 0]),
        (
            "(array i64)",
            "(array.new_fixed 0 2 (i64.const -1) (i64.const 5))",
            &[u64::MAX, 5],
        ),
        ("(array i64)", "(array.new_fixed 0 0)", &[]),
    ];
    for (ty, init, expected) in cases {
        let wat = format!("(module (type {ty}) (global (export \"g\") anyref {init}))");
        let instance = fixture.instantiate(&wat, &[]).unwrap();
        let [word, _] = fixture.global(instance, "g");
        // SAFETY: the global holds a reference.
        let root = unsafe { fixture.store.root(word as u32) };
        fixture.store.collect_garbage();
        let object = fixture.store.object(root).unwrap();
        assert_eq!(object.len() as usize, expected.len(), "{init}");
        for (index, &value) in (0..).zip(expected) {
            assert_eq!(object.get(index), Some([value, 0]), "{init}");
        }
        assert_eq!(object.get(expected.len() as u32), None);
    }
}

#[test]
fn initialisers_without_room_trap() {
    let mut fixture = Fixture::new();
    for (limit, len, expected) in [
        (1 << 20, u32::MAX, Trap::AllocationTooLarge),
        (1 << 20, 1 << 20, Trap::AllocationTooLarge),
        (1 << 20, 80_000, Trap::HeapExhausted),
    ] {
        let limits = fixture.store.limits().gc_heap_bytes(limit);
        fixture.store.set_limits(limits).unwrap();
        let wat = format!(
            "(module (type (array i64))
                (global anyref (array.new_default 0 (i32.const {})))
                (global anyref (array.new_default 0 (i32.const {}))))",
            len as i32, len as i32
        );
        match fixture.instantiate(&wat, &[]) {
            Err(InstantiateError::Trap(trap)) => assert_eq!(trap, expected),
            other => panic!("{len}: {other:?}"),
        }
    }
}

#[test]
fn imports_are_matched_in_order() {
    let mut fixture = Fixture::new();
    let exporter = fixture.instance(
        r#"(module
            (func (export "func") (param i32))
            (table (export "table") 2 4 funcref)
            (memory (export "memory") 1 2)
            (global (export "global") i32 (i32.const 1))
            (tag (export "tag") (param i32)))"#,
    );
    let importer = r#"(module
        (import "m" "func" (func (param i32)))
        (import "m" "table" (table 1 funcref))
        (import "m" "memory" (memory 1))
        (import "m" "global" (global i32))
        (import "m" "tag" (tag (param i32)))
        (export "func" (func 0)) (export "table" (table 0)) (export "memory" (memory 0))
        (export "global" (global 0)) (export "tag" (tag 0)))"#;
    let names = ["func", "table", "memory", "global", "tag"];
    let imports = names.map(|name| fixture.export(exporter, name));
    let instance = fixture.instantiate(importer, &imports).unwrap();
    for (name, import) in names.into_iter().zip(imports) {
        assert_eq!(fixture.export(instance, name), import);
    }
    assert_eq!(
        fixture.store.exported_memory(instance),
        Some(fixture.memory(exporter, "memory"))
    );

    let too_few = link(fixture.instantiate(importer, &imports[..3]).unwrap_err());
    assert_eq!(too_few.to_string(), "unknown import: `m` `global`");
    let mut more = imports.to_vec();
    more.push(imports[0]);
    let too_many = link(fixture.instantiate(importer, &more).unwrap_err());
    assert_eq!(
        too_many,
        LinkError::TooMany {
            expected: 5,
            given: 6
        }
    );
    for (at, name) in names.iter().enumerate() {
        let mut wrong = imports;
        wrong[at] = imports[(at + 1) % 5];
        let error = link(fixture.instantiate(importer, &wrong).unwrap_err()).to_string();
        let expected = format!("incompatible import type: `m` `{name}` must be a {name}, not a ");
        assert!(error.starts_with(&expected), "{error}");
    }
    let i64s = r#"(module (import "m" "func" (func (param i64))))"#;
    let error = link(fixture.instantiate(i64s, &imports[..1]).unwrap_err());
    assert_eq!(
        error.to_string(),
        "incompatible import type: `m` `func` must be a func of another type"
    );
}

#[test]
fn a_grown_memory_satisfies_a_larger_minimum() {
    let mut fixture = Fixture::new();
    let exporter =
        fixture.instance(r#"(module (memory (export "m") 1 5) (table (export "t") 1 5 funcref))"#);
    let (m, t) = (fixture.export(exporter, "m"), fixture.export(exporter, "t"));
    let importer = r#"(module (import "" "m" (memory 3 5)) (import "" "t" (table 3 5 funcref)))"#;
    assert!(fixture.instantiate(importer, &[m, t]).is_err());
    let (memory, table) = (fixture.memory(exporter, "m"), fixture.table(exporter, "t"));
    fixture.store.grow_memory(memory, 2).unwrap();
    assert!(fixture.instantiate(importer, &[m, t]).is_err());
    // SAFETY: null is a reference of any type.
    unsafe { fixture.store.grow_table(table, 2, 0).unwrap() };
    fixture.instantiate(importer, &[m, t]).unwrap();
}

#[test]
fn stores_and_engines_do_not_mix() {
    let mut here = Fixture::new();
    let mut there = Fixture::new();
    let foreign = there.new_i32(1, false);
    let importer = r#"(module (import "" "" (global i32)))"#;
    let error = here.instantiate(importer, &[foreign]).unwrap_err();
    assert!(matches!(error, InstantiateError::OtherStore));

    let code = here.code("(module)");
    let error = there.store.instantiate(&code, &[]).unwrap_err();
    assert!(matches!(error, InstantiateError::OtherEngine));
    let settings = CodeSettings {
        guarded_memories: true,
        ..here.settings
    };
    let mut guarded =
        OwnedStore::new(here.registry.clone(), Limits::default(), settings, ENTRIES).unwrap();
    let error = guarded.instantiate(&code, &[]).unwrap_err();
    assert!(matches!(error, InstantiateError::OtherEngine));
}

#[test]
#[should_panic(expected = "another store than its own")]
fn foreign_handles_panic() {
    let (mut here, there) = (Fixture::new(), Fixture::new());
    let Extern::Global(global) = here.new_i32(1, false) else {
        unreachable!()
    };
    there.store.get(global);
}

/// What a failing instantiation wrote before stays, also references to its own
/// functions, which must stay alive.
#[test]
fn writes_before_a_trap_stay() {
    let mut fixture = Fixture::new();
    let exporter =
        fixture.instance(r#"(module (memory (export "m") 1) (table (export "t") 4 funcref))"#);
    let imports = ["m", "t"].map(|name| fixture.export(exporter, name));
    let prefix = r#"(module (import "" "m" (memory 1)) (import "" "t" (table 4 funcref))
        (func $f) "#;
    for (segments, trap) in [
        (
            r#"(elem (i32.const 0) $f) (elem (i32.const 4) $f) (data (i32.const 0) "no"))"#,
            Trap::TableOutOfBounds,
        ),
        (
            r#"(elem (i32.const 1) $f $f) (data (i32.const 0) "x") (data (i32.const 65535) "yz"))"#,
            Trap::MemoryOutOfBounds,
        ),
        (r#"(data (i32.const -1) "y"))"#, Trap::MemoryOutOfBounds),
        (r#"(elem (i32.const -1) $f))"#, Trap::TableOutOfBounds),
    ] {
        match fixture.instantiate(&format!("{prefix}{segments}"), &imports) {
            Err(InstantiateError::Trap(found)) => assert_eq!(found, trap),
            other => panic!("{other:?}"),
        }
    }
    let (m, t) = (fixture.memory(exporter, "m"), fixture.table(exporter, "t"));
    assert_eq!(&fixture.store.memory_data(m)[..3], b"x\0\0");
    assert_eq!(fixture.store.memory_data(m)[65535], 0);
    let table = fixture.store.get(t);
    assert_eq!((table.get(3), table.get(1)), (Some(0), table.get(2)));
    for index in [0, 1] {
        let func = table.get(index).unwrap() as *const rwasm_runtime::layout::FuncRef;
        // SAFETY: the table holds references of this store.
        let func = unsafe { fixture.store.func_handle(func) };
        let func = fixture.store.get(func);
        // SAFETY: an instance lives as long as its store.
        assert_eq!(unsafe { (*func.instance).kind }, VmCtxKind::Instance);
    }
}

#[test]
fn empty_active_segments_are_checked_too() {
    let mut fixture = Fixture::new();
    for (wat, fits) in [
        (r#"(module (memory 1) (data (i32.const 65536) ""))"#, true),
        (r#"(module (memory 1) (data (i32.const 65537) ""))"#, false),
        (r#"(module (memory 0) (data (i32.const 0) ""))"#, true),
        (r#"(module (table 1 funcref) (elem (i32.const 1)))"#, true),
        (r#"(module (table 1 funcref) (elem (i32.const 2)))"#, false),
        (r#"(module (memory i64 1) (data (i64.const -1) ""))"#, false),
        (
            r#"(module (memory i64 1) (data (i64.const 0x1_0000_0000) ""))"#,
            false,
        ),
        (
            r#"(module (table i64 1 funcref) (elem (i64.const 0x1_0000_0000) func))"#,
            false,
        ),
    ] {
        assert_eq!(fixture.instantiate(wat, &[]).is_ok(), fits, "{wat}");
    }
}

#[test]
fn tables_start_as_their_initialiser_says() {
    let mut fixture = Fixture::new();
    let instance = fixture.instance(
        r#"(module
            (table (export "t") 3 (ref func) (ref.func $f))
            (table (export "e") 2 externref)
            (func $f (export "f")))"#,
    );
    let (t, e) = (fixture.table(instance, "t"), fixture.table(instance, "e"));
    let f = fixture.func(instance, "f").as_ptr() as u64;
    assert!((0..3).all(|index| fixture.store.get(t).get(index) == Some(f)));
    assert_eq!(fixture.store.get(e).get(1), Some(0));
}

#[test]
fn the_start_function_is_left_to_the_caller() {
    let mut fixture = Fixture::new();
    let none = fixture.instance("(module)");
    assert_eq!(fixture.store.start_func(none), None);
    let some = fixture.instance(r#"(module (func) (func $s (export "s")) (start $s))"#);
    let expected = fixture.func(some, "s");
    assert_eq!(fixture.store.start_func(some), Some(expected));
}

#[test]
fn exports_are_found_by_name() {
    let mut fixture = Fixture::new();
    let exports: String = (0..1000)
        .map(|n| format!(r#"(export "{n}" (global {n}))"#))
        .collect();
    let globals: String = (0..1000)
        .map(|n| format!("(global i32 (i32.const {n}))"))
        .collect();
    let instance = fixture.instance(&format!("(module {globals} {exports})"));
    for n in [0, 1, 500, 999] {
        assert_eq!(fixture.global(instance, &n.to_string()), [n, 0]);
    }
    for name in ["", "1000", "memory"] {
        assert_eq!(fixture.store.export(instance, name), None);
    }
    assert_eq!(fixture.store.exported_memory(instance), None);
    let by_index = fixture.store.definition(instance, ExternKind::Global, 3);
    assert_eq!(fixture.export(instance, "3"), by_index);
    let misnamed = fixture.instance(r#"(module (func (export "memory")))"#);
    assert_eq!(fixture.store.exported_memory(misnamed), None);
}

#[test]
#[should_panic(expected = "the module has no global 1")]
fn definitions_that_do_not_exist_panic() {
    let mut fixture = Fixture::new();
    let instance = fixture.instance("(module (global i32 (i32.const 0)))");
    fixture.store.definition(instance, ExternKind::Global, 1);
}

#[test]
fn stores_have_limits() {
    let check = |limits, wat, expected| {
        let mut fixture = Fixture::with(false, limits);
        match fixture.instantiate(wat, &[]) {
            Err(InstantiateError::Resource(ResourceError::Limit(error))) => {
                assert_eq!(error, expected, "{wat}");
            }
            other => panic!("{wat}: {other:?}"),
        }
    };
    let limits = Limits::default();
    for (limits, wat, limit, value, asked) in [
        (limits.instances(0), "(module)", LimitKind::Instances, 0, 1),
        (
            limits.memories(1),
            "(module (memory 1) (memory 1))",
            LimitKind::Memories,
            1,
            2,
        ),
        (
            limits.tables(0),
            "(module (table 1 funcref))",
            LimitKind::Tables,
            0,
            1,
        ),
        (
            limits.memory_bytes(1),
            "(module (memory 1))",
            LimitKind::MemoryBytes,
            1,
            1 << 16,
        ),
        (
            limits.table_elements(1),
            "(module (table 2 funcref))",
            LimitKind::TableElements,
            1,
            2,
        ),
        (
            limits,
            "(module (memory i64 0x1_0000_0000_0000))",
            LimitKind::MemoryBytes,
            1 << 32,
            u64::MAX,
        ),
    ] {
        check(
            limits,
            wat,
            LimitError {
                limit,
                value,
                asked,
            },
        );
    }
}

#[test]
fn host_functions_and_references() {
    let mut fixture = Fixture::new();
    let ty = FuncType {
        params: [ValType::V128].into(),
        results: [ValType::I32].into(),
    };
    let id = fixture.registry.register_func_type(ty).unwrap();
    // SAFETY: the entry can be called with anything.
    let func = unsafe {
        fixture
            .store
            .new_host_func(id, unreachable_entry, Box::new("closure"))
    };
    let instance = fixture
        .instantiate(
            r#"(module (import "" "" (func (param v128) (result i32))) (export "f" (func 0)))"#,
            &[Extern::Func(func)],
        )
        .unwrap();
    assert_eq!(fixture.func(instance, "f"), func);
    let func_ref = fixture.store.get(func);
    // SAFETY: a host function's block is the head of a `HostFunc`.
    let host = unsafe { &*func_ref.instance.cast::<rwasm_runtime::host::HostFunc>() };
    assert_eq!(host.vmctx.kind, VmCtxKind::Host);
    assert_eq!(host.vmctx.store.cast(), fixture.store.as_ptr());
    assert_eq!(host.closure.downcast_ref(), Some(&"closure"));
    assert_eq!((host.cell.param_slots, host.cell.result_slots), (2, 1));

    let reference = fixture.store.new_host_ref(Box::new(5u8)).unwrap();
    let again = HostRef::from_slot(reference.to_slot()).unwrap();
    assert_eq!(
        fixture.store.host_ref(again).unwrap().downcast_ref(),
        Some(&5u8)
    );
    let content = ValType::EXTERNREF;
    let ty = GlobalType {
        content,
        mutable: true,
        shared: false,
    };
    // SAFETY: both are values of the type.
    let global = unsafe {
        let global = fixture.store.new_global(ty, [0, 0]);
        fixture.store.set_global(global, [reference.to_slot(), 0]);
        global
    };
    assert_eq!(fixture.store.get(global).value()[0], reference.to_slot());
    assert_eq!(fixture.store.get(global).ty(), ty);
}

/// Code lives as long as a store that has an instance of it; closures and host
/// values go with their store.
#[test]
fn a_store_keeps_what_it_needs_and_frees_it() {
    let mut fixture = Fixture::new();
    let code = fixture.code(r#"(module (func (export "f")) (memory 1))"#);
    fixture.store.instantiate(&code, &[]).unwrap();
    let weak = Arc::downgrade(&code);
    drop(code);
    let witness = Arc::new(());
    fixture
        .store
        .new_host_ref(Box::new(witness.clone()))
        .unwrap();
    assert!(weak.upgrade().is_some());
    drop(fixture.store);
    assert!(weak.upgrade().is_none());
    assert_eq!(Arc::strong_count(&witness), 1);
}
