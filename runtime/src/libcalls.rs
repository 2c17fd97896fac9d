//! Instructions that both tiers leave to Rust: bulk memory and table
//! operations, growth, and the making of function references.
//!
//! Each takes the raw instance block of the running function and indices that
//! validation has checked, and returns the trap instead of raising it, so that
//! each tier raises it in its own way. They are `unsafe` because the block must
//! be live and the indices valid for its module. Operands may be anything; a
//! reference among them is of the type that validation says.

use crate::instance::{self, Elements, instance_of};
use crate::layout::{FuncRef, VmCtx};
use crate::limits::Limits;
use crate::memory::Memory;
use crate::racy::Word;
use crate::store::Store;
use crate::table::Table;
use crate::trap::Trap;
use rwasm_parser::{ElementItems, FuncIndex, MemoryIndex, TableIndex};
use std::ptr;

pub use crate::gc::libcalls::*;
use std::time::Duration;

/// What `memory.grow` and `table.grow` give when they fail: -1, whatever the
/// index type.
const FAILED: u64 = u64::MAX;

/// `memory.grow`: the old size in pages, or `u64::MAX` if it fails.
///
/// # Safety
/// See the module.
pub unsafe fn memory_grow(vmctx: *mut VmCtx, memory: u32, delta: u64) -> u64 {
    // SAFETY: as the caller promises; the memory and the limits are apart.
    unsafe { Memory::grow_at(memory_at(vmctx, memory), delta, limits(vmctx)).unwrap_or(FAILED) }
}

/// `memory.size`, in pages.
///
/// # Safety
/// See the module.
pub unsafe fn memory_size(vmctx: *mut VmCtx, memory: u32) -> u64 {
    // SAFETY: as the caller promises.
    unsafe { (*memory_at(vmctx, memory)).size() }
}

/// `memory.fill`.
///
/// # Safety
/// See the module.
pub unsafe fn memory_fill(
    vmctx: *mut VmCtx,
    memory: u32,
    dst: u64,
    byte: u8,
    len: u64,
) -> Result<(), Trap> {
    // SAFETY: as the caller promises; a store is used by one thread.
    unsafe { (*memory_at(vmctx, memory)).fill(dst, byte, len) }
}

/// `memory.copy`.
///
/// # Safety
/// See the module.
pub unsafe fn memory_copy(
    vmctx: *mut VmCtx,
    dst_memory: u32,
    src_memory: u32,
    dst: u64,
    src: u64,
    len: u64,
) -> Result<(), Trap> {
    // SAFETY: as the caller promises; a store is used by one thread.
    unsafe {
        let from = &*memory_at(vmctx, src_memory);
        (*memory_at(vmctx, dst_memory)).copy_from(dst, from, src, len)
    }
}

/// `memory.init`.
///
/// # Safety
/// See the module.
pub unsafe fn memory_init(
    vmctx: *mut VmCtx,
    memory: u32,
    segment: u32,
    dst: u64,
    src: u64,
    len: u64,
) -> Result<(), Trap> {
    // SAFETY: as the caller promises; the module lives as long as the block.
    unsafe {
        let data = instance::data_bytes(vmctx, segment);
        let data = slice(data, src, len).ok_or(Trap::MemoryOutOfBounds)?;
        (*memory_at(vmctx, memory)).init(dst, data)
    }
}

/// `memory.atomic.wait32`: what the wait came to, as the instruction returns it.
///
/// # Safety
/// See the module.
pub unsafe fn memory_atomic_wait32(
    vmctx: *mut VmCtx,
    memory: u32,
    address: u64,
    offset: u64,
    expected: u32,
    timeout: i64,
) -> Result<u32, Trap> {
    // SAFETY: as the caller promises.
    unsafe { atomic_wait(vmctx, memory, address, offset, expected, timeout) }
}

/// `memory.atomic.wait64`.
///
/// # Safety
/// See the module.
pub unsafe fn memory_atomic_wait64(
    vmctx: *mut VmCtx,
    memory: u32,
    address: u64,
    offset: u64,
    expected: u64,
    timeout: i64,
) -> Result<u32, Trap> {
    // SAFETY: as the caller promises.
    unsafe { atomic_wait(vmctx, memory, address, offset, expected, timeout) }
}

/// # Safety
/// See the module.
unsafe fn atomic_wait<W: Word + PartialEq>(
    vmctx: *mut VmCtx,
    memory: u32,
    address: u64,
    offset: u64,
    expected: W,
    timeout: i64,
) -> Result<u32, Trap> {
    let at = address.checked_add(offset).ok_or(Trap::MemoryOutOfBounds)?;
    // Nanoseconds; below zero is for ever.
    let timeout = u64::try_from(timeout).ok().map(Duration::from_nanos);
    // SAFETY: as the caller promises. A waiting thread holds no reference into
    // its store but the one to its sleeping place, which others share.
    unsafe {
        let place = &(*(*vmctx).store.cast::<Store>()).interrupt().0;
        let result = (*memory_at(vmctx, memory)).atomic_wait(at, expected, timeout, place)?;
        Ok(result as u32)
    }
}

/// `memory.atomic.notify`: how many threads were woken.
///
/// # Safety
/// See the module.
pub unsafe fn memory_atomic_notify(
    vmctx: *mut VmCtx,
    memory: u32,
    address: u64,
    offset: u64,
    count: u32,
) -> Result<u32, Trap> {
    let at = address.checked_add(offset).ok_or(Trap::MemoryOutOfBounds)?;
    // SAFETY: as the caller promises.
    unsafe { (*memory_at(vmctx, memory)).atomic_notify(at, count) }
}

/// `data.drop`.
///
/// # Safety
/// See the module.
pub unsafe fn data_drop(vmctx: *mut VmCtx, segment: u32) {
    // SAFETY: as the caller promises.
    unsafe {
        let dropped = &mut (*instance_of(vmctx)).dropped_data;
        dropped[segment as usize] = true;
    }
}

/// `table.grow`: the old size, or `u64::MAX` if it fails.
///
/// # Safety
/// See the module.
pub unsafe fn table_grow(vmctx: *mut VmCtx, table: u32, delta: u64, init: u64) -> u64 {
    // SAFETY: as the caller promises; the table and the limits are apart.
    unsafe {
        (*table_at(vmctx, table))
            .grow(delta, init, limits(vmctx))
            .unwrap_or(FAILED)
    }
}

/// `table.fill`.
///
/// # Safety
/// See the module.
pub unsafe fn table_fill(
    vmctx: *mut VmCtx,
    table: u32,
    dst: u64,
    value: u64,
    len: u64,
) -> Result<(), Trap> {
    // SAFETY: as the caller promises.
    unsafe { (*table_at(vmctx, table)).fill(dst, value, len) }
}

/// `table.copy`.
///
/// # Safety
/// See the module.
pub unsafe fn table_copy(
    vmctx: *mut VmCtx,
    dst_table: u32,
    src_table: u32,
    dst: u64,
    src: u64,
    len: u64,
) -> Result<(), Trap> {
    // SAFETY: as the caller promises; validation compared the element types.
    unsafe {
        Table::copy(
            table_at(vmctx, dst_table),
            table_at(vmctx, src_table),
            dst,
            src,
            len,
        )
    }
}

/// `table.init`.
///
/// # Safety
/// See the module.
pub unsafe fn table_init(
    vmctx: *mut VmCtx,
    table: u32,
    segment: u32,
    dst: u64,
    src: u64,
    len: u64,
) -> Result<(), Trap> {
    // SAFETY: as the caller promises; ranges are checked before use, and the
    // segment's items are of the table's element type. Making function
    // references changes neither the table nor the segment.
    unsafe {
        let elements = &(*instance_of(vmctx)).elements;
        let module = &(*(*vmctx).module).module;
        let table = table_at(vmctx, table);
        match (
            &elements[segment as usize],
            &module.elements()[segment as usize].items,
        ) {
            (Elements::Values(values), _) => {
                let values = slice(values, src, len).ok_or(Trap::TableOutOfBounds)?;
                let dst = (*table).range(dst, len)?;
                ptr::copy_nonoverlapping(values.as_ptr(), dst, values.len());
            }
            (Elements::Functions, ElementItems::Functions(funcs)) => {
                let funcs = slice(funcs, src, len).ok_or(Trap::TableOutOfBounds)?;
                let dst = (*table).range(dst, len)?;
                for (at, &func) in funcs.iter().enumerate() {
                    dst.add(at).write(instance::func_ref(vmctx, func) as u64);
                }
            }
            _ => {
                slice::<u64>(&[], src, len).ok_or(Trap::TableOutOfBounds)?;
                (*table).range(dst, len)?;
            }
        }
    }
    Ok(())
}

/// `elem.drop`.
///
/// # Safety
/// See the module.
pub unsafe fn elem_drop(vmctx: *mut VmCtx, segment: u32) {
    // SAFETY: as the caller promises.
    unsafe {
        let elements = &mut (*instance_of(vmctx)).elements;
        elements[segment as usize] = Elements::Dropped;
    }
}

/// `ref.func`: a reference to a function of the module, imported or own.
///
/// # Safety
/// See the module.
pub unsafe fn ref_func(vmctx: *mut VmCtx, func: u32) -> *const FuncRef {
    // SAFETY: as the caller promises.
    unsafe { instance::func_ref(vmctx, FuncIndex::from_u32(func)) }
}

/// # Safety
/// See the module.
unsafe fn memory_at(vmctx: *mut VmCtx, memory: u32) -> *mut Memory {
    // SAFETY: as the caller promises.
    unsafe { instance::memory(vmctx, MemoryIndex::from_u32(memory)) }
}

/// # Safety
/// See the module.
unsafe fn table_at(vmctx: *mut VmCtx, table: u32) -> *mut Table {
    // SAFETY: as the caller promises.
    unsafe { instance::table(vmctx, TableIndex::from_u32(table)) }
}

/// # Safety
/// See the module. The limits must not change while they are borrowed.
unsafe fn limits<'a>(vmctx: *mut VmCtx) -> &'a Limits {
    // SAFETY: the context is the first field of the live store.
    unsafe { (*(*vmctx).store.cast::<Store>()).limits() }
}

/// `items[at..at + len]`, if they are all there.
pub(crate) fn slice<T>(items: &[T], at: u64, len: u64) -> Option<&[T]> {
    let end = usize::try_from(at.checked_add(len)?).ok()?;
    items.get(at as usize..end)
}
