//! Shared memories: those that belong to no store.
//!
//! Several stores, each on a thread of its own, hold one [`SharedMemory`]. It
//! is reserved to its maximum when it is made, so that it never moves; it grows
//! under a lock, and its length is an atomic. Its bytes are reached by machine
//! code, by the operations of [`crate::racy`], and by nothing else.
//!
//! Limits: it is made within those of whoever makes it. As it belongs to no
//! store, a store that imports it counts it as one of its memories, and bounds
//! how far the store's own guests may grow it; a memory that is larger already
//! may be imported all the same.

use crate::interrupt::Interrupt;
use crate::limits::{Limits, ResourceError};
use crate::memory::Memory;
use crate::parking::{Interrupted, Parking, WaitResult};
use crate::racy::{self, Word};
use crate::trap::Trap;
use rwasm_parser::MemoryType;
use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A shared memory; clones are the same memory.
#[derive(Clone, Debug)]
pub struct SharedMemory(Arc<Memory>);

/// What a shared memory has beside its bytes.
#[derive(Debug, Default)]
pub(crate) struct Sharing {
    /// Held to grow it.
    growth: Mutex<()>,
    /// Who waits in it.
    parking: Parking,
}

impl SharedMemory {
    /// A shared memory of type `ty` within `limits`, filled with zeros. It is
    /// guarded if that is asked for and the type allows it.
    ///
    /// # Panics
    /// If the type is not one of shared memories.
    pub fn new(ty: MemoryType, limits: &Limits, guarded: bool) -> Result<Self, ResourceError> {
        assert!(ty.shared, "the type of a shared memory says so");
        Ok(SharedMemory(Arc::new(Memory::new(ty, limits, guarded)?)))
    }

    /// The memory. What needs `&mut` nobody can do any more.
    pub fn memory(&self) -> &Memory {
        &self.0
    }

    /// Whether both are one memory.
    pub fn same(a: &Self, b: &Self) -> bool {
        Arc::ptr_eq(&a.0, &b.0)
    }

    /// Whether there is no clone of this. Nobody can make one while this is
    /// borrowed exclusively.
    pub(crate) fn has_one_owner(&self) -> bool {
        let alone = Arc::strong_count(&self.0) == 1;
        // What others did before they dropped theirs happened before.
        fence(Ordering::Acquire);
        alone
    }

    /// The memory as code refers to it; valid as long as a clone of this lives.
    pub(crate) fn as_ptr(&self) -> *mut Memory {
        Arc::as_ptr(&self.0).cast_mut()
    }

    /// Adds `delta` pages of zeros; returns the old size in pages. On failure
    /// nothing has changed.
    pub fn grow(&self, delta: u64, limits: &Limits) -> Result<u64, ResourceError> {
        self.0.grow_shared(delta, limits)
    }

    /// The bytes, as many as there are now. Other threads may change them at any
    /// time.
    pub fn bytes(&self) -> &[UnsafeCell<u8>] {
        let bytes = self.0.data();
        // SAFETY: the bytes are mapped as long as the memory lives, which never
        // moves or shrinks; `UnsafeCell` has the layout of what is in it, and a
        // shared reference to it claims nothing of its content.
        unsafe { &*(bytes as *const [UnsafeCell<u8>]) }
    }

    /// Copies the bytes at `at` to `buffer`. Where other threads write
    /// meanwhile, some of the bytes may be old and some new.
    pub fn read(&self, at: u64, buffer: &mut [u8]) -> Result<(), Trap> {
        let src = self.0.range(at, buffer.len() as u64)?;
        // SAFETY: the range was checked, and shared memories never shrink or
        // move; the buffer is the caller's alone.
        unsafe { racy::copy(src, buffer.as_mut_ptr(), buffer.len()) };
        Ok(())
    }

    /// Copies `bytes` to `at`.
    pub fn write(&self, at: u64, bytes: &[u8]) -> Result<(), Trap> {
        let dst = self.0.range(at, bytes.len() as u64)?;
        // SAFETY: as in `read`.
        unsafe { racy::copy(bytes.as_ptr(), dst, bytes.len()) };
        Ok(())
    }
}

/// Growth and waiting, also for memories that are not shared.
impl Memory {
    /// Grows a memory, shared or not.
    ///
    /// # Safety
    /// `this` is live. Unless the memory is shared, no reference to it is.
    pub(crate) unsafe fn grow_at(
        this: *mut Memory,
        delta: u64,
        limits: &Limits,
    ) -> Result<u64, ResourceError> {
        // SAFETY: as the caller promises.
        unsafe {
            if (*this).is_shared() {
                (*this).grow_shared(delta, limits)
            } else {
                (*this).grow(delta, limits)
            }
        }
    }

    /// Grows a shared memory, which other threads may use meanwhile.
    fn grow_shared(&self, delta: u64, limits: &Limits) -> Result<u64, ResourceError> {
        let sharing = self.sharing().expect("a shared memory");
        // It guards no data of its own; growth fails as a whole.
        let _growth = sharing
            .growth
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.grow_in_place(delta, limits)
    }

    /// `memory.atomic.wait`: sleeps at `place` while `expected` is at `at` and
    /// nobody notifies; for ever if there is no `timeout`.
    pub fn atomic_wait<W: Word + PartialEq>(
        &self,
        at: u64,
        expected: W,
        timeout: Option<Duration>,
        place: &Arc<Interrupt>,
    ) -> Result<WaitResult, Trap> {
        check_aligned::<W>(at)?;
        let sharing = self.sharing().ok_or(Trap::ExpectedSharedMemory)?;
        let address = self.range(at, size_of::<W>() as u64)?;
        // SAFETY: the address was checked, and shared memories never shrink.
        let is_expected = || unsafe { W::load(address) } == expected;
        // What a contended lock meets most; a look under the lock follows.
        if !is_expected() {
            return Ok(WaitResult::Mismatch);
        }
        // A deadline beyond what `Instant` can hold never comes.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        sharing
            .parking
            .wait(address.addr(), is_expected, deadline, place)
            .map_err(|Interrupted| Trap::Interrupted)
    }

    /// `memory.atomic.notify`: wakes up to `count` threads that wait at `at`;
    /// returns how many. Nobody can wait in a memory that is not shared.
    pub fn atomic_notify(&self, at: u64, count: u32) -> Result<u32, Trap> {
        check_aligned::<u32>(at)?;
        let address = self.range(at, size_of::<u32>() as u64)?;
        Ok(self
            .sharing()
            .map_or(0, |sharing| sharing.parking.notify(address.addr(), count)))
    }
}

/// Accesses of bulk operations, to any memory.
impl Memory {
    /// `memory.fill`.
    ///
    /// # Safety
    /// No reference to the bytes is live, and unless the memory is shared, no
    /// other thread uses it.
    pub(crate) unsafe fn fill(&self, dst: u64, byte: u8, len: u64) -> Result<(), Trap> {
        let dst = self.range(dst, len)?;
        // SAFETY: the range was checked; the rest is the caller's promise.
        unsafe {
            if self.is_shared() {
                racy::fill(dst, byte, len as usize);
            } else {
                ptr::write_bytes(dst, byte, len as usize);
            }
        }
        Ok(())
    }

    /// `memory.copy`, to this memory.
    ///
    /// # Safety
    /// As for [`Memory::fill`], for both.
    pub(crate) unsafe fn copy_from(
        &self,
        dst: u64,
        from: &Memory,
        src: u64,
        len: u64,
    ) -> Result<(), Trap> {
        let dst = self.range(dst, len)?;
        let src = from.range(src, len)?;
        // SAFETY: both ranges were checked and may overlap; the rest is the
        // caller's promise.
        unsafe {
            if self.is_shared() || from.is_shared() {
                racy::copy(src, dst, len as usize);
            } else {
                ptr::copy(src, dst, len as usize);
            }
        }
        Ok(())
    }

    /// `memory.init`: copies bytes of the host's, which lie in no memory.
    ///
    /// # Safety
    /// As for [`Memory::fill`].
    pub(crate) unsafe fn init(&self, dst: u64, bytes: &[u8]) -> Result<(), Trap> {
        let dst = self.range(dst, bytes.len() as u64)?;
        // SAFETY: the range was checked; the rest is the caller's promise.
        unsafe {
            if self.is_shared() {
                racy::copy(bytes.as_ptr(), dst, bytes.len());
            } else {
                ptr::copy_nonoverlapping(bytes.as_ptr(), dst, bytes.len());
            }
        }
        Ok(())
    }
}

/// Atomic accesses must be aligned, whatever the memory.
fn check_aligned<W>(at: u64) -> Result<(), Trap> {
    if at.is_multiple_of(size_of::<W>() as u64) {
        Ok(())
    } else {
        Err(Trap::UnalignedAtomic)
    }
}
