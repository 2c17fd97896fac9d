//! Linear memories.

use crate::context::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::error::{AccessError, Result};
use crate::shared_memory::SharedMemory;
use crate::store::{StoreInner, StoreOpaque};
use crate::types::MemoryType;
use rwasm_runtime::handle::Handle;
use rwasm_runtime::memory::Memory as RawMemory;

/// A linear memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Memory(pub(crate) Handle<RawMemory>);

pub(crate) const OUT_OF_BOUNDS: AccessError = AccessError("memory");

impl Memory {
    /// A new memory, of zeroes.
    pub fn new(mut ctx: impl AsContextMut, ty: MemoryType) -> Result<Memory> {
        let mut ctx = ctx.as_context_mut();
        let store = ctx.opaque_mut();
        let ty = ty.to_raw(&store.engine)?;
        Ok(Memory(store.runtime.new_memory(ty)?))
    }

    /// Its type now: the minimum is its current size.
    ///
    /// # Panics
    /// As all methods but [`new`](Self::new): if the memory belongs to another
    /// store.
    pub fn ty(&self, ctx: impl AsContext) -> MemoryType {
        MemoryType::from_raw(self.get(ctx.as_context().opaque()).ty())
    }

    /// Its size in pages.
    pub fn size(&self, ctx: impl AsContext) -> u64 {
        self.get(ctx.as_context().opaque()).size()
    }

    /// Its size in bytes.
    pub fn data_size(&self, ctx: impl AsContext) -> usize {
        self.get(ctx.as_context().opaque()).byte_len()
    }

    /// Its bytes.
    ///
    /// # Panics
    /// Also if the memory is shared: other threads may write to it. See
    /// [`Memory::to_shared`].
    #[inline]
    pub fn data<'a, T: 'static>(&self, ctx: impl Into<StoreContext<'a, T>>) -> &'a [u8] {
        let store = ctx.into().opaque();
        store.runtime.memory_data(self.0)
    }

    /// Its bytes, to be changed.
    ///
    /// # Panics
    /// As for [`Memory::data_and_store_mut`].
    #[inline]
    pub fn data_mut<'a, T: 'static>(&self, ctx: impl Into<StoreContextMut<'a, T>>) -> &'a mut [u8] {
        self.data_and_store_mut(ctx).0
    }

    /// Its bytes and the store's data, at once.
    ///
    /// # Panics
    /// Also if the memory is shared and anybody but this store has it: another
    /// store, or the host as a [`SharedMemory`].
    #[inline]
    pub fn data_and_store_mut<'a, T: 'static>(
        &self,
        ctx: impl Into<StoreContextMut<'a, T>>,
    ) -> (&'a mut [u8], &'a mut T) {
        self.try_data_and_store_mut(ctx)
            .expect("the bytes of a shared memory were borrowed")
    }

    /// As [`Memory::data_and_store_mut`], with `None` where that panics because
    /// others have the memory too.
    #[inline]
    pub fn try_data_and_store_mut<'a, T: 'static>(
        &self,
        ctx: impl Into<StoreContextMut<'a, T>>,
    ) -> Option<(&'a mut [u8], &'a mut T)> {
        let StoreInner { opaque, data } = ctx.into().into_inner();
        Some((opaque.runtime.memory_data_mut(self.0)?, data))
    }

    /// Copies `buffer.len()` bytes at `offset` into `buffer`.
    pub fn read(
        &self,
        ctx: impl AsContext,
        offset: usize,
        buffer: &mut [u8],
    ) -> Result<(), AccessError> {
        let ctx = ctx.as_context();
        if let Some(shared) = ctx.opaque().runtime.shared_memory(self.0) {
            let read = shared.read(offset as u64, buffer);
            return read.map_err(|_| OUT_OF_BOUNDS);
        }
        let source = offset.checked_add(buffer.len());
        let source = source.and_then(|end| self.data(ctx).get(offset..end));
        buffer.copy_from_slice(source.ok_or(OUT_OF_BOUNDS)?);
        Ok(())
    }

    /// Copies `bytes` to `offset`.
    pub fn write(
        &self,
        mut ctx: impl AsContextMut,
        offset: usize,
        bytes: &[u8],
    ) -> Result<(), AccessError> {
        if let Some(shared) = ctx.as_context().opaque().runtime.shared_memory(self.0) {
            let write = shared.write(offset as u64, bytes);
            return write.map_err(|_| OUT_OF_BOUNDS);
        }
        let target = offset.checked_add(bytes.len());
        let target =
            target.and_then(|end| self.data_mut(ctx.as_context_mut()).get_mut(offset..end));
        target.ok_or(OUT_OF_BOUNDS)?.copy_from_slice(bytes);
        Ok(())
    }

    /// Adds `delta` pages of zeroes; returns the size before in pages.
    pub fn grow(&self, mut ctx: impl AsContextMut, delta: u64) -> Result<u64> {
        Ok(ctx
            .as_context_mut()
            .opaque_mut()
            .runtime
            .grow_memory(self.0, delta)?)
    }

    /// The memory as one that other stores can have too, if it is shared.
    pub fn to_shared(&self, ctx: impl AsContext) -> Option<SharedMemory> {
        let ctx = ctx.as_context();
        let raw = ctx.opaque().runtime.shared_memory(self.0)?;
        Some(SharedMemory::from_raw(ctx.engine(), raw.clone()))
    }

    #[inline]
    fn get<'a>(&self, store: &'a StoreOpaque) -> &'a RawMemory {
        store.runtime.get(self.0)
    }
}
