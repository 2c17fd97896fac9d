//! Memories that belong to no store.

use crate::context::AsContextMut;
use crate::engine::Engine;
use crate::error::{AccessError, Error, Result, TypeError};
use crate::memory::{Memory, OUT_OF_BOUNDS};
use crate::store::StoreOpaque;
use crate::types::MemoryType;
use rwasm_runtime::interrupt::Interrupt;
use rwasm_runtime::limits::Limits;
use rwasm_runtime::racy::Word;
use rwasm_runtime::shared_memory::SharedMemory as RawSharedMemory;
use rwasm_runtime::trap::Trap;
use std::cell::UnsafeCell;
use std::sync::Arc;
use std::time::Duration;

pub use rwasm_runtime::WaitResult;

/// A linear memory that belongs to no store, so that guests on several threads,
/// each with a store of its own, use it together. Clones are the same memory.
///
/// A store uses it by a [`Memory`], which [`SharedMemory::memory`] gives;
/// [`Linker::define_shared_memory`](crate::Linker::define_shared_memory) does
/// that for every store that the linker serves. The way back, for a memory that
/// a module has made, is [`Memory::to_shared`].
///
/// Its address space is reserved to its maximum at once, and it never moves.
/// [`Limits::memory_bytes`] of a store bounds what the store's guests may grow
/// it to, not what others have made of it.
///
/// ```
/// use rwasm::{Config, Engine, MemoryType, SharedMemory};
///
/// let engine = Engine::new(Config::new().threads(true))?;
/// let memory = SharedMemory::new(&engine, MemoryType::new(1, Some(2)).shared())?;
/// memory.write(8, b"hello")?;
/// assert_eq!(memory.grow(1)?, 1);
/// # Ok::<(), rwasm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SharedMemory {
    engine: Engine,
    raw: RawSharedMemory,
}

impl SharedMemory {
    /// A new memory, of zeroes, for stores of this engine. The type must be
    /// [shared](MemoryType::shared), and the engine must have
    /// [threads](crate::Config::threads).
    ///
    /// It has at most the bytes that [`Limits::default`] allows one memory.
    pub fn new(engine: &Engine, ty: MemoryType) -> Result<SharedMemory> {
        if !ty.is_shared() {
            return Err(TypeError::Invalid("a shared memory needs a type that says so").into());
        }
        let raw = RawSharedMemory::new(
            ty.to_raw(engine)?,
            &Limits::default(),
            engine.settings().guarded_memories,
        )?;
        Ok(Self::from_raw(engine, raw))
    }

    pub(crate) fn from_raw(engine: &Engine, raw: RawSharedMemory) -> Self {
        SharedMemory {
            engine: engine.clone(),
            raw,
        }
    }

    /// The memory in a store: the same handle each time. An error if the store
    /// is of another engine, or has as many memories as its limits allow.
    pub fn memory(&self, mut ctx: impl AsContextMut) -> Result<Memory> {
        let mut ctx = ctx.as_context_mut();
        if !Engine::same(&self.engine, ctx.engine()) {
            return Err(Error::StoreMismatch("a shared memory"));
        }
        self.memory_in(ctx.opaque_mut())
    }

    /// The same, of a store of the same engine.
    pub(crate) fn memory_in(&self, store: &mut StoreOpaque) -> Result<Memory> {
        Ok(Memory(store.runtime.add_shared_memory(&self.raw)?))
    }

    pub(crate) fn raw_type(&self) -> rwasm_parser::MemoryType {
        self.raw.memory().ty()
    }

    /// The engine that it was made for.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether both are one memory.
    pub fn same(a: &SharedMemory, b: &SharedMemory) -> bool {
        RawSharedMemory::same(&a.raw, &b.raw)
    }

    /// Its type now: the minimum is its current size.
    pub fn ty(&self) -> MemoryType {
        MemoryType::from_raw(self.raw.memory().ty())
    }

    /// Its size in pages. Another thread may grow it at any time.
    pub fn size(&self) -> u64 {
        self.raw.memory().size()
    }

    /// Its size in bytes.
    pub fn data_size(&self) -> usize {
        self.raw.memory().byte_len()
    }

    /// Its bytes, as many as there are now. Guests may change them at any time,
    /// so what is read or written must be read or written as one does where
    /// threads race. [`SharedMemory::read`] and [`SharedMemory::write`] do that.
    pub fn data(&self) -> &[UnsafeCell<u8>] {
        self.raw.bytes()
    }

    /// Copies `buffer.len()` bytes at `offset` into `buffer`. Where others write
    /// meanwhile, some bytes may be from before and some from after.
    pub fn read(&self, offset: usize, buffer: &mut [u8]) -> Result<(), AccessError> {
        let read = self.raw.read(offset as u64, buffer);
        read.map_err(|_| OUT_OF_BOUNDS)
    }

    /// Copies `bytes` to `offset`.
    pub fn write(&self, offset: usize, bytes: &[u8]) -> Result<(), AccessError> {
        let write = self.raw.write(offset as u64, bytes);
        write.map_err(|_| OUT_OF_BOUNDS)
    }

    /// Adds `delta` pages of zeroes; returns the size before in pages. The
    /// maximum of its type bounds it, and no store's limits.
    pub fn grow(&self, delta: u64) -> Result<u64> {
        let limits = Limits::default().memory_bytes(u64::MAX);
        Ok(self.raw.grow(delta, &limits)?)
    }

    /// Wakes up to `count` threads that wait at `addr`, those first that have
    /// waited longest; returns how many. As the instruction
    /// `memory.atomic.notify`.
    pub fn atomic_notify(&self, addr: u64, count: u32) -> Result<u32, Trap> {
        self.raw.memory().atomic_notify(addr, count)
    }

    /// Waits while `expected` is at `addr` until another thread notifies. As the
    /// instruction `memory.atomic.wait32`; nothing can interrupt it.
    pub fn atomic_wait32(
        &self,
        addr: u64,
        expected: u32,
        timeout: Option<Duration>,
    ) -> Result<WaitResult, Trap> {
        self.wait(addr, expected, timeout)
    }

    /// As [`SharedMemory::atomic_wait32`], for 64 bits.
    pub fn atomic_wait64(
        &self,
        addr: u64,
        expected: u64,
        timeout: Option<Duration>,
    ) -> Result<WaitResult, Trap> {
        self.wait(addr, expected, timeout)
    }

    fn wait<W: Word + PartialEq>(
        &self,
        addr: u64,
        expected: W,
        timeout: Option<Duration>,
    ) -> Result<WaitResult, Trap> {
        let place = Arc::new(Interrupt::default());
        let memory = self.raw.memory();
        memory.atomic_wait(addr, expected, timeout, &place)
    }
}
