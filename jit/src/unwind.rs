//! Exceptions: the search for a handler in the frames of one segment.
//!
//! Cranelift's `try_call` gives a table for each call that exceptions may leave:
//! handlers in the order in which they are tried, and where in the frame the
//! instance block is that their tags are looked up in. Such a call keeps nothing
//! in registers, so that a handler is entered with the frame's own stack and
//! frame pointers alone.

use crate::image::Image;
use crate::memory::image_at;
use cranelift_codegen::{ExceptionContextLoc, FinalizedMachExceptionHandler as Item};
use rwasm_runtime::exception;
use rwasm_runtime::global::Tag;
use rwasm_runtime::layout::{StoreCtx, VmCtx};

/// A call that exceptions may leave for a handler in the same function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TryCall {
    /// From the stack pointer at the call to the frame pointer, in bytes.
    pub(crate) frame: u32,
    /// Where its items begin among those of the image, and how many they are.
    pub(crate) items: (u32, u32),
}

/// An entry in the table of a [`TryCall`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handler {
    /// From here on tags are those of the instance whose block is pointed to at
    /// this offset from the stack pointer.
    Instance(u32),
    /// Exceptions with this tag of the module go on at this offset.
    Tag(u32, u32),
    /// All exceptions go on at this offset.
    All(u32),
}

impl Handler {
    /// What Cranelift says of a handler; nothing if it keeps the instance block
    /// in a register, where it would be lost.
    pub(crate) fn new(item: &Item) -> Option<Self> {
        Some(match *item {
            Item::Context(ExceptionContextLoc::SPOffset(offset)) => Handler::Instance(offset),
            Item::Context(ExceptionContextLoc::GPR(_)) => return None,
            Item::Tag(tag, offset) => Handler::Tag(tag.as_u32(), offset),
            Item::Default(offset) => Handler::All(offset),
        })
    }

    /// The same, in code that lies `by` bytes further on.
    pub(crate) fn moved(self, by: u32) -> Self {
        match self {
            Handler::Instance(offset) => Handler::Instance(offset),
            Handler::Tag(tag, offset) => Handler::Tag(tag, by + offset),
            Handler::All(offset) => Handler::All(by + offset),
        }
    }
}

/// Where and how a handler is entered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Landing {
    pub(crate) pc: usize,
    pub(crate) sp: usize,
    pub(crate) fp: usize,
    /// The reference to the exception.
    pub(crate) exception: u64,
}

/// Takes the pending exception to the newest frame of the newest segment that
/// catches it. If none does, it stays pending.
///
/// # Safety
/// `store` is live with an exception pending; its newest segment is of machine
/// code and has noted its newest frame.
pub(crate) unsafe fn catch(store: *mut StoreCtx) -> Option<Landing> {
    // SAFETY: as for backtraces: frame pointers lead from frame to frame, and
    // the code of frames is alive.
    unsafe {
        let pending = exception::pending(store);
        let tag = exception::tag(store, pending);
        let segment = (*store).segment;
        let mut fp = (*segment).exit_fp.cast_const();
        let mut return_address = (*segment).exit_ip.addr();
        while fp.addr() != (*segment).resume_fp {
            let image = image_at(return_address.wrapping_sub(1));
            let try_call = image.and_then(|image| Some((image, image.try_call(return_address)?)));
            if let Some((image, try_call)) = try_call {
                let sp = fp.byte_sub(try_call.frame as usize);
                if let Some(offset) = find(image, try_call, sp, tag) {
                    (*store).pending_exception = 0;
                    return Some(Landing {
                        pc: image.base + offset as usize,
                        sp: sp.addr(),
                        fp: fp.addr(),
                        exception: pending.to_slot(),
                    });
                }
            }
            return_address = *fp.add(1) as usize;
            fp = std::ptr::with_exposed_provenance(*fp as usize);
        }
        None
    }
}

/// The offset of the first handler that catches `tag`.
///
/// # Safety
/// The call is in progress in a frame with this stack pointer, of code of the
/// image.
unsafe fn find(image: &Image, try_call: TryCall, sp: *const u64, tag: *const Tag) -> Option<u32> {
    let (first, count) = try_call.items;
    let items = &image.handlers[first as usize..][..count as usize];
    let mut vmctx: *const VmCtx = std::ptr::null();
    for &item in items {
        // SAFETY: the frame holds a live instance block at that place, of the
        // image's module, which has that tag; it comes before all tags.
        unsafe {
            match item {
                Handler::Instance(offset) => {
                    vmctx = *sp.byte_add(offset as usize).cast::<*const VmCtx>();
                }
                Handler::Tag(index, offset) => {
                    let at = (*image.module).offsets.tag(index);
                    if VmCtx::pointer_at::<Tag>(vmctx, at).cast_const() == tag {
                        return Some(offset);
                    }
                }
                Handler::All(offset) => return Some(offset),
            }
        }
    }
    None
}
