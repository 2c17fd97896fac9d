//! Where the stack of the main thread is, without reading `/proc/self/maps`.
//!
//! Before `main`, Rust's standard library asks where that stack ends, in order to
//! tell its overflow from other faults. The C library answers by having the system
//! list all mappings and by parsing the list, which takes longer than a small guest
//! (`docs/RATIONALE.md`). The system has said before where the stack begins, and its
//! size is a limit of the process.
//!
//! `cli/build.rs` has the linker lead `pthread_getattr_np` to the wrapper here, by
//! `--wrap`; elsewhere nothing calls it.

use std::arch::global_asm;
use std::ffi::{CStr, c_char, c_int, c_void};

/// What the wrapper gets from [`attributes`] if the C library has to answer.
const UNKNOWN: c_int = -1;

global_asm!(
    ".pushsection .text.rwasm_wrap_pthread_getattr_np, \"ax\", @progbits",
    // There is one only where the linker wraps.
    ".weak __real_pthread_getattr_np",
    ".globl __wrap_pthread_getattr_np",
    "__wrap_pthread_getattr_np:",
    "push rdi",
    "push rsi",
    "sub rsp, 8",
    "call {attributes}",
    "add rsp, 8",
    "pop rsi",
    "pop rdi",
    "cmp eax, {unknown}",
    "je __real_pthread_getattr_np@PLT",
    "ret",
    ".popsection",
    attributes = sym attributes,
    unknown = const UNKNOWN,
);

/// Writes the address and the size of the main thread's stack to `attr`, if
/// `thread` is the calling thread and that is the main one.
///
/// # Safety
/// `attr` may be written to.
unsafe extern "C" fn attributes(thread: libc::pthread_t, attr: *mut libc::pthread_attr_t) -> c_int {
    let Some((bottom, size)) = main_stack(thread) else {
        return UNKNOWN;
    };
    // SAFETY: `attr` may be written to, by the caller's contract, and is initialised
    // before it is changed.
    unsafe {
        match libc::pthread_attr_init(attr) {
            0 => libc::pthread_attr_setstack(attr, bottom, size),
            error => error,
        }
    }
}

/// The lowest address that the stack may reach, and its size, if `thread` is the
/// calling thread and that is the main one.
fn main_stack(thread: libc::pthread_t) -> Option<(*mut c_void, usize)> {
    // SAFETY: these have no conditions.
    let is_main = unsafe { thread == libc::pthread_self() && libc::gettid() == libc::getpid() };
    if !is_main {
        return None;
    }
    // The name of the program is the first thing on the stack, but for a null word.
    // SAFETY: it has no conditions.
    let name = unsafe { libc::getauxval(libc::AT_EXECFN) } as *const c_char;
    if name.is_null() {
        return None;
    }
    // SAFETY: what the system put there is a string, which nothing changes.
    let len = unsafe { CStr::from_ptr(name) }.count_bytes();
    // SAFETY: it has no conditions.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).ok()?;
    let top = (name.addr() + len + 1).next_multiple_of(page);
    // SAFETY: all-zero bytes are a valid `rlimit`, which the call may write to.
    let limit = unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        if libc::getrlimit(libc::RLIMIT_STACK, &mut limit) != 0 {
            return None;
        }
        limit.rlim_cur
    };
    // Without a limit, it reaches as far down as the mappings below allow.
    let size = usize::try_from(limit).ok()? / page * page;
    let bottom = top.checked_sub(size)?;
    Some((std::ptr::with_exposed_provenance_mut(bottom), size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_threads_are_left_to_the_c_library() {
        let thread = std::thread::spawn(|| {
            // SAFETY: it has no conditions.
            main_stack(unsafe { libc::pthread_self() }).is_none()
        });
        assert!(thread.join().unwrap());
    }
}
