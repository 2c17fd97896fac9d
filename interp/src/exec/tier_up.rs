//! Counting calls and iterations, and handing a running frame over to machine
//! code at the head of a loop.
//!
//! ```text
//!  count call   [handler] [cell]
//!  count loop   [handler] [cell] [byte offset of the loop:32 _]
//! ```
//! At the head of a loop all operands are in the slots of the frame, and so are
//! all locals, pinned ones included: machine code needs to know nothing else.
//! It reads them once; from then on the frame is its array, where it leaves the
//! results of the function, and what stands above belongs to whom it calls.

use super::call::{EXIT, leave_frame, leave_to_caller, return_from_array};
use super::exception::unwind;
use super::regs::{Handler, Ip, Outcome, dispatch, handler, header, tail};
use rwasm_runtime::code::CodeCell;
use rwasm_runtime::entry::finish_tail_calls;
use rwasm_runtime::layout::Status;
use std::ptr;
use std::sync::atomic::Ordering;

/// Takes one from the budget of the cell that the instruction names, and goes
/// on at `$hot` if nothing is left.
macro_rules! count {
    ($r:ident, $hot:ident) => {{
        let budget = &(*($r.ip.u64(8) as *const CodeCell)).budget;
        // Not one atomic step: a lost count is nothing, a locked instruction is.
        let left = budget.load(Ordering::Relaxed).wrapping_sub(1);
        budget.store(left, Ordering::Relaxed);
        if left < 0 {
            tail!($hot, $r)
        }
    }};
}

handler! {
    fn count_call<>(r) {
        let calls = &(*(r.ip.u64(8) as *const CodeCell)).calls;
        calls.store(calls.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        count!(r, hot_call);
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

handler! {
    fn count_loop<>(r) {
        count!(r, hot_loop);
        r.ip = r.ip.next(24);
        dispatch!(r)
    }
}

handler! {
    #[cold]
    fn hot_call<>(r) {
        let cell = &*(r.ip.u64(8) as *const CodeCell);
        let code = &*cell.module;
        code.tier_up().function_is_hot(code, cell);
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

handler! {
    #[cold]
    fn hot_loop<>(r) {
        let cell = &*(r.ip.u64(8) as *const CodeCell);
        let code = &*cell.module;
        let heir = code.tier_up().loop_is_hot(code, cell, r.ip.u32(16));
        if heir.is_null() || (*r.store()).interpreted {
            r.ip = r.ip.next(24);
            dispatch!(r)
        }
        r.acc = heir as u64;
        tail!(hand_over, r)
    }
}

handler! {
    /// Has the cell in the accumulator finish the current frame's function; then
    /// returns from that frame.
    #[cold]
    fn hand_over<>(r) {
        let heir = &*(r.acc as *const CodeCell);
        let (caller, return_to) = (r.header(header::CALLER), r.header(header::RETURN));
        let store = r.store();
        leave_to_caller(&r);
        let outer_top = (*store).stack_top;
        (*store).stack_top = r.fp.add(usize::from(heir.result_slots));
        let status = heir.array_entry()(r.vmctx(), ptr::null_mut(), heir, r.fp);
        if status == Status::TailCall && return_to == EXIT.ip() as u64 {
            // The segment ends first: see `call_array`.
            (*store).stack_top = outer_top;
            return status as Outcome;
        }
        let status = finish_tail_calls(store, status, heir, r.fp);
        (*store).stack_top = outer_top;
        return_from_array!(r, status, heir, caller, return_to)
    }
}

/// The handler that counts a call.
pub(crate) fn count_call_handler() -> Handler {
    count_call
}

/// The handler that counts an iteration of a loop.
pub(crate) fn count_loop_handler() -> Handler {
    count_loop
}
