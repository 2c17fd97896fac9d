//! Where the native stack of the current thread lies.

use std::cell::Cell;
use std::ops::Range;

thread_local! {
    // Empty (0, 0): not asked yet. Backwards (1, 0): asked and unknown.
    static BOUNDS: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// The addresses of the current thread's native stack, if the system tells:
/// without its guard pages, and for the main thread as far as its resource
/// limit lets it grow. Cheap after a thread's first call.
#[inline]
pub fn bounds() -> Option<Range<usize>> {
    let (start, end) = BOUNDS.get();
    if start < end {
        Some(start..end)
    } else {
        ask_once()
    }
}

#[cold]
fn ask_once() -> Option<Range<usize>> {
    if BOUNDS.get() == (0, 0) {
        BOUNDS.set(ask().map_or((1, 0), |bounds| (bounds.start, bounds.end)));
    }
    let (start, end) = BOUNDS.get();
    (start < end).then_some(start..end)
}

/// An address in the caller's frame: the stack pointer, to within a frame.
#[inline(always)]
pub fn pointer() -> usize {
    let here = 0u8;
    (&raw const here).addr()
}

/// The bounds of the main thread's stack: it ends with the name of the program,
/// which the kernel puts at its very top, and grows as far as its limit lets it.
///
/// `pthread_getattr_np` would tell the same after reading all of
/// `/proc/self/maps`, some 40 µs of a start that takes 500.
#[cfg(target_os = "linux")]
fn ask_main_thread() -> Option<Range<usize>> {
    /// What the stack of a process without a limit may take here.
    const UNLIMITED: usize = 8 << 20;
    const PAGE: usize = 4096;

    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: these calls have no preconditions but a valid `limit`.
    let (is_main, name, result) = unsafe {
        (
            libc::getpid() == libc::gettid(),
            libc::getauxval(libc::AT_EXECFN) as usize,
            libc::getrlimit(libc::RLIMIT_STACK, &mut limit),
        )
    };
    if !is_main || name == 0 || result != 0 {
        return None;
    }
    let size = usize::try_from(limit.rlim_cur).map_or(UNLIMITED, |size| size.min(UNLIMITED));
    let end = name.next_multiple_of(PAGE);
    let bounds = end.saturating_sub(size)..end;
    // A main thread that runs on another stack than its own is told apart.
    bounds.contains(&pointer()).then_some(bounds)
}

#[cfg(target_os = "linux")]
fn ask() -> Option<Range<usize>> {
    use std::mem::MaybeUninit;
    use std::ptr;

    if let Some(bounds) = ask_main_thread() {
        return Some(bounds);
    }
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: the call initialises `attributes` for the current thread, which
    // is alive; zero says that it did.
    if unsafe { libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) } != 0 {
        return None;
    }
    let mut start = ptr::null_mut();
    let mut size = 0;
    // SAFETY: `attributes` was initialised above, and is destroyed only after
    // its last use.
    let result = unsafe {
        let result = libc::pthread_attr_getstack(attributes.as_ptr(), &mut start, &mut size);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        result
    };
    let start = start.addr();
    (result == 0).then(|| start..start.saturating_add(size))
}

#[cfg(not(target_os = "linux"))]
fn ask() -> Option<Range<usize>> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_the_stack_pointer() {
        let here = bounds().unwrap();
        assert!(here.contains(&pointer()));
        assert_eq!(bounds().unwrap(), here);
    }

    #[test]
    fn each_thread_has_its_own_bounds() {
        const SIZE: usize = 1 << 20;
        let here = bounds().unwrap();
        let there = std::thread::Builder::new()
            .stack_size(SIZE)
            .spawn(|| {
                let bounds = bounds().unwrap();
                assert!(bounds.contains(&pointer()));
                bounds
            })
            .unwrap()
            .join()
            .unwrap();
        assert!(there.end <= here.start || here.end <= there.start);
        assert!(
            (SIZE / 2..4 * SIZE).contains(&there.len()),
            "{}",
            there.len()
        );
    }
}
