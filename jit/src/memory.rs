//! Where machine code lives: one reservation for the process, at most 2 GiB, so
//! that all code reaches all other by 32-bit distances.
//!
//! ```text
//!  arena  ├─ image ─┤├─ image ─┤..free..├─ image ─┤ ................ │
//!  pages  [ *Image ][ *Image  ][ null  ][ *Image  ][ null …          │
//! ```
//! An [`Image`] takes whole pages. They are written while nothing can run them
//! and then made executable; no page is ever both. The table of pages tells, for
//! any program counter, whose code it is in, without locks: the signal handler
//! asks.

use crate::image::Image;
use rustix::mm::{Advice, MprotectFlags, madvise, mprotect};
use rwasm_runtime::sys::mmap::{Mapping, page_size};
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// What is asked for first, and what is the least that makes sense. A limit on
/// address space (`ulimit -v`) may forbid the former.
const MOST: usize = 1 << 31;
const LEAST: usize = 1 << 24;

/// The reservation.
#[derive(Debug)]
pub(crate) struct Arena {
    mapping: Mapping,
    /// By page: the image in it, or null.
    pages: Mapping,
    /// Free ranges of offsets: start to end, none empty, none adjacent.
    free: Mutex<BTreeMap<usize, usize>>,
}

static ARENA: OnceLock<Result<Arena, i32>> = OnceLock::new();

/// The arena of the process, reserved when first asked for.
pub(crate) fn arena() -> io::Result<&'static Arena> {
    let arena = ARENA.get_or_init(|| {
        Arena::reserve().map_err(|error| error.raw_os_error().unwrap_or(libc_enomem()))
    });
    arena
        .as_ref()
        .map_err(|&code| io::Error::from_raw_os_error(code))
}

fn libc_enomem() -> i32 {
    rustix::io::Errno::NOMEM.raw_os_error()
}

/// The image that holds `pc`, if it is an address of machine code. Lock-free.
///
/// # Safety
/// The code at `pc` is kept from being freed for as long as `'a`: it runs.
pub(crate) unsafe fn image_at<'a>(pc: usize) -> Option<&'a Image> {
    let arena = ARENA.get()?.as_ref().ok()?;
    let offset = pc.checked_sub(arena.mapping.base().addr())?;
    if offset >= arena.mapping.len() {
        return None;
    }
    // SAFETY: a slot is null or points to an image that lives as long as its
    // code, which runs.
    unsafe { arena.page(offset).load(Ordering::Acquire).as_ref() }
}

impl Arena {
    fn reserve() -> io::Result<Self> {
        let mut len = MOST;
        let mapping = loop {
            match Mapping::reserve(len) {
                Ok(mapping) => break mapping,
                Err(error) if len <= LEAST => return Err(error),
                Err(_) => len /= 2,
            }
        };
        let pages = Mapping::zeroed(len / page_size() * size_of::<AtomicPtr<Image>>())?;
        Ok(Arena {
            mapping,
            pages,
            free: Mutex::new(BTreeMap::from([(0, len)])),
        })
    }

    fn page(&self, offset: usize) -> &AtomicPtr<Image> {
        debug_assert!(offset < self.mapping.len());
        // SAFETY: the table has an entry for every page; zeros are null.
        unsafe {
            &*self
                .pages
                .base()
                .cast::<AtomicPtr<Image>>()
                .add(offset / page_size())
        }
    }

    /// Room for `len` bytes of code, which nothing runs yet.
    pub(crate) fn allocate(&'static self, len: usize) -> io::Result<Room> {
        let len = len.max(1).next_multiple_of(page_size());
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = free.iter().find(|&(start, end)| end - start >= len);
        let (&start, &end) = fits.ok_or(io::ErrorKind::OutOfMemory)?;
        free.remove(&start);
        if start + len < end {
            free.insert(start + len, end);
        }
        Ok(Room {
            arena: self,
            range: start..start + len,
        })
    }

    fn release(&self, range: Range<usize>) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let Range { mut start, mut end } = range;
        if let Some((&before, &before_end)) = free.range(..start).next_back()
            && before_end == start
        {
            start = before;
        }
        if let Some(after_end) = free.remove(&end) {
            end = after_end;
        }
        free.insert(start, end);
    }

    fn at(&self, offset: usize) -> *mut u8 {
        // SAFETY: offsets of rooms are inside the mapping.
        unsafe { self.mapping.base().add(offset) }
    }

    fn protect(&self, range: &Range<usize>, flags: MprotectFlags) -> io::Result<()> {
        // SAFETY: the pages are a room's, which nothing runs in yet or any more.
        unsafe { mprotect(self.at(range.start).cast(), range.len(), flags)? };
        Ok(())
    }
}

/// A part of the arena that belongs to the holder.
#[derive(Debug)]
pub(crate) struct Room {
    arena: &'static Arena,
    range: Range<usize>,
}

impl Room {
    /// The address that the code will have.
    pub(crate) fn base(&self) -> usize {
        self.arena.at(self.range.start).addr()
    }

    /// Puts code there and makes it executable. Program counters in it lead to
    /// `image` from now on.
    ///
    /// # Panics
    /// If the code is larger than the room.
    pub(crate) fn publish(self, code: &[u8], image: Image) -> io::Result<Published> {
        assert!(code.len() <= self.range.len(), "code larger than its room");
        let write = MprotectFlags::READ | MprotectFlags::WRITE;
        self.arena.protect(&self.range, write)?;
        // SAFETY: the pages are writable now, and ours alone.
        unsafe {
            let base = self.arena.at(self.range.start);
            ptr::copy_nonoverlapping(code.as_ptr(), base, code.len());
            synchronize_caches(base, code.len());
        }
        let execute = MprotectFlags::READ | MprotectFlags::EXEC;
        self.arena.protect(&self.range, execute)?;
        let image = Box::new(image);
        for offset in self.range.clone().step_by(page_size()) {
            let pointer = ptr::from_ref(&*image).cast_mut();
            self.arena.page(offset).store(pointer, Ordering::Release);
        }
        Ok(Published {
            _image: image,
            room: self,
        })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        for offset in self.range.clone().step_by(page_size()) {
            self.arena
                .page(offset)
                .store(ptr::null_mut(), Ordering::Release);
        }
        let (at, len) = (self.arena.at(self.range.start), self.range.len());
        // What cannot be given back or made inaccessible stays taken, rather
        // than being used again with a protection that it must not have.
        // SAFETY: the pages are this room's, which nobody runs or reads.
        let returned = unsafe {
            madvise(at.cast(), len, Advice::LinuxDontNeed).is_ok()
                && mprotect(at.cast(), len, MprotectFlags::empty()).is_ok()
        };
        if returned {
            self.arena.release(self.range.clone());
        }
    }
}

/// Code that can be run. It goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Published {
    room: Room,
    // After the room, whose drop makes it unreachable: fields are dropped in
    // order.
    _image: Box<Image>,
}

impl Published {
    /// The address of the byte at `offset`.
    pub(crate) fn address(&self, offset: usize) -> *const () {
        ptr::with_exposed_provenance(self.room.base() + offset)
    }
}

/// Makes instructions that were written as data visible to instruction fetch,
/// which x86-64 does by itself.
///
/// # Safety
/// The range is mapped.
#[cfg(target_arch = "x86_64")]
unsafe fn synchronize_caches(_base: *mut u8, _len: usize) {}

/// # Safety
/// The range is mapped.
#[cfg(not(target_arch = "x86_64"))]
unsafe fn synchronize_caches(base: *mut u8, len: usize) {
    unsafe extern "C" {
        /// Of the compiler's runtime.
        fn __clear_cache(start: *mut u8, end: *mut u8);
    }
    // SAFETY: as the caller promises.
    unsafe { __clear_cache(base, base.add(len)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rooms are apart, are freed, and are merged when their neighbours are.
    #[test]
    fn rooms() {
        let arena = arena().unwrap();
        let page = page_size();
        let rooms: Vec<Room> = (1..20)
            .map(|pages| arena.allocate(pages * page - 1).unwrap())
            .collect();
        for pair in rooms.windows(2) {
            let [a, b] = pair else { unreachable!() };
            assert!(a.range.end <= b.range.start || b.range.end <= a.range.start);
        }
        drop(rooms);
        assert!(arena.allocate(usize::MAX / 2).is_err());
    }

    #[test]
    fn published_code_is_found_by_its_address() {
        let room = arena().unwrap().allocate(10).unwrap();
        let pc = room.base() + 9;
        // SAFETY: nothing is published there, or it lives to the end.
        unsafe {
            assert!(image_at(pc).is_none());
            let published = room.publish(&[0xcc; 10], Image::default()).unwrap();
            assert!(image_at(pc).is_some());
            drop(published);
            assert!(image_at(pc).is_none());
            assert!(image_at(0).is_none());
            assert!(image_at(usize::MAX).is_none());
        }
    }
}
