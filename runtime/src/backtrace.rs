//! Backtraces: the frames of all segments, newest first.
//!
//! What the frames of a segment look like, only its tier knows: each tier
//! brings a function that walks them ([`register`]).

use crate::error::{Backtrace, Frame, Pending};
use crate::layout::{Segment, SegmentKind, StoreCtx};
use crate::store::Store;
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Frames kept of a deep stack: this many of the newest.
pub const MAX_FRAMES: usize = 64;

/// Adds the frames of a live segment that control has left, newest first, until
/// there are [`MAX_FRAMES`].
pub type Walk = unsafe fn(segment: *const Segment, frames: &mut Vec<Frame>);

/// By kind of segment: null, or a [`Walk`].
static WALKS: [AtomicPtr<()>; 2] = [const { AtomicPtr::new(ptr::null_mut()) }; 2];

/// Makes `walk` the function for segments of that kind.
pub fn register(kind: SegmentKind, walk: Walk) {
    WALKS[kind as usize].store(walk as *mut (), Ordering::Release);
}

/// Makes a hardware trap pending, and gives a pending trap its backtrace. Each
/// tier does so when a segment ends with a trap, while it is the newest.
///
/// # Safety
/// The store is live, its segments have been left, and nothing refers into it.
#[cold]
pub unsafe fn complete_trap(ctx: *mut StoreCtx) {
    // SAFETY: the context is the store's first field; capturing reads the
    // segments alone.
    unsafe {
        let store = ctx.cast::<Store>();
        if let Some(trap) = (*store).take_hardware_trap() {
            Store::raise(ctx, trap);
        }
        if let Some(Pending::Trap(_, backtrace)) = (*store).pending_mut()
            && backtrace.frames.is_empty()
        {
            *backtrace = capture(ctx);
        }
    }
}

/// Gives an exception that leaves its segment uncaught its backtrace, if that
/// is the outermost segment and must have been left. One that leaves an inner
/// segment may yet be caught, for which a backtrace would cost too much.
///
/// # Safety
/// As for [`complete_trap`].
#[cold]
pub unsafe fn complete_exception(ctx: *mut StoreCtx) {
    // SAFETY: as above; a segment is being left, so there is one.
    unsafe {
        if (*(*ctx).segment).previous.is_null() {
            let backtrace = capture(ctx);
            (*ctx.cast::<Store>()).set_pending(Pending::Exception(backtrace));
        }
    }
}

/// # Safety
/// The store's segments are live, and each has left at its exit frame.
unsafe fn capture(store: *const StoreCtx) -> Backtrace {
    let mut frames = Vec::new();
    // SAFETY: the caller's contract; segments link to older live ones.
    unsafe {
        let mut segment = (*store).segment;
        while !segment.is_null() && frames.len() < MAX_FRAMES {
            let walk = WALKS[(*segment).kind as usize].load(Ordering::Acquire);
            // SAFETY: only null, which is `None`, and `Walk`s are stored there.
            if let Some(walk) = mem::transmute::<*mut (), Option<Walk>>(walk) {
                walk(segment, &mut frames);
            }
            segment = (*segment).previous;
        }
    }
    Backtrace { frames }
}
