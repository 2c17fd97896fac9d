//! Tables: vectors of references, one slot each (see [`TableDef`]).

use crate::layout::TableDef;
use crate::limits::{LimitError, LimitKind, Limits, ResourceError};
use crate::trap::Trap;
use crate::types::TypeId;
use rwasm_parser::TableType;
use std::alloc::{self, Layout};
use std::ptr;

/// Elements beyond twice its own that a table may keep room for between uses.
const SPARE_ELEMENTS: usize = 1024;

/// A table.
///
/// Slots come in and go out as bits. Who writes one promises that it holds a
/// reference of the table's element type, valid as long as the store lives.
#[derive(Debug)]
#[repr(C)]
pub struct Table {
    /// What code sees. First, so that a `*mut TableDef` of a store is a
    /// `*mut Table`.
    pub def: TableDef,
    ty: TableType<TypeId>,
    /// Slots allocated at `def.elems`; nothing is if it is zero.
    capacity: usize,
}

impl Table {
    /// A table of type `ty` within `limits`, filled with `init`.
    ///
    /// # Safety
    /// `init` holds a reference of the element type.
    pub unsafe fn new(
        ty: TableType<TypeId>,
        limits: &Limits,
        init: u64,
    ) -> Result<Self, ResourceError> {
        check(&ty, ty.min, limits)?;
        let def = TableDef {
            elems: ptr::dangling_mut(),
            len: 0,
        };
        let mut table = Table {
            def,
            ty,
            capacity: 0,
        };
        table.reserve(ty.min)?;
        // SAFETY: so many slots were just reserved.
        unsafe { table.extend(ty.min, init) };
        Ok(table)
    }

    /// The type, with the present size as its minimum.
    pub fn ty(&self) -> TableType<TypeId> {
        TableType {
            min: self.size(),
            ..self.ty
        }
    }

    /// Number of elements.
    pub fn size(&self) -> u64 {
        self.def.len
    }

    /// The element at an index, if there is one.
    pub fn get(&self, index: u64) -> Option<u64> {
        let element = self.range(index, 1).ok()?;
        // SAFETY: the range was checked.
        Some(unsafe { element.read() })
    }

    /// All elements.
    pub(crate) fn elements(&self) -> &[u64] {
        // SAFETY: there are so many, and `&self` says that nobody changes them.
        unsafe { std::slice::from_raw_parts(self.def.elems, self.def.len as usize) }
    }

    /// Sets the element at an index.
    ///
    /// # Safety
    /// `value` holds a reference of the element type.
    pub unsafe fn set(&mut self, index: u64, value: u64) -> Result<(), Trap> {
        // SAFETY: as the caller promises.
        unsafe { self.fill(index, value, 1) }
    }

    /// Sets `len` elements from index `at` on.
    ///
    /// # Safety
    /// `value` holds a reference of the element type.
    pub unsafe fn fill(&mut self, at: u64, value: u64, len: u64) -> Result<(), Trap> {
        let first = self.range(at, len)?;
        for index in 0..len as usize {
            // SAFETY: the range was checked.
            unsafe { first.add(index).write(value) };
        }
        Ok(())
    }

    /// Copies elements, also within one table.
    ///
    /// # Safety
    /// Both tables are live, and elements of `source` are of `target`'s type.
    pub unsafe fn copy(
        target: *mut Table,
        source: *const Table,
        to: u64,
        from: u64,
        len: u64,
    ) -> Result<(), Trap> {
        // SAFETY: both are live; the references, which may be to one table, are
        // shared ones, and gone before anything is written.
        let (to, from) = unsafe { ((*target).range(to, len)?, (*source).range(from, len)?) };
        // SAFETY: both ranges were checked; `copy` allows them to overlap.
        unsafe { ptr::copy(from, to, len as usize) };
        Ok(())
    }

    /// Adds `delta` elements; returns the old size. On failure nothing has
    /// changed.
    ///
    /// # Safety
    /// `init` holds a reference of the element type.
    pub unsafe fn grow(
        &mut self,
        delta: u64,
        init: u64,
        limits: &Limits,
    ) -> Result<u64, ResourceError> {
        let old = self.size();
        let len = old.saturating_add(delta);
        check(&self.ty, len, limits)?;
        if len > self.capacity as u64 {
            // Twice as much if there is room, so that growing one by one stays
            // linear.
            let ample = old.saturating_mul(2).min(limits.table_elements).max(len);
            self.reserve(ample).or_else(|_| self.reserve(len))?;
        }
        // SAFETY: so many slots are reserved.
        unsafe { self.extend(len, init) };
        Ok(old)
    }

    /// Becomes what it was when it had these elements.
    pub(crate) fn reset(&mut self, elements: &[u64]) -> Result<(), ResourceError> {
        // Room that was needed once is given back when it is much more. A table
        // without elements counts on a new block of zeros.
        let much = self.capacity > 2 * elements.len() + SPARE_ELEMENTS;
        if let Some(block) = self.layout().filter(|_| much || elements.is_empty()) {
            // SAFETY: allocated with this layout; nothing points to it any more.
            unsafe { alloc::dealloc(self.def.elems.cast(), block) };
            (self.def.elems, self.capacity) = (ptr::dangling_mut(), 0);
        }
        self.def.len = 0;
        self.reserve(elements.len() as u64)?;
        // SAFETY: there is room for so many, in a block of the table's own.
        unsafe { ptr::copy_nonoverlapping(elements.as_ptr(), self.def.elems, elements.len()) };
        self.def.len = elements.len() as u64;
        Ok(())
    }

    /// The first slot of `at..at + len`, or the trap of an access outside.
    pub fn range(&self, at: u64, len: u64) -> Result<*mut u64, Trap> {
        match at.checked_add(len).filter(|&end| end <= self.def.len) {
            // SAFETY: `at` is at most the table's length.
            Some(_) => Ok(unsafe { self.def.elems.add(at as usize) }),
            None => Err(Trap::TableOutOfBounds),
        }
    }

    /// Makes room for `len` elements. On failure nothing has changed.
    fn reserve(&mut self, len: u64) -> Result<(), ResourceError> {
        let refuse = || ResourceError::out_of_memory("table", (len as usize).saturating_mul(8));
        let len = usize::try_from(len).map_err(|_| refuse())?;
        if len <= self.capacity {
            return Ok(());
        }
        let layout = Layout::array::<u64>(len).map_err(|_| refuse())?;
        // SAFETY: the layout is not empty, since `len` is above the capacity;
        // an earlier block was allocated here with the layout of its capacity.
        let elems = unsafe {
            match self.layout() {
                // Zeroed, because pages of zeros cost nothing.
                None => alloc::alloc_zeroed(layout),
                Some(old) => alloc::realloc(self.def.elems.cast(), old, layout.size()),
            }
        };
        if elems.is_null() {
            return Err(refuse());
        }
        self.def.elems = elems.cast();
        self.capacity = len;
        Ok(())
    }

    /// Adds elements up to length `len`.
    ///
    /// # Safety
    /// `len` is at least the length and at most the capacity.
    unsafe fn extend(&mut self, len: u64, init: u64) {
        // The first block comes zeroed, and was never written beyond its length.
        let zeroed = self.def.len == 0 && len == self.capacity as u64;
        if !(zeroed && init == 0) {
            for index in self.def.len..len {
                // SAFETY: below the capacity, as the caller promises.
                unsafe { self.def.elems.add(index as usize).write(init) };
            }
        }
        self.def.len = len;
    }

    /// Layout of the block at `def.elems`, if there is one.
    fn layout(&self) -> Option<Layout> {
        let layout = Layout::array::<u64>(self.capacity).expect("allocated before");
        (self.capacity > 0).then_some(layout)
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        if let Some(layout) = self.layout() {
            // SAFETY: the block was allocated with this layout.
            unsafe { alloc::dealloc(self.def.elems.cast(), layout) };
        }
    }
}

/// Whether a table of this type may have `len` elements.
fn check(ty: &TableType<TypeId>, len: u64, limits: &Limits) -> Result<(), LimitError> {
    let indexed = if ty.index64 {
        u64::MAX
    } else {
        u32::MAX.into()
    };
    let declared = ty.max.map_or(indexed, |max| max.min(indexed));
    LimitError::check(LimitKind::DeclaredTableElements, declared, len)?;
    LimitError::check(LimitKind::TableElements, limits.table_elements, len)
}
