//! What a host function is told about the call.

use crate::context::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::engine::Engine;
use crate::error::Result;
use crate::externs::{Extern, Memory};
use crate::interrupt::InterruptHandle;
use rwasm_runtime_placeholder::VmCtx;

mod rwasm_runtime_placeholder {
    #[derive(Debug)]
    pub(crate) struct VmCtx;
}

/// The store and the calling instance, as a host function gets them.
#[derive(Debug)]
pub struct Caller<'a, T: 'static> {
    ctx: StoreContextMut<'a, T>,
    /// Null where the host called.
    instance: *mut VmCtx,
}

impl<'a, T> Caller<'a, T> {
    /// The data that the embedder keeps in the store.
    pub fn data(&self) -> &T {
        self.ctx.data()
    }

    /// The same, to be changed.
    pub fn data_mut(&mut self) -> &mut T {
        self.ctx.data_mut()
    }

    /// The engine of the store.
    pub fn engine(&self) -> &Engine {
        self.ctx.engine()
    }

    /// An export of the calling instance. `None` also where the host called.
    pub fn get_export(&mut self, name: &str) -> Option<Extern> {
        let _ = (name, self.instance);
        unimplemented!()
    }

    /// The memory that the calling instance exports as `memory`, without a
    /// look-up by name.
    pub fn memory(&self) -> Option<Memory> {
        unimplemented!()
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

impl<'a, T> From<&'a Caller<'_, T>> for StoreContext<'a, T> {
    fn from(caller: &'a Caller<'_, T>) -> Self {
        caller.as_context()
    }
}

impl<'a, T> From<&'a mut Caller<'_, T>> for StoreContext<'a, T> {
    fn from(caller: &'a mut Caller<'_, T>) -> Self {
        caller.as_context_mut().into()
    }
}

impl<'a, T> From<&'a mut Caller<'_, T>> for StoreContextMut<'a, T> {
    fn from(caller: &'a mut Caller<'_, T>) -> Self {
        caller.as_context_mut()
    }
}
