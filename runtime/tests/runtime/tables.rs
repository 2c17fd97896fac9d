//! Tables: growth, limits and ranges.

use crate::fixture::Fixture;
use rwasm_parser::{RefType, TableType};
use rwasm_runtime::limits::{LimitError, LimitKind, Limits, ResourceError};
use rwasm_runtime::table::Table;
use rwasm_runtime::trap::Trap;
use rwasm_runtime::types::TypeId;

fn ty(min: u64, max: Option<u64>) -> TableType<TypeId> {
    TableType {
        element: RefType::EXTERNREF,
        index64: false,
        shared: false,
        min,
        max,
    }
}

fn table(ty: TableType<TypeId>, init: u64) -> Result<Table, ResourceError> {
    // SAFETY: nobody takes these slots for references.
    unsafe { Table::new(ty, &Limits::default(), init) }
}

fn grow(table: &mut Table, delta: u64, init: u64) -> Result<u64, ResourceError> {
    // SAFETY: as above.
    unsafe { table.grow(delta, init, &Limits::default()) }
}

fn elements(table: &Table) -> Vec<u64> {
    (0..table.size())
        .map(|index| table.get(index).unwrap())
        .collect()
}

fn limit(error: ResourceError) -> LimitKind {
    match error {
        ResourceError::Limit(error) => error.limit,
        other => panic!("{other}"),
    }
}

#[test]
fn growth_keeps_elements_and_adds_new_ones() {
    let mut table = table(ty(2, None), 1).unwrap();
    assert_eq!(grow(&mut table, 0, 9).unwrap(), 2);
    assert_eq!(grow(&mut table, 1, 2).unwrap(), 2);
    assert_eq!(grow(&mut table, 2, 0).unwrap(), 3);
    assert_eq!(elements(&table), [1, 1, 2, 0, 0]);
    for size in 5..1000 {
        assert_eq!(grow(&mut table, 1, size).unwrap(), size);
    }
    assert_eq!(table.get(999), Some(999));
    assert_eq!(table.get(1000), None);
    assert_eq!(table.ty().min, 1000);
}

#[test]
fn empty_tables_grow() {
    for init in [0, 5] {
        let mut table = table(ty(0, None), init).unwrap();
        assert_eq!(elements(&table), []);
        assert_eq!(grow(&mut table, 3, init).unwrap(), 0);
        assert_eq!(elements(&table), [init; 3]);
    }
}

#[test]
fn growth_has_limits() {
    let mut declared = table(ty(1, Some(3)), 0).unwrap();
    grow(&mut declared, 2, 0).unwrap();
    let error = limit(grow(&mut declared, 1, 0).unwrap_err());
    assert_eq!(error, LimitKind::DeclaredTableElements);

    for index64 in [false, true] {
        let mut table = table(
            TableType {
                index64,
                ..ty(1, None)
            },
            0,
        )
        .unwrap();
        for delta in [
            10_000_000,
            u32::MAX.into(),
            1 << 32,
            1 << 61,
            u64::MAX - 1,
            u64::MAX,
        ] {
            assert!(grow(&mut table, delta, 0).is_err(), "{delta}");
            assert_eq!(table.size(), 1);
        }
        // Up to the limit.
        assert_eq!(grow(&mut table, 9_999_999, 0).unwrap(), 1);
    }
    assert_eq!(
        limit(table(ty(10_000_001, None), 0).unwrap_err()),
        LimitKind::TableElements
    );

    let unlimited = Limits::default().table_elements(u64::MAX);
    for min in [u64::MAX, 1 << 61, 1 << 60] {
        let ty = TableType {
            index64: true,
            ..ty(min, None)
        };
        // SAFETY: as above.
        let error = unsafe { Table::new(ty, &unlimited, 0) }.unwrap_err();
        assert!(matches!(error, ResourceError::System { .. }), "{error}");
    }
}

#[test]
fn ranges_are_checked_without_overflow() {
    let mut table = table(ty(10, None), 3).unwrap();
    for (at, len, inside) in [
        (0, 0, true),
        (10, 0, true),
        (0, 10, true),
        (11, 0, false),
        (10, 1, false),
        (u32::MAX.into(), 1, false),
        (1 << 32, u64::MAX - (1 << 32) + 1, false),
        (u64::MAX, 1, false),
        (1, u64::MAX, false),
        (u64::MAX, u64::MAX, false),
    ] {
        let expected = if inside {
            Ok(())
        } else {
            Err(Trap::TableOutOfBounds)
        };
        // SAFETY: as above.
        let (filled, copied) = unsafe {
            let filled = table.fill(at, 4, len);
            let this = &raw mut table;
            (
                filled,
                [
                    Table::copy(this, this, at, 0, len),
                    Table::copy(this, this, 0, at, len),
                ],
            )
        };
        assert_eq!(filled, expected, "{at} {len}");
        assert_eq!(copied, [expected; 2], "{at} {len}");
        assert_eq!(table.get(at).is_some(), at < 10);
    }
}

#[test]
fn copies_may_overlap() {
    for (to, from, expected) in [
        (2, 0, [0, 1, 0, 1, 2, 3, 6, 7]),
        (0, 2, [2, 3, 4, 5, 4, 5, 6, 7]),
        (3, 3, [0, 1, 2, 3, 4, 5, 6, 7]),
    ] {
        let mut table = table(ty(8, None), 0).unwrap();
        // SAFETY: as above.
        unsafe {
            for index in 0..8 {
                table.set(index, index).unwrap();
            }
            let this = &raw mut table;
            Table::copy(this, this, to, from, 4).unwrap();
        }
        assert_eq!(elements(&table), expected);
    }
}

#[test]
fn a_store_has_a_limited_number_of_tables() {
    let mut fixture = Fixture::with(false, Limits::default().tables(1));
    // SAFETY: null is a reference of any type.
    let mut make = || unsafe { fixture.store.new_table(ty(1, None), 0) };
    make().unwrap();
    match make().unwrap_err() {
        ResourceError::Limit(error) => {
            assert_eq!(
                error,
                LimitError {
                    limit: LimitKind::Tables,
                    value: 1,
                    asked: 2
                }
            );
        }
        other => panic!("{other}"),
    }
}
