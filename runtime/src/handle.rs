//! Handles of a store's definitions, for the host.

use crate::global::{Global, Tag};
use crate::instance::Instance;
use crate::layout::FuncRef;
use crate::memory::Memory;
use crate::table::Table;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells stores apart: no two in a process ever have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StoreId(u64);

impl StoreId {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // 2^64 stores take longer than anyone waits.
        StoreId(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// A definition of a store.
///
/// The definition lives at a fixed address as long as its store does; a handle
/// is of use only together with that store, which checks that it is its own.
pub struct Handle<T> {
    store: StoreId,
    pointer: NonNull<T>,
}

// SAFETY: a handle alone gives no access to what it points to; the store's
// methods do, for as long as the store itself is borrowed.
unsafe impl<T> Send for Handle<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Handle<T> {}

impl<T> Handle<T> {
    /// # Safety
    /// `pointer` is to a definition that lives as long as the store with this
    /// id and never moves.
    pub(crate) unsafe fn new(store: StoreId, pointer: NonNull<T>) -> Self {
        Handle { store, pointer }
    }

    /// The store that it belongs to.
    pub fn store(self) -> StoreId {
        self.store
    }

    /// The definition; dangling once the store is gone.
    pub fn as_ptr(self) -> *mut T {
        self.pointer.as_ptr()
    }
}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Handle<T> {}

impl<T> PartialEq for Handle<T> {
    fn eq(&self, other: &Self) -> bool {
        // The store too: an address may come to be used again.
        (self.store, self.pointer) == (other.store, other.pointer)
    }
}

impl<T> Eq for Handle<T> {}

impl<T> Hash for Handle<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.store, self.pointer).hash(state);
    }
}

impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({:?}, {:p})", self.store, self.pointer)
    }
}

/// A handle of an instance.
pub type InstanceHandle = Handle<Instance>;

/// Something that can be imported and exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extern {
    /// A function.
    Func(Handle<FuncRef>),
    /// A table.
    Table(Handle<Table>),
    /// A memory.
    Memory(Handle<Memory>),
    /// A global.
    Global(Handle<Global>),
    /// A tag.
    Tag(Handle<Tag>),
}

impl Extern {
    /// The store that it belongs to.
    pub fn store(self) -> StoreId {
        match self {
            Extern::Func(handle) => handle.store(),
            Extern::Table(handle) => handle.store(),
            Extern::Memory(handle) => handle.store(),
            Extern::Global(handle) => handle.store(),
            Extern::Tag(handle) => handle.store(),
        }
    }
}
