//! The code of one function, and how it is published.
//!
//! `models/` compiles this file with loom's atomics in place of the standard
//! library's, and tries all orders of what threads do with a cell; so its
//! parent says which they are.

use super::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, Ordering};
use super::{InterpCode, LocalFuncIndex, ModuleCode};
use crate::func_refs::LiveRefs;
use crate::layout::ArrayEntry;
use std::mem::offset_of;
use std::ptr;

/// The code of one function, in every form that it exists in.
///
/// A tier-up is a store into a cell; callers load the entry that they need on
/// every call. Only references to functions have a copy of theirs
/// (`func_refs.rs`).
#[derive(Debug)]
#[repr(C)]
pub struct CodeCell {
    /// First instruction for the interpreter: the lowered body, or a stub that
    /// lowers it, calls the host or enters machine code. Never null.
    pub interp_entry: AtomicPtr<u64>,
    /// Entry by the array call shape ([`ArrayEntry`]). Never null.
    array_entry: AtomicPtr<()>,
    /// Entry by the native call shape: machine code, or the way to the other
    /// forms, which reads the cell from [`StoreCtx::callee`]. Null in engines
    /// without machine code.
    ///
    /// [`StoreCtx::callee`]: crate::layout::StoreCtx::callee
    pub native_entry: AtomicPtr<()>,
    /// The module, or null for a host function.
    pub module: *const ModuleCode,
    /// The lowered body, owned by the cell.
    interp_code: AtomicPtr<InterpCode>,
    /// Calls and loop iterations left before [`TierUp`](super::TierUp) is asked what to do.
    /// Threads that share the cell may lose counts of each other.
    pub budget: AtomicI32,
    /// Calls in the interpreter, counted as the budget is.
    pub calls: AtomicU32,
    /// How often the budget was spent, as [`TierUp`](super::TierUp) keeps count: the first
    /// time is the first call.
    pub heat: AtomicU32,
    /// Index among the module's own functions; 0 for a host function.
    pub func: LocalFuncIndex,
    /// Slots of the arguments.
    pub param_slots: u16,
    /// Slots of the results.
    pub result_slots: u16,
    /// Whether the native entry is machine code of the function.
    compiled: AtomicBool,
}

// SAFETY: the entries are atomics; `module` is set once and points to the
// `ModuleCode` that owns the cell (or is null), which is itself `Sync`;
// `interp_code` is written once, by compare-and-swap.
unsafe impl Send for CodeCell {}
// SAFETY: as above.
unsafe impl Sync for CodeCell {}

/// The entries that a cell starts with.
#[derive(Clone, Copy, Debug)]
pub struct Entries {
    /// Stub for the interpreter: one instruction, static.
    pub interp: *const u64,
    /// Entry by the array call shape.
    pub array: ArrayEntry,
    /// Entry by the native call shape, or null.
    pub native: *const (),
}

// SAFETY: both are addresses of immutable statics and code.
unsafe impl Send for Entries {}
// SAFETY: as above.
unsafe impl Sync for Entries {}

impl CodeCell {
    /// A cell without code of its own, reached through `entries`.
    /// `slots` are those of the arguments and of the results.
    pub fn new(
        entries: Entries,
        module: *const ModuleCode,
        func: LocalFuncIndex,
        slots: (u16, u16),
    ) -> Self {
        CodeCell {
            interp_entry: AtomicPtr::new(entries.interp.cast_mut()),
            array_entry: AtomicPtr::new(entries.array as *mut ()),
            native_entry: AtomicPtr::new(entries.native.cast_mut()),
            module,
            interp_code: AtomicPtr::new(ptr::null_mut()),
            budget: AtomicI32::new(0),
            calls: AtomicU32::new(0),
            heat: AtomicU32::new(0),
            func,
            param_slots: slots.0,
            result_slots: slots.1,
            compiled: AtomicBool::new(false),
        }
    }

    /// The entry by the array call shape.
    #[inline(always)]
    pub fn array_entry(&self) -> ArrayEntry {
        let entry = self.array_entry.load(Ordering::Acquire);
        // SAFETY: only `ArrayEntry` values are ever stored there.
        unsafe { std::mem::transmute::<*mut (), ArrayEntry>(entry) }
    }

    /// Publishes machine code: calls by the array shape go to `array`, and the
    /// interpreter's to `interp`, which calls by the array shape.
    pub(crate) fn publish_native(
        &self,
        refs: &LiveRefs,
        native: *const (),
        array: ArrayEntry,
        interp: *const u64,
    ) {
        // First what the other entries lead to.
        exchange(&self.native_entry, native.cast_mut());
        self.compiled.store(true, Ordering::SeqCst);
        refs.follow(self.func, self);
        self.set_array_entry(array);
        exchange(&self.interp_entry, interp.cast_mut());
    }

    /// Whether there is machine code: then the native entry is that, also for who
    /// looks at it afterwards.
    pub(crate) fn is_compiled(&self) -> bool {
        self.compiled.load(Ordering::SeqCst)
    }

    /// Leads calls by the native shape to another copy of the machine code, and
    /// those by references too.
    pub(crate) fn replace_native(&self, refs: &LiveRefs, native: *const ()) {
        exchange(&self.native_entry, native.cast_mut());
        refs.follow(self.func, self);
    }

    /// Replaces one way to the other forms by another, unless there is machine
    /// code by now.
    pub(crate) fn resolve_native(&self, refs: &LiveRefs, from: *const (), to: *const ()) {
        // Failing is as well: machine code is there.
        let _ = self.native_entry.compare_exchange(
            from.cast_mut(),
            to.cast_mut(),
            Ordering::SeqCst,
            Ordering::Relaxed,
        );
        refs.follow(self.func, self);
    }

    /// Offset of the entry by the array call shape, for machine code.
    pub const fn array_entry_offset() -> usize {
        offset_of!(CodeCell, array_entry)
    }

    /// Replaces the entry by the array call shape by an equivalent one.
    pub fn set_array_entry(&self, array: ArrayEntry) {
        self.array_entry.store(array as *mut (), Ordering::Release);
    }

    /// The lowered body, if there is one.
    pub fn interp_code(&self) -> Option<&InterpCode> {
        // SAFETY: the pointer is null or comes from `publish_interp_code`,
        // whose box lives until the cell is dropped.
        unsafe { self.interp_code.load(Ordering::Acquire).as_ref() }
    }

    /// Publishes a lowered body, unless another thread was first; returns the
    /// address of the first instruction of the body that won. Calls go there
    /// from now on if they went to `stub` before: not if there is machine code
    /// by now.
    pub fn publish_interp_code(&self, code: InterpCode, stub: *const u64) -> *const u64 {
        let fresh = Box::into_raw(Box::new(code));
        let won = match self.interp_code.compare_exchange(
            ptr::null_mut(),
            fresh,
            Ordering::AcqRel,
            Ordering::Acquire,
        ) {
            Ok(_) => fresh,
            Err(earlier) => {
                // SAFETY: `fresh` was made above and nobody else saw it.
                drop(unsafe { Box::from_raw(fresh) });
                earlier
            }
        };
        // SAFETY: `won` is live until the cell is dropped.
        let entry = unsafe { (*won).words.as_ptr() };
        // Failing is as well: another entry is there.
        let _ = self.interp_entry.compare_exchange(
            stub.cast_mut(),
            entry.cast_mut(),
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
        entry
    }
}

/// Sets an entry that other threads compare and exchange, in the order of all that
/// references look at (`func_refs.rs`). A store would do as well, since an exchange
/// of what was there before it comes before it; but loom knows that of exchanges
/// alone.
fn exchange<T>(entry: &AtomicPtr<T>, to: *mut T) {
    entry.swap(to, Ordering::SeqCst);
}

impl Drop for CodeCell {
    fn drop(&mut self) {
        let code = self.interp_code.load(Ordering::Relaxed);
        if !code.is_null() {
            // SAFETY: the cell owns the box, and nobody can run it any more:
            // a store keeps the modules of its instances alive.
            drop(unsafe { Box::from_raw(code) });
        }
    }
}
