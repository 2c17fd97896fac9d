//! Guests that wait in the middle of a call of the host, with nothing of theirs on
//! the native stack.
//!
//! A call by [`entry::start`](crate::entry::start) stays in the interpreter, whose
//! frames are all on the value stack. If a host function that it calls ends with
//! [`Pending::Suspended`], all segments are left, and the frames stay:
//!
//! ```text
//!  base ├ header ├ frame ├ … ├ frame of the host's function: its arguments ┤ top
//! ```
//! To go on ([`entry::resume`](crate::entry::resume)) is to make that last call
//! again. Until then `stack_top` stands above the frames, so that other calls are
//! above them and the collector sees what they refer to.

use super::{ResetError, Store};
use crate::code::CodeCell;
use crate::error::Pending;
use crate::handle::InstanceHandle;
use crate::instance::func_ref;
use crate::layout::{FuncRef, StoreCtx, VmCtx};
use rwasm_parser::FuncIndex;
use std::slice;

/// Where a guest waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// The frame of the host's function, as a slot of the value stack.
    frame: usize,
    /// Slots from the base to above that frame.
    len: usize,
    callee: *const CodeCell,
}

// SAFETY: the cell is one of the store's, and followed by who uses the store.
unsafe impl Send for Suspension {}
// SAFETY: as above.
unsafe impl Sync for Suspension {}

impl Suspension {
    /// The frame of the host's function that is called.
    pub fn frame(&self) -> usize {
        self.frame
    }

    /// The function.
    pub fn callee(&self) -> *const CodeCell {
        self.callee
    }
}

/// A word of a suspended stack that holds an address of its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// That of a slot of the stack.
    Slot(usize),
    /// That of the block of the store's instance.
    Instance,
    /// The base of the instance's memory 0, if that is guarded.
    Memory,
    /// That of the block of the host's function that is called.
    Callee,
}

/// Words of a suspended stack, by their slots. Which ones they are, the tier
/// knows that the frames are of.
pub type Links = Vec<(usize, Link)>;

/// A suspended stack as stores of one module can have it.
#[derive(Debug)]
pub(super) struct StackImage {
    words: Box<[u64]>,
    links: Box<[(usize, Link)]>,
    frame: usize,
    callee: FuncIndex,
}

/// What a store's suspended stack holds, to come back to.
#[derive(Debug)]
pub(super) struct SuspendedStack {
    words: Box<[u64]>,
    suspension: Suspension,
}

impl Store {
    /// Where the guest waits, if it does.
    pub fn suspension(&self) -> Option<&Suspension> {
        self.suspension.as_ref()
    }

    /// Notes that the call of `callee` in the frame `frame` has failed, which
    /// suspends the guest if that is why. The interpreter says so of each call of
    /// the host that fails.
    ///
    /// # Safety
    /// `ctx` is that of a live store to which there is no reference; a segment of
    /// the interpreter is its newest, and ends with this.
    #[cold]
    #[inline(never)]
    pub unsafe fn note_failed_call(ctx: *mut StoreCtx, callee: *const CodeCell, frame: *mut u64) {
        // SAFETY: as the caller promises; the context is the store's first field,
        // and the frame lies on its stack.
        unsafe {
            let store = ctx.cast::<Store>();
            // Under a host function there is one of the host's on the native stack.
            let outermost = (*(*ctx).segment).previous.is_null();
            let asked = matches!((*store).pending, Some(Pending::Suspended));
            if !((*ctx).interpreted && outermost && asked) {
                return;
            }
            let slots = (*callee).param_slots.max((*callee).result_slots);
            let frame = frame.offset_from_unsigned((*ctx).stack_base);
            (*store).suspension = Some(Suspension {
                frame,
                len: frame + usize::from(slots),
                callee,
            });
        }
    }

    /// Keeps the frames of a guest that was just suspended. Whether it was.
    pub(crate) fn hold_suspended(&mut self) -> bool {
        let Some(suspension) = self.suspension else {
            return false;
        };
        self.pending = None;
        // SAFETY: the frame lies below the limit, behind which as many slots are
        // mapped as any frame may have.
        self.ctx.stack_top = unsafe { self.ctx.stack_base.add(suspension.len) };
        true
    }

    /// Gives up the frames of a suspended guest, or hands them to who goes on.
    pub(crate) fn release_suspended(&mut self) -> Option<Suspension> {
        let suspension = self.suspension.take()?;
        self.ctx.stack_top = self.ctx.stack_base;
        Some(suspension)
    }

    fn suspended_words(&self, suspension: &Suspension) -> &[u64] {
        // SAFETY: these slots are mapped, and `&self` says that no guest runs.
        unsafe { slice::from_raw_parts(self.ctx.stack_base, suspension.len) }
    }

    /// What the suspended stack holds, if there is one.
    pub(super) fn suspended_stack(&self) -> Option<SuspendedStack> {
        let suspension = self.suspension?;
        let words = self.suspended_words(&suspension).into();
        Some(SuspendedStack { words, suspension })
    }

    /// Has the stack that it had before.
    pub(super) fn put_back(&mut self, stack: &SuspendedStack) {
        // SAFETY: the words are of this stack, which has not moved since: its size
        // is a part of the shape.
        unsafe { self.write_stack(&stack.words) };
        self.suspension = Some(stack.suspension);
        self.hold_suspended();
    }

    /// # Safety
    /// So many slots are mapped.
    unsafe fn write_stack(&mut self, words: &[u64]) {
        let base = self.ctx.stack_base;
        // SAFETY: as the caller promises; `&mut self` says that nobody uses them.
        unsafe { base.copy_from_nonoverlapping(words.as_ptr(), words.len()) };
    }

    /// The suspended stack, if there is one, for other stores. `links` are all
    /// addresses in the headers of its frames.
    ///
    /// # Safety
    /// The instance is live and of this store.
    pub(super) unsafe fn portable_stack(
        &self,
        vmctx: *mut VmCtx,
        links: &[(usize, Link)],
    ) -> Result<Option<StackImage>, ResetError> {
        let Some(suspension) = &self.suspension else {
            return Ok(None);
        };
        // SAFETY: as the caller promises.
        let callee = unsafe { self.import_of(vmctx, suspension.callee) };
        let callee = callee.ok_or(ResetError::ForeignFunction)?;
        let mut words: Box<[u64]> = self.suspended_words(suspension).into();
        for &(at, _) in links {
            words[at] = 0;
        }
        // What type a slot's value has is not known. Objects and values of the
        // host there are none, so that a reference is to a function, hence one of
        // these addresses.
        // SAFETY: as the caller promises.
        let is_func = |&word: &u64| unsafe { self.is_func(vmctx, word) };
        if words.iter().any(is_func) {
            return Err(ResetError::FunctionOnStack);
        }
        Ok(Some(StackImage {
            words,
            links: links.into(),
            frame: suspension.frame,
            callee,
        }))
    }

    /// Suspends the guest of a new instance as that of the image is.
    ///
    /// # Safety
    /// The image is of an instance of the same module as the live `instance`.
    pub(super) unsafe fn take_up_stack(
        &mut self,
        instance: InstanceHandle,
        image: &StackImage,
    ) -> Result<(), ResetError> {
        let base = self.ctx.stack_base;
        // SAFETY: both are of one stack.
        let room = unsafe { self.ctx.stack_limit.offset_from_unsigned(base) };
        if image.frame >= room {
            return Err(ResetError::Stack);
        }
        let vmctx = self.get(instance).vmctx();
        // SAFETY: the block is live, and the module has this import, to which a
        // reference is in place. The last frame begins below the limit, behind
        // which as many slots are mapped as any frame may have.
        let callee = unsafe {
            self.write_stack(&image.words);
            &*func_ref(vmctx, image.callee)
        };
        for &(at, link) in &image.links {
            let address = match link {
                Link::Slot(slot) => base.wrapping_add(slot) as u64,
                Link::Instance => vmctx as u64,
                // SAFETY: the block is live.
                Link::Memory => unsafe { (*vmctx).memory0_base as u64 },
                Link::Callee => callee.instance as u64,
            };
            assert!(at < image.words.len(), "a link is of the stack");
            // SAFETY: the slot was just written to.
            unsafe { base.add(at).write(address) };
        }
        self.suspension = Some(Suspension {
            frame: image.frame,
            len: image.words.len(),
            callee: callee.cell,
        });
        self.hold_suspended();
        Ok(())
    }

    /// The import of an instance that is the function of a cell.
    ///
    /// # Safety
    /// The block is live.
    unsafe fn import_of(&self, vmctx: *mut VmCtx, cell: *const CodeCell) -> Option<FuncIndex> {
        // SAFETY: as the caller promises; imports are in place.
        unsafe {
            let module = &(*(*vmctx).module).module;
            let mut imports = (0..module.num_imported_functions()).map(FuncIndex::from_u32);
            imports.find(|&import| (*func_ref(vmctx, import)).cell == cell)
        }
    }

    /// Whether a word is the address of a function of this store.
    ///
    /// # Safety
    /// The block is live.
    unsafe fn is_func(&self, vmctx: *mut VmCtx, word: u64) -> bool {
        let address = word as *const FuncRef;
        // SAFETY: as the caller promises; what the arena has is live.
        unsafe {
            let instance = &*crate::instance::instance_of(vmctx);
            instance.own_func(address).is_some()
                || self
                    .host_funcs
                    .iter()
                    .any(|func| &raw const (*func).func_ref == address)
        }
    }
}
