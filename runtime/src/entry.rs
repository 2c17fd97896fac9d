//! The way from the host into a function, outermost or nested.

use crate::code::CodeCell;
use crate::layout::{FuncRef, Status, StoreCtx, TailCall};
use crate::store::Store;
use crate::sys::{signals, stack};
use crate::trap::Trap;
use crate::tunables::{LEAST_NATIVE_STACK, NATIVE_STACK_RESERVE};
use std::ops::Range;
use std::ptr;

/// Calls `func` with the arguments in `slots` and leaves the results there;
/// unless the status is [`Status::Ok`], the reason is pending in the store.
///
/// `slots` may be any buffer: a callee that needs its arguments on the value
/// stack copies them there.
///
/// # Safety
/// `store` is live, `func` belongs to it, and no reference into the store is
/// live. `slots` is valid for as many slots as the arguments and the results
/// take, and holds arguments of the function's parameter types.
#[inline]
pub unsafe fn call(store: *mut Store, func: *const FuncRef, slots: *mut u64) -> Status {
    let ctx: *mut StoreCtx = store.cast();
    let here = stack::pointer();
    // SAFETY: the store and the function are live by contract, and the context
    // is the store's first field. A cell's array entry takes these arguments,
    // with a null caller for the host, and never unwinds: `extern "C"` forbids
    // it. So what is changed here is always restored.
    unsafe {
        let (outer_limit, outer_top) = ((*ctx).native_stack_limit, (*ctx).stack_top);
        let outer_base = (*ctx).native_stack_base;
        let bounds = stack::bounds().filter(|bounds| bounds.contains(&here));
        let size = (*store).limits().stack_bytes;
        let limit = native_stack_limit(here, size, outer_limit, bounds.as_ref());
        if here <= limit {
            return Store::raise(ctx, Trap::StackOverflow);
        }
        (*ctx).native_stack_limit = limit;
        // One base for all calls that are nested on this stack, if that is known.
        if !bounds.is_some_and(|bounds| bounds.contains(&outer_base)) {
            (*ctx).native_stack_base = here;
        }
        let outer_store = signals::activate(store);
        let cell = (*func).cell;
        let status = (*cell).array_entry()((*func).instance, ptr::null_mut(), cell, slots);
        let status = finish_tail_calls(ctx, status, cell, slots);
        signals::activate(outer_store);
        (*ctx).stack_top = outer_top;
        (*ctx).native_stack_limit = outer_limit;
        (*ctx).native_stack_base = outer_base;
        status
    }
}

/// Makes the tail calls that a call of `cell` by its array entry has left to
/// its caller ([`Status::TailCall`]), until one of them returns.
///
/// Every caller of an array entry passes what it returned through this. So
/// functions of different tiers that tail-call each other run in segments that
/// follow each other, not in nested ones.
///
/// # Safety
/// `cell` was just called by its array entry, with `slots`, in the live store
/// of `ctx`, and returned `status`; no reference into the store is live.
#[inline(always)]
pub unsafe fn finish_tail_calls(
    ctx: *mut StoreCtx,
    status: Status,
    cell: *const CodeCell,
    slots: *mut u64,
) -> Status {
    if status != Status::TailCall {
        return status;
    }
    // SAFETY: as the caller promises.
    unsafe { tail_calls(ctx, (*cell).result_slots, slots) }
}

/// # Safety
/// As for [`finish_tail_calls`].
#[cold]
unsafe fn tail_calls(ctx: *mut StoreCtx, result_slots: u16, slots: *mut u64) -> Status {
    // SAFETY: a pending tail call names a live function and its arguments, on
    // the value stack. They go to the top of the stack, below or where they
    // are; behind its limit are always as many slots as they may take. The
    // results of a tail call are those of the call that it ends.
    unsafe {
        let top = (*ctx).stack_top;
        let status = loop {
            let TailCall { callee, cell, args } = (*ctx).tail_call;
            let params = usize::from((*cell).param_slots);
            ptr::copy(args, top, params);
            (*ctx).stack_top = top.add(params.max((*cell).result_slots.into()));
            let status = (*cell).array_entry()(callee, ptr::null_mut(), cell, top);
            if status != Status::TailCall {
                break status;
            }
        };
        (*ctx).stack_top = top;
        if status == Status::Ok {
            ptr::copy(top, slots, result_slots.into());
        }
        status
    }
}

/// The address below which a guest called from `here`, on a stack with these
/// bounds, gets no native frame. `size` is the store's limit in bytes: frames of
/// machine code are native ones.
///
/// All calls that are nested in one store on one stack share the limit of the
/// outermost, `outer`: else recursion through the host would never end. It is 0
/// where there is none.
#[inline]
fn native_stack_limit(
    here: usize,
    size: usize,
    outer: usize,
    bounds: Option<&Range<usize>>,
) -> usize {
    match bounds {
        Some(bounds) if bounds.contains(&outer) => outer,
        // Outermost, or the embedder went on to another thread in between.
        Some(bounds) => here
            .saturating_sub(size.max(LEAST_NATIVE_STACK))
            .max(bounds.start.saturating_add(NATIVE_STACK_RESERVE)),
        // A stack of the embedder's making (a fiber): where it ends is unknown.
        None if outer != 0 => outer,
        None => here.saturating_sub(NATIVE_STACK_RESERVE / 2),
    }
}
