//! Stores with an instance in them, used again and again.
//!
//! ```text
//!            instantiate(data)                       drop
//!  idle ──────────────────────► (Store, Instance) ─────────► reset ──► idle
//! ```
//! What is pooled is a whole store, and so a pool is one of a module and its
//! imports: a store comes back with its memories mapped, its tables and host
//! functions in place and its value stack allocated, and only what the last guest
//! has changed is written back. A pool of the engine's would have to make an
//! instance each time.

use crate::context::{AsContext, AsContextMut};
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::instance_pre::InstancePre;
use crate::module::Module;
use crate::store::{Store, StoreInner, StoreOpaque};
use rwasm_runtime::limits::Limits;
use rwasm_runtime::store::{Baseline, MemoryImages, Snapshot};
use rwasm_runtime::tunables::{POOL_IDLE_SLOTS, POOL_RESIDENT_BYTES};
use std::fmt;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Instances of one module, each in a store of its own, used again and again.
///
/// [`InstancePool::instantiate`] gives a store and an instance as if both were
/// new. When the store is dropped, it goes back to the pool and to the state that
/// it was in right after instantiation: memories and their sizes, tables, globals,
/// segments, objects, fuel, limits, everything. The data is dropped; no handle of
/// one use is good in another; only machine code and address space stay.
///
/// ```
/// use rwasm::{Engine, InstancePool, Linker, Module, PoolConfig};
///
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"(module
///     (global $calls (mut i32) (i32.const 0))
///     (func (export "count") (result i32)
///         (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
///         (global.get $calls)))"#)?;
/// let pre = Linker::<u32>::new(&engine).instantiate_pre(&module)?;
/// let pool = InstancePool::new(&pre, PoolConfig::new())?;
/// for request in 0..3 {
///     let (mut store, instance) = pool.instantiate(request)?;
///     let count = instance.get_typed_func::<(), i32>(&mut store, "count")?;
///     assert_eq!(count.call(&mut store, ())?, 1);
///     assert_eq!(store.into_data(), request);
/// }
/// assert_eq!(pool.idle(), 1);
/// # Ok::<(), rwasm::Error>(())
/// ```
///
/// A store to which a use has added definitions (another instance, a memory, a
/// host function by [`Func::wrap`](crate::Func::wrap)) or whose value stack was
/// given another size is freed instead, and the next one made anew.
///
/// Clones are the same pool. It can be used from any thread; stores may outlive
/// it.
pub struct InstancePool<T: 'static>(Arc<Shared<T>>);

/// What an instance has become, for other instances to begin with: memories,
/// tables, globals and dropped segments. What a program does each time it starts
/// is done once.
///
/// ```
/// use rwasm::{Engine, InstancePool, InstanceSnapshot, Linker, Module, PoolConfig, Store};
///
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"(module
///     (global $squares (mut i32) (i32.const 0))
///     (func (export "wizer.initialize") (global.set $squares (i32.const 81)))
///     (func (export "answer") (result i32)
///         (i32.sub (global.get $squares) (i32.const 39))))"#)?;
/// let pre = Linker::<()>::new(&engine).instantiate_pre(&module)?;
///
/// let mut store = Store::new(&engine, ());
/// let instance = pre.instantiate(&mut store)?;
/// let initialize = instance.get_typed_func::<(), ()>(&mut store, "wizer.initialize")?;
/// initialize.call(&mut store, ())?;
/// let snapshot = InstanceSnapshot::new(&mut store, instance)?;
///
/// let pool = InstancePool::with_snapshot(&pre, &snapshot, PoolConfig::new())?;
/// let (mut store, instance) = pool.instantiate(())?;
/// let answer = instance.get_typed_func::<(), i32>(&mut store, "answer")?;
/// assert_eq!(answer.call(&mut store, ())?, 42);
/// # Ok::<(), rwasm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct InstanceSnapshot {
    module: Module,
    state: Snapshot,
}

impl InstanceSnapshot {
    /// The state of an instance between two calls, or in one that is suspended
    /// ([`TypedFunc::call_suspendable`](crate::TypedFunc::call_suspendable)), for
    /// instances in stores of an [`InstancePool`]. There, a suspended call goes on
    /// by [`Store::resume`]. The store's data is no part of it, nor is its fuel.
    ///
    /// # Errors
    /// [`Error::Pool`] if the store is running or has definitions that are not the
    /// instance's, or if the instance has objects, values of the host, or functions
    /// of the host that it does not import; if the suspended guest has a reference
    /// to any function among its operands and locals.
    ///
    /// # Panics
    /// If the instance belongs to another store.
    pub fn new(mut ctx: impl AsContextMut, instance: Instance) -> Result<Self> {
        let mut ctx = ctx.as_context_mut();
        let module = instance.module(ctx.as_context()).clone();
        let runtime = &mut ctx.opaque_mut().runtime;
        let links = rwasm_interp::suspended_links(runtime);
        let state = runtime.snapshot(instance.handle(), &links)?;
        Ok(InstanceSnapshot { module, state })
    }

    /// The module.
    pub fn module(&self) -> &Module {
        &self.module
    }
}

/// What a pool may keep.
#[derive(Clone, Copy, Debug)]
pub struct PoolConfig {
    idle_slots: usize,
    resident_bytes: usize,
    limits: Option<Limits>,
}

impl PoolConfig {
    /// The defaults.
    pub fn new() -> Self {
        PoolConfig {
            idle_slots: POOL_IDLE_SLOTS,
            resident_bytes: POOL_RESIDENT_BYTES,
            limits: None,
        }
    }

    /// The most stores that wait for their next use. There may be more at work;
    /// those are freed when they are dropped.
    #[must_use]
    pub fn idle_slots(mut self, most: usize) -> Self {
        self.idle_slots = most;
        self
    }

    /// How many bytes that guests have written to stay in memory, of each memory
    /// and of the garbage-collected heap of a store. To reset them costs a copy;
    /// to give them back costs a page fault for each page when it is used again.
    #[must_use]
    pub fn resident_bytes(mut self, most: usize) -> Self {
        self.resident_bytes = most;
        self
    }

    /// What each store may take; as [`Store::limits`] sets it.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self::new()
    }
}

struct Shared<T: 'static> {
    pre: InstancePre<T>,
    config: PoolConfig,
    images: MemoryImages,
    /// What instances begin with, if they have been started already.
    snapshot: Option<Snapshot>,
    idle: Mutex<Vec<Slot<T>>>,
}

impl<T> InstancePool<T> {
    /// A pool of instances of a module, and its first one.
    ///
    /// # Errors
    /// If the module cannot be instantiated, imports what belongs to one store, or
    /// has shared memories, which other threads may use after the store is gone
    /// ([`Error::Pool`](crate::Error::Pool)).
    pub fn new(pre: &InstancePre<T>, config: PoolConfig) -> Result<Self> {
        let (inner, instance) = Unfinished::new(pre, &config)?.instantiated(pre)?;
        let images = inner.opaque().runtime.memory_images();
        let first = inner.finish(instance, &images)?;
        Ok(InstancePool(Arc::new(Shared {
            pre: pre.clone(),
            config,
            images,
            snapshot: None,
            idle: Mutex::new(vec![first]),
        })))
    }

    /// A pool of instances that begin as the snapshot has it, and its first one.
    ///
    /// # Errors
    /// As for [`InstancePool::new`]. The snapshot must be of the same module.
    pub fn with_snapshot(
        pre: &InstancePre<T>,
        snapshot: &InstanceSnapshot,
        config: PoolConfig,
    ) -> Result<Self> {
        if !Module::same(pre.module(), &snapshot.module) {
            return Err(Error::StoreMismatch("a snapshot"));
        }
        let shared = Shared {
            pre: pre.clone(),
            config,
            images: snapshot.state.memories().clone(),
            snapshot: Some(snapshot.state.clone()),
            idle: Mutex::default(),
        };
        shared.put(shared.new_slot()?);
        Ok(InstancePool(Arc::new(shared)))
    }

    /// A store that holds `data`, and an instance in it. Its start function has
    /// run, just now or before the snapshot was taken.
    pub fn instantiate(&self, data: T) -> Result<(Store<T>, Instance)> {
        let slot = self.0.idle().pop();
        let slot = match slot {
            Some(slot) => slot,
            None => self.0.new_slot()?,
        };
        let (mut store, instance) = slot.begin(self.0.clone(), data);
        if self.0.snapshot.is_none() {
            // If that fails, the store goes back.
            instance.start(&mut store)?;
        }
        Ok((store, instance))
    }

    /// Makes stores until so many are waiting for their first use, or as many as
    /// may wait.
    pub fn prepare(&self, count: usize) -> Result<()> {
        while self.idle() < count.min(self.0.config.idle_slots) {
            let slot = self.0.new_slot()?;
            self.0.put(slot);
        }
        Ok(())
    }

    /// How many stores are waiting for their next use.
    pub fn idle(&self) -> usize {
        self.0.idle().len()
    }

    /// What its instances are made of.
    pub fn instance_pre(&self) -> &InstancePre<T> {
        &self.0.pre
    }
}

impl<T> Shared<T> {
    fn idle(&self) -> MutexGuard<'_, Vec<Slot<T>>> {
        // Nothing panics while it holds the lock.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_slot(&self) -> Result<Slot<T>> {
        let new = Unfinished::new(&self.pre, &self.config)?;
        let (mut inner, instance) = new.instantiated(&self.pre)?;
        if let Some(snapshot) = &self.snapshot {
            let runtime = &mut inner.opaque_mut().runtime;
            // SAFETY: the snapshot is of the same module.
            unsafe { runtime.take_up(instance.handle(), snapshot)? };
        }
        inner.finish(instance, &self.images)
    }

    fn put(&self, slot: Slot<T>) {
        let mut idle = self.idle();
        if idle.len() < self.config.idle_slots {
            idle.push(slot);
        } else {
            // To free a store takes long.
            drop(idle);
        }
    }
}

/// A store without data.
struct Unfinished<T: 'static>(NonNull<StoreInner<T>>);

// SAFETY: it owns a store of which there is all but the data.
unsafe impl<T> Send for Unfinished<T> {}

impl<T> Unfinished<T> {
    fn new(pre: &InstancePre<T>, config: &PoolConfig) -> Result<Self> {
        let mut opaque = StoreOpaque::new(pre.module().engine())?;
        if let Some(limits) = config.limits {
            opaque.runtime.set_limits(limits)?;
        }
        let store = NonNull::from(Box::leak(Box::<StoreInner<T>>::new_uninit())).cast();
        let store: NonNull<StoreInner<T>> = store;
        // SAFETY: the box has room for it.
        unsafe { (&raw mut (*store.as_ptr()).opaque).write(opaque) };
        Ok(Unfinished(store))
    }

    fn instantiated(self, pre: &InstancePre<T>) -> Result<(Self, Instance)> {
        // SAFETY: the store is this one's, which lends no reference meanwhile.
        let instance = unsafe { pre.instantiate_in(self.0)? };
        Ok((self, instance))
    }

    fn finish(mut self, instance: Instance, images: &MemoryImages) -> Result<Slot<T>> {
        let baseline = self.opaque_mut().runtime.baseline(images)?;
        Ok(Slot {
            store: self,
            start: Box::new(Start { baseline, instance }),
        })
    }

    fn opaque(&self) -> &StoreOpaque {
        // SAFETY: this part of the store is there, and borrowed with `self`.
        unsafe { &(*self.0.as_ptr()).opaque }
    }

    fn opaque_mut(&mut self) -> &mut StoreOpaque {
        // SAFETY: as above.
        unsafe { &mut (*self.0.as_ptr()).opaque }
    }
}

impl<T> Drop for Unfinished<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a box, in which this part is there; what
        // remains is dropped as if nothing were in it.
        unsafe {
            ptr::drop_in_place(&raw mut (*self.0.as_ptr()).opaque);
            drop(Box::from_raw(
                self.0.as_ptr().cast::<MaybeUninit<StoreInner<T>>>(),
            ));
        }
    }
}

/// What a store of a pool begins with.
struct Start {
    baseline: Baseline,
    /// The instance, as it was called in the last life of the store.
    instance: Instance,
}

/// A store that is ready for its next use.
struct Slot<T: 'static> {
    store: Unfinished<T>,
    start: Box<Start>,
}

impl<T> Slot<T> {
    fn begin(self, pool: Arc<Shared<T>>, data: T) -> (Store<T>, Instance) {
        let Slot { store, start } = self;
        let instance = start.instance;
        let inner = store.0;
        std::mem::forget(store);
        // SAFETY: the store has room for its data, and has none. It is complete
        // with it, and from now on the `Store`'s.
        let store = unsafe {
            (&raw mut (*inner.as_ptr()).data).write(data);
            Store::from_pool(inner, Home { pool, start })
        };
        (store, instance)
    }

    /// Becomes what it was before its last use; `None` if that cannot be.
    fn reset(mut self, resident: usize) -> Option<Self> {
        let store = self.store.opaque_mut();
        store.runtime.reset(&self.start.baseline, resident).ok()?;
        // SAFETY: it is the same store, in its next life, and the baseline has all
        // that it has.
        unsafe {
            store.renew();
            self.start.instance = self.start.instance.renewed(store);
        }
        Some(self)
    }
}

/// Where a store goes when it is dropped.
pub(crate) struct Home<T: 'static> {
    pool: Arc<Shared<T>>,
    start: Box<Start>,
}

impl<T> Home<T> {
    /// Takes a store back. Should a destructor of the host's panic, the store is
    /// freed.
    ///
    /// # Safety
    /// The store is the one that this home was made for, nobody uses it any more,
    /// and its data is gone.
    pub(crate) unsafe fn take_back(self, store: NonNull<StoreInner<T>>) {
        let Home { pool, start } = self;
        let store = Unfinished(store);
        let slot = Slot { store, start };
        if let Some(slot) = slot.reset(pool.config.resident_bytes) {
            pool.put(slot);
        }
    }
}

impl<T> Clone for InstancePool<T> {
    fn clone(&self) -> Self {
        InstancePool(self.0.clone())
    }
}

impl<T> fmt::Debug for InstancePool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstancePool")
            .field("module", self.0.pre.module())
            .field("idle", &self.idle())
            .finish_non_exhaustive()
    }
}
