//! Allocation of objects: what tiers call, and the host.

use super::classes::{cell_bytes, class_of};
use super::collect::Origin;
use super::layout::Layout;
use super::object::{EXCEPTION_TAG, GcRef, ObjectKind, header};
use crate::global::Tag;
use crate::layout::StoreCtx;
use crate::store::Store;
use crate::trap::Trap;
use crate::types::TypeId;

/// Allocation. What these return is zeroed behind what the function sets, so
/// that every reference in it is null.
///
/// # Safety
/// All of these ask for the context of a live store, which no reference leads
/// into, and for a type of the store's registry that [`Store::use_types`] was
/// called for. What the caller keeps alive must be where the module
/// documentation of [`super`] says, for they may collect.
impl Store {
    /// The layout of a type's objects.
    ///
    /// # Safety
    /// See above. The layout lives as long as the store.
    pub unsafe fn layout_of<'a>(ctx: *mut StoreCtx, ty: TypeId) -> &'a Layout {
        // SAFETY: as the caller promises; the registry has the layouts, and the
        // store the registry.
        unsafe { &*(*(*ctx).gc.types.add(ty.as_u32() as usize)).layout }
    }

    /// A struct of type `ty`, which must be a struct type.
    ///
    /// # Safety
    /// See above.
    pub unsafe fn alloc_struct(
        ctx: *mut StoreCtx,
        origin: Origin,
        ty: TypeId,
    ) -> Result<GcRef, Trap> {
        // SAFETY: as the caller promises.
        unsafe {
            let Layout::Struct(layout) = Self::layout_of(ctx, ty) else {
                unreachable!("a struct type")
            };
            Self::alloc_object(
                ctx,
                origin,
                layout.bytes,
                header(ty, ObjectKind::Struct).into(),
            )
        }
    }

    /// An array of type `ty`, which must be an array type, with `len` elements.
    ///
    /// # Safety
    /// See above.
    pub unsafe fn alloc_array(
        ctx: *mut StoreCtx,
        origin: Origin,
        ty: TypeId,
        len: u32,
    ) -> Result<GcRef, Trap> {
        // SAFETY: as the caller promises; the object has room for its length.
        unsafe {
            let Layout::Array(layout) = Self::layout_of(ctx, ty) else {
                unreachable!("an array type")
            };
            let bytes = u32::try_from(layout.bytes(len)).map_err(|_| Trap::AllocationTooLarge)?;
            let header = u64::from(header(ty, ObjectKind::Array)) | u64::from(len) << 32;
            Self::alloc_object(ctx, origin, bytes, header)
        }
    }

    /// An exception of a tag, whose values are all zeros. They begin at
    /// [`super::object::EXCEPTION_VALUES`], 8 bytes a slot.
    ///
    /// # Safety
    /// See above; `tag` is one of the store's.
    pub unsafe fn alloc_exception(
        ctx: *mut StoreCtx,
        origin: Origin,
        tag: *const Tag,
    ) -> Result<GcRef, Trap> {
        // SAFETY: as the caller promises; the object has room for its tag.
        unsafe {
            let ty = (*tag).ty();
            let Layout::Exception(layout) = Self::layout_of(ctx, ty) else {
                unreachable!("a tag has a function type")
            };
            let header = header(ty, ObjectKind::Exception);
            let exception = Self::alloc_object(ctx, origin, layout.bytes, header.into())?;
            let base = (*ctx).gc.base.add(exception.to_word() as usize);
            base.add(EXCEPTION_TAG as usize)
                .cast::<*const Tag>()
                .write(tag);
            Ok(exception)
        }
    }

    /// `bytes` bytes that begin with `header`, in its upper half the length of an
    /// array. Every object has 8 bytes.
    ///
    /// # Safety
    /// See above; the header's type has objects of that size.
    pub(super) unsafe fn alloc_object(
        ctx: *mut StoreCtx,
        origin: Origin,
        bytes: u32,
        header: u64,
    ) -> Result<GcRef, Trap> {
        // SAFETY: as the caller promises; what was found is free and in the
        // region.
        unsafe {
            let object = match class_of(bytes) {
                Some(class) => Self::alloc_cell(ctx, origin, class)?,
                None => Self::alloc_large(ctx, origin, bytes)?,
            };
            let base = (*ctx).gc.base.add(object.to_word() as usize);
            base.cast::<u64>().write(header);
            Ok(object)
        }
    }

    /// A cell of that class, from its run if that has one.
    ///
    /// # Safety
    /// See above.
    unsafe fn alloc_cell(ctx: *mut StoreCtx, origin: Origin, class: usize) -> Result<GcRef, Trap> {
        // SAFETY: as the caller promises.
        unsafe {
            loop {
                let run = &mut (*ctx).gc.runs[class];
                if let Some(cell) = GcRef::from_word(run.cursor)
                    && run.end - run.cursor >= cell_bytes(class)
                {
                    run.cursor += cell_bytes(class);
                    return Ok(cell);
                }
                Self::refill_run(ctx, origin, class)?;
            }
        }
    }

    /// Finds a new run for a class, collecting if it is time.
    ///
    /// # Safety
    /// See above.
    #[cold]
    #[inline(never)]
    unsafe fn refill_run(ctx: *mut StoreCtx, origin: Origin, class: usize) -> Result<(), Trap> {
        // SAFETY: as the caller promises.
        unsafe {
            Self::allocate(ctx.cast(), origin, |ctx, heap, limit| {
                heap.refill(ctx, class, limit)
            })
        }
    }

    /// # Safety
    /// See above.
    #[cold]
    #[inline(never)]
    unsafe fn alloc_large(ctx: *mut StoreCtx, origin: Origin, bytes: u32) -> Result<GcRef, Trap> {
        // SAFETY: as the caller promises.
        unsafe {
            if u64::from(bytes) > (*ctx.cast::<Store>()).limits().gc_heap_bytes {
                return Err(Trap::AllocationTooLarge);
            }
            Self::allocate(ctx.cast(), origin, |ctx, heap, limit| {
                heap.alloc_large(ctx, bytes, limit)
            })
        }
    }
}
