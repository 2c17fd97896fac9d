//! Hardware faults of guest code become traps; all other signals go to whoever
//! had them before.
//!
//! A fault is the guest's only if both hold: the instruction is a trap site
//! that a tier has recorded, and the fault is what that site allows: an access
//! to a guarded memory of the store that runs on this thread or to the page before
//! it, one behind a null pointer, or a trap instruction. Anything else is a bug of the process, and
//! hiding it would be worse than crashing.
//!
//! ```text
//!  instruction ──fault──► handler: site? a fault that it allows?
//!                           │ yes: note the trap, instruction and frame in the
//!                           │      store; continue at the segment's exit
//!                           └ no:  the previous handler
//! ```

use super::fault::{Fault, SUPPORTED};
use crate::layout::{SegmentKind, Status, StoreCtx};
use crate::store::Store;
use crate::trap::Trap;
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::{io, mem, ptr};

/// An instruction that is allowed to fault.
#[derive(Clone, Copy, Debug)]
pub struct TrapSite {
    /// What its fault means.
    pub trap: Trap,
    /// Where to go on, if not where the segment resumes.
    pub landing: Option<Landing>,
}

/// A function that is entered as if the faulting instruction had called it, so
/// that the frames of its segment are still there: it completes the trap and
/// leaves the segment.
pub type Landing = unsafe extern "C" fn(store: *mut StoreCtx) -> !;

/// Finds the trap site at an address of code. It runs inside a signal handler,
/// so it must not allocate, lock or panic.
pub type Lookup = fn(pc: usize) -> Option<TrapSite>;

/// Whether memories may be guarded on this platform. Where not, no fault is
/// ever claimed.
pub const fn guarded_memories_supported() -> bool {
    SUPPORTED
}

/// Adds a source of trap sites, one for each tier, and installs the handlers
/// when called first. Registering the same function again does nothing.
pub fn register(lookup: Lookup) -> io::Result<()> {
    let address = lookup as *mut ();
    for slot in &LOOKUPS {
        let slot = slot.compare_exchange(
            ptr::null_mut(),
            address,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        match slot {
            Ok(_) => return install(),
            Err(earlier) if earlier == address => return install(),
            Err(_) => {}
        }
    }
    Err(io::Error::other("too many sources of trap sites"))
}

/// Makes `store` the one whose guest runs on this thread, or none if null;
/// returns the one that was.
#[inline(always)]
pub(crate) fn activate(store: *mut Store) -> *mut Store {
    ACTIVE.replace(store)
}

thread_local! {
    // Constant and without a destructor, so that the handler may read it.
    static ACTIVE: Cell<*mut Store> = const { Cell::new(ptr::null_mut()) };
}

/// The registered [`Lookup`]s, from the front; the rest is null.
static LOOKUPS: [AtomicPtr<()>; 4] = [const { AtomicPtr::new(ptr::null_mut()) }; 4];

const SIGNALS: [c_int; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];

/// No address below this is ever mapped: an access there was made through a null
/// pointer to some structure.
const NULL_PAGE: usize = 4096;

/// Who had each of [`SIGNALS`] before. Written before our handler is installed.
static PREVIOUS: [OnceLock<libc::sigaction>; SIGNALS.len()] =
    [const { OnceLock::new() }; SIGNALS.len()];

fn install() -> io::Result<()> {
    static INSTALLED: OnceLock<Result<(), i32>> = OnceLock::new();
    let result = INSTALLED.get_or_init(|| {
        for (signal, previous) in SIGNALS.into_iter().zip(&PREVIOUS) {
            // Rust's own handler is among the previous ones: it tells stack
            // overflows of the host.
            let action = sigaction(signal, None).map_err(errno)?;
            previous.get_or_init(|| action);
            // SAFETY: all-zero bytes are a valid `sigaction`: the default.
            let mut ours: libc::sigaction = unsafe { mem::zeroed() };
            ours.sa_sigaction = handle as *const () as usize;
            // The guest may have used up the stack that it runs on.
            ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            sigaction(signal, Some(&ours)).map_err(errno)?;
        }
        Ok(())
    });
    result.map_err(io::Error::from_raw_os_error)
}

fn errno(error: io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EINVAL)
}

/// Replaces the action of a signal, if there is a new one; returns the old one.
fn sigaction(signal: c_int, new: Option<&libc::sigaction>) -> io::Result<libc::sigaction> {
    // SAFETY: all-zero bytes are a valid `sigaction`.
    let mut old: libc::sigaction = unsafe { mem::zeroed() };
    let new = new.map_or(ptr::null(), ptr::from_ref);
    // SAFETY: both pointers are null or valid; the handlers that this module
    // installs keep to what is allowed in a signal handler.
    match unsafe { libc::sigaction(signal, new, &mut old) } {
        0 => Ok(old),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The handler. It and all that it calls keep to atomics, plain memory and
/// functions that POSIX calls async-signal-safe.
unsafe extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes what `SA_SIGINFO` handlers get.
    unsafe {
        if !claim(signal, info, Fault::new(context)) {
            forward(signal, info, context);
        }
    }
}

/// Turns the fault into a trap if it is the guest's.
///
/// # Safety
/// The arguments describe the signal that is being handled on this thread.
unsafe fn claim(signal: c_int, info: *mut libc::siginfo_t, mut fault: Fault) -> bool {
    let Some(site) = site(fault.pc()) else {
        return false;
    };
    let store = ACTIVE.get();
    if store.is_null() {
        return false;
    }
    // SAFETY: the active store is live, by the contract of `entry::call`. This
    // thread stands at a trap site, that is, inside guest code, so no Rust code
    // of this thread is half-way through changing the store or its segments;
    // and other threads do not touch a running store. Positive codes are the
    // kernel's, for faults, which have an address.
    unsafe {
        let allowed = (*info).si_code > 0
            && match signal {
                libc::SIGILL | libc::SIGFPE => true,
                _ if site.trap == Trap::MemoryOutOfBounds => {
                    (*store).guards_address((*info).si_addr().addr())
                }
                _ if site.trap == Trap::Interrupted => {
                    (*store).polls_address((*info).si_addr().addr())
                }
                _ => (*info).si_addr().addr() < NULL_PAGE,
            };
        if !allowed {
            return false;
        }
        let Some(segment) = (*store).ctx.segment.as_mut() else {
            return false;
        };
        (*store).set_hardware_trap(site.trap);
        match segment.kind {
            SegmentKind::Interpreter => {
                segment.exit_ip = fault.interpreter_ip();
                segment.exit_fp = fault.interpreter_fp();
            }
            SegmentKind::Native => {
                segment.exit_ip = ptr::without_provenance(fault.pc() + 1);
                segment.exit_fp = fault.native_fp();
            }
        }
        match site.landing {
            Some(landing) => fault.call(landing, store.cast()),
            None => fault.resume(segment, Status::Trap),
        }
    }
    true
}

fn site(pc: usize) -> Option<TrapSite> {
    LOOKUPS
        .iter()
        .map_while(lookup_in)
        .find_map(|lookup| lookup(pc))
}

fn lookup_in(slot: &AtomicPtr<()>) -> Option<Lookup> {
    let address = slot.load(Ordering::Acquire);
    // SAFETY: a slot holds null, which is `None`, or a `Lookup`.
    unsafe { mem::transmute::<*mut (), Option<Lookup>>(address) }
}

/// Does with the signal what would have been done without us.
///
/// # Safety
/// The arguments are those of the signal that is being handled.
unsafe fn forward(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let index = SIGNALS.iter().position(|&ours| ours == signal);
    let Some(previous) = index.and_then(|index| PREVIOUS[index].get()) else {
        return;
    };
    // SAFETY: `info` is valid by contract. Positive codes are the kernel's: the
    // thread itself faulted; all others were sent.
    let sent = unsafe { (*info).si_code } <= 0;
    match previous.sa_sigaction {
        libc::SIG_IGN if sent => {}
        // The kernel does not let a fault be ignored either.
        libc::SIG_DFL | libc::SIG_IGN => {
            // SAFETY: all-zero bytes are the default action.
            let default: libc::sigaction = unsafe { mem::zeroed() };
            // It can only fail for signals that do not exist.
            let _ = sigaction(signal, Some(&default));
            // A fault happens again when we return; a sent signal does not.
            if sent {
                // SAFETY: `raise` is async-signal-safe; the signal is blocked
                // until this handler returns.
                unsafe { libc::raise(signal) };
            }
        }
        handler => {
            // SAFETY: the action was installed for this signal, so `handler` is
            // a function of the type that its flags say. The mask it asked for
            // is in force until the kernel restores ours.
            unsafe {
                libc::pthread_sigmask(libc::SIG_BLOCK, &previous.sa_mask, ptr::null_mut());
                if previous.sa_flags & libc::SA_SIGINFO != 0 {
                    type Handler = unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
                    mem::transmute::<usize, Handler>(handler)(signal, info, context);
                } else {
                    type Handler = unsafe extern "C" fn(c_int);
                    mem::transmute::<usize, Handler>(handler)(signal);
                }
            }
        }
    }
}
