//! The edges of the interpreter: its entries in code cells, the entry by the
//! array call shape, and the hook of the signal handler.

use crate::arch;
use crate::backtrace;
use crate::exec::call::{CALL_ARRAY, EXIT, LOWER};
use crate::exec::regs::{Ip, Regs, header, run};
use rwasm_runtime::backtrace::{complete_exception, complete_trap};
use rwasm_runtime::code::{CodeCell, Entries};
use rwasm_runtime::layout::{ArrayEntry, Segment, SegmentKind, Status, StoreCtx, VmCtx};
use rwasm_runtime::store::Store;
use rwasm_runtime::sys::{signals, stack};
use rwasm_runtime::trap::Trap;
use rwasm_runtime::tunables::FRAME_HEADER_SLOTS;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

/// The entries of a WebAssembly function's cell before it has any code: it is
/// lowered when it is first called.
pub static ENTRIES: Entries = Entries {
    interp: LOWER.ip(),
    array: enter_array,
    native: ptr::null(),
};

/// The entries of a function that has nothing but an array entry: one of the
/// host.
pub fn host_entries(array: ArrayEntry) -> Entries {
    Entries {
        interp: CALL_ARRAY.ip(),
        array,
        native: ptr::null(),
    }
}

/// Prepares the process for interpreted code; once is enough, more often does
/// no harm. Call it before the first call.
///
/// Returns whether faults of memory accesses become traps. Where they do not,
/// memories must not be guarded.
pub fn init() -> bool {
    static FAULTS_ARE_TRAPS: OnceLock<bool> = OnceLock::new();
    *FAULTS_ARE_TRAPS.get_or_init(|| {
        rwasm_runtime::backtrace::register(SegmentKind::Interpreter, backtrace::walk);
        let registered = signals::register(|pc| {
            let trap = Trap::MemoryOutOfBounds;
            arch::is_trap_site(pc).then_some(signals::TrapSite {
                trap,
                landing: None,
            })
        });
        registered.is_ok() && signals::guarded_memories_supported()
    })
}

/// Runs an interpreted function as a segment of its own: arguments are copied
/// from `slots` to the value stack, results back.
///
/// # Safety
/// As for every [`ArrayEntry`]: `callee` is a live instance, `cell` belongs to
/// its module, `slots` holds the arguments and has room for the results.
unsafe extern "C" fn enter_array(
    callee: *mut VmCtx,
    _caller: *mut VmCtx,
    cell: *const CodeCell,
    slots: *mut u64,
) -> Status {
    // SAFETY: the contract above. The frame begins above all others
    // (`stack_top`) and below the limit, so that it is free and mapped; its
    // header makes it return to `EXIT`, which ends the chain. A header without
    // a frame stands for its caller: a host function that is tail-called from
    // the first frame takes its caller's instance from there.
    unsafe {
        let store = (*callee).store;
        let cell = &*cell;
        let base = (*store).stack_top.add(FRAME_HEADER_SLOTS);
        let fp = base.add(FRAME_HEADER_SLOTS);
        if fp >= (*store).stack_limit || stack::pointer() < (*store).native_stack_limit {
            Store::raise(store, Trap::StackOverflow);
            return Status::Trap;
        }
        copy_slots(slots, fp, cell.param_slots);
        *fp.offset(header::MEMORY) = (*callee).memory0_base as u64;
        *fp.offset(header::CALLER) = base as u64;
        *fp.offset(header::RETURN) = EXIT.ip() as u64;
        *fp.offset(header::VMCTX) = callee as u64;
        *base.offset(header::VMCTX) = callee as u64;
        let status = run_segment(store, cell.interp_entry.load(Ordering::Acquire), fp, cell);
        if status == Status::Ok {
            let results = fp.offset(header::RESULT);
            copy_slots(results, slots, cell.result_slots);
        }
        status
    }
}

/// Goes on with a suspended guest, as [`entry::resume`] wants it: its frames are a
/// segment again, whose newest is one that was begun for a function of the host.
///
/// # Safety
/// As for every [`entry::Resume`]: the frames on the store's value stack are as they
/// were left, and `frame` is the newest, that of the function of `callee`.
///
/// [`entry::resume`]: rwasm_runtime::entry::resume
/// [`entry::Resume`]: rwasm_runtime::entry::Resume
pub unsafe extern "C" fn resume(
    store: *mut StoreCtx,
    frame: *mut u64,
    callee: *const CodeCell,
) -> Status {
    // SAFETY: the contract above; the frame's header returns to its caller, whose
    // registers the return loads from its frame.
    unsafe { run_segment(store, CALL_ARRAY.ip(), frame, callee) }
}

/// Runs the chain from the instruction `ip` in the frame `fp` as a segment of its
/// own, with a cell in the accumulator.
///
/// # Safety
/// The store is live; the contract of all handlers holds for these registers, and
/// the oldest frame below `fp` returns to `EXIT`.
#[inline(always)]
unsafe fn run_segment(
    store: *mut StoreCtx,
    ip: *const u64,
    fp: *mut u64,
    cell: *const CodeCell,
) -> Status {
    // SAFETY: the caller's contract.
    unsafe {
        let mut segment = Segment {
            previous: (*store).segment,
            resume_sp: 0,
            resume_pc: 0,
            resume_fp: 0,
            exit_fp: fp,
            exit_ip: EXIT.ip(),
            kind: SegmentKind::Interpreter,
        };
        let outer_top = (*store).stack_top;
        (*store).segment = &raw mut segment;
        let mut regs = Regs {
            ip: Ip(ip),
            fp,
            acc: cell as u64,
            p0: 0,
            p1: 0,
            p2: 0,
            fa: 0.0,
            #[cfg(any(rwasm_trampoline, debug_assertions))]
            home: ptr::null_mut(),
        };
        let status = run(&mut regs, &raw mut segment);
        match status {
            Status::Trap => complete_trap(store),
            Status::Exception => complete_exception(store),
            _ => {}
        }
        (*store).segment = segment.previous;
        (*store).stack_top = outer_top;
        status
    }
}

/// Copies a few slots, the usual one or two without a call of `memcpy`.
///
/// # Safety
/// As for [`ptr::copy_nonoverlapping`].
#[inline(always)]
unsafe fn copy_slots(from: *const u64, to: *mut u64, count: u16) {
    // SAFETY: the caller's contract.
    unsafe {
        match count {
            0 => {}
            1 => *to = *from,
            2 => *to.cast::<[u64; 2]>() = *from.cast::<[u64; 2]>(),
            _ => ptr::copy_nonoverlapping(from, to, usize::from(count)),
        }
    }
}
