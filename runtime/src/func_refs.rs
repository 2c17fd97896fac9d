//! The references to an instance's own functions, and where they lead.
//!
//! Machine code that calls by a reference takes the native entry from the
//! reference, not from the code cell: it is one load less between the table and
//! the jump. So whoever changes the entry in a cell changes it in the references
//! of all live instances of the module too.
//!
//! A reference also says whether that entry is machine code (`FuncRef::direct`):
//! calls in its own instance that find so need no note. Code reads this first, and
//! the entry afterwards; so it is written the other way round.

use crate::code::{CodeCell, ModuleCode};
use crate::instance::Zeroed;
use crate::layout::{FuncRef, VmCtx};
use crate::limits::ResourceError;
use crate::sys::mmap;
use crate::tunables::HUGE_PAGE;
use crate::types::TypeId;
use rwasm_parser::{ElementItems, LocalFuncIndex};
use std::collections::HashSet;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A reference to each own function of an instance, made when first asked for.
#[derive(Debug)]
pub(crate) struct FuncRefs {
    /// Zeros, but for references that were made.
    array: Zeroed,
    code: Arc<ModuleCode>,
}

impl FuncRefs {
    pub(crate) fn new(code: &Arc<ModuleCode>) -> Result<Self, ResourceError> {
        let array = Zeroed::new(code.cells.len() * size_of::<FuncRef>())?;
        let refs = FuncRefs {
            array,
            code: code.clone(),
        };
        refs.expect_writes();
        code.live_refs.lock().insert(refs.first());
        Ok(refs)
    }

    /// Prepares for references being made to all functions that element segments
    /// list, in the order of tables: a page at a time for most of them.
    fn expect_writes(&self) {
        let bytes = self.array.bytes();
        let segments = self.code.module.elements().iter();
        let lists = segments.map(|segment| match &segment.items {
            ElementItems::Functions(items) => items.len(),
            ElementItems::Expressions(items) => items.len(),
        });
        let listed = lists.sum::<usize>().saturating_mul(size_of::<FuncRef>());
        if bytes >= HUGE_PAGE && listed >= bytes / 8 {
            mmap::prefer_huge_pages(self.array.as_ptr(), bytes);
        }
    }

    fn first(&self) -> First {
        First(self.array.as_non_null())
    }

    /// The first of them; there are as many as the module has cells.
    pub(crate) fn as_ptr(&self) -> *mut FuncRef {
        self.array.as_ptr()
    }
}

impl Drop for FuncRefs {
    fn drop(&mut self) {
        self.code.live_refs.lock().remove(&self.first());
    }
}

/// The first reference of a live instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct First(NonNull<FuncRef>);

// SAFETY: other threads touch nothing but the atomics in there.
unsafe impl Send for First {}

/// The references of all live instances of a module.
#[derive(Debug, Default)]
pub(crate) struct LiveRefs(Mutex<HashSet<First>>);

impl LiveRefs {
    fn lock(&self) -> MutexGuard<'_, HashSet<First>> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leads the references to a function to the native entry that its cell has
    /// by now.
    pub(crate) fn follow(&self, func: LocalFuncIndex, cell: &CodeCell) {
        for first in &*self.lock() {
            // SAFETY: an instance takes its references out of the set, under the
            // lock, before they go; it has one for each function of the module.
            let (native, direct) = unsafe {
                let func_ref = first.0.as_ptr().add(func.index());
                (&(*func_ref).native, &(*func_ref).direct)
            };
            // Null is a reference that was not made yet, or is being made: its
            // maker looks at the cell once more when it is not null any more
            // (`make`). Untouched pages of an array stay so.
            if !native.load(Ordering::SeqCst).is_null() {
                copy(cell, native, direct);
            }
        }
    }
}

/// Copies the native entry that a cell has to a reference, and then whether it is
/// machine code; returns both.
fn copy(cell: &CodeCell, native: &AtomicPtr<()>, direct: &AtomicU32) -> (*mut (), bool) {
    // Asked first: the entry that is loaded then is that code, or a copy of it.
    let compiled = cell.is_compiled();
    let entry = cell.native_entry.load(Ordering::SeqCst);
    native.store(entry, Ordering::SeqCst);
    if compiled {
        direct.fetch_and(!FuncRef::NOT_DIRECT, Ordering::SeqCst);
    }
    (entry, compiled)
}

/// Makes a reference of an instance.
///
/// # Safety
/// `into` is the instance's reference to the function of that cell, zero, the
/// instance is live, and the caller is on the thread that uses the store.
pub(crate) unsafe fn make(into: *mut FuncRef, cell: &CodeCell, instance: *mut VmCtx, ty: TypeId) {
    // SAFETY: as the caller promises; other threads touch the atomic only.
    unsafe {
        (&raw mut (*into).instance).write(instance);
        (&raw mut (*into).ty).write(ty);
        let (native, direct) = (&(*into).native, &(*into).direct);
        direct.store((*instance).instance | FuncRef::NOT_DIRECT, Ordering::SeqCst);
        // Either `follow` finds that the reference is there, or this finds what
        // `follow` was called for.
        loop {
            let (entry, compiled) = copy(cell, native, direct);
            let now = cell.native_entry.load(Ordering::SeqCst);
            if ptr::eq(now, entry) && cell.is_compiled() == compiled {
                break;
            }
        }
        (&raw mut (*into).cell).write(cell);
    }
}
