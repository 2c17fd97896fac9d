//! Linear memories.
//!
//! ```text
//!  guarded    base ├─ len ─┼──────── inaccessible ────────┼─ guard ─┤
//!                  └──────── MEMORY_RESERVATION ──────────┘
//!  reserved   base ├─ len ─┼─── inaccessible ───┤ maximum
//!  moving     base ├─ len ─┼─ zeros ─┤ capacity; moves to grow beyond it
//! ```
//! A guarded memory needs no bounds check for a 32-bit index: what is outside
//! faults. The other two are checked; a shared memory is reserved, because
//! other threads hold its base, and every other one moves. What is particular
//! to shared ones stands in [`crate::shared_memory`].

mod image;
mod poll_page;
mod reservation;

pub(crate) use image::MemoryImage;
pub(crate) use poll_page::PollPage;
pub use reservation::guarded_memories_available;

use crate::layout::MemoryDef;
use crate::limits::{LimitError, LimitKind, Limits, ResourceError};
use crate::shared_memory::Sharing;
use crate::sys::mmap::Mapping;
use crate::trap::Trap;
use crate::tunables::{MEMORY_FRONT, MEMORY_GUARD, MEMORY_RESERVATION};
use rwasm_parser::MemoryType;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Whether memories of this type are reserved and guarded in engines that have
/// guarded memories: those with 32-bit indices and the usual pages.
///
/// It does not depend on the limits, so an import's type tells as much as the
/// memory's own.
pub fn can_be_guarded(ty: &MemoryType) -> bool {
    !ty.index64 && ty.page_size_log2 == 16
}

/// Whether code that may be interrupted reads a page before memories of this type,
/// where they are guarded: a shared one is not one store's.
pub(crate) fn can_be_polled(ty: &MemoryType) -> bool {
    can_be_guarded(ty) && !ty.shared
}

/// A linear memory.
#[derive(Debug)]
#[repr(C)]
pub struct Memory {
    /// What code sees. First, so that a `*mut MemoryDef` of a store is a
    /// `*mut Memory`.
    pub def: MemoryDef,
    ty: MemoryType,
    mapping: Mapping,
    kind: Kind,
    /// Before the first byte, of a guarded memory whose code may be interrupted.
    poll_page: Option<Arc<PollPage>>,
    /// Whether pages of the image that it took up are mapped in it.
    has_image: bool,
    /// Of a shared memory.
    sharing: Option<Box<Sharing>>,
}

// SAFETY: the definition's base is that of the mapping, which the memory owns.
unsafe impl Send for Memory {}
// SAFETY: `&Memory` changes the length, an atomic, and makes pages accessible;
// it gives the bytes by raw pointer only. All else needs `&mut Memory`.
unsafe impl Sync for Memory {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Guarded,
    Reserved,
    Moving,
}

impl Memory {
    /// A memory of type `ty` within `limits`, filled with zeros. It is guarded
    /// if that is asked for and the type allows it.
    pub fn new(ty: MemoryType, limits: &Limits, guarded: bool) -> Result<Self, ResourceError> {
        let len = byte_len(&ty, ty.min, limits)?;
        let (kind, mapping, most) = if guarded && can_be_guarded(&ty) {
            let most = MEMORY_RESERVATION + MEMORY_GUARD;
            (Kind::Guarded, reservation::reserve(), most)
        } else if ty.shared {
            // More than the store's limit it can never have.
            let most = byte_len(&ty, most_pages(&ty), limits).map_or(limits.memory_bytes, to_u64);
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            (Kind::Reserved, Mapping::reserve(most), most)
        } else {
            (Kind::Moving, Mapping::zeroed(len), len)
        };
        Self::in_mapping(ty, len, kind, mapping.map_err(unmapped(most))?)
    }

    /// The same, with a page before it by which code is interrupted, if it can be
    /// guarded and is not shared.
    pub(crate) fn polled(ty: MemoryType, limits: &Limits) -> Result<Self, ResourceError> {
        if !can_be_polled(&ty) {
            return Self::new(ty, limits, true);
        }
        let len = byte_len(&ty, ty.min, limits)?;
        let most = MEMORY_FRONT + MEMORY_RESERVATION + MEMORY_GUARD;
        let (page, mapping) = reservation::reserve_polled().map_err(unmapped(most))?;
        let mut memory = Self::in_mapping(ty, len, Kind::Guarded, mapping)?;
        memory.poll_page = Some(Arc::new(page));
        Ok(memory)
    }

    fn in_mapping(
        ty: MemoryType,
        len: usize,
        kind: Kind,
        mapping: Mapping,
    ) -> Result<Self, ResourceError> {
        if kind != Kind::Moving {
            mapping.commit(0..len).map_err(unmapped(len))?;
        }
        let def = MemoryDef {
            base: mapping.base(),
            len: AtomicUsize::new(len),
        };
        Ok(Memory {
            def,
            ty,
            mapping,
            kind,
            poll_page: None,
            has_image: false,
            sharing: ty.shared.then(Box::default),
        })
    }

    /// The type, with the present size as its minimum.
    pub fn ty(&self) -> MemoryType {
        MemoryType {
            min: self.size(),
            ..self.ty
        }
    }

    /// Size in pages.
    pub fn size(&self) -> u64 {
        to_u64(self.byte_len()) >> self.ty.page_size_log2
    }

    /// Size in bytes.
    #[inline]
    pub fn byte_len(&self) -> usize {
        // Sequentially consistent as the threads proposal has it, and as cheap
        // as anything where loads are.
        self.def.len.load(Ordering::SeqCst)
    }

    /// Whether several stores may have it, each on a thread of its own.
    #[inline]
    pub fn is_shared(&self) -> bool {
        self.ty.shared
    }

    /// What only shared memories have.
    pub(crate) fn sharing(&self) -> Option<&Sharing> {
        self.sharing.as_deref()
    }

    /// Whether accesses outside fault instead of being checked.
    pub fn is_guarded(&self) -> bool {
        self.kind == Kind::Guarded
    }

    /// The page by which its code is interrupted, if it is.
    pub(crate) fn poll_page(&self) -> Option<&Arc<PollPage>> {
        self.poll_page.as_ref()
    }

    /// The addresses that it takes, the reservation and the guard included.
    pub fn addresses(&self) -> Range<usize> {
        self.mapping.addresses()
    }

    /// Adds `delta` pages of zeros; returns the old size in pages. On failure
    /// nothing has changed.
    pub fn grow(&mut self, delta: u64, limits: &Limits) -> Result<u64, ResourceError> {
        if self.kind != Kind::Moving {
            return self.grow_in_place(delta, limits);
        }
        let old_pages = self.size();
        let len = self.len_after(delta, limits)?;
        self.move_to_grow(len, limits).map_err(unmapped(len))?;
        self.def.base = self.mapping.base();
        self.def.len.store(len, Ordering::SeqCst);
        Ok(old_pages)
    }

    /// As [`Memory::grow`], for memories that do not move. Nobody else grows it
    /// meanwhile.
    pub(crate) fn grow_in_place(&self, delta: u64, limits: &Limits) -> Result<u64, ResourceError> {
        let old_pages = self.size();
        let len = self.len_after(delta, limits)?;
        let result = if len <= self.mapping.len() {
            self.mapping.commit(self.byte_len()..len)
        } else {
            // The store's limit was raised after the reservation.
            Err(io::ErrorKind::OutOfMemory.into())
        };
        result.map_err(unmapped(len))?;
        self.def.len.store(len, Ordering::SeqCst);
        Ok(old_pages)
    }

    /// The length in bytes that a growth leads to, if it is allowed.
    fn len_after(&self, delta: u64, limits: &Limits) -> Result<usize, LimitError> {
        if delta == 0 {
            // Always, even where the limits were lowered since.
            return Ok(self.byte_len());
        }
        byte_len(&self.ty, self.size().saturating_add(delta), limits)
    }

    /// Grows the mapping by half if there is room, so that growing page by page
    /// stays linear.
    fn move_to_grow(&mut self, len: usize, limits: &Limits) -> io::Result<()> {
        let capacity = self.mapping.len();
        if len <= capacity {
            return Ok(());
        }
        let most = usize::try_from(limits.memory_bytes).unwrap_or(usize::MAX);
        let ample = capacity.saturating_add(capacity / 2).min(most).max(len);
        self.mapping.grow(ample).or_else(|_| self.mapping.grow(len))
    }

    /// Prepares for writes to nearly all of `range`, which is inside the memory.
    pub(crate) fn expect_writes(&self, range: Range<usize>) {
        self.mapping.prefer_huge_pages(range);
    }

    /// Brings in the pages of `range`, which another thread may be using.
    pub(crate) fn bring_in(&self, range: Range<usize>) {
        self.mapping.bring_in(range);
    }

    /// The bytes. They stay at this address until the memory grows.
    #[inline]
    pub fn data(&self) -> *mut [u8] {
        std::ptr::slice_from_raw_parts_mut(self.def.base, self.byte_len())
    }

    /// The first byte of `at..at + len`, or the trap of an access outside.
    pub fn range(&self, at: u64, len: u64) -> Result<*mut u8, Trap> {
        let end = at
            .checked_add(len)
            .filter(|&end| end <= to_u64(self.byte_len()));
        match end {
            // SAFETY: `at <= end <= byte_len`, which is a `usize`, and all of
            // these bytes are mapped.
            Some(_) => Ok(unsafe { self.def.base.add(at as usize) }),
            None => Err(Trap::MemoryOutOfBounds),
        }
    }
}

/// The error of a memory of so many bytes that cannot be mapped.
fn unmapped(bytes: usize) -> impl FnOnce(io::Error) -> ResourceError {
    move |error| ResourceError::system("linear memory", bytes, error)
}

/// The bytes of `pages` pages, if the type and the limits allow so many.
fn byte_len(ty: &MemoryType, pages: u64, limits: &Limits) -> Result<usize, LimitError> {
    LimitError::check(LimitKind::DeclaredMemoryPages, most_pages(ty), pages)?;
    let bytes = pages.saturating_mul(ty.page_size());
    // What an address space cannot hold is not worth trying.
    let most = limits.memory_bytes.min(to_u64(isize::MAX as usize));
    LimitError::check(LimitKind::MemoryBytes, most, bytes)?;
    Ok(bytes as usize)
}

/// The most pages that the type allows. A 32-bit memory has at most 2^32 bytes,
/// and its size in pages is a 32-bit number.
fn most_pages(ty: &MemoryType) -> u64 {
    let log2 = u32::from(ty.page_size_log2);
    let indexed = if ty.index64 {
        1u64.checked_shl(64 - log2).unwrap_or(u64::MAX)
    } else {
        ((1 << 32) >> log2).min(u32::MAX.into())
    };
    ty.max.map_or(indexed, |max| max.min(indexed))
}

fn to_u64(len: usize) -> u64 {
    len as u64
}
