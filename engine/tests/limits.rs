//! Limits of a store.

mod common;

use common::{call, link, linker};
use rwasm::{Error, LimitKind, Limits, Memory, MemoryType, Ref, RefType, Table, TableType, Val};

#[test]
fn each_limit_is_met() {
    let page = "(module (memory 1))";
    let table = "(module (table 10 funcref))";
    for (limits, wat, kind, asked) in [
        (
            Limits::default().memory_bytes(65_535),
            page,
            LimitKind::MemoryBytes,
            65_536,
        ),
        (Limits::default().memories(0), page, LimitKind::Memories, 1),
        (
            Limits::default().table_elements(9),
            table,
            LimitKind::TableElements,
            10,
        ),
        (Limits::default().tables(0), table, LimitKind::Tables, 1),
        (
            Limits::default().instances(0),
            "(module)",
            LimitKind::Instances,
            1,
        ),
    ] {
        let (mut store, linker) = linker(());
        store.limits(limits).unwrap();
        match link(&mut store, &linker, wat).unwrap_err() {
            Error::Limit(error) => {
                assert_eq!((error.limit, error.asked), (kind, asked));
            }
            error => panic!("{error:?}"),
        }
        // A limit that is raised is no more in the way.
        store.limits(Limits::default()).unwrap();
        link(&mut store, &linker, wat).unwrap();
    }
}

#[test]
fn growth_stays_within_limits() {
    let (mut store, linker) = linker(());
    let limits = Limits::default().memory_bytes(3 << 16).table_elements(12);
    store.limits(limits).unwrap();
    let wat = r#"(module
        (memory 1) (table $t 10 externref)
        (func (export "memory") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "table") (param i32) (result i32)
            (table.grow $t (ref.null extern) (local.get 0))))"#;
    let instance = link(&mut store, &linker, wat).unwrap();
    for (name, delta, result) in [
        ("memory", 3, -1),
        ("memory", 2, 1),
        ("memory", 1, -1),
        ("memory", -1, -1),
        ("memory", 0, 3),
        ("table", 3, -1),
        ("table", 2, 10),
        ("table", 1, -1),
        ("table", -1, -1),
        ("table", 0, 12),
    ] {
        let results = call(&mut store, instance, name, &[Val::I32(delta)]).unwrap();
        assert_eq!(results[0].unwrap_i32(), result, "{name} {delta}");
    }
}

#[test]
fn what_the_host_makes_counts_too() {
    let (mut store, _) = linker(());
    store
        .limits(Limits::default().memories(1).tables(1))
        .unwrap();
    let memory = MemoryType::new(0, None);
    Memory::new(&mut store, memory).unwrap();
    assert!(matches!(
        Memory::new(&mut store, memory),
        Err(Error::Limit(_))
    ));
    let table = TableType::new(RefType::FUNCREF, 0, None);
    Table::new(&mut store, table, Ref::Func(None)).unwrap();
    assert!(matches!(
        Table::new(&mut store, table, Ref::Func(None)),
        Err(Error::Limit(_))
    ));
}

#[test]
fn huge_declared_sizes_are_refused() {
    let (mut store, linker) = linker(());
    for wat in [
        "(module (memory i64 0x1000000000000))",
        "(module (table 0xffffffff funcref))",
        "(module (table i64 0xffffffffffffffff funcref))",
    ] {
        let error = link(&mut store, &linker, wat).unwrap_err();
        assert!(
            matches!(error, Error::Limit(_) | Error::Resource(_)),
            "{wat}: {error:?}"
        );
    }
}

#[test]
fn stacks_that_the_system_has_no_room_for() {
    let (mut store, linker) = linker(());
    assert!(
        store
            .limits(Limits::default().stack_bytes(usize::MAX))
            .is_err()
    );
    assert!(
        store
            .limits(Limits::default().stack_bytes(usize::MAX / 2))
            .is_err()
    );
    let instance = link(&mut store, &linker, r#"(module (func (export "f")))"#).unwrap();
    call(&mut store, instance, "f", &[]).unwrap();
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
