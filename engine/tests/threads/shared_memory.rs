//! Shared memories as the host has them.

use crate::common::call;
use crate::kinds::{KINDS, instantiate, word};
use rwasm::{
    Error, Instance, LimitError, LimitKind, Limits, Linker, Memory, MemoryType, Module,
    SharedMemory, Store, Val,
};

#[test]
fn a_shared_memory_has_one_handle_in_each_store() {
    let engine = KINDS[0].engine(false);
    let module = Module::new(
        &engine,
        r#"(module (memory (export "m") 1 3 shared) (data (i32.const 4) "data"))"#,
    )
    .unwrap();
    let (mut store, mut other) = (Store::new(&engine, ()), Store::new(&engine, ()));
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let memory = instance.get_memory(&mut store, "m").unwrap();
    let shared = memory.to_shared(&store).unwrap();
    assert_eq!(shared.memory(&mut store).unwrap(), memory);
    let there = shared.memory(&mut other).unwrap();
    assert_eq!(shared.memory(&mut other).unwrap(), there);
    assert_ne!(there, memory);
    assert!(SharedMemory::same(
        &there.to_shared(&other).unwrap(),
        &shared
    ));

    // What one does all see, also after the store that made it is gone.
    let mut bytes = [0; 4];
    there.read(&other, 4, &mut bytes).unwrap();
    assert_eq!(&bytes, b"data");
    memory.write(&mut store, 65536 - 2, b"ok").unwrap();
    assert_eq!(memory.grow(&mut store, 1).unwrap(), 1);
    drop(store);
    assert_eq!(
        (there.size(&other), shared.size(), shared.data_size()),
        (2, 2, 2 * 65536)
    );
    assert_eq!((shared.data().len(), shared.ty().minimum()), (2 * 65536, 2));
    there.read(&other, 65536 - 2, &mut bytes).unwrap();
    assert_eq!(&bytes, b"ok\0\0");
    // Accesses of the host outside are errors, and have no effect.
    assert!(shared.write(2 * 65536 - 3, b"long").is_err());
    assert!(there.write(&mut other, usize::MAX, b"x").is_err());
    assert!(there.read(&other, 2 * 65536 - 3, &mut bytes).is_err());
    assert_eq!(word(&shared, 2 * 65536 - 8), 0);
}

/// Only who can be sure that no other thread is there gets them as a slice.
#[test]
fn the_bytes_of_a_shared_memory_are_lent_to_its_only_owner() {
    let engine = KINDS[0].engine(false);
    let (mut store, mut other) = (Store::new(&engine, ()), Store::new(&engine, ()));
    let shared = KINDS[0].memory(&engine);
    let memory = shared.memory(&mut store).unwrap();
    assert!(memory.try_data_and_store_mut(&mut store).is_none());
    drop(shared);
    memory.data_mut(&mut store)[0] = 1;
    let there = memory
        .to_shared(&store)
        .unwrap()
        .memory(&mut other)
        .unwrap();
    assert!(memory.try_data_and_store_mut(&mut store).is_none());
    drop(store);
    assert_eq!(there.data_mut(&mut other)[0], 1);
}

#[test]
#[should_panic(expected = "the bytes of a shared memory were borrowed")]
fn the_bytes_of_a_shared_memory_are_not_lent_by_a_shared_borrow() {
    let engine = KINDS[0].engine(false);
    let mut store = Store::new(&engine, ());
    let memory = KINDS[0].memory(&engine).memory(&mut store).unwrap();
    memory.data(&store);
}

#[test]
fn a_stores_limits_bound_its_own_guests() {
    let functions = r#"(func (export "grow") (result ix.)
        (memory.grow (ix.const 1)))"#;
    for kind in KINDS {
        let engine = kind.engine(false);
        let memory = kind.memory(&engine);
        let module = kind.module(
            &engine,
            &functions.replace("ix.)", &format!("{})", kind.index)),
        );
        let (mut store, instance) = instantiate(&module, &memory);
        store
            .limits(Limits::default().memory_bytes(2 * 65536))
            .unwrap();
        let mut grow = || match call(&mut store, instance, "grow", &[]).unwrap()[..] {
            [Val::I32(old)] => i64::from(old),
            [Val::I64(old)] => old,
            ref other => panic!("{other:?}"),
        };
        assert_eq!((grow(), grow()), (1, -1), "{kind:?}");
        // The host and other stores are not bound by them.
        assert_eq!(memory.grow(2).unwrap(), 2, "{kind:?}");
        assert_eq!(grow(), -1, "{kind:?}");
        let (mut other, instance) = instantiate(&module, &memory);
        call(&mut other, instance, "grow", &[]).unwrap();
        assert_eq!(memory.size(), 5, "{kind:?}");

        // It counts as one of the store's memories, once.
        let limits = Limits::default().memories(1);
        let mut store = Store::new(&engine, ());
        store.limits(limits).unwrap();
        memory.memory(&mut store).unwrap();
        memory.memory(&mut store).unwrap();
        let refused = Memory::new(&mut store, MemoryType::new(1, None));
        assert!(matches!(
            refused,
            Err(Error::Limit(LimitError {
                limit: LimitKind::Memories,
                ..
            }))
        ));
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let (engine, other) = (KINDS[0].engine(false), KINDS[0].engine(false));
    let unshared = MemoryType::new(1, Some(1));
    assert!(matches!(
        SharedMemory::new(&engine, unshared),
        Err(Error::Type(_))
    ));
    let without_threads = SharedMemory::new(&crate::common::engine(), unshared.shared());
    assert!(matches!(without_threads, Err(Error::Type(_))));
    let endless = MemoryType::new(1, None).shared();
    assert!(matches!(
        SharedMemory::new(&engine, endless),
        Err(Error::Type(_))
    ));
    let huge = MemoryType::new(1 << 40, Some(1 << 44)).memory64().shared();
    assert!(matches!(
        SharedMemory::new(&engine, huge),
        Err(Error::Limit(_))
    ));
    // A large maximum alone reserves no more than the default limit.
    let large = MemoryType::new(1, Some(1 << 44)).memory64().shared();
    let large = SharedMemory::new(&engine, large).unwrap();
    assert!(large.grow(1 << 43).is_err());
    assert_eq!(large.size(), 1);

    let memory = SharedMemory::new(&engine, unshared.shared()).unwrap();
    let mut store = Store::new(&other, ());
    assert!(matches!(
        memory.memory(&mut store),
        Err(Error::StoreMismatch(_))
    ));
    let mut linker = Linker::<()>::new(&other);
    let defined = linker.define_shared_memory("a", "b", &memory);
    assert!(matches!(defined, Err(Error::StoreMismatch(_))));
    // An unshared import is not satisfied by a shared memory, nor the other way.
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker.define_shared_memory("a", "shared", &memory).unwrap();
    let memory = Memory::new(&mut store, unshared).unwrap();
    linker.define(&store, "a", "own", memory).unwrap();
    for wat in [
        r#"(module (import "a" "shared" (memory 1 1)))"#,
        r#"(module (import "a" "own" (memory 1 1 shared)))"#,
    ] {
        let module = Module::new(&engine, wat).unwrap();
        let refused = linker.instantiate(&mut store, &module);
        assert!(matches!(refused, Err(Error::Link(_))), "{wat}");
    }
}
