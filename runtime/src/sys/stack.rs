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

/// Calls `f` with an address of the native stack at and above which all values of
/// this function's callers are, those included that callers keep in registers;
/// `None` where that is not known of the architecture.
#[inline(never)]
pub fn with_registers_on_stack<R>(f: impl FnOnce(Option<usize>) -> R) -> R {
    let mut saved = [0; 12];
    let sp = save_registers(&mut saved);
    let result = f(sp);
    // Keeps them on the stack until here.
    std::hint::black_box(&saved);
    result
}

/// Saves the registers that a function must leave as it found them (the others
/// hold nothing across a call), and returns the stack pointer.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn save_registers(saved: &mut [usize; 12]) -> Option<usize> {
    let sp;
    // SAFETY: stores six registers to `saved`, and reads another.
    unsafe {
        std::arch::asm!(
            "mov [{saved}], rbx",
            "mov [{saved} + 8], rbp",
            "mov [{saved} + 16], r12",
            "mov [{saved} + 24], r13",
            "mov [{saved} + 32], r14",
            "mov [{saved} + 40], r15",
            "mov {sp}, rsp",
            saved = in(reg) saved.as_mut_ptr(),
            sp = lateout(reg) sp,
            options(nostack, preserves_flags),
        );
    }
    Some(sp)
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn save_registers(saved: &mut [usize; 12]) -> Option<usize> {
    let sp;
    // SAFETY: stores twelve registers to `saved`, and reads another.
    unsafe {
        std::arch::asm!(
            "stp x19, x20, [{saved}]",
            "stp x21, x22, [{saved}, #16]",
            "stp x23, x24, [{saved}, #32]",
            "stp x25, x26, [{saved}, #48]",
            "stp x27, x28, [{saved}, #64]",
            "stp x29, x30, [{saved}, #80]",
            "mov {sp}, sp",
            saved = in(reg) saved.as_mut_ptr(),
            sp = lateout(reg) sp,
            options(nostack, preserves_flags),
        );
    }
    Some(sp)
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn save_registers(_: &mut [usize; 12]) -> Option<usize> {
    None
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
    fn registers_are_found_on_the_stack() {
        let secret = std::hint::black_box(0x1357_9bdf_0246_8acf_usize);
        let above = pointer();
        let found = with_registers_on_stack(|sp| {
            let sp = sp? & !7;
            assert!(sp < above && above - sp < 1 << 16);
            let words = (sp..above).step_by(8).map(|at| {
                // SAFETY: between this frame and the caller's, on this stack.
                unsafe { std::ptr::with_exposed_provenance::<usize>(at).read_volatile() }
            });
            // Somewhere, or else it lies above.
            Some(words.filter(|&word| word == secret).count())
        });
        assert_eq!(
            found.is_some(),
            cfg!(any(target_arch = "x86_64", target_arch = "aarch64"))
        );
        std::hint::black_box(secret);
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
