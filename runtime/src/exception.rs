//! Exceptions: objects of the heap that carry values and are told apart by tag.
//!
//! The exception that is on its way to a handler is
//! [`StoreCtx::pending_exception`]. Whoever throws sets it and unwinds the
//! frames of its own segment; if none of them has a handler, it returns
//! [`Status::Exception`] and leaves it pending for the segment before, or for
//! the host. Who catches it clears it.

use crate::gc::layout::ExceptionLayout;
use crate::gc::object::{EXCEPTION_TAG, EXCEPTION_VALUES};
use crate::gc::{GcRef, Layout, Origin};
use crate::global::Tag;
use crate::handle::Handle;
use crate::layout::{Status, StoreCtx};
use crate::store::Store;
use crate::trap::Trap;
use std::{mem, ptr, slice};

/// Makes an exception and leaves it pending. The error is a trap to raise: the
/// heap is full.
///
/// # Safety
/// `ctx` is that of a live store, which no reference leads into, and `tag` one
/// of its tags. `values` of the tag's type stand on the value stack, above all
/// slots of the newest frame that are in use.
pub unsafe fn throw(ctx: *mut StoreCtx, tag: *const Tag, values: *const u64) -> Result<(), Trap> {
    // SAFETY: as the caller promises: all that may be referred to stands below
    // the end of the values, where the collector finds it.
    unsafe {
        let slots = layout(ctx, tag).slots as usize;
        let outer_top = mem::replace(&mut (*ctx).stack_top, values.add(slots).cast_mut());
        let exception = Store::alloc_exception(ctx, Origin::Guest, tag);
        (*ctx).stack_top = outer_top;
        let exception = exception?;
        ptr::copy_nonoverlapping(values, values_of(ctx, exception), slots);
        (*ctx).pending_exception = exception.to_word();
    }
    Ok(())
}

/// Leaves an exception pending; returns [`Status::Exception`].
///
/// # Safety
/// `ctx` is that of a live store, and `exception` a live exception of it.
pub unsafe fn rethrow(ctx: *mut StoreCtx, exception: GcRef) -> Status {
    // SAFETY: as the caller promises.
    unsafe { (*ctx).pending_exception = exception.to_word() };
    Status::Exception
}

/// The pending exception.
///
/// # Safety
/// `ctx` is that of a live store with a pending exception.
pub unsafe fn pending(ctx: *const StoreCtx) -> GcRef {
    // SAFETY: as the caller promises.
    unsafe { GcRef::from_word((*ctx).pending_exception).expect("a pending exception") }
}

/// The tag of an exception.
///
/// # Safety
/// `ctx` is that of a live store, and `exception` a live exception of it.
pub unsafe fn tag(ctx: *const StoreCtx, exception: GcRef) -> *const Tag {
    // SAFETY: as the caller promises.
    unsafe {
        let object = (*ctx).gc.base.add(exception.to_word() as usize);
        *object.add(EXCEPTION_TAG as usize).cast::<*const Tag>()
    }
}

/// Copies the values of an exception to slots.
///
/// # Safety
/// As for [`tag`]; there is room for the values at `to`.
pub unsafe fn copy_values(ctx: *const StoreCtx, exception: GcRef, to: *mut u64) {
    // SAFETY: as the caller promises.
    unsafe {
        let slots = layout(ctx, tag(ctx, exception)).slots as usize;
        ptr::copy_nonoverlapping(values_of(ctx, exception), to, slots);
    }
}

/// Where the values of an exception are.
///
/// # Safety
/// As for [`tag`].
unsafe fn values_of(ctx: *const StoreCtx, exception: GcRef) -> *mut u64 {
    // SAFETY: as the caller promises.
    unsafe {
        let object = (*ctx).gc.base.add(exception.to_word() as usize);
        object.add(EXCEPTION_VALUES as usize).cast()
    }
}

/// The layout of a tag's exceptions.
///
/// # Safety
/// `ctx` is that of a live store, and `tag` one of its tags.
unsafe fn layout<'a>(ctx: *const StoreCtx, tag: *const Tag) -> &'a ExceptionLayout {
    // SAFETY: as the caller promises; a tag's type is known to its store, and
    // its layout lives as long as the registry, which the store keeps.
    let layout = unsafe { &*(*(*ctx).gc.types.add((*tag).ty().as_u32() as usize)).layout };
    match layout {
        Layout::Exception(layout) => layout,
        Layout::Struct(_) | Layout::Array(_) => unreachable!("a tag has a function type"),
    }
}

/// Exceptions, for the host.
impl Store {
    /// A new exception. The error is why there is no room for it.
    ///
    /// # Safety
    /// `values` are slots of values of the tag's type that belong to this store
    /// and that the host keeps alive.
    pub unsafe fn new_exception(
        &mut self,
        tag: Handle<Tag>,
        values: &[u64],
    ) -> Result<GcRef, Trap> {
        let tag: *const Tag = self.get(tag);
        let ctx: *mut StoreCtx = ptr::from_mut(self).cast();
        // SAFETY: this store is live, the tag was just found in it, and the
        // values are as many as its layout has, as the caller promises.
        unsafe {
            let exception = Store::alloc_exception(ctx, Origin::Host, tag)?;
            debug_assert_eq!(values.len(), layout(ctx, tag).slots as usize);
            ptr::copy_nonoverlapping(values.as_ptr(), values_of(ctx, exception), values.len());
            Ok(exception)
        }
    }

    /// Takes the pending exception.
    pub fn take_exception(&mut self) -> Option<GcRef> {
        GcRef::from_word(mem::take(&mut self.ctx.pending_exception))
    }

    /// The tag of an exception.
    ///
    /// # Safety
    /// It is a live exception of this store.
    pub unsafe fn exception_tag(&self, exception: GcRef) -> Handle<Tag> {
        // SAFETY: as the caller promises; tags live as long as the store.
        self.handle(unsafe { tag(&self.ctx, exception) }.cast_mut())
    }

    /// The values of an exception, as slots.
    ///
    /// # Safety
    /// It is a live exception of this store, and stays alive while the values
    /// are used.
    pub unsafe fn exception_values(&self, exception: GcRef) -> &[u64] {
        // SAFETY: as the caller promises; an exception never changes.
        unsafe {
            let slots = layout(&self.ctx, tag(&self.ctx, exception)).slots as usize;
            slice::from_raw_parts(values_of(&self.ctx, exception), slots)
        }
    }
}
