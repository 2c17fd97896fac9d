//! What adapters call when a segment, or a call that leaves one, does not end
//! well.

use crate::arch;
use crate::trap_code::trap_code;
use crate::unwind;
use cranelift_codegen::ir::TrapCode;
use rwasm_runtime::backtrace::{complete_exception, complete_trap};
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

/// Where the signal handler goes on after a trap of machine code.
///
/// # Safety
/// As for [`leave`].
pub(crate) unsafe extern "C" fn trapped(store: *mut StoreCtx) -> ! {
    // SAFETY: as the caller promises.
    unsafe { leave(store, Status::Trap) }
}

/// Leaves the newest segment with `status`, unless that is an exception which one
/// of its frames catches. The frames are still there, so that a trap gets its
/// backtrace here: where the segment resumes they are lost.
///
/// # Safety
/// `store` is live and nothing refers into it. Its newest segment is of machine
/// code and has noted its newest frame; between that and here are only frames
/// that need no clean-up.
pub(crate) unsafe extern "C" fn leave(store: *mut StoreCtx, status: Status) -> ! {
    // SAFETY: as the caller promises.
    unsafe {
        match status {
            Status::Trap => complete_trap(store),
            Status::Exception => {
                if let Some(landing) = unwind::catch(store) {
                    arch::land(landing.pc, landing.sp, landing.fp, landing.exception);
                }
                complete_exception(store);
            }
            _ => {}
        }
        arch::leave_segment(store, status)
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
