//! Mappings of address space, private and anonymous unless of a file.

use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::sync::OnceLock;

pub use memmap2::Mmap;

/// Asks the kernel for huge pages where the first touch of these bytes would
/// bring in many small ones. It need not listen.
pub fn prefer_huge_pages(at: *const u8, len: usize) {
    #[cfg(target_os = "linux")]
    {
        let start = at.addr() & !(page_size() - 1);
        let end = at.addr().saturating_add(len);
        let start = at.with_addr(start).cast_mut();
        // SAFETY: the advice is about how pages are brought in. It changes nothing
        // that could be seen in any of them, and is refused for what is no memory.
        unsafe { libc::madvise(start.cast(), end - start.addr(), libc::MADV_HUGEPAGE) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (at, len);
}

/// A run of pages that this process owns, unmapped when dropped.
///
/// A mapping may be empty; its base is then dangling but page-aligned. The
/// kernel fills pages with zeros when they are first touched.
#[derive(Debug)]
pub struct Mapping {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: a mapping is plain memory that belongs to the whole process, and the
// methods that change it need `&mut self` or say what they ask of the caller.
unsafe impl Send for Mapping {}
// SAFETY: as above; nothing is read or written through `&Mapping`.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Reserves at least `len` bytes of inaccessible address space.
    pub fn reserve(len: usize) -> io::Result<Self> {
        Self::map(len, libc::PROT_NONE)
    }

    /// Maps at least `len` readable and writable bytes of zeros. They cost
    /// nothing until they are touched.
    pub fn zeroed(len: usize) -> io::Result<Self> {
        Self::map(len, libc::PROT_READ | libc::PROT_WRITE)
    }

    fn map(len: usize, protection: libc::c_int) -> io::Result<Self> {
        let len = round_up_to_page(len)?;
        if len == 0 {
            let base = ptr::without_provenance_mut(page_size());
            let base = NonNull::new(base).expect("a page has a size");
            return Ok(Mapping { base, len });
        }
        let flags = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE;
        // SAFETY: a new mapping at an address of the kernel's choice touches
        // nothing that exists.
        let base = unsafe { libc::mmap(ptr::null_mut(), len, protection, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // The kernel maps nothing at address 0 unless asked to.
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Mapping { base, len })
    }

    /// The first byte.
    pub fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// Length in bytes, a multiple of the page size.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The addresses that it takes.
    pub fn addresses(&self) -> Range<usize> {
        let start = self.base().addr();
        start..start + self.len
    }

    /// Makes the pages that hold `range` readable and writable. Their contents
    /// stay; those never touched are zeros. Who uses other parts of the mapping,
    /// or these, loses nothing by it.
    ///
    /// # Panics
    /// If `range` is not inside the mapping.
    pub fn commit(&self, range: Range<usize>) -> io::Result<()> {
        self.protect(range, libc::PROT_READ | libc::PROT_WRITE)
    }

    /// Makes the pages that hold `range` inaccessible. Their contents stay; who uses
    /// them meanwhile faults.
    ///
    /// # Panics
    /// If `range` is not inside the mapping.
    pub fn guard(&self, range: Range<usize>) -> io::Result<()> {
        self.protect(range, libc::PROT_NONE)
    }

    /// Makes the pages that hold `range` readable, and not writable.
    ///
    /// # Panics
    /// If `range` is not inside the mapping.
    pub fn make_read_only(&self, range: Range<usize>) -> io::Result<()> {
        self.protect(range, libc::PROT_READ)
    }

    /// The first `at` bytes, and what is behind them: neighbours, each unmapped by
    /// itself.
    ///
    /// # Panics
    /// If that is not inside the mapping, or within a page.
    pub fn split(self, at: usize) -> (Self, Self) {
        assert!(
            at <= self.len && at.is_multiple_of(page_size()),
            "a mapping is split outside or within a page"
        );
        let whole = ManuallyDrop::new(self);
        // SAFETY: `at` is inside the mapping or its end.
        let base = unsafe { whole.base.add(at) };
        let len = whole.len - at;
        let front = Mapping {
            base: whole.base,
            len: at,
        };
        (front, Mapping { base, len })
    }

    /// Asks the kernel for huge pages where the next touch of `range` would bring
    /// in many small ones. It need not listen.
    ///
    /// # Panics
    /// If `range` is not inside the mapping.
    pub fn prefer_huge_pages(&self, range: Range<usize>) {
        if let Some((at, len)) = self.pages(range) {
            prefer_huge_pages(at, len);
        }
    }

    /// Brings in the pages that hold `range`, as a write to each would. The kernel
    /// need not listen, and others may use them meanwhile.
    ///
    /// # Panics
    /// If `range` is not inside the mapping.
    pub fn bring_in(&self, range: Range<usize>) {
        #[cfg(target_os = "linux")]
        if let Some((at, len)) = self.pages(range) {
            // SAFETY: the pages are the mapping's, and their contents stay. A failure
            // leaves them to be brought in one by one.
            unsafe { libc::madvise(at.cast(), len, libc::MADV_POPULATE_WRITE) };
        }
        #[cfg(not(target_os = "linux"))]
        let _ = range;
    }

    /// Gives the pages that hold `range` back: they read as zeros when they are
    /// next touched, and keep their protection.
    ///
    /// # Panics
    /// If `range` is not inside the mapping.
    pub fn decommit(&mut self, range: Range<usize>) -> io::Result<()> {
        let Some((at, len)) = self.pages(range) else {
            return Ok(());
        };
        // SAFETY: the pages are inside this mapping, which `&mut self` makes
        // ours alone; on private anonymous pages this only resets contents.
        let result = unsafe { libc::madvise(at.cast(), len, libc::MADV_DONTNEED) };
        if result == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// Has the kernel not join pages to huge ones where it may, of which each write
    /// would make 2 MiB count as written. A hint: it says nothing of contents.
    pub fn keep_pages_small(&mut self) {
        #[cfg(target_os = "linux")]
        if self.len > 0 {
            // SAFETY: the range is this whole mapping, whose contents stay. Kernels
            // without huge pages refuse, which changes nothing.
            unsafe { libc::madvise(self.base().cast(), self.len, libc::MADV_NOHUGEPAGE) };
        }
    }

    /// Replaces the pages from `at` on by the first `len` bytes of a file, readable
    /// and writable; what is written stays in this mapping. Decommitted, they are
    /// the file's again.
    ///
    /// # Panics
    /// If the range is not inside the mapping or begins within a page.
    ///
    /// # Safety
    /// The file is never cut short nor written to as long as it is mapped.
    pub unsafe fn map_file(&mut self, at: usize, file: &File, len: usize) -> io::Result<()> {
        use std::os::fd::AsRawFd;

        assert!(at.is_multiple_of(page_size()), "a mapping within a page");
        let Some((start, len)) = self.pages(at..at + len) else {
            return Ok(());
        };
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_FIXED | libc::MAP_NORESERVE;
        // SAFETY: the pages are inside this mapping, which `&mut self` makes ours
        // alone.
        let result =
            unsafe { libc::mmap(start.cast(), len, protection, flags, file.as_raw_fd(), 0) };
        if result == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    fn protect(&self, range: Range<usize>, protection: libc::c_int) -> io::Result<()> {
        let Some((at, len)) = self.pages(range) else {
            return Ok(());
        };
        // SAFETY: the pages are inside this mapping; who keeps pointers into it
        // must cope with what it is told to become.
        let result = unsafe { libc::mprotect(at.cast(), len, protection) };
        if result == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// The whole pages that hold `range`, or nothing for an empty range.
    fn pages(&self, range: Range<usize>) -> Option<(*mut u8, usize)> {
        assert!(
            range.start <= range.end && range.end <= self.len,
            "range outside a mapping"
        );
        let mask = page_size() - 1;
        let start = range.start & !mask;
        // No overflow: `end` is at most `len`, a multiple of the page size.
        let end = (range.end + mask) & !mask;
        // SAFETY: `start` is at most `len`, so this stays in the mapping.
        (!range.is_empty()).then(|| (unsafe { self.base().add(start) }, end - start))
    }

    /// Grows a readable and writable mapping to at least `len` bytes, moving it
    /// if it must; the new bytes are zeros. On failure nothing has changed.
    ///
    /// Pages move by their table entries, so nothing is copied on Linux.
    pub fn grow(&mut self, len: usize) -> io::Result<()> {
        let len = round_up_to_page(len)?;
        if len <= self.len {
            return Ok(());
        }
        if self.is_empty() {
            *self = Self::zeroed(len)?;
            return Ok(());
        }
        self.grow_to_pages(len)
    }

    #[cfg(target_os = "linux")]
    fn grow_to_pages(&mut self, len: usize) -> io::Result<()> {
        // SAFETY: the range is this whole mapping; the caller's `&mut self`
        // says that nobody relies on where it lies.
        let base = unsafe { libc::mremap(self.base().cast(), self.len, len, libc::MREMAP_MAYMOVE) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        self.base = NonNull::new(base.cast()).expect("a mapping at address 0");
        self.len = len;
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    fn grow_to_pages(&mut self, len: usize) -> io::Result<()> {
        let larger = Self::zeroed(len)?;
        // SAFETY: both are readable and writable, distinct, and `larger` is the
        // longer one.
        unsafe { ptr::copy_nonoverlapping(self.base(), larger.base(), self.len) };
        *self = larger;
        Ok(())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.len > 0 {
            // SAFETY: the range is this whole mapping, and its owner is gone.
            // Failure is impossible for a range that was mapped as a whole.
            unsafe { libc::munmap(self.base().cast(), self.len) };
        }
    }
}

/// Maps a file for reading.
///
/// # Safety
/// Nobody may change or truncate the file while it is mapped: the bytes are
/// handed out as `&[u8]`, and reading behind a new end raises SIGBUS.
pub unsafe fn map_file(file: &File) -> io::Result<Mmap> {
    // SAFETY: the caller promises what `memmap2` asks for.
    unsafe { Mmap::map(file) }
}

/// Size of a page of the host.
pub fn page_size() -> usize {
    static SIZE: OnceLock<usize> = OnceLock::new();
    *SIZE.get_or_init(|| {
        // SAFETY: `sysconf` reads a constant of the system.
        let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        usize::try_from(size).expect("the page size is known")
    })
}

fn round_up_to_page(len: usize) -> io::Result<usize> {
    len.checked_next_multiple_of(page_size())
        .ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(mapping: &Mapping, at: usize, byte: u8) {
        assert!(at < mapping.len());
        // SAFETY: inside the mapping, which the tests have made writable.
        unsafe { mapping.base().add(at).write_volatile(byte) };
    }

    fn read(mapping: &Mapping, at: usize) -> u8 {
        assert!(at < mapping.len());
        // SAFETY: inside the mapping, which the tests have made readable.
        unsafe { mapping.base().add(at).read_volatile() }
    }

    #[test]
    fn lengths_are_whole_pages() {
        let page = page_size();
        for (asked, got) in [(0, 0), (1, page), (page, page), (page + 1, 2 * page)] {
            assert_eq!(Mapping::reserve(asked).unwrap().len(), got);
        }
    }

    #[test]
    fn impossible_lengths_are_errors() {
        for len in [usize::MAX, usize::MAX - page_size(), 1 << 62] {
            assert!(Mapping::reserve(len).is_err());
            let mut mapping = Mapping::zeroed(1).unwrap();
            let before = mapping.addresses();
            assert!(mapping.grow(len).is_err());
            assert_eq!(mapping.addresses(), before);
        }
    }

    #[test]
    fn committed_pages_hold_bytes_and_decommitted_ones_zeros() {
        let page = page_size();
        let mut mapping = Mapping::reserve(4 * page).unwrap();
        mapping.commit(page..2 * page + 1).unwrap();
        write(&mapping, page, 1);
        write(&mapping, 3 * page - 1, 2);
        mapping.decommit(page..2 * page).unwrap();
        assert_eq!((read(&mapping, page), read(&mapping, 3 * page - 1)), (0, 2));
        mapping.commit(0..0).unwrap();
        mapping.guard(0..4 * page).unwrap();
    }

    #[test]
    fn parts_of_a_mapping_are_neighbours() {
        let page = page_size();
        let (front, back) = Mapping::zeroed(3 * page).unwrap().split(page);
        assert_eq!(front.addresses().end, back.addresses().start);
        assert_eq!((front.len(), back.len()), (page, 2 * page));
        write(&back, page, 1);
        drop(front);
        assert_eq!(read(&back, page), 1);
        let (back, nothing) = back.split(2 * page);
        drop(nothing);
        assert_eq!(read(&back, page), 1);
    }

    #[test]
    fn growth_keeps_bytes_and_adds_zeros() {
        let page = page_size();
        let mut mapping = Mapping::zeroed(0).unwrap();
        for pages in [1, 2, 100, 5000] {
            let old = mapping.len();
            mapping.grow(pages * page).unwrap();
            assert_eq!(mapping.len(), pages * page);
            assert_eq!(read(&mapping, old), 0);
            if old > 0 {
                assert_eq!(read(&mapping, old - 1), 7);
            }
            write(&mapping, pages * page - 1, 7);
        }
    }

    #[test]
    #[should_panic(expected = "range outside a mapping")]
    fn ranges_outside_are_refused() {
        let mapping = Mapping::reserve(1).unwrap();
        let _ = mapping.commit(0..page_size() + 1);
    }
}
