//! The way from the host into a function, outermost or nested.

use crate::code::CodeCell;
use crate::layout::{ArrayEntry, FuncRef, Status, StoreCtx, TailCall};
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
    // SAFETY: the store and the function are live by contract. A cell's array entry
    // takes these arguments, with a null caller for the host, and never unwinds:
    // `extern "C"` forbids it.
    unsafe {
        enter(store, |ctx| {
            let cell = (*func).cell;
            let status = (*cell).array_entry()((*func).instance, ptr::null_mut(), cell, slots);
            finish_tail_calls(ctx, status, cell, slots)
        })
    }
}

/// How a call of a guest that may be suspended has come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It has ended, as by [`call`].
    Ended(Status),
    /// It waits ([`Store::suspension`]) and can go on by [`resume`].
    Suspended,
}

/// As [`call`], for a function without parameters and results, in the interpreter
/// alone: so a host function that it calls can suspend it.
///
/// # Safety
/// As for [`call`]; nothing runs in the store and nothing is suspended there.
/// `interpreter` is the array entry of interpreted functions.
pub unsafe fn start(store: *mut Store, func: *const FuncRef, interpreter: ArrayEntry) -> Progress {
    let ctx: *mut StoreCtx = store.cast();
    let slots = [0; 0].as_mut_ptr();
    // SAFETY: as the caller promises; a function of the host has no body to be
    // interpreted, and one of a module has.
    unsafe {
        if (*(*func).cell).module.is_null() {
            return Progress::Ended(call(store, func, slots));
        }
        (*ctx).interpreted = true;
        let status = enter(store, |_| {
            interpreter((*func).instance, ptr::null_mut(), (*func).cell, slots)
        });
        (*ctx).interpreted = false;
        match (*store).hold_suspended() {
            true => Progress::Suspended,
            false => Progress::Ended(status),
        }
    }
}

/// How a tier goes on: by calling the function of the cell once more, whose frame
/// is the newest of those on the value stack and has the arguments in it.
pub type Resume =
    unsafe extern "C" fn(ctx: *mut StoreCtx, frame: *mut u64, callee: *const CodeCell) -> Status;

/// Goes on with the guest that is suspended in the store, if one is, until its call
/// ends.
///
/// # Safety
/// The store is live, nothing runs in it, and no reference into it is live.
/// `resume` is of the interpreter.
pub unsafe fn resume(store: *mut Store, resume: Resume) -> Option<Status> {
    // SAFETY: as the caller promises; the frames are as they were left, since all
    // else has happened above them.
    unsafe {
        let suspension = (*store).release_suspended()?;
        let frame = (*store).ctx.stack_base.add(suspension.frame());
        Some(enter(store, |ctx| {
            let status = resume(ctx, frame, suspension.callee());
            if status != Status::TailCall {
                return status;
            }
            tail_calls(ctx, 0, [0; 0].as_mut_ptr())
        }))
    }
}

/// Bytes of native stack that are cleared below the outermost entry.
const CLEARED: usize = 2048;

/// Overwrites what earlier calls have left where the first frames of the next one
/// will lie. The collector takes all of its frames for references, and not every
/// word of a frame is written to: an old one may be the head of a list that fills
/// the heap.
#[inline(never)]
fn clear_native_stack() {
    std::hint::black_box(&mut [0_u64; CLEARED / size_of::<u64>()]);
}

/// Has `run` enter a guest.
///
/// # Safety
/// The store is live, and no reference into it is. `run` does not unwind.
#[inline(always)]
unsafe fn enter(store: *mut Store, run: impl FnOnce(*mut StoreCtx) -> Status) -> Status {
    let ctx: *mut StoreCtx = store.cast();
    let here = stack::pointer();
    // SAFETY: as the caller promises; the context is the store's first field. What
    // is changed here is always restored.
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
            if !(*ctx).gc.base.is_null() {
                clear_native_stack();
            }
        }
        let outer_store = signals::activate(store);
        let status = run(ctx);
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
