//! What a host function is told about the call.

use crate::context::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::engine::Engine;
use crate::error::Result;
use crate::externs::Extern;
use crate::memory::Memory;
use crate::store::StoreInner;
use rwasm_runtime::handle::InstanceHandle;
use rwasm_runtime::interrupt::InterruptHandle;
use rwasm_runtime::layout::VmCtx;
use std::fmt;
use std::ptr::NonNull;

/// The store and the calling instance, as a host function gets them.
pub struct Caller<'a, T: 'static> {
    ctx: StoreContextMut<'a, T>,
    /// The block of the calling instance; `None` where the host called.
    instance: Option<NonNull<VmCtx>>,
}

impl<'a, T> Caller<'a, T> {
    /// # Safety
    /// As for [`StoreContextMut::new`]; `caller` is null or the block of one of
    /// the store's instances.
    #[inline(always)]
    pub(crate) unsafe fn new(store: NonNull<StoreInner<T>>, caller: *mut VmCtx) -> Self {
        // SAFETY: as the caller promises.
        let ctx = unsafe { StoreContextMut::new(store) };
        Caller {
            ctx,
            instance: NonNull::new(caller),
        }
    }

    /// The data that the embedder keeps in the store.
    #[inline]
    pub fn data(&self) -> &T {
        self.ctx.data()
    }

    /// The same, to be changed.
    #[inline]
    pub fn data_mut(&mut self) -> &mut T {
        self.ctx.data_mut()
    }

    /// The engine of the store.
    pub fn engine(&self) -> &Engine {
        self.ctx.engine()
    }

    /// An export of the calling instance. `None` also where the host called.
    pub fn get_export(&mut self, name: &str) -> Option<Extern> {
        let instance = self.instance()?;
        self.ctx
            .opaque_mut()
            .runtime
            .export(instance, name)
            .map(Extern::from_raw)
    }

    /// The memory that the calling instance exports as `memory`, without a
    /// look-up by name. `None` also where the host called.
    pub fn memory(&self) -> Option<Memory> {
        let instance = self.instance()?;
        let runtime = &self.ctx.opaque().runtime;
        runtime.exported_memory(instance).map(Memory)
    }

    /// The bytes of that memory and the data of the store, borrowed at once.
    /// `None` also if the memory is shared, for which see
    /// [`Memory::try_data_and_store_mut`] and [`Memory::to_shared`].
    ///
    /// It is the shortest way to them: a few loads.
    #[inline]
    pub fn memory_and_data_mut(&mut self) -> Option<(&mut [u8], &mut T)> {
        let (bytes, data, _) = self.memory_data_and_interrupt_mut()?;
        Some((bytes, data))
    }

    /// The same, with the handle of the store: for what may wait while it works on
    /// them.
    #[inline]
    pub fn memory_data_and_interrupt_mut(
        &mut self,
    ) -> Option<(&mut [u8], &mut T, &InterruptHandle)> {
        let vmctx = self.instance?.as_ptr();
        let StoreInner { opaque, data } = self.as_context_mut().into_inner();
        // SAFETY: the calling instance is one of this store's.
        let (bytes, interrupt) = unsafe { opaque.runtime.exported_memory_data_mut(vmctx)? };
        Some((bytes, data, interrupt))
    }

    /// The calling instance.
    fn instance(&self) -> Option<InstanceHandle> {
        // SAFETY: the calling instance is one of this store's, and runs.
        self.instance
            .map(|vmctx| unsafe { self.ctx.opaque().runtime.instance_handle(vmctx.as_ptr()) })
    }

    /// Fuel left. An error where the engine does not count it.
    pub fn get_fuel(&self) -> Result<u64> {
        self.ctx.get_fuel()
    }

    /// Sets the fuel left. An error where the engine does not count it.
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.ctx.set_fuel(fuel)
    }

    /// The handle of the store, to wait or to ask whether to stop.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.ctx.interrupt_handle()
    }
}

impl<T> AsContext for Caller<'_, T> {
    type Data = T;

    #[inline]
    fn as_context(&self) -> StoreContext<'_, T> {
        self.ctx.as_context()
    }
}

impl<T> AsContextMut for Caller<'_, T> {
    #[inline]
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        self.ctx.as_context_mut()
    }
}

impl<T: fmt::Debug> fmt::Debug for Caller<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("data", self.data())
            .finish_non_exhaustive()
    }
}
