//! The instructions on segments and whole ranges, as code calls them.

use crate::fixture::Fixture;
use rwasm_runtime::handle::Handle;
use rwasm_runtime::libcalls::*;
use rwasm_runtime::table::Table;
use rwasm_runtime::trap::Trap;

const OUT_OF_MEMORY: Result<(), Trap> = Err(Trap::MemoryOutOfBounds);
const OUT_OF_TABLE: Result<(), Trap> = Err(Trap::TableOutOfBounds);

#[test]
fn memory_instructions() {
    for guarded in [false, rwasm_runtime::memory::guarded_memories_available()] {
        let mut fixture = Fixture::with(guarded, Default::default());
        let instance = fixture.instance(
            r#"(module
                (memory (export "m") 1 3)
                (memory (export "n") 0)
                (data $passive "abcdef")
                (data (memory 0) (i32.const 65534) "yz"))"#,
        );
        let vmctx = fixture.vmctx(instance);
        let (m, n) = (fixture.memory(instance, "m"), fixture.memory(instance, "n"));
        assert_eq!(&fixture.store.memory_data(m)[65533..], b"\0yz");
        // SAFETY: the block is live, and so are all the indices below.
        unsafe {
            assert_eq!(memory_init(vmctx, 0, 0, 10, 1, 4), Ok(()));
            assert_eq!(memory_init(vmctx, 0, 0, 0, 6, 0), Ok(()));
            assert_eq!(memory_init(vmctx, 0, 0, 65536, 6, 0), Ok(()));
            for (dst, src, len) in [
                (0, 6, 1),
                (0, 7, 0),
                (65536, 0, 1),
                (65537, 0, 0),
                (65535, 0, 2),
                (0, u32::MAX.into(), 2),
                (0, u64::MAX, 2),
                (u64::MAX, 0, 2),
                (u32::MAX.into(), 0, 1),
            ] {
                assert_eq!(memory_init(vmctx, 0, 0, dst, src, len), OUT_OF_MEMORY);
            }
            // An active segment is dropped after its use.
            assert_eq!(memory_init(vmctx, 0, 1, 0, 0, 0), Ok(()));
            assert_eq!(memory_init(vmctx, 0, 1, 0, 0, 1), OUT_OF_MEMORY);
            data_drop(vmctx, 0);
            data_drop(vmctx, 0);
            assert_eq!(memory_init(vmctx, 0, 0, 0, 0, 0), Ok(()));
            assert_eq!(memory_init(vmctx, 0, 0, 0, 0, 1), OUT_OF_MEMORY);

            assert_eq!(memory_copy(vmctx, 0, 0, 12, 10, 4), Ok(()));
            assert_eq!(memory_fill(vmctx, 0, 65535, 9, 1), Ok(()));
            assert_eq!(memory_fill(vmctx, 0, 65535, 9, 2), OUT_OF_MEMORY);
            assert_eq!(memory_fill(vmctx, 0, u64::MAX, 9, 2), OUT_OF_MEMORY);
            assert_eq!(memory_copy(vmctx, 0, 0, 65535, 0, 2), OUT_OF_MEMORY);
            assert_eq!(memory_copy(vmctx, 0, 0, 0, 65535, 2), OUT_OF_MEMORY);
            assert_eq!(memory_copy(vmctx, 1, 0, 0, 0, 1), OUT_OF_MEMORY);

            assert_eq!((memory_size(vmctx, 0), memory_size(vmctx, 1)), (1, 0));
            assert_eq!(memory_grow(vmctx, 1, 1), 0);
            assert_eq!(memory_grow(vmctx, 0, 2), 1);
            assert_eq!(memory_grow(vmctx, 0, 1), u64::MAX);
            assert_eq!(memory_grow(vmctx, 0, u64::MAX), u64::MAX);
            assert_eq!((memory_size(vmctx, 0), memory_size(vmctx, 1)), (3, 1));
            assert_eq!(memory_copy(vmctx, 1, 0, 65530, 10, 6), Ok(()));
        }
        let data = fixture.store.memory_data(m);
        assert_eq!(&data[9..17], b"\0bcbcde\0");
        assert_eq!(&data[65534..65537], b"y\x09\0");
        assert_eq!(&fixture.store.memory_data(n)[65530..], b"bcbcde");
    }
}

#[test]
fn table_instructions() {
    let mut fixture = Fixture::new();
    let instance = fixture.instance(
        r#"(module
            (table (export "t") 5 8 funcref)
            (table (export "u") i64 2 funcref)
            (func $f (export "f")) (func $g (export "g"))
            (elem $functions func $f $g)
            (elem $expressions funcref (ref.null func) (ref.func $g))
            (elem $declared declare func $f)
            (elem (table 0) (i32.const 4) func $f))"#,
    );
    let vmctx = fixture.vmctx(instance);
    let (t, u) = (fixture.table(instance, "t"), fixture.table(instance, "u"));
    let f = fixture.func(instance, "f").as_ptr() as u64;
    let g = fixture.func(instance, "g").as_ptr() as u64;
    let elements = |fixture: &Fixture, table: Handle<Table>| {
        let table = fixture.store.get(table);
        (0..table.size())
            .map(|index| table.get(index).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(elements(&fixture, t), [0, 0, 0, 0, f]);
    // SAFETY: the block is live, and so are all the indices below.
    unsafe {
        assert_eq!(
            (ref_func(vmctx, 0) as u64, ref_func(vmctx, 1) as u64),
            (f, g)
        );
        assert_eq!(table_init(vmctx, 0, 0, 0, 0, 2), Ok(()));
        assert_eq!(table_init(vmctx, 1, 1, 0, 0, 2), Ok(()));
        for segment in [0, 1] {
            for (dst, src, len) in [
                (0, 2, 1),
                (0, 3, 0),
                (5, 0, 1),
                (6, 0, 0),
                (4, 0, 2),
                (0, u32::MAX.into(), 2),
                (0, u64::MAX, 2),
                (u64::MAX, 0, 2),
            ] {
                assert_eq!(table_init(vmctx, 0, segment, dst, src, len), OUT_OF_TABLE);
            }
        }
        // Declared and used active segments are dropped.
        for segment in [2, 3] {
            assert_eq!(table_init(vmctx, 0, segment, 5, 0, 0), Ok(()));
            assert_eq!(table_init(vmctx, 0, segment, 6, 0, 0), OUT_OF_TABLE);
            assert_eq!(table_init(vmctx, 0, segment, 0, 0, 1), OUT_OF_TABLE);
        }
        for segment in [0, 1] {
            elem_drop(vmctx, segment);
            elem_drop(vmctx, segment);
            assert_eq!(table_init(vmctx, 0, segment, 0, 0, 0), Ok(()));
            assert_eq!(table_init(vmctx, 0, segment, 0, 0, 1), OUT_OF_TABLE);
        }
        assert_eq!(elements(&fixture, t), [f, g, 0, 0, f]);
        assert_eq!(elements(&fixture, u), [0, g]);

        assert_eq!(table_grow(vmctx, 0, 3, g), 5);
        assert_eq!(table_grow(vmctx, 0, 1, g), u64::MAX);
        assert_eq!(table_grow(vmctx, 1, u64::MAX, g), u64::MAX);
        assert_eq!(table_copy(vmctx, 0, 0, 1, 0, 2), Ok(()));
        assert_eq!(table_copy(vmctx, 1, 0, 0, 7, 1), Ok(()));
        assert_eq!(table_copy(vmctx, 1, 0, 1, 0, 2), OUT_OF_TABLE);
        assert_eq!(table_copy(vmctx, 0, 1, 0, 1, 2), OUT_OF_TABLE);
        assert_eq!(table_fill(vmctx, 0, 3, f, 2), Ok(()));
        assert_eq!(table_fill(vmctx, 0, 7, f, 2), OUT_OF_TABLE);
        assert_eq!(table_fill(vmctx, 0, u64::MAX, f, 2), OUT_OF_TABLE);
    }
    assert_eq!(elements(&fixture, t), [f, f, g, f, f, g, g, g]);
    assert_eq!(elements(&fixture, u), [g, g]);
}

#[test]
fn function_references_are_made_once() {
    let mut fixture = Fixture::new();
    let exporter = fixture.instance(r#"(module (func) (func (export "f") (param i32)))"#);
    let f = fixture.export(exporter, "f");
    let importer = fixture
        .instantiate(
            r#"(module (import "" "f" (func (param i32))) (func (export "g")))"#,
            &[f],
        )
        .unwrap();
    let vmctx = fixture.vmctx(importer);
    let own = fixture.func(importer, "g");
    // SAFETY: the block is live, and the indices are those of the module.
    let (imported_ref, own_ref) = unsafe { (ref_func(vmctx, 0), ref_func(vmctx, 1)) };
    assert_eq!(
        fixture.func(exporter, "f").as_ptr().cast_const(),
        imported_ref
    );
    assert_eq!(own.as_ptr().cast_const(), own_ref);
    let instance = fixture.store.get(importer);
    assert_eq!(
        instance.own_func(own_ref).map(|func| func.as_u32()),
        Some(0)
    );
    assert_eq!(instance.own_func(imported_ref), None);
    let (own, code) = (fixture.store.get(own), fixture.store.get(importer).code());
    assert_eq!(own.instance, vmctx);
    assert_eq!(own.cell, &raw const code.cells[0]);
    assert_eq!(own.ty, code.type_ids[1]);
}
