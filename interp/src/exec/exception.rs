//! Throwing exceptions, and their way to a handler.
//!
//! ```text
//!  throw      [handler] [first:16 _ tag:32]  [_:32 catcher:32] [_]
//!  throw_ref  [handler] [a:16 _]             [_:32 catcher:32] [_]
//!  calls      see `call`; their third word   [_:32 catcher:32]
//! ```
//! `tag` is the tag's offset in the instance block. `catcher` says how many words
//! from behind the instruction it is to the table of the innermost `try` around
//! it, or 0. The tables stand behind the function's code:
//!
//! ```text
//!  [outer:32 count:32]       words back to the table of the `try` around, or 0
//!  [values:16 exception:16 tag:32] [target] [pins]             `count` times
//! ```
//! So the code in a `try` is the same as outside, and to unwind a frame is to
//! look behind its return address: no search, no map from addresses to functions.
//!
//! Frames are looked at, not taken down: where none has a handler, all are still
//! there for a backtrace; where one has, its code goes on in its frame.

use super::regs::{Handler, Ip, Outcome, dispatch, handler, header, tail};
use super::trap::{NullExceptionReference, raise, trap};
use crate::exec::call::EXIT;
use rwasm_runtime::exception;
use rwasm_runtime::global::Tag;
use rwasm_runtime::layout::{Status, StoreCtx, VmCtx};

/// In place of the slot for the reference to the exception: it is not wanted.
pub(crate) const NO_SLOT: u16 = u16::MAX;

/// In place of a tag's offset: any tag will do.
pub(crate) const ANY_TAG: u32 = 0;

/// Bytes of a throwing instruction.
const SIZE: usize = 32;

/// Bytes from a call's or throw's `catcher` to the end of the instruction.
const CATCHER: usize = 12;

/// A clause of a `try`'s table.
#[repr(C)]
struct Clause {
    /// First of the slots for the exception's values.
    values: u16,
    /// The slot for the reference to the exception, or [`NO_SLOT`].
    exception: u16,
    /// The offset of the tag in the instance block, or [`ANY_TAG`].
    tag: u32,
    /// The instruction to go on with.
    target: *const u64,
    /// What is pinned there.
    pins: [u16; 4],
}

handler! {
    #[cold]
    fn throw<>(r) {
        let tag: *const Tag = VmCtx::pointer_at(r.vmctx(), r.ip.u32(12));
        leave_at(r.ip, r.fp);
        match exception::throw(r.store(), tag, r.fp.add(r.ip.u16(8))) {
            Ok(()) => {
                r.ip = r.ip.next(SIZE);
                tail!(unwind, r)
            }
            Err(trap) => return raise(r.ip, r.fp, trap),
        }
    }
}

handler! {
    #[cold]
    fn throw_ref<>(r) {
        let reference = r.slot(r.ip.u16(8));
        if reference == 0 {
            tail!(trap::<NullExceptionReference>, r)
        }
        leave_at(r.ip, r.fp);
        (*r.store()).pending_exception = reference as u32;
        r.ip = r.ip.next(SIZE);
        tail!(unwind, r)
    }
}

handler! {
    /// Goes on with the handler of the pending exception, which left the
    /// instruction before `ip` in the frame `fp`; leaves the segment if it has
    /// none.
    #[cold]
    fn unwind<>(r) {
        let (fp, clause) = catch(r.store(), r.ip, r.fp);
        if clause.is_null() {
            return Status::Exception as Outcome;
        }
        r.fp = fp;
        r.ip = Ip((*clause).target);
        r.load_pins((&raw const (*clause).pins).cast());
        dispatch!(r)
    }
}

/// Records where control leaves the segment, if it does: an allocation looks for
/// roots in the frames, and a backtrace begins there.
#[inline(always)]
unsafe fn leave_at(ip: Ip, fp: *mut u64) {
    // SAFETY: the contract of all handlers; a segment is entered.
    unsafe {
        let vmctx = *fp.offset(header::VMCTX) as *mut VmCtx;
        let segment = (*(*vmctx).store).segment;
        (*segment).exit_fp = fp;
        (*segment).exit_ip = ip.0;
    }
}

/// Finds the frame and the clause that catch the pending exception, and puts
/// into the frame what the clause wants of it. The clause is null if nothing in
/// the segment catches it; then it stays pending.
///
/// # Safety
/// As for [`unwind`].
#[inline(never)]
unsafe fn catch(store: *mut StoreCtx, ip: Ip, fp: *mut u64) -> (*mut u64, *const Clause) {
    // SAFETY: an exception is pending. Frames are intact up to the one that
    // returns to `EXIT`; every other return address is behind a call, and
    // tables are as lowering encodes them, with slots of their frame.
    unsafe {
        let pending = exception::pending(store);
        let tag = exception::tag(store, pending);
        let (mut fp, mut ip) = (fp, ip.0);
        while ip != EXIT.ip() {
            let catcher = *ip.byte_sub(CATCHER).cast::<u32>();
            if catcher != 0 {
                let vmctx = *fp.offset(header::VMCTX) as *const VmCtx;
                let clause = find(ip.add(catcher as usize), vmctx, tag);
                if !clause.is_null() {
                    if (*clause).tag != ANY_TAG {
                        exception::copy_values(store, pending, fp.add((*clause).values.into()));
                    }
                    if (*clause).exception != NO_SLOT {
                        *fp.add((*clause).exception.into()) = pending.to_slot();
                    }
                    (*store).pending_exception = 0;
                    return (fp, clause);
                }
            }
            ip = *fp.offset(header::RETURN) as *const u64;
            fp = *fp.offset(header::CALLER) as *mut u64;
        }
        (fp, std::ptr::null())
    }
}

/// The first clause that catches `tag`, in the table at `table` or those around
/// it; null if there is none.
///
/// # Safety
/// The table belongs to code of the module of `vmctx`, a live instance.
unsafe fn find(table: *const u64, vmctx: *const VmCtx, tag: *const Tag) -> *const Clause {
    // SAFETY: the caller's contract.
    unsafe {
        let mut table = table;
        loop {
            let (outer, count) = (*table as u32, *table >> 32);
            let clauses = table.add(1).cast::<Clause>();
            for at in 0..count as usize {
                let clause = clauses.add(at);
                let wanted = (*clause).tag;
                if wanted == ANY_TAG || VmCtx::pointer_at::<Tag>(vmctx, wanted).cast_const() == tag
                {
                    return clause;
                }
            }
            if outer == 0 {
                return std::ptr::null();
            }
            table = table.sub(outer as usize);
        }
    }
}

/// The handler of `throw`.
pub(crate) fn throw_handler() -> Handler {
    throw
}

/// The handler of `throw_ref`.
pub(crate) fn throw_ref_handler() -> Handler {
    throw_ref
}
