//! Stores: what instances own, and the embedder's data.
//!
//! While a guest runs, host functions reach the store by a raw pointer that
//! they have kept since it was made. A reference to the store that was live in
//! the meantime, further out on the stack, would contradict that. So a store
//! stands behind a raw pointer, contexts hold that pointer and not a reference,
//! and references are made where they are needed, never across a call into
//! guest code. Contexts still borrow like references, so that the borrow
//! checker does the rest.
//!
//! ```text
//!  Store ──owns──► StoreInner ◄── StoreContext(Mut), Caller   borrowed
//!                   │ opaque   ◄── HostClosure                 as long as it lives
//!                   │   runtime ──owns──► rwasm_runtime::store::Store
//!                   │ data
//! ```

use crate::Limits;
use crate::context::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::func::Func;
use crate::module::Module;
use crate::pool::Home;
use crate::val::Val;
use rwasm_runtime::gc::HeapStats;
use rwasm_runtime::handle::{Handle, InstanceHandle, StoreId};
use rwasm_runtime::interrupt::InterruptHandle;
use rwasm_runtime::layout::FuncRef;
use rwasm_runtime::store::OwnedStore;
use rwasm_runtime::{entry, error::Pending, trap::Trap};
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic;
use std::ptr::NonNull;

/// Owns instances and all that they define, and data of type `T` that host
/// functions reach.
///
/// Handles such as [`Func`] or [`Memory`](crate::Memory) are small and copied
/// freely; they mean something only together with their store. What they are
/// handles of is freed with the store, but for objects and values of the host,
/// which are collected (see [`RootScope`](crate::RootScope)).
pub struct Store<T: 'static> {
    /// From a box, which goes with this.
    inner: NonNull<StoreInner<T>>,
    owned: PhantomData<StoreInner<T>>,
    /// Where it goes then, if it is one of a pool.
    home: Option<Home<T>>,
}

// SAFETY: a store owns what its pointer leads to, and that is `Send`.
unsafe impl<T: Send> Send for Store<T> {}
// SAFETY: `&Store` gives shared references only, and what they lead to is `Sync`.
unsafe impl<T: Sync> Sync for Store<T> {}

impl<T> Store<T> {
    /// An empty store that holds `data`.
    ///
    /// # Panics
    /// If the system has no address space left for its stack;
    /// [`Store::try_new`] gives an error.
    pub fn new(engine: &Engine, data: T) -> Self {
        Self::try_new(engine, data).expect("address space for the stack of a store")
    }

    /// As [`Store::new`], with an error if the system has no address space left
    /// for its stack.
    pub fn try_new(engine: &Engine, data: T) -> Result<Self> {
        let inner = StoreInner {
            opaque: StoreOpaque::new(engine)?,
            data,
        };
        Ok(Store {
            inner: NonNull::from(Box::leak(Box::new(inner))),
            owned: PhantomData,
            home: None,
        })
    }

    /// A store of a pool.
    ///
    /// # Safety
    /// The store is complete and nobody else's; `home` is its own.
    pub(crate) unsafe fn from_pool(inner: NonNull<StoreInner<T>>, home: Home<T>) -> Self {
        Store {
            inner,
            owned: PhantomData,
            home: Some(home),
        }
    }

    /// The engine of the store.
    pub fn engine(&self) -> &Engine {
        self.as_context().engine()
    }

    /// The data.
    pub fn data(&self) -> &T {
        self.as_context().data()
    }

    /// The data, to be changed.
    pub fn data_mut(&mut self) -> &mut T {
        self.as_context_mut().into_data_mut()
    }

    /// Ends the store and gives the data back.
    pub fn into_data(self) -> T {
        let mut store = ManuallyDrop::new(self);
        // SAFETY: `drop` is not run. The data is read once, and gone from a store
        // that goes home; any other is from a box, which is not used any more.
        unsafe {
            match store.home.take() {
                Some(home) => {
                    let data = (&raw const (*store.inner.as_ptr()).data).read();
                    home.take_back(store.inner);
                    data
                }
                None => Box::from_raw(store.inner.as_ptr()).data,
            }
        }
    }

    /// Sets the limits of what is made or grown from now on, the size of the
    /// stack included. An error if the system has no address space left for a
    /// stack of another size.
    pub fn limits(&mut self, limits: Limits) -> Result<()> {
        Ok(self
            .as_context_mut()
            .opaque_mut()
            .runtime
            .set_limits(limits)?)
    }

    /// Collects garbage now. It is collected when it has piled up, too; what this
    /// adds is that it happens here, also for values of the host.
    pub fn gc(&mut self) {
        self.as_context_mut().opaque_mut().runtime.collect_garbage();
    }

    /// What the garbage-collected heap holds.
    pub fn heap_stats(&self) -> HeapStats {
        self.as_context().opaque().runtime.heap_stats()
    }

    /// Sets the fuel left. An error where the engine does not count it
    /// ([`Config::consume_fuel`](crate::Config::consume_fuel)).
    ///
    /// A store begins without fuel. A call that runs out ends with
    /// [`Trap::OutOfFuel`].
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.as_context_mut().set_fuel(fuel)
    }

    /// Fuel left. An error where the engine does not count it.
    pub fn get_fuel(&self) -> Result<u64> {
        self.as_context().get_fuel()
    }

    /// A handle with which another thread stops the running guest.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.as_context().interrupt_handle()
    }
}

impl<T> Drop for Store<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer is from a box; no context outlives its borrow of
        // the store, and no guest runs without one.
        unsafe {
            match self.home.take() {
                Some(home) => {
                    // Dropped last: its destructor may panic.
                    let _data = (&raw const (*self.inner.as_ptr()).data).read();
                    home.take_back(self.inner);
                }
                None => drop(Box::from_raw(self.inner.as_ptr())),
            }
        }
    }
}

impl<T> AsContext for Store<T> {
    type Data = T;

    #[inline]
    fn as_context(&self) -> StoreContext<'_, T> {
        // SAFETY: the context borrows this store.
        unsafe { StoreContext::new(self.inner) }
    }
}

impl<T> AsContextMut for Store<T> {
    #[inline]
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        // SAFETY: the context borrows this store exclusively.
        unsafe { StoreContextMut::new(self.inner) }
    }
}

impl<T: Default> Default for Store<T> {
    fn default() -> Self {
        Store::new(&Engine::default(), T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("data", self.data())
            .finish_non_exhaustive()
    }
}

/// What a store owns.
#[repr(C)]
pub(crate) struct StoreInner<T> {
    /// First, so that a pointer to this is one to its opaque part.
    pub(crate) opaque: StoreOpaque,
    pub(crate) data: T,
}

/// The part of a store that does not depend on the embedder's data.
pub(crate) struct StoreOpaque {
    pub(crate) id: StoreId,
    pub(crate) engine: Engine,
    pub(crate) runtime: OwnedStore,
    /// The modules of instances, by their index in the store; none where instantiation
    /// has failed.
    pub(crate) instances: Vec<Option<Module>>,
    /// Host functions of linkers that are functions of this store already, by
    /// the address of the closure, which they keep alive.
    pub(crate) bound: HashMap<usize, Func>,
    /// Room for the values of a host function that takes values.
    pub(crate) scratch: Vec<Val>,
}

impl StoreOpaque {
    pub(crate) fn new(engine: &Engine) -> Result<Self> {
        let mut runtime = OwnedStore::new(
            engine.registry().clone(),
            Limits::default().stack_bytes(engine.config().max_stack),
            engine.settings(),
            engine.host_entries(),
        )?;
        runtime.collect_at_every_allocation(engine.config().collect_at_every_allocation);
        Ok(StoreOpaque {
            id: runtime.id(),
            engine: engine.clone(),
            runtime,
            instances: Vec::new(),
            bound: HashMap::new(),
            scratch: Vec::new(),
        })
    }

    /// Follows the store below to its next life.
    ///
    /// # Safety
    /// It was just reset to a baseline that has all its functions and instances.
    pub(crate) unsafe fn renew(&mut self) {
        self.id = self.runtime.id();
        self.scratch.clear();
        // SAFETY: as the caller promises.
        unsafe {
            for Func(func) in self.bound.values_mut() {
                *func = self.runtime.renewed(*func);
            }
        }
    }

    /// The index of an instance in this store.
    pub(crate) fn instance_index(&self, instance: InstanceHandle) -> u32 {
        let vmctx = self.runtime.get(instance).vmctx();
        // SAFETY: the block lives as long as the instance, which is this store's.
        unsafe { (*vmctx).instance }
    }

    /// Calls a function: arguments are taken from `slots`, results left there.
    /// A panic of a host function on the way is resumed.
    ///
    /// # Safety
    /// `this` is live, borrowed exclusively by the caller, and no reference to
    /// it or to the embedder's data is live. `func` belongs to it. `slots` holds
    /// arguments of the function's type which belong to the store, and has room
    /// for its results.
    #[inline]
    pub(crate) unsafe fn enter(
        this: NonNull<StoreOpaque>,
        func: Handle<FuncRef>,
        slots: *mut u64,
    ) -> Result<()> {
        // SAFETY: as the caller promises.
        unsafe {
            let runtime = (*this.as_ptr()).runtime.as_ptr();
            StoreOpaque::outcome(this, entry::call(runtime, func.as_ptr(), slots))
        }
    }

    /// Why the last call failed. Resumes the panic if it was one.
    #[cold]
    #[inline(never)]
    pub(crate) fn failure(&mut self) -> Error {
        let error = match self.runtime.take_pending() {
            Some(Pending::Panic(panic)) => panic::resume_unwind(panic),
            Some(reason) => Error::from_pending(reason),
            None => unreachable!("a call that fails leaves the reason"),
        };
        let outermost = self.runtime.ctx.segment.is_null();
        if outermost && error.trap() == Some(Trap::Interrupted) {
            self.runtime.interrupt().clear();
        }
        error
    }
}
