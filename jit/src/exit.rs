//! What adapters call when a segment, or a call that leaves one, does not end
//! well.

use crate::trap_code::trap_code;
use cranelift_codegen::ir::TrapCode;
use rwasm_runtime::backtrace::complete_trap;
use rwasm_runtime::code::CodeCell;
use rwasm_runtime::entry::finish_tail_calls;
use rwasm_runtime::layout::{Status, StoreCtx};
use rwasm_runtime::store::Store;
use rwasm_runtime::trap::Trap;

/// Marks an instruction that is never reached.
pub(crate) const NEVER: TrapCode = trap_code(Trap::Unreachable);

/// There is no native stack left for a segment.
///
/// # Safety
/// `store` is live, and nothing refers into it.
pub(crate) unsafe extern "C" fn refuse_segment(store: *mut StoreCtx) -> Status {
    // SAFETY: as the caller promises.
    unsafe { Store::raise(store, Trap::StackOverflow) }
}

/// The newest segment has ended with `status`, and is about to be taken off.
///
/// # Safety
/// `store` is live, and nothing refers into it.
pub(crate) unsafe extern "C" fn segment_failed(store: *mut StoreCtx, status: Status) {
    if status == Status::Trap {
        // SAFETY: as the caller promises; the segment has left at its exit.
        unsafe { complete_trap(store) }
    }
}

/// An array entry has returned another status than [`Status::Ok`].
///
/// # Safety
/// As for [`finish_tail_calls`].
pub(crate) unsafe extern "C" fn finish_call(
    store: *mut StoreCtx,
    status: Status,
    cell: *const CodeCell,
    slots: *mut u64,
) -> Status {
    // SAFETY: as the caller promises.
    unsafe { finish_tail_calls(store, status, cell, slots) }
}
