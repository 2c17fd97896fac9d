//! Which pages of a private mapping hold something of their own.
//!
//! Asked of the kernel by `PAGEMAP_SCAN` (Linux 6.7, `Documentation/admin-guide/
//! mm/pagemap.rst`). A page counts once it was written to, and until it is given
//! back: pages are not write-protected to learn of later writes, because each
//! would cost a fault, here 4 µs, where copying a page costs 0.1.

use std::ops::{ControlFlow, Range};

/// Calls `visit` with runs of pages in `range` that were written to since they
/// were mapped or last decommitted, in order, until it breaks. Pages of zeros
/// that were only read, and those of a mapped file, are not among them.
///
/// Returns whether the kernel could tell; if not, `visit` may have been called
/// for some runs.
///
/// `range` begins and ends at a page, and is one of private mappings.
pub fn written(range: Range<usize>, visit: impl FnMut(Range<usize>) -> ControlFlow<()>) -> bool {
    imp::written(range, visit)
}

#[cfg(target_os = "linux")]
mod imp {
    use std::fs::File;
    use std::ops::{ControlFlow, Range};
    use std::os::fd::AsRawFd;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// `struct page_region` of `linux/fs.h`.
    #[derive(Clone, Copy, Default)]
    #[repr(C)]
    struct Region {
        start: u64,
        end: u64,
        categories: u64,
    }

    /// `struct pm_scan_arg` of `linux/fs.h`.
    #[repr(C)]
    struct Scan {
        size: u64,
        flags: u64,
        start: u64,
        end: u64,
        walk_end: u64,
        regions: u64,
        regions_len: u64,
        max_pages: u64,
        inverted: u64,
        all_of: u64,
        any_of: u64,
        returned: u64,
    }

    const FILE: u64 = 1 << 2;
    const PRESENT: u64 = 1 << 3;
    const SWAPPED: u64 = 1 << 4;
    const ZERO: u64 = 1 << 5;

    /// `_IOWR('f', 16, struct pm_scan_arg)`.
    const PAGEMAP_SCAN: u64 = 3 << 30 | (size_of::<Scan>() as u64) << 16 | (b'f' as u64) << 8 | 16;

    /// Whether this is the process that opened the file: a child's would tell of
    /// its parent.
    static FORKED: AtomicBool = AtomicBool::new(false);

    fn pagemap() -> Option<&'static File> {
        static PAGEMAP: OnceLock<Option<File>> = OnceLock::new();
        extern "C" fn in_child() {
            FORKED.store(true, Ordering::Relaxed);
        }
        let open = || {
            let file = File::open("/proc/self/pagemap").ok()?;
            // SAFETY: the handler stores to a static, which any state of a child
            // allows.
            let result = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
            (result == 0).then_some(file)
        };
        let file = PAGEMAP.get_or_init(open).as_ref();
        file.filter(|_| !FORKED.load(Ordering::Relaxed))
    }

    pub(super) fn written(
        range: Range<usize>,
        mut visit: impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> bool {
        let Some(file) = pagemap() else {
            return false;
        };
        let mut regions = [Region::default(); 32];
        let mut at = range.start as u64;
        while at < range.end as u64 {
            let mut scan = Scan {
                size: size_of::<Scan>() as u64,
                flags: 0,
                start: at,
                end: range.end as u64,
                walk_end: 0,
                regions: regions.as_mut_ptr().expose_provenance() as u64,
                regions_len: regions.len() as u64,
                max_pages: 0,
                inverted: FILE | ZERO,
                all_of: FILE | ZERO,
                any_of: PRESENT | SWAPPED,
                returned: FILE,
            };
            // SAFETY: the argument and the regions that it points to are live
            // and of the layout that the kernel knows; it writes to nothing else.
            let found = unsafe { libc::ioctl(file.as_raw_fd(), PAGEMAP_SCAN, &raw mut scan) };
            let Ok(found) = usize::try_from(found) else {
                return false;
            };
            for region in &regions[..found.min(regions.len())] {
                if visit(region.start as usize..region.end as usize).is_break() {
                    return true;
                }
            }
            if scan.walk_end <= at {
                return false;
            }
            at = scan.walk_end;
        }
        true
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::ops::{ControlFlow, Range};

    pub(super) fn written(_: Range<usize>, _: impl FnMut(Range<usize>) -> ControlFlow<()>) -> bool {
        false
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::sys::mmap::{Mapping, page_size};

    fn pages(mapping: &Mapping, break_at: usize) -> Option<Vec<usize>> {
        let start = mapping.base().addr();
        let mut found = Vec::new();
        let told = written(mapping.addresses(), |run| {
            found.extend(
                run.step_by(page_size())
                    .map(|at| (at - start) / page_size()),
            );
            match found.len() >= break_at {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        told.then_some(found)
    }

    #[test]
    fn pages_count_from_the_first_write_until_they_are_given_back() {
        let page = page_size();
        let mut mapping = Mapping::zeroed(300 * page).unwrap();
        // SAFETY: inside the mapping.
        let write = |at: usize| unsafe { mapping.base().add(at * page + 5).write_volatile(0) };
        // SAFETY: inside the mapping.
        let read = |at: usize| unsafe { mapping.base().add(at * page).read_volatile() };
        let touched: Vec<_> = (1..300).step_by(2).collect();
        touched.iter().for_each(|&at| write(at));
        read(0);
        let Some(found) = pages(&mapping, usize::MAX) else {
            return; // A kernel that cannot tell.
        };
        assert_eq!(found, touched);
        assert_eq!(pages(&mapping, 40).unwrap(), touched[..40]);
        mapping.decommit(0..200 * page).unwrap();
        assert_eq!(pages(&mapping, usize::MAX).unwrap(), touched[100..]);
    }
}
