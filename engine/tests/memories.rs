//! Memories from the host.

mod common;

use common::{call, instance_with};
use rwasm::{Config, Error, Limits, Memory, MemoryType, Store, Val};

/// Both kinds: reserved and guarded (where the process may), and checked.
fn configs() -> [Config; 2] {
    [None, Some(false)].map(|guarded| common::config().guarded_memories(guarded).clone())
}

#[test]
fn bytes_are_the_guests() {
    for config in configs() {
        let (mut store, instance) = instance_with(
            &config,
            r#"(module
                (memory (export "memory") 1 3)
                (func (export "get") (param i32) (result i32) (i32.load8_u (local.get 0)))
                (func (export "set") (param i32 i32)
                    (i32.store8 (local.get 0) (local.get 1)))
                (func (export "size") (result i32) (memory.size)))"#,
        );
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        let get = instance
            .get_typed_func::<u32, i32>(&mut store, "get")
            .unwrap();
        let set = instance
            .get_typed_func::<(u32, i32), ()>(&mut store, "set")
            .unwrap();
        assert!(memory.data(&store).iter().all(|&byte| byte == 0));

        memory.data_mut(&mut store)[65_535] = 7;
        assert_eq!(get.call(&mut store, 65_535).unwrap(), 7);
        set.call(&mut store, (10, 200)).unwrap();
        assert_eq!(memory.data(&store)[10], 200);
        assert!(get.call(&mut store, 65_536).is_err());

        // What the host grows, the guest sees, and the other way round.
        assert_eq!(memory.grow(&mut store, 1).unwrap(), 1);
        assert_eq!(
            call(&mut store, instance, "size", &[]).unwrap()[0].unwrap_i32(),
            2
        );
        assert_eq!(memory.data(&store)[65_535], 7);
        set.call(&mut store, (131_071, 1)).unwrap();
        assert_eq!(get.call(&mut store, 131_071).unwrap(), 1);
        assert_eq!(
            (memory.size(&store), memory.data_size(&store)),
            (2, 131_072)
        );
        assert_eq!(memory.ty(&store), MemoryType::new(2, Some(3)));

        assert!(matches!(memory.grow(&mut store, 2), Err(Error::Limit(_))));
        assert!(matches!(
            memory.grow(&mut store, u64::MAX),
            Err(Error::Limit(_))
        ));
        assert_eq!(memory.size(&store), 2);
    }
}

#[test]
fn reads_and_writes_are_checked() {
    let mut store = Store::<()>::default();
    let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
    memory.write(&mut store, 65_532, b"last").unwrap();
    let mut buffer = [0; 4];
    memory.read(&store, 65_532, &mut buffer).unwrap();
    assert_eq!(&buffer, b"last");
    for offset in [65_533, 65_536, 65_537, usize::MAX, usize::MAX - 3] {
        assert!(memory.read(&store, offset, &mut buffer).is_err());
        let error = memory.write(&mut store, offset, b"more").unwrap_err();
        assert_eq!(error.to_string(), "out of bounds memory access");
    }
    memory.read(&store, 65_536, &mut []).unwrap();
    memory.write(&mut store, 65_536, &[]).unwrap();
    assert!(memory.write(&mut store, 65_537, &[]).is_err());
    assert_eq!(&buffer, b"last");
}

#[test]
fn bytes_and_data_at_once() {
    let mut store = Store::new(&Default::default(), vec![1u8]);
    let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
    let (bytes, data) = memory.data_and_store_mut(&mut store);
    bytes[0] = data[0];
    data.push(bytes[1]);
    assert_eq!(
        (memory.data(&store)[0], &store.data()[..]),
        (1, &[1, 0][..])
    );
}

#[test]
fn types_that_cannot_be() {
    let mut store = Store::<()>::default();
    store
        .limits(Limits::default().memory_bytes(1 << 20))
        .unwrap();
    let page = MemoryType::new(1, None);
    for ty in [
        MemoryType::new(2, Some(1)),
        page.shared(),
        page.page_size_log2(3),
        page.page_size_log2(70),
        MemoryType::new(17, None),
        MemoryType::new(u64::MAX, None),
        MemoryType::new(u64::MAX, None).memory64(),
        MemoryType::new(65_537, None),
    ] {
        let error = Memory::new(&mut store, ty).unwrap_err();
        assert!(
            matches!(error, Error::Type(_) | Error::Limit(_)),
            "{ty:?}: {error:?}"
        );
    }
    let bytes = MemoryType::new(5, Some(10)).page_size_log2(0);
    let memory = Memory::new(&mut store, bytes).unwrap();
    assert_eq!((memory.data_size(&store), memory.size(&store)), (5, 5));
}

#[test]
fn empty_memories_exist() {
    for config in configs() {
        let (mut store, instance) = instance_with(
            &config,
            r#"(module (memory (export "memory") 0)
                (func (export "get") (param i32) (result i32) (i32.load8_u (local.get 0))))"#,
        );
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        assert!(memory.data(&store).is_empty());
        assert!(call(&mut store, instance, "get", &[Val::I32(0)]).is_err());
        memory.grow(&mut store, 1).unwrap();
        assert!(call(&mut store, instance, "get", &[Val::I32(0)]).is_ok());
    }
}

/// Copies and fills of constant and of variable lengths, at the beginning, at
/// the end, over each other, and beyond the end: then nothing is written.
#[test]
fn bulk_instructions_write_all_or_nothing() {
    const PAGE: usize = 65_536;
    const LENGTHS: [usize; 15] = [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 32, 33, 64, 65];
    let functions = |index: &str| -> String {
        let of_length = |len: usize| {
            format!(
                r#"(func (export "copy{len}") (param {index} {index} {index})
                    (memory.copy (local.get 0) (local.get 1) ({index}.const {len})))
                (func (export "fill{len}") (param {index} i32 {index})
                    (memory.fill (local.get 0) (local.get 1) ({index}.const {len})))"#
            )
        };
        let constant: String = LENGTHS.map(of_length).concat();
        format!(
            r#"(module (memory (export "memory") {index} 1) {constant}
                (func (export "copy") (param {index} {index} {index})
                    (memory.copy (local.get 0) (local.get 1) (local.get 2)))
                (func (export "fill") (param {index} i32 {index})
                    (memory.fill (local.get 0) (local.get 1) (local.get 2))))"#
        )
    };
    let pattern: Vec<u8> = (0..PAGE).map(|at| (at % 251) as u8).collect();
    for (config, index) in configs().iter().flat_map(|c| [(c, "i32"), (c, "i64")]) {
        let (mut store, instance) = instance_with(config, &functions(index));
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        let number = |value: usize| match index {
            "i32" => Val::I32(value as i32),
            _ => Val::I64(value as i64),
        };
        for len in LENGTHS {
            let places = [0, 1, 40, 41, PAGE - len, PAGE - len + 1, PAGE, PAGE + 1];
            for (dst, src) in places.iter().flat_map(|&a| places.map(|b| (a, b))) {
                for name in [format!("copy{len}"), "copy".into()] {
                    let mut expected = pattern.clone();
                    memory.data_mut(&mut store).copy_from_slice(&expected);
                    let fits = dst.max(src) + len <= PAGE;
                    let params = [number(dst), number(src), number(len)];
                    let outcome = call(&mut store, instance, &name, &params);
                    assert_eq!(outcome.is_ok(), fits, "{name} {dst} {src} {len} {config:?}");
                    if fits {
                        expected.copy_within(src..src + len, dst);
                    }
                    assert!(
                        memory.data(&store) == expected,
                        "{name} {dst} {src} {len} {config:?}"
                    );
                }
            }
            for (dst, name) in places
                .iter()
                .flat_map(|&dst| [format!("fill{len}"), "fill".into()].map(|name| (dst, name)))
            {
                let mut expected = vec![1; PAGE];
                memory.data_mut(&mut store).fill(1);
                let params = [number(dst), Val::I32(0x7ab), number(len)];
                let outcome = call(&mut store, instance, &name, &params);
                assert_eq!(outcome.is_ok(), dst + len <= PAGE, "{name} {dst} {len}");
                if dst + len <= PAGE {
                    expected[dst..dst + len].fill(0xab);
                }
                assert!(memory.data(&store) == expected, "{name} {dst} {len}");
            }
        }
    }
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
