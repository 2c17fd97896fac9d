//! The way from the host into a function, outermost or nested.

use crate::layout::{FuncRef, Status, StoreCtx};
use crate::store::Store;
use crate::sys::{signals, stack};
use crate::trap::Trap;
use crate::tunables::{DEFAULT_NATIVE_STACK, NATIVE_STACK_RESERVE};
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
    // SAFETY: the store and the function are live by contract; a cell's array
    // entry takes these arguments, with a null caller for the host.
    unsafe {
        let Some(entered) = Entered::new(store) else {
            return Store::raise(store.cast(), Trap::StackOverflow);
        };
        let (cell, instance) = ((*func).cell, (*func).instance);
        let status = (*cell).array_entry()(instance, ptr::null_mut(), cell, slots);
        drop(entered);
        status
    }
}

/// The thread is inside a call into a store. Dropping it, on return as well as
/// if a host function panics, restores what was before.
struct Entered {
    store: *mut Store,
    active_before: *mut Store,
    stack_top: *mut u64,
    native_stack_limit: usize,
}

impl Entered {
    /// Enters, unless the native stack is used up.
    ///
    /// # Safety
    /// `store` is live and stays so until this is dropped, on this thread.
    unsafe fn new(store: *mut Store) -> Option<Self> {
        // SAFETY: the context is the store's first field.
        let ctx = unsafe { &mut *store.cast::<StoreCtx>() };
        let here = stack::pointer();
        let outer_limit = ctx.native_stack_limit;
        let limit = native_stack_limit(here, outer_limit);
        if here <= limit {
            return None;
        }
        ctx.native_stack_limit = limit;
        let active_before = signals::activate(store);
        let stack_top = ctx.stack_top;
        Some(Entered {
            store,
            active_before,
            stack_top,
            native_stack_limit: outer_limit,
        })
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        // SAFETY: the store is live, by the contract of `new`.
        let ctx = unsafe { &mut *self.store.cast::<StoreCtx>() };
        ctx.stack_top = self.stack_top;
        ctx.native_stack_limit = self.native_stack_limit;
        signals::activate(self.active_before);
    }
}

/// The address below which a guest called from `here` gets no native frame.
///
/// All calls that are nested in one store on one stack share the limit of the
/// outermost, `outer`: else recursion through the host would never end. It is 0
/// where there is none.
fn native_stack_limit(here: usize, outer: usize) -> usize {
    match stack::bounds().filter(|bounds| bounds.contains(&here)) {
        Some(bounds) if bounds.contains(&outer) => outer,
        // Outermost, or the embedder went on to another thread in between.
        Some(bounds) => here
            .saturating_sub(DEFAULT_NATIVE_STACK)
            .max(bounds.start.saturating_add(NATIVE_STACK_RESERVE)),
        // A stack of the embedder's making (a fiber): where it ends is unknown.
        None if outer != 0 => outer,
        None => here.saturating_sub(NATIVE_STACK_RESERVE / 2),
    }
}
