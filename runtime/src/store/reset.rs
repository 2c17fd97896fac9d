//! Going back: a store that is used again and again, each time as if it were new.
//!
//! What its definitions hold is written back, and so are the frames of a suspended
//! guest; what only a use may have left is dropped. Addresses stay: of definitions, of the value stack, of host functions
//! and of references to functions, so that nothing is allocated or mapped, and
//! the pointers in tables, globals and objects are as good as before. The store's
//! identity does not stay: handles of one use are of another store than the next.

use super::Store;
use super::suspend::SuspendedStack;
use crate::gc::HeapImage;
use crate::handle::{Handle, StoreId};
use crate::instance::SegmentStates;
use crate::interrupt::InterruptHandle;
use crate::layout::TailCall;
use crate::limits::{Limits, ResourceError};
use crate::memory::MemoryImage;
use std::io;
use std::mem;
use std::ptr;
use std::sync::Arc;
use thiserror::Error;

/// What all memories of a store hold at one moment. Stores that begin in the same
/// way share it.
#[derive(Clone, Debug)]
pub struct MemoryImages(Arc<[MemoryImage]>);

/// What a store holds between two calls, to come back to.
pub struct Baseline {
    shape: Shape,
    limits: Limits,
    memories: MemoryImages,
    tables: Box<[Box<[u64]>]>,
    globals: Box<[[u64; 2]]>,
    segments: Box<[SegmentStates]>,
    heap: HeapImage,
    /// The frames of the guest, if it is suspended.
    stack: Option<SuspendedStack>,
}

/// What a store has definitions of. If there are more later, there is no way
/// back: something may point to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    stack_bytes: usize,
    memories: usize,
    shared_memories: usize,
    tables: usize,
    globals: usize,
    tags: usize,
    host_funcs: usize,
    instances: usize,
}

/// Why a store cannot go back.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ResetError {
    /// Other threads may use its memories.
    #[error("the store has shared memories")]
    Shared,
    /// Its guests may have values of the host.
    #[error("the store has references to values of the host")]
    HostValues,
    /// Its guests have objects, which belong to one store.
    #[error("the instance has objects of the garbage-collected heap")]
    Objects,
    /// Its guests have functions that no other store could tell.
    #[error("the instance has a function that it neither defines nor imports")]
    ForeignFunction,
    /// Its suspended guest has a function among its operands or locals, which no
    /// other store could tell from a number.
    #[error("the suspended guest holds a reference to a function")]
    FunctionOnStack,
    /// The stack of its suspended guest is larger than that of another store.
    #[error("the suspended guest has a larger stack than the store")]
    Stack,
    /// A call runs in it.
    #[error("the store is running")]
    Running,
    /// It got definitions, or a value stack of another size.
    #[error("the store has other definitions than before")]
    Reshaped,
    /// The system does not let its memories be reset.
    #[error("a memory could not be reset")]
    Memory(#[from] io::Error),
    /// A table has no room.
    #[error(transparent)]
    Table(#[from] ResourceError),
}

impl Store {
    /// What its memories hold.
    pub fn memory_images(&self) -> MemoryImages {
        let memories = self.memories.iter();
        // SAFETY: the memories are live, and nobody changes them meanwhile.
        MemoryImages(
            memories
                .map(|memory| unsafe { MemoryImage::of(&*memory) })
                .collect(),
        )
    }

    /// What the store holds now, for [`Store::reset`]; its memories become what
    /// `images` has of them. No call runs.
    ///
    /// # Panics
    /// If there are not as many images as memories.
    pub fn baseline(&mut self, images: &MemoryImages) -> Result<Baseline, ResetError> {
        assert_eq!(images.0.len(), self.memories.len());
        assert!(self.ctx.segment.is_null(), "a call runs");
        if !self.shared_memories.is_empty() {
            return Err(ResetError::Shared);
        }
        if self.host_refs.len() > 0 {
            return Err(ResetError::HostValues);
        }
        // SAFETY: arenas hold live definitions, which `&mut self` makes ours alone.
        unsafe {
            for (memory, image) in self.memories.iter().zip(&images.0[..]) {
                (*memory).take_up(image)?;
            }
            let tables = self.tables.iter().map(|table| (*table).elements().into());
            let globals = self.globals.iter().map(|global| (*global).value());
            let instances = self.instances.iter();
            Ok(Baseline {
                shape: self.shape(),
                limits: self.limits,
                memories: images.clone(),
                tables: tables.collect(),
                globals: globals.collect(),
                segments: instances.map(|instance| (*instance).segments()).collect(),
                heap: HeapImage::of(&self.ctx.gc, &self.heap),
                stack: self.suspended_stack(),
            })
        }
    }

    /// Goes back to a baseline of this store, as a store that nobody has seen: no
    /// handle given out so far is one of it, no interrupt handle stops it. Of each
    /// memory and of the heap, about `resident` bytes at most stay in memory
    /// beyond what the baseline needs. No call runs.
    ///
    /// If it fails the store must not be used any more. A destructor of a value of
    /// the host may panic; that comes through, and means the same.
    pub fn reset(&mut self, to: &Baseline, resident: usize) -> Result<(), ResetError> {
        assert!(self.ctx.segment.is_null(), "a call runs");
        if self.shape() != to.shape {
            return Err(ResetError::Reshaped);
        }
        self.id = StoreId::new();
        // What is the host's, whose destructors run here.
        self.pending = None;
        self.suspension = None;
        drop(mem::take(&mut self.host_refs));
        self.roots_mut().clear();
        self.hardware_trap = None;
        self.limits = to.limits;
        self.reset_interrupt()?;
        self.reset_ctx();
        self.heap.reset(&mut self.ctx.gc, &to.heap, resident)?;
        // SAFETY: arenas hold live definitions, which `&mut self` makes ours alone.
        // The references in what is written back are to functions of this store,
        // which stay where they are, and to objects of the heap as it is again.
        unsafe {
            for (global, &value) in self.globals.iter().zip(&to.globals) {
                (*global).def.value = value;
            }
            for (table, elements) in self.tables.iter().zip(&to.tables) {
                (*table).reset(elements)?;
            }
            for (instance, states) in self.instances.iter().zip(&to.segments) {
                (*instance).reset_segments(states);
            }
            for (memory, image) in self.memories.iter().zip(&to.memories.0[..]) {
                (*memory).reset(image, resident)?;
            }
        }
        if let Some(stack) = &to.stack {
            self.put_back(stack);
        }
        Ok(())
    }

    /// The handle of what the store had before it was reset.
    ///
    /// # Safety
    /// The handle is of an earlier life of this very store, and of something that
    /// the baseline has.
    pub unsafe fn renewed<T>(&self, handle: Handle<T>) -> Handle<T> {
        self.handle(handle.as_ptr())
    }

    fn shape(&self) -> Shape {
        Shape {
            stack_bytes: self.limits.stack_bytes,
            memories: self.memories.len(),
            shared_memories: self.shared_memories.len(),
            tables: self.tables.len(),
            globals: self.globals.len(),
            tags: self.tags.len(),
            host_funcs: self.host_funcs.len(),
            instances: self.instances.len(),
        }
    }

    /// An interrupt that nobody but the store has.
    fn reset_interrupt(&mut self) -> io::Result<()> {
        match Arc::get_mut(&mut self.interrupt.0) {
            Some(interrupt) => interrupt.clear()?,
            None => self.interrupt = InterruptHandle(Arc::new(self.interrupt.0.successor()?)),
        }
        self.ctx.interrupt = self.interrupt.0.flag();
        Ok(())
    }

    /// What calls leave for code to find.
    fn reset_ctx(&mut self) {
        let ctx = &mut self.ctx;
        ctx.interpreted = false;
        ctx.stack_top = ctx.stack_base;
        ctx.fuel = 0;
        ctx.pending_exception = 0;
        ctx.caller = ptr::null_mut();
        ctx.callee = ptr::null();
        ctx.tail_call = TailCall::NONE;
    }
}
