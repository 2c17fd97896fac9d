//! Instructions on objects that both tiers leave to Rust (see
//! [`crate::libcalls`]): allocation where there is no run to allocate from, casts
//! that need the registry, and what is done with many elements of arrays.
//!
//! Where something is allocated, `top` is the end of the slots that the running
//! frame has in use on the value stack, or null if the frame is not there.
//!
//! Operands of bulk operations are in consecutive slots, as on the operand stack;
//! a result is written to the first.

use super::collect::Origin;
use super::layout::{ArrayLayout, Layout, Storage};
use super::object::{ARRAY_ELEMENTS, ARRAY_LEN, GcRef, type_of};
use crate::instance::{self, Elements, instance_of};
use crate::layout::{FuncRef, StoreCtx, VmCtx};
use crate::store::Store;
use crate::trap::Trap;
use crate::types::TypeId;
use rwasm_parser::ElementItems;
use std::ptr;

/// Allocates an object of `bytes` bytes that begin with `header`: of an array,
/// its length in the upper half.
///
/// # Safety
/// See the module; type and size fit.
pub unsafe fn new_object(
    vmctx: *mut VmCtx,
    header: u64,
    bytes: u32,
    top: *mut u64,
) -> Result<GcRef, Trap> {
    // SAFETY: as the caller promises.
    unsafe {
        with_top((*vmctx).store, top, |ctx| {
            Store::alloc_object(ctx, Origin::Guest, bytes, header)
        })
    }
}

/// Allocates an array of zeros with that header.
///
/// # Safety
/// See the module; the header is that of an array type.
pub unsafe fn new_array(
    vmctx: *mut VmCtx,
    header: u32,
    len: u32,
    top: *mut u64,
) -> Result<GcRef, Trap> {
    // SAFETY: as the caller promises.
    unsafe { alloc_array(vmctx, type_of(header), len, top) }
}

/// # Safety
/// See the module.
unsafe fn alloc_array(
    vmctx: *mut VmCtx,
    ty: TypeId,
    len: u32,
    top: *mut u64,
) -> Result<GcRef, Trap> {
    // SAFETY: as the caller promises.
    unsafe {
        with_top((*vmctx).store, top, |ctx| {
            Store::alloc_array(ctx, Origin::Guest, ty, len)
        })
    }
}

/// Calls `f` while the value stack ends at `top`.
///
/// # Safety
/// The context is live.
unsafe fn with_top<T>(ctx: *mut StoreCtx, top: *mut u64, f: impl FnOnce(*mut StoreCtx) -> T) -> T {
    // SAFETY: as the caller promises.
    unsafe {
        let outer = (*ctx).stack_top;
        if !top.is_null() {
            (*ctx).stack_top = top;
        }
        let result = f(ctx);
        (*ctx).stack_top = outer;
        result
    }
}

/// Whether an object's type is `expected` or one of its subtypes.
///
/// # Safety
/// See the module.
pub unsafe fn is_instance(vmctx: *mut VmCtx, object: GcRef, expected: u32) -> bool {
    // SAFETY: as the caller promises.
    unsafe {
        let header = address((*vmctx).store, object).cast::<u32>().read();
        is_subtype(vmctx, type_of(header), expected)
    }
}

/// Whether a function's type is `expected` or one of its subtypes.
///
/// # Safety
/// See the module.
#[cold]
pub unsafe fn is_func_instance(vmctx: *mut VmCtx, func: *const FuncRef, expected: u32) -> bool {
    // SAFETY: as the caller promises.
    unsafe { is_subtype(vmctx, (*func).ty, expected) }
}

/// # Safety
/// See the module.
unsafe fn is_subtype(vmctx: *mut VmCtx, ty: TypeId, expected: u32) -> bool {
    // SAFETY: a running instance has a module.
    unsafe {
        let registry = &(*(*vmctx).module).registry;
        registry.is_subtype(ty, TypeId::from_u32(expected))
    }
}

/// `array.new`: value, length.
///
/// # Safety
/// See the module.
pub unsafe fn array_new(
    vmctx: *mut VmCtx,
    slots: *mut u64,
    ty: u32,
    _: u32,
    top: *mut u64,
) -> Result<(), Trap> {
    // SAFETY: as the caller promises; the value is of the element type, and a
    // new array has so many elements.
    unsafe {
        let ctx = (*vmctx).store;
        let ty = TypeId::from_u32(ty);
        let layout = array_layout(ctx, ty);
        let len = *slots.add(value_slots(layout)) as u32;
        let array = alloc_array(vmctx, ty, len, top)?;
        fill(elements(ctx, array, layout, 0), layout, slots, len);
        *slots = array.to_slot();
    }
    Ok(())
}

/// `array.new_data`: offset, length.
///
/// # Safety
/// See the module.
pub unsafe fn array_new_data(
    vmctx: *mut VmCtx,
    slots: *mut u64,
    ty: u32,
    segment: u32,
    top: *mut u64,
) -> Result<(), Trap> {
    // SAFETY: as the caller promises; the array has room for the bytes.
    unsafe {
        let ctx = (*vmctx).store;
        let ty = TypeId::from_u32(ty);
        let layout = array_layout(ctx, ty);
        let (offset, len) = (*slots, *slots.add(1) as u32);
        let bytes = data(
            vmctx,
            segment,
            offset,
            u64::from(len) << layout.element.shift(),
        )?;
        let array = alloc_array(vmctx, ty, len, top)?;
        let to = elements(ctx, array, layout, 0);
        ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        *slots = array.to_slot();
    }
    Ok(())
}

/// `array.new_elem`: offset, length.
///
/// # Safety
/// See the module.
pub unsafe fn array_new_elem(
    vmctx: *mut VmCtx,
    slots: *mut u64,
    ty: u32,
    segment: u32,
    top: *mut u64,
) -> Result<(), Trap> {
    // SAFETY: as the caller promises; the array has room for the items, which
    // are of its element type.
    unsafe {
        let ctx = (*vmctx).store;
        let ty = TypeId::from_u32(ty);
        let layout = array_layout(ctx, ty);
        let (offset, len) = (*slots, *slots.add(1) as u32);
        let items = Items::new(vmctx, segment, offset, len)?;
        let array = alloc_array(vmctx, ty, len, top)?;
        items.write(vmctx, elements(ctx, array, layout, 0), layout);
        *slots = array.to_slot();
    }
    Ok(())
}

/// `array.fill`: array, offset, value, length.
///
/// # Safety
/// See the module.
pub unsafe fn array_fill(
    vmctx: *mut VmCtx,
    slots: *mut u64,
    ty: u32,
    _: u32,
    _: *mut u64,
) -> Result<(), Trap> {
    // SAFETY: as the caller promises; the range is checked.
    unsafe {
        let ctx = (*vmctx).store;
        let layout = array_layout(ctx, TypeId::from_u32(ty));
        let value = slots.add(2);
        let len = *value.add(value_slots(layout)) as u32;
        let to = range(ctx, layout, *slots, *slots.add(1), len)?;
        fill(to, layout, value, len);
    }
    Ok(())
}

/// `array.copy`: array, offset, array, offset, length.
///
/// # Safety
/// See the module.
pub unsafe fn array_copy(
    vmctx: *mut VmCtx,
    slots: *mut u64,
    ty: u32,
    _: u32,
    _: *mut u64,
) -> Result<(), Trap> {
    // SAFETY: as the caller promises; both ranges are checked, and elements that
    // can be copied are stored alike. `copy` allows them to overlap.
    unsafe {
        let ctx = (*vmctx).store;
        let layout = array_layout(ctx, TypeId::from_u32(ty));
        let len = *slots.add(4) as u32;
        // Null, of either, before any bounds.
        for array in [*slots, *slots.add(2)] {
            GcRef::from_slot(array).ok_or(Trap::NullArrayReference)?;
        }
        let to = range(ctx, layout, *slots, *slots.add(1), len)?;
        let from = range(ctx, layout, *slots.add(2), *slots.add(3), len)?;
        ptr::copy(from, to, (len as usize) << layout.element.shift());
    }
    Ok(())
}

/// `array.init_data`: array, offset in it, offset in the segment, length.
///
/// # Safety
/// See the module.
pub unsafe fn array_init_data(
    vmctx: *mut VmCtx,
    slots: *mut u64,
    ty: u32,
    segment: u32,
    _: *mut u64,
) -> Result<(), Trap> {
    // SAFETY: as the caller promises; both ranges are checked.
    unsafe {
        let ctx = (*vmctx).store;
        let layout = array_layout(ctx, TypeId::from_u32(ty));
        let len = *slots.add(3) as u32;
        let to = range(ctx, layout, *slots, *slots.add(1), len)?;
        let bytes = u64::from(len) << layout.element.shift();
        let bytes = data(vmctx, segment, *slots.add(2), bytes)?;
        ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
    }
    Ok(())
}

/// `array.init_elem`: array, offset in it, offset in the segment, length.
///
/// # Safety
/// See the module.
pub unsafe fn array_init_elem(
    vmctx: *mut VmCtx,
    slots: *mut u64,
    ty: u32,
    segment: u32,
    _: *mut u64,
) -> Result<(), Trap> {
    // SAFETY: as the caller promises; both ranges are checked.
    unsafe {
        let ctx = (*vmctx).store;
        let layout = array_layout(ctx, TypeId::from_u32(ty));
        let len = *slots.add(3) as u32;
        let to = range(ctx, layout, *slots, *slots.add(1), len)?;
        Items::new(vmctx, segment, *slots.add(2), len)?.write(vmctx, to, layout);
    }
    Ok(())
}

/// Where an object is.
///
/// # Safety
/// The object is live in the store.
#[inline(always)]
unsafe fn address(ctx: *mut StoreCtx, object: GcRef) -> *mut u8 {
    // SAFETY: as the caller promises.
    unsafe { (*ctx).gc.base.add(object.to_word() as usize) }
}

/// # Safety
/// The store knows the type, which is one of arrays.
unsafe fn array_layout(ctx: *mut StoreCtx, ty: TypeId) -> ArrayLayout {
    // SAFETY: as the caller promises.
    match unsafe { Store::layout_of(ctx, ty) } {
        Layout::Array(layout) => *layout,
        Layout::Struct(_) | Layout::Exception(_) => unreachable!("validated: an array type"),
    }
}

/// Slots of a value of the element type.
fn value_slots(layout: ArrayLayout) -> usize {
    if layout.element == Storage::Vector {
        2
    } else {
        1
    }
}

/// Where the elements of an array are, from number `at` on.
///
/// # Safety
/// The array is live and has that layout, and at least `at` elements.
unsafe fn elements(ctx: *mut StoreCtx, array: GcRef, layout: ArrayLayout, at: u32) -> *mut u8 {
    // SAFETY: as the caller promises.
    unsafe {
        let elements = address(ctx, array).add(ARRAY_ELEMENTS as usize);
        elements.add((at as usize) << layout.element.shift())
    }
}

/// Where `at..at + len` of an array's elements are, if it has them.
///
/// # Safety
/// The slot holds a reference to an array of that layout, or null.
unsafe fn range(
    ctx: *mut StoreCtx,
    layout: ArrayLayout,
    array: u64,
    at: u64,
    len: u32,
) -> Result<*mut u8, Trap> {
    let array = GcRef::from_slot(array).ok_or(Trap::NullArrayReference)?;
    // SAFETY: as the caller promises; the offset was checked.
    unsafe {
        let all = address(ctx, array).add(ARRAY_LEN as usize);
        let all = all.cast::<u32>().read();
        // Both are i32, zero-extended.
        if at + u64::from(len) > u64::from(all) {
            return Err(Trap::ArrayOutOfBounds);
        }
        Ok(elements(ctx, array, layout, at as u32))
    }
}

/// Sets `len` elements to the value in `value`.
///
/// # Safety
/// There are so many from `to` on, and the value is one of them.
unsafe fn fill(to: *mut u8, layout: ArrayLayout, value: *const u64, len: u32) {
    // SAFETY: as the caller promises; elements are aligned, vectors to 8 bytes.
    unsafe {
        let (bits, len) = (*value, len as usize);
        match layout.element {
            Storage::I8 => to.write_bytes(bits as u8, len),
            Storage::I16 => fill_with(to, bits as u16, len),
            Storage::Word | Storage::Ref => fill_with(to, bits as u32, len),
            Storage::Double | Storage::FuncRef => fill_with(to, bits, len),
            Storage::Vector => fill_with(to, [bits, *value.add(1)], len),
        }
    }
}

/// # Safety
/// There are `len` values of this type at `to`, which is aligned for it.
unsafe fn fill_with<T: Copy>(to: *mut u8, value: T, len: usize) {
    for index in 0..len {
        // SAFETY: as the caller promises.
        unsafe { to.cast::<T>().add(index).write(value) };
    }
}

/// Bytes of a data segment.
///
/// # Safety
/// See the module. They are gone when the instance is.
unsafe fn data<'a>(vmctx: *mut VmCtx, segment: u32, at: u64, len: u64) -> Result<&'a [u8], Trap> {
    // SAFETY: as the caller promises; the module lives as long as the block.
    unsafe {
        let bytes = instance::data_bytes(vmctx, segment);
        crate::libcalls::slice(bytes, at, len).ok_or(Trap::MemoryOutOfBounds)
    }
}

/// Items of an element segment.
enum Items {
    Values(*const [u64]),
    Functions(*const [rwasm_parser::FuncIndex]),
}

impl Items {
    /// # Safety
    /// See the module. They are gone when the instance is, or the segment dropped.
    unsafe fn new(vmctx: *mut VmCtx, segment: u32, at: u64, len: u32) -> Result<Self, Trap> {
        // SAFETY: as the caller promises.
        unsafe {
            let elements = &(&(*instance_of(vmctx)).elements)[segment as usize];
            let module = &(*(*vmctx).module).module;
            let items = &module.elements()[segment as usize].items;
            let len = len.into();
            let items = match (elements, items) {
                (Elements::Values(values), _) => {
                    crate::libcalls::slice(values, at, len).map(|values| Items::Values(values))
                }
                (Elements::Functions, ElementItems::Functions(funcs)) => {
                    crate::libcalls::slice(funcs, at, len).map(|funcs| Items::Functions(funcs))
                }
                _ => crate::libcalls::slice(&[], at, len).map(|values| Items::Values(values)),
            };
            items.ok_or(Trap::TableOutOfBounds)
        }
    }

    /// Writes them to an array's elements.
    ///
    /// # Safety
    /// The items are still there, and `to` has room for them.
    unsafe fn write(self, vmctx: *mut VmCtx, to: *mut u8, layout: ArrayLayout) {
        // SAFETY: as the caller promises. The elements are references: of 32
        // bits, or to functions.
        unsafe {
            match (self, layout.element) {
                (Items::Values(values), Storage::Ref) => {
                    for (at, &value) in (&*values).iter().enumerate() {
                        to.cast::<u32>().add(at).write(value as u32);
                    }
                }
                (Items::Values(values), _) => {
                    ptr::copy_nonoverlapping((*values).as_ptr(), to.cast(), values.len());
                }
                (Items::Functions(funcs), _) => {
                    for (at, &func) in (&*funcs).iter().enumerate() {
                        let func = instance::func_ref(vmctx, func);
                        to.cast::<*const FuncRef>().add(at).write(func);
                    }
                }
            }
        }
    }
}
