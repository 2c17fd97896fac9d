//! Memories: growth, limits and failure, guarded and checked.

use crate::child::{assert_success, in_child};
use crate::fixture::{ENTRIES, Fixture};
use rwasm_parser::MemoryType;
use rwasm_runtime::limits::{LimitError, LimitKind, Limits, ResourceError};
use rwasm_runtime::memory::guarded_memories_available;
use rwasm_runtime::memory::{Memory, can_be_guarded};
use rwasm_runtime::store::OwnedStore;
use rwasm_runtime::trap::Trap;
use rwasm_runtime::tunables::{MEMORY_GUARD, MEMORY_RESERVATION};

const PAGE: u64 = 1 << 16;

fn ty(min: u64, max: Option<u64>) -> MemoryType {
    MemoryType {
        index64: false,
        shared: false,
        min,
        max,
        page_size_log2: 16,
    }
}

/// Types of every kind of memory, and whether to guard them.
fn kinds(min: u64, max: u64) -> Vec<(MemoryType, bool)> {
    let ty = ty(min, Some(max));
    let bytes = MemoryType {
        page_size_log2: 0,
        min: min * PAGE,
        max: Some(max * PAGE),
        ..ty
    };
    let mut kinds = vec![
        (ty, false),
        (
            MemoryType {
                index64: true,
                ..ty
            },
            false,
        ),
        (MemoryType { shared: true, ..ty }, false),
        (bytes, false),
        (
            MemoryType {
                index64: true,
                ..ty
            },
            true,
        ),
    ];
    if guarded_memories_available() {
        kinds.extend([(ty, true), (MemoryType { shared: true, ..ty }, true)]);
    }
    kinds
}

fn limit(error: ResourceError) -> LimitError {
    match error {
        ResourceError::Limit(error) => error,
        other => panic!("{other}"),
    }
}

fn byte(memory: &Memory, at: u64) -> *mut u8 {
    memory.range(at, 1).unwrap()
}

#[test]
fn all_kinds_grow_with_zeros_and_keep_their_bytes() {
    for (ty, guarded) in kinds(1, 100) {
        let mut memory = Memory::new(ty, &Limits::default(), guarded).unwrap();
        assert_eq!(memory.is_guarded(), guarded && can_be_guarded(&ty));
        let scale = PAGE / ty.page_size();
        let base = memory.def.base;
        // SAFETY: `range` checked that the bytes are there.
        unsafe {
            assert_eq!(*byte(&memory, PAGE - 1), 0);
            *byte(&memory, PAGE - 1) = 7;
            assert_eq!(memory.grow(0, &Limits::default()).unwrap(), scale);
            for pages in 1..100 {
                assert_eq!(
                    memory.grow(scale, &Limits::default()).unwrap(),
                    pages * scale
                );
                assert_eq!(*byte(&memory, pages * PAGE - 1), 7);
                assert_eq!(*byte(&memory, pages * PAGE), 0);
                *byte(&memory, (pages + 1) * PAGE - 1) = 7;
            }
        }
        assert_eq!(memory.size(), 100 * scale);
        assert_eq!(memory.byte_len() as u64, 100 * PAGE);
        if memory.is_guarded() || ty.shared {
            assert_eq!(memory.def.base, base);
        }
        let error = limit(memory.grow(1, &Limits::default()).unwrap_err());
        assert_eq!(error.limit, LimitKind::DeclaredMemoryPages);
        assert_eq!((error.value, error.asked), (100 * scale, 100 * scale + 1));
        assert_eq!(memory.size(), 100 * scale);
        assert_eq!(memory.ty().min, 100 * scale);
    }
}

#[test]
fn growth_stops_at_the_stores_limit() {
    let limits = Limits::default().memory_bytes(3 * PAGE + 1);
    for (ty, guarded) in kinds(2, 100) {
        let mut memory = Memory::new(ty, &limits, guarded).unwrap();
        let scale = PAGE / ty.page_size();
        memory.grow(scale, &limits).unwrap();
        let error = limit(memory.grow(scale, &limits).unwrap_err());
        assert_eq!(error.limit, LimitKind::MemoryBytes);
        assert_eq!((error.value, error.asked), (3 * PAGE + 1, 4 * PAGE));
        assert_eq!(memory.size(), 3 * scale);
    }
    let error = limit(Memory::new(ty(4, None), &limits, false).unwrap_err());
    assert_eq!(
        error.to_string(),
        "the limit of 196609 bytes of a memory is exceeded: 262144 asked for"
    );
}

#[test]
fn absurd_sizes_are_refused() {
    for (ty, guarded) in kinds(1, 1 << 16) {
        let ty = MemoryType {
            max: ty.shared.then_some(1 << 16),
            ..ty
        };
        let mut memory = Memory::new(ty, &Limits::default(), guarded).unwrap();
        let unlimited = Limits::default().memory_bytes(u64::MAX);
        for delta in [
            u64::MAX,
            u64::MAX - 1,
            1 << 63,
            1 << 48,
            (1 << 48) - 1,
            1 << 47,
            1 << 32,
        ] {
            for limits in [Limits::default(), unlimited] {
                if ty.page_size_log2 == 0 && delta == 1 << 32 {
                    continue;
                }
                assert!(memory.grow(delta, &limits).is_err(), "{ty:?} {delta}");
            }
        }
        assert_eq!(memory.byte_len() as u64, ty.min * ty.page_size());
    }
    let whole = MemoryType {
        index64: true,
        min: 1 << 48,
        ..ty(0, None)
    };
    let unlimited = Limits::default().memory_bytes(u64::MAX);
    assert!(Memory::new(whole, &unlimited, false).is_err());
    let most = MemoryType {
        min: (1 << 47) - 1,
        ..whole
    };
    assert!(matches!(
        Memory::new(most, &unlimited, false),
        Err(ResourceError::System { .. } | ResourceError::Limit(_))
    ));
}

#[test]
fn a_32_bit_memory_has_at_most_4_gib() {
    let limits = Limits::default().memory_bytes(u64::MAX);
    let mut memory = Memory::new(ty(0, None), &limits, guarded_memories_available()).unwrap();
    assert_eq!(memory.grow(1 << 16, &limits).unwrap(), 0);
    assert_eq!(memory.size(), 1 << 16);
    assert!(memory.grow(1, &limits).is_err());
    // The last byte is there.
    assert!(memory.range((1 << 32) - 1, 1).is_ok());
}

#[test]
fn ranges_are_checked_without_overflow() {
    for (ty, guarded) in kinds(1, 2) {
        let memory = Memory::new(ty, &Limits::default(), guarded).unwrap();
        for (at, len, inside) in [
            (0, 0, true),
            (0, PAGE, true),
            (PAGE, 0, true),
            (PAGE - 1, 1, true),
            (PAGE, 1, false),
            (PAGE + 1, 0, false),
            (u32::MAX.into(), 1, false),
            (1 << 32, u64::MAX - (1 << 32) + 1, false),
            (u64::MAX, 1, false),
            (1, u64::MAX, false),
            (u64::MAX, u64::MAX, false),
        ] {
            let range = memory.range(at, len);
            assert_eq!(range.is_ok(), inside, "{at} {len}");
            assert!(inside || range == Err(Trap::MemoryOutOfBounds));
        }
    }
}

#[test]
fn guarded_memories_cover_all_that_an_index_reaches() {
    if !guarded_memories_available() {
        return;
    }
    let memory = Memory::new(ty(1, Some(1)), &Limits::default(), true).unwrap();
    let addresses = memory.addresses();
    assert_eq!(addresses.start, memory.def.base.addr());
    assert!(addresses.len() >= MEMORY_RESERVATION + MEMORY_GUARD);
}

#[test]
fn only_types_with_plain_indices_and_pages_are_guarded() {
    let plain = ty(1, None);
    for (ty, expected) in [
        (plain, true),
        (
            MemoryType {
                shared: true,
                max: Some(1),
                ..plain
            },
            true,
        ),
        (
            MemoryType {
                index64: true,
                ..plain
            },
            false,
        ),
        (
            MemoryType {
                page_size_log2: 0,
                ..plain
            },
            false,
        ),
    ] {
        assert_eq!(can_be_guarded(&ty), expected, "{ty:?}");
    }
}

#[test]
fn a_store_has_a_limited_number_of_memories() {
    let mut fixture = Fixture::with(false, Limits::default().memories(2));
    for _ in 0..2 {
        fixture.store.new_memory(ty(1, None)).unwrap();
    }
    let error = limit(fixture.store.new_memory(ty(1, None)).unwrap_err());
    assert_eq!(
        error,
        LimitError {
            limit: LimitKind::Memories,
            value: 2,
            asked: 3
        }
    );
}

/// Under `ulimit -v` there is no room for a reservation, but for memories.
#[test]
fn without_address_space_memories_are_checked() {
    let status = in_child(
        "memories::without_address_space_memories_are_checked",
        "ulimit -v 2000000",
        || {
            assert!(!guarded_memories_available());
            let limits = Limits::default();
            assert!(matches!(
                Memory::new(ty(1, None), &limits, true),
                Err(ResourceError::System { .. })
            ));
            let mut memory = Memory::new(ty(1, None), &limits, false).unwrap();
            // More than the limit: an error, and the memory is as it was.
            let error = memory.grow((3 << 30) / PAGE, &limits).unwrap_err();
            assert!(matches!(error, ResourceError::System { .. }), "{error}");
            assert_eq!(memory.size(), 1);
            // Half of it is possible, although the mapping cannot grow by half.
            memory.grow((1 << 30) / PAGE, &limits).unwrap();
            memory.grow((1 << 28) / PAGE, &limits).unwrap();
            let Fixture {
                registry, settings, ..
            } = Fixture::new();
            let limits = limits.stack_bytes(3 << 30);
            let store = OwnedStore::new(registry, limits, settings, ENTRIES);
            assert!(matches!(store, Err(ResourceError::System { .. })));
        },
    );
    assert_success(status);
}
