//! Processor time and heap of the process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Counts what is allocated, and otherwise is the system's allocator.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn grown(by: usize) {
    let live = LIVE.fetch_add(by, Relaxed) + by;
    PEAK.fetch_max(live, Relaxed);
}

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller's contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's contract.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both may be live while the contents move.
        grown(size);
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's contract.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// From here on the allocator gives no page back to the system. Faulting in the
/// pages of a large module's heap costs more than the work on it and is no part
/// of it; once a run has touched them, later runs find them there.
pub fn keep_pages() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: sets numbers in the C library's allocator, as it documents.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_MMAP_MAX, 0);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
    }
}

/// What some work used.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    /// Processor time of all threads, in milliseconds.
    pub cpu_ms: f64,
    /// Bytes of heap at its highest, above what was there before.
    pub peak: usize,
}

impl Used {
    /// The least of each.
    pub fn min(self, other: Used) -> Used {
        Used {
            cpu_ms: self.cpu_ms.min(other.cpu_ms),
            peak: self.peak.min(other.peak),
        }
    }
}

/// A measurement under way.
pub struct Meter {
    cpu_ms: f64,
    live: usize,
}

impl Meter {
    pub fn start() -> Self {
        let live = LIVE.load(Relaxed);
        PEAK.store(live, Relaxed);
        Meter {
            cpu_ms: cpu_ms(),
            live,
        }
    }

    pub fn stop(self) -> Used {
        Used {
            cpu_ms: cpu_ms() - self.cpu_ms,
            peak: PEAK.load(Relaxed).saturating_sub(self.live),
        }
    }
}

/// Measures some work.
pub fn measure(work: impl FnOnce()) -> Used {
    let meter = Meter::start();
    work();
    meter.stop()
}

fn cpu_ms() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}
