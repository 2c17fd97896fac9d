//! Host functions at the boundary: what their array entries share.
//!
//! A host function of a store is a `HostFunc` of `rwasm-runtime`, whose closure
//! is a [`HostClosure`]. Its array entry is a function of its own for each type
//! of closure, so that it knows that type, and the types of the values, without
//! looking anything up:
//!
//! ```text
//!  guest ──► entry::<F>(callee, caller, slots)
//!              │ read the arguments from the slots
//!              │ call the F behind callee        panics stop here
//!              │ write the results to the slots, or leave the error pending
//!              ▼
//!            Status
//! ```

use super::Func;
use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::exception::Exception;
use crate::slots;
use crate::store::{StoreInner, StoreOpaque};
use crate::types::FuncType;
use crate::val::Val;
use rwasm_parser::FuncType as RawFuncType;
use rwasm_runtime::code::CodeCell;
use rwasm_runtime::error::Pending;
use rwasm_runtime::exception;
use rwasm_runtime::gc::GcRef;
use rwasm_runtime::host::HostFunc;
use rwasm_runtime::layout::{ArrayEntry, Status, StoreCtx, VmCtx};
use rwasm_runtime::store::Store as RuntimeStore;
use rwasm_runtime::types::TypeId;
use std::any::Any;
use std::marker::PhantomData;
use std::panic::{self, AssertUnwindSafe};
use std::ptr::NonNull;
use std::sync::Arc;

/// A host function that no store has yet.
pub struct HostDef<T: 'static> {
    ty: FuncType,
    entry: ArrayEntry,
    func: Arc<dyn Any + Send + Sync>,
    data: PhantomData<fn(T)>,
}

impl<T> HostDef<T> {
    /// # Safety
    /// `entry` may be called for a function of a [`HostClosure<T>`] around an
    /// `F`, with arguments of type `ty`, and leaves results of that type.
    pub(super) unsafe fn new<F: Send + Sync + 'static>(
        ty: FuncType,
        entry: ArrayEntry,
        func: F,
    ) -> Self {
        HostDef {
            ty,
            entry,
            func: Arc::new(func),
            data: PhantomData,
        }
    }

    /// What tells definitions apart.
    fn address(&self) -> usize {
        Arc::as_ptr(&self.func).addr()
    }

    /// Its type. An error if that has too many parameters or results.
    pub(crate) fn type_id(&self, engine: &Engine) -> Result<TypeId> {
        self.ty.register(engine)
    }

    /// Makes it a function of a store, or finds that it is one. `ty` is its type,
    /// for who knows it already.
    ///
    /// # Safety
    /// The store is live, but for its data, and borrowed by the caller alone, and
    /// no reference to it is live.
    pub(crate) unsafe fn bind(
        &self,
        store: NonNull<StoreInner<T>>,
        ty: Option<TypeId>,
    ) -> Result<Func> {
        // SAFETY: as the caller promises.
        let opaque = unsafe { &mut (*store.as_ptr()).opaque };
        if let Some(&func) = opaque.bound.get(&self.address()) {
            return Ok(func);
        }
        let ty = match ty {
            Some(ty) => ty,
            None => self.type_id(&opaque.engine)?,
        };
        let func = Arc::as_ptr(&self.func).cast();
        let closure = HostClosure {
            store,
            func,
            _owner: self.func.clone(),
        };
        // SAFETY: the closure is what the entry expects, by the contract of
        // `new`, and entries do not unwind, by that of `run`.
        let func = unsafe {
            opaque
                .runtime
                .new_host_func(ty, self.entry, Box::new(closure))
        };
        let func = Func(func);
        opaque.bound.insert(self.address(), func);
        Ok(func)
    }
}

/// What stands behind a host function of a store: `func` is an `F`, which the
/// function's entry knows.
pub(super) struct HostClosure<T: 'static> {
    store: NonNull<StoreInner<T>>,
    func: *const (),
    /// Keeps `func` alive.
    _owner: Arc<dyn Any + Send + Sync>,
}

// SAFETY: `func` is `Send` and `Sync`, as its owner says; `store` is followed
// in calls only, which need an exclusive borrow of that store.
unsafe impl<T> Send for HostClosure<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for HostClosure<T> {}

/// A call of a host function, for its entry.
pub(super) struct HostCall<'a, T: 'static, F> {
    /// The function.
    pub(super) func: &'a F,
    /// What the function is told.
    pub(super) caller: Caller<'a, T>,
    /// The store. It is not to be borrowed while the function runs.
    pub(super) store: NonNull<StoreInner<T>>,
}

impl<T, F> HostCall<'_, T, F> {
    /// The store below.
    ///
    /// # Safety
    /// Nobody uses `caller` as long as the reference lives.
    #[inline(always)]
    pub(super) unsafe fn runtime<'a>(store: NonNull<StoreInner<T>>) -> &'a RuntimeStore {
        // SAFETY: the store is live, since one of its functions runs; and as
        // the caller promises.
        unsafe { &(*store.as_ptr()).opaque.runtime }
    }
}

/// Runs `body` for a call of a host function. Its error, or its panic, becomes
/// pending in the store. It does not unwind. If `scoped`, what it roots are no roots
/// afterwards.
///
/// # Safety
/// `callee` is a function that [`HostDef::<T>::bind`] made around an `F`;
/// `caller` is null or an instance of the same store. Who calls has borrowed
/// the store exclusively and holds no reference to it.
#[inline(always)]
pub(super) unsafe fn run<T: 'static, F>(
    callee: *mut VmCtx,
    caller: *mut VmCtx,
    scoped: bool,
    body: impl FnOnce(HostCall<'_, T, F>) -> Result<()>,
) -> Status {
    // SAFETY: the block of a host function begins a `HostFunc`, whose closure
    // is a `HostClosure<T>` around an `F`, which lives as long as the store.
    let (closure, func) = unsafe {
        let closure: *const (dyn Any + Send + Sync) =
            &raw const *(*callee.cast::<HostFunc>()).closure;
        let closure = &*closure.cast::<HostClosure<T>>();
        (closure, &*closure.func.cast::<F>())
    };
    // SAFETY: `callee` is live, so its store is.
    let ctx = unsafe { (*callee).store };
    let run = AssertUnwindSafe(|| {
        // SAFETY: the store is borrowed by who called us, for as long as this
        // runs, and lent to nobody else.
        let caller = unsafe { Caller::new(closure.store, caller) };
        match body(HostCall {
            func,
            caller,
            store: closure.store,
        }) {
            Ok(()) => Status::Ok,
            // Stored here, so that what crosses the boundary is one word.
            // SAFETY: the context is that of a live store.
            Err(error) => unsafe { fail(ctx, error) },
        }
    });
    let store = ctx.cast::<RuntimeStore>();
    // SAFETY: the context is the first field of a live store, which is borrowed
    // by nobody else at these two points.
    let scope = scoped.then(|| unsafe { (*store).begin_root_scope() });
    let outcome = panic::catch_unwind(run);
    if let Some(scope) = scope {
        // SAFETY: as above.
        unsafe { (*store).end_root_scope(scope) };
    }
    match outcome {
        Ok(status) => status,
        // SAFETY: as above.
        Err(panic) => unsafe { RuntimeStore::fail(ctx, Pending::Panic(panic)) },
    }
}

/// Leaves the reason of a failure in the store: throws an exception, and ends
/// the guest otherwise.
///
/// # Safety
/// As for [`RuntimeStore::fail`].
#[cold]
#[inline(never)]
unsafe fn fail(ctx: *mut StoreCtx, error: Error) -> Status {
    let thrown = error.exception().map(Exception::exn_ref);
    // SAFETY: as the caller promises; the context is the store's first field. A
    // reference that is good in this store is to an exception, and alive.
    unsafe {
        let slot = thrown.map(|thrown| thrown.0.slot(&*ctx.cast::<RuntimeStore>()));
        match slot.map(|slot| slot.map(GcRef::from_slot)) {
            Some(Ok(Some(object))) => exception::rethrow(ctx, object),
            Some(_) => {
                let error = Error::StoreMismatch("an exception");
                RuntimeStore::fail(ctx, error.into_pending())
            }
            None => RuntimeStore::fail(ctx, error.into_pending()),
        }
    }
}

/// A function of values, and its type.
struct Dynamic<F> {
    ty: RawFuncType<TypeId>,
    func: F,
}

impl<T> HostDef<T> {
    /// A function that gets its arguments and leaves its results as values. An
    /// error if the type is of another engine, or too large.
    pub(crate) fn dynamic<F>(engine: &Engine, ty: FuncType, func: F) -> Result<Self>
    where
        F: Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    {
        ty.register(engine)?;
        let func = Dynamic {
            ty: ty.to_raw(engine)?,
            func,
        };
        // SAFETY: the entry takes the closure for a `Dynamic<F>` and its values
        // for those of the type in there.
        Ok(unsafe { HostDef::new(ty, dynamic_entry::<T, F>, func) })
    }
}

/// The array entry of functions of values.
unsafe extern "C" fn dynamic_entry<T, F>(
    callee: *mut VmCtx,
    caller: *mut VmCtx,
    _cell: *const CodeCell,
    slots: *mut u64,
) -> Status
where
    T: 'static,
    F: Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
{
    // SAFETY: the contract of `run` and of array entries: the slots hold the
    // arguments and have room for the results.
    unsafe {
        run(callee, caller, true, |call: HostCall<'_, T, Dynamic<F>>| {
            let HostCall {
                func: Dynamic { ty, func },
                caller,
                store,
            } = call;
            let len = slots::count(&ty.params).max(slots::count(&ty.results));
            let slots = std::slice::from_raw_parts_mut(slots, len);
            let opaque: *mut StoreOpaque = &raw mut (*store.as_ptr()).opaque;

            let mut values = std::mem::take(&mut (*opaque).scratch);
            values.extend((*opaque).read_values(&ty.params, slots));
            // Zero, or null, which may be no value of the result's type: then
            // the function has to set it.
            values.extend(ty.results.iter().map(|&ty| (*opaque).read(ty, &[0; 2])));
            let (params, results) = values.split_at_mut(ty.params.len());

            func(caller, params, results)?;

            (*opaque).write_values(results, &ty.results, slots)?;
            values.clear();
            (*opaque).scratch = values;
            Ok(())
        })
    }
}
