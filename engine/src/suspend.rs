//! Guests that are suspended in the middle of a call of the host, and go on later.

use crate::context::{AsContextMut, StoreContextMut};
use crate::error::{Error, Result};
use crate::func::TypedFunc;
use crate::store::{Store, StoreOpaque};
use rwasm_runtime::entry;
use rwasm_runtime::layout::Status;
use std::ptr::NonNull;

/// How far a guest has come that may be suspended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Its call has returned.
    Returned,
    /// It waits in a call of the host, and can go on.
    Suspended,
}

impl TypedFunc<(), ()> {
    /// Calls it, so that a host function can suspend the guest: by ending with
    /// [`Error::Suspended`].
    ///
    /// The guest's frames then stay in the store. [`Store::resume`] goes on by
    /// calling that host function once more, with the same arguments; so it must
    /// have done nothing the first time. Meanwhile the store can be used as
    /// always, and an [`InstanceSnapshot`](crate::InstanceSnapshot) be taken, so
    /// that the guest goes on in other stores, as often as one likes.
    ///
    /// All that runs here is interpreted, whatever code there is. A host function
    /// that is called by code which the host has called cannot suspend the guest:
    /// to the one between, its error is an ordinary one.
    ///
    /// ```
    /// use rwasm::{Caller, Engine, Error, Linker, Module, Progress, Store};
    ///
    /// let engine = Engine::default();
    /// let module = Module::new(&engine, r#"(module
    ///     (import "host" "question" (func $question (result i32)))
    ///     (global (export "answer") (mut i32) (i32.const 0))
    ///     (func (export "run")
    ///         (global.set 0 (i32.mul (i32.const 6) (call $question)))))"#)?;
    /// let mut linker = Linker::<Option<i32>>::new(&engine);
    /// linker.func_wrap("host", "question", |caller: Caller<'_, Option<i32>>| {
    ///     caller.data().ok_or(Error::Suspended)
    /// })?;
    ///
    /// let mut store = Store::new(&engine, None);
    /// let instance = linker.instantiate(&mut store, &module)?;
    /// let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
    /// assert_eq!(run.call_suspendable(&mut store)?, Progress::Suspended);
    ///
    /// *store.data_mut() = Some(7);
    /// store.resume()?;
    /// let answer = instance.get_global(&mut store, "answer").unwrap();
    /// assert_eq!(answer.get(&store).i32(), Some(42));
    /// # Ok::<(), rwasm::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`TypedFunc::call`]; and [`Error::NotSuspendable`] in a store where a
    /// guest runs or is suspended.
    pub fn call_suspendable(&self, mut ctx: impl AsContextMut) -> Result<Progress> {
        let mut ctx = ctx.as_context_mut();
        let func = self.func().0;
        let runtime = &ctx.opaque().runtime;
        if func.store() != runtime.id() {
            return Err(Error::StoreMismatch("a function"));
        }
        check_idle(&ctx)?;
        if runtime.suspension().is_some() {
            return Err(Error::NotSuspendable("a guest of the store is suspended"));
        }
        let opaque = ctx.opaque_ptr();
        // SAFETY: the context borrows the store exclusively, and no reference to it
        // is live. The function is this store's, without parameters and results,
        // and nothing runs or is suspended.
        unsafe {
            let runtime = (*opaque.as_ptr()).runtime.as_ptr();
            match entry::start(runtime, func.as_ptr(), rwasm_interp::ENTRIES.array) {
                entry::Progress::Suspended => Ok(Progress::Suspended),
                entry::Progress::Ended(status) => {
                    StoreOpaque::outcome(opaque, status)?;
                    Ok(Progress::Returned)
                }
            }
        }
    }
}

impl<T> Store<T> {
    /// Has the suspended guest of this store go on, until its call returns. It
    /// cannot be suspended again: [`Error::Suspended`] ends the call.
    ///
    /// # Errors
    /// As for [`TypedFunc::call`]; and [`Error::NotSuspendable`] if no guest is
    /// suspended here.
    pub fn resume(&mut self) -> Result<()> {
        let mut ctx = self.as_context_mut();
        check_idle(&ctx)?;
        let opaque: NonNull<StoreOpaque> = ctx.opaque_ptr();
        // SAFETY: the context borrows the store exclusively, no reference to it is
        // live, and nothing runs.
        unsafe {
            let runtime = (*opaque.as_ptr()).runtime.as_ptr();
            match entry::resume(runtime, rwasm_interp::resume) {
                Some(status) => StoreOpaque::outcome(opaque, status),
                None => Err(Error::NotSuspendable("no guest of the store is suspended")),
            }
        }
    }
}

/// The frames of a suspended guest begin at the bottom of the stack, and stay when
/// the call ends: so it is no nested one, not even of a host function.
fn check_idle<T>(ctx: &StoreContextMut<'_, T>) -> Result<()> {
    let idle = ctx.opaque().runtime.ctx.native_stack_limit == 0;
    let running = Error::NotSuspendable("a guest of the store is running");
    idle.then_some(()).ok_or(running)
}

impl StoreOpaque {
    /// What the end of a call means.
    ///
    /// # Safety
    /// `this` is live and borrowed exclusively by the caller, and no reference to
    /// it is live. The status is that of a call in it that has just ended.
    #[inline]
    pub(crate) unsafe fn outcome(this: NonNull<StoreOpaque>, status: Status) -> Result<()> {
        match status {
            Status::Ok => Ok(()),
            // SAFETY: as the caller promises.
            Status::Exception => Err(unsafe { (*this.as_ptr()).uncaught() }),
            // SAFETY: as the caller promises.
            _ => Err(unsafe { (*this.as_ptr()).failure() }),
        }
    }
}
