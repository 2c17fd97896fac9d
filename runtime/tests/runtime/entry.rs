//! Calls from the host: what an entry sets up, and that it is undone.

use crate::fixture::{Fixture, unreachable_entry};
use rwasm_parser::FuncType;
use rwasm_runtime::code::CodeCell;
use rwasm_runtime::entry;
use rwasm_runtime::error::Pending;
use rwasm_runtime::handle::Handle;
use rwasm_runtime::host::HostFunc;
use rwasm_runtime::layout::{ArrayEntry, FuncRef, Status, StoreCtx, VmCtx};
use rwasm_runtime::limits::{Limits, ResourceError};
use rwasm_runtime::store::Store;
use rwasm_runtime::sys::stack;
use rwasm_runtime::trap::Trap;
use rwasm_runtime::tunables::{DEFAULT_MAX_STACK, MAX_FRAME_SLOTS, NATIVE_STACK_RESERVE};
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A host function without parameters that takes its argument from `slots`
/// nevertheless: the tests know what they call.
fn host(fixture: &mut Fixture, entry: ArrayEntry) -> Handle<FuncRef> {
    let ty = FuncType {
        params: [].into(),
        results: [].into(),
    };
    let id = fixture.registry.register_func_type(ty).unwrap();
    // SAFETY: the tests pass the slots that the entry wants.
    unsafe {
        fixture
            .store
            .new_host_func(id, entry, Box::new(Limits::default()))
    }
}

fn call(fixture: &Fixture, func: Handle<FuncRef>, slots: &mut [u64]) -> Status {
    // SAFETY: the function is the store's, and has its slots.
    unsafe { entry::call(fixture.store.as_ptr(), func.as_ptr(), slots.as_mut_ptr()) }
}

fn trap(fixture: &mut Fixture) -> Trap {
    match fixture.store.take_pending() {
        Some(Pending::Trap(trap, backtrace)) if backtrace.frames.is_empty() => trap,
        other => panic!("{other:?}"),
    }
}

unsafe extern "C" fn double(
    callee: *mut VmCtx,
    caller: *mut VmCtx,
    cell: *const CodeCell,
    slots: *mut u64,
) -> Status {
    // SAFETY: the callee is a host function, and the test passes one slot.
    unsafe {
        assert!(caller.is_null());
        let host = callee.cast::<HostFunc>();
        assert_eq!(&raw const (*host).cell, cell);
        assert!((*host).closure.is::<Limits>());
        *slots *= 2;
    }
    Status::Ok
}

#[test]
fn arguments_go_in_and_results_come_out() {
    let mut fixture = Fixture::new();
    let func = host(&mut fixture, double);
    let mut slots = [21];
    assert_eq!(call(&fixture, func, &mut slots), Status::Ok);
    assert_eq!(slots, [42]);
    assert!(fixture.store.take_pending().is_none());
}

#[test]
fn traps_are_pending_until_taken() {
    let mut fixture = Fixture::new();
    let func = host(&mut fixture, unreachable_entry);
    assert_eq!(call(&fixture, func, &mut []), Status::Trap);
    assert!(fixture.store.pending_mut().is_some());
    assert_eq!(trap(&mut fixture), Trap::Unreachable);
    assert!(fixture.store.take_pending().is_none());

    let instance = fixture.instance(r#"(module (func (export "f")))"#);
    let func = fixture.func(instance, "f");
    assert_eq!(call(&fixture, func, &mut []), Status::Trap);
    assert_eq!(trap(&mut fixture), Trap::Unreachable);
}

/// Changes what an entry must restore, and records what it saw.
unsafe extern "C" fn disturb(
    callee: *mut VmCtx,
    _caller: *mut VmCtx,
    _cell: *const CodeCell,
    slots: *mut u64,
) -> Status {
    // SAFETY: the block is live, and the test passes two slots.
    unsafe {
        let ctx = (*callee).store;
        *slots = (*ctx).native_stack_limit as u64;
        *slots.add(1) = stack::pointer() as u64;
        (*ctx).stack_top = (*ctx).stack_top.add(100);
        (*ctx).native_stack_limit = 1;
    }
    Status::Ok
}

#[test]
fn stack_bounds_are_set_and_restored() {
    let check = || {
        let mut fixture = Fixture::new();
        let func = host(&mut fixture, disturb);
        let before = (
            fixture.store.ctx.stack_top,
            fixture.store.ctx.native_stack_limit,
        );
        let mut slots = [0; 2];
        assert_eq!(call(&fixture, func, &mut slots), Status::Ok);
        let after = (
            fixture.store.ctx.stack_top,
            fixture.store.ctx.native_stack_limit,
        );
        assert_eq!(before, after);
        (slots[0] as usize, slots[1] as usize)
    };
    for size in [256 << 10, 8 << 20] {
        let thread = std::thread::Builder::new().stack_size(size);
        let thread = thread.spawn(move || (check(), stack::bounds())).unwrap();
        let ((limit, pointer), bounds) = thread.join().unwrap();
        assert!(limit < pointer && pointer - limit <= DEFAULT_MAX_STACK);
        if let Some(bounds) = bounds {
            assert!(limit >= bounds.start + NATIVE_STACK_RESERVE);
        }
    }
}

static DEPTH: AtomicUsize = AtomicUsize::new(0);

/// Calls itself through the host for ever.
unsafe extern "C" fn recurse(
    callee: *mut VmCtx,
    _caller: *mut VmCtx,
    _cell: *const CodeCell,
    slots: *mut u64,
) -> Status {
    DEPTH.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the store and the function are live.
    unsafe {
        let store = (*callee).store.cast::<Store>();
        entry::call(
            store,
            &raw const (*callee.cast::<HostFunc>()).func_ref,
            slots,
        )
    }
}

#[test]
fn recursion_through_the_host_ends() {
    for size in [200 << 10, 1 << 20, 16 << 20] {
        let thread = std::thread::Builder::new().stack_size(size);
        let thread = thread.spawn(|| {
            let mut fixture = Fixture::new();
            let func = host(&mut fixture, recurse);
            assert_eq!(call(&fixture, func, &mut []), Status::Trap);
            assert_eq!(trap(&mut fixture), Trap::StackOverflow);
            // It is as good as new.
            let func = host(&mut fixture, double);
            assert_eq!(call(&fixture, func, &mut [1]), Status::Ok);
        });
        thread.unwrap().join().unwrap();
    }
    assert!(DEPTH.load(Ordering::Relaxed) > 100);
}

/// Goes on in another thread, whose stack is somewhere else.
unsafe extern "C" fn other_thread(
    callee: *mut VmCtx,
    _caller: *mut VmCtx,
    _cell: *const CodeCell,
    slots: *mut u64,
) -> Status {
    // SAFETY: the block is live, and the test passes the other function.
    let (store, func) = unsafe { ((*callee).store.addr(), *slots as usize) };
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            let mut slots = [0; 2];
            // SAFETY: the store has no other user while this thread is awaited.
            let status = unsafe {
                let store = std::ptr::with_exposed_provenance_mut::<Store>(store);
                let func = std::ptr::with_exposed_provenance(func);
                entry::call(store, func, slots.as_mut_ptr())
            };
            let bounds = stack::bounds();
            assert!(bounds.is_none_or(|bounds| bounds.contains(&(slots[0] as usize))));
            status
        });
        thread.join().unwrap()
    })
}

#[test]
fn a_call_may_go_on_in_another_thread() {
    let mut fixture = Fixture::new();
    let outer = host(&mut fixture, other_thread);
    let inner = host(&mut fixture, disturb);
    fixture.store.as_ptr().expose_provenance();
    assert_eq!(
        call(
            &fixture,
            outer,
            &mut [inner.as_ptr().expose_provenance() as u64]
        ),
        Status::Ok
    );
}

#[test]
fn the_value_stack_has_room_beyond_its_limit() {
    let mut fixture = Fixture::with(false, Limits::default().stack_bytes(12345));
    let check = |ctx: &StoreCtx, bytes: usize| {
        assert_eq!(ctx.stack_top, ctx.stack_base);
        // SAFETY: all of this is mapped.
        unsafe {
            assert_eq!(ctx.stack_limit, ctx.stack_base.add(bytes / 8));
            ctx.stack_limit.add(MAX_FRAME_SLOTS - 1).write_volatile(1);
        }
    };
    check(&fixture.store.ctx, 12345);
    let limits = *fixture.store.limits();
    for bytes in [0, 1 << 20] {
        fixture.store.set_limits(limits.stack_bytes(bytes)).unwrap();
        check(&fixture.store.ctx, bytes);
        assert_eq!(fixture.store.limits().stack_bytes, bytes);
    }
    for bytes in [usize::MAX, usize::MAX / 2, 1 << 60] {
        let error = fixture
            .store
            .set_limits(limits.stack_bytes(bytes))
            .unwrap_err();
        assert!(matches!(error, ResourceError::System { .. }), "{error}");
        check(&fixture.store.ctx, 1 << 20);
    }
}

unsafe extern "C" fn set_limits(
    callee: *mut VmCtx,
    _caller: *mut VmCtx,
    _cell: *const CodeCell,
    _slots: *mut u64,
) -> Status {
    // SAFETY: the store is live, and nobody else uses it meanwhile.
    let store = unsafe { &mut *(*callee).store.cast::<Store>() };
    let limits = *store.limits();
    assert!(store.set_limits(limits.memories(1)).is_ok());
    let refused = store.set_limits(limits.stack_bytes(1));
    assert!(matches!(refused, Err(ResourceError::StackInUse)));
    Status::Ok
}

#[test]
fn a_running_calls_stack_is_not_replaced() {
    let mut fixture = Fixture::new();
    let func = host(&mut fixture, set_limits);
    assert_eq!(call(&fixture, func, &mut []), Status::Ok);
    assert_eq!(fixture.store.limits().memories, 1);
}

const MARK: u64 = 0x6d61_726b_6564_2121;

/// Leaves marks on the native stack.
unsafe extern "C" fn smear(
    _callee: *mut VmCtx,
    _caller: *mut VmCtx,
    _cell: *const CodeCell,
    _slots: *mut u64,
) -> Status {
    black_box(&mut [MARK; 150]);
    Status::Ok
}

/// Counts marks as the collector looks for references: in all words of the frames
/// of the guest, of which this is the newest and writes nothing to most of its own.
unsafe extern "C" fn count_marks(
    callee: *mut VmCtx,
    _caller: *mut VmCtx,
    _cell: *const CodeCell,
    slots: *mut u64,
) -> Status {
    let unwritten = MaybeUninit::<[u64; 100]>::uninit();
    let first: *const u64 = black_box(&raw const unwritten).cast();
    // SAFETY: the block is live, the test passes a slot, and up to the base is the
    // native stack.
    unsafe {
        let base = (*(*callee).store).native_stack_base;
        let count = (base - first.addr()) / size_of::<u64>();
        let marks = (0..count).filter(|&at| first.add(at).read_volatile() == MARK);
        *slots = marks.count() as u64;
    }
    Status::Ok
}

#[test]
fn a_collector_finds_nothing_of_earlier_calls() {
    let mut fixture = Fixture::new();
    fixture.instance("(module (type $object (struct)))");
    let (smear, count) = (host(&mut fixture, smear), host(&mut fixture, count_marks));
    let mut marks = [u64::MAX];
    assert_eq!(call(&fixture, smear, &mut []), Status::Ok);
    assert_eq!(call(&fixture, count, &mut marks), Status::Ok);
    assert_eq!(marks, [0]);
}
