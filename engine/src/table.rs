//! Tables.

use crate::context::{AsContext, AsContextMut};
use crate::error::{AccessError, Error, Result, TypeError};
use crate::store::StoreOpaque;
use crate::types::{RefType, TableType};
use crate::val::Ref;
use rwasm_parser::ValType as RawValType;
use rwasm_runtime::handle::Handle;
use rwasm_runtime::table::Table as RawTable;

/// A table of references.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Table(pub(crate) Handle<RawTable>);

const OUT_OF_BOUNDS: AccessError = AccessError("table");

impl Table {
    /// A new table, filled with `init`.
    pub fn new(mut ctx: impl AsContextMut, ty: TableType, init: Ref) -> Result<Table> {
        let mut ctx = ctx.as_context_mut();
        let store = ctx.opaque_mut();
        let raw = ty.to_raw(&store.engine)?;
        let init = store.ref_slot(init, raw.element)?;
        // SAFETY: the reference was checked to be of the element type.
        Ok(Table(unsafe { store.runtime.new_table(raw, init)? }))
    }

    /// Its type now: the minimum is its current size.
    ///
    /// # Panics
    /// If the table belongs to another store.
    pub fn ty(&self, ctx: impl AsContext) -> TableType {
        let ctx = ctx.as_context();
        let store = ctx.opaque();
        TableType::from_raw(store.runtime.get(self.0).ty(), &store.engine)
    }

    /// Its number of elements.
    ///
    /// # Panics
    /// If the table belongs to another store.
    pub fn size(&self, ctx: impl AsContext) -> u64 {
        ctx.as_context().opaque().runtime.get(self.0).size()
    }

    /// An element; `None` beyond the end.
    ///
    /// # Panics
    /// If the table belongs to another store.
    pub fn get(&self, ctx: impl AsContext, index: u64) -> Option<Ref> {
        let ctx = ctx.as_context();
        let store = ctx.opaque();
        let table = store.runtime.get(self.0);
        let slot = table.get(index)?;
        let ty = RawValType::Ref(table.ty().element);
        // SAFETY: the table's elements are references of this store.
        let value = unsafe { store.read(ty, &[slot]) };
        value.as_ref()
    }

    /// Sets an element.
    pub fn set(&self, ctx: impl AsContextMut, index: u64, value: Ref) -> Result<()> {
        self.fill(ctx, index, value, 1)
    }

    /// Adds `delta` elements that are `init`; returns the size before.
    pub fn grow(&self, mut ctx: impl AsContextMut, delta: u64, init: Ref) -> Result<u64> {
        let mut ctx = ctx.as_context_mut();
        let store = ctx.opaque_mut();
        let init = self.element(store, init)?;
        // SAFETY: the reference was checked to be of the element type.
        Ok(unsafe { store.runtime.grow_table(self.0, delta, init)? })
    }

    /// Sets `len` elements from `index` on.
    pub fn fill(&self, mut ctx: impl AsContextMut, index: u64, value: Ref, len: u64) -> Result<()> {
        let mut ctx = ctx.as_context_mut();
        let store = ctx.opaque_mut();
        let value = self.element(store, value)?;
        // SAFETY: the reference was checked to be of the element type.
        unsafe { store.runtime.fill_table(self.0, index, value, len) }
            .map_err(|_| OUT_OF_BOUNDS.into())
    }

    /// Copies `len` elements from `source` to `target`, which may be the same
    /// table; the ranges may overlap.
    pub fn copy(
        mut ctx: impl AsContextMut,
        target: &Table,
        target_index: u64,
        source: &Table,
        source_index: u64,
        len: u64,
    ) -> Result<()> {
        let mut ctx = ctx.as_context_mut();
        let store = ctx.opaque_mut();
        target.check(store)?;
        source.check(store)?;
        let element = |table: &Table| store.runtime.get(table.0).ty().element;
        let (to, from) = (element(target), element(source));
        if !store.engine.registry().is_ref_subtype(&from, &to) {
            let expected = RefType::from_raw(to, &store.engine).into();
            let found = RefType::from_raw(from, &store.engine).into();
            return Err(TypeError::Mismatch { expected, found }.into());
        }
        let (to, from) = (target.0.as_ptr(), source.0.as_ptr());
        // SAFETY: both are tables of this store, which is borrowed exclusively,
        // and elements of one may stand in the other.
        unsafe { RawTable::copy(to, from, target_index, source_index, len) }
            .map_err(|_| OUT_OF_BOUNDS.into())
    }

    /// A reference as an element of this table.
    fn element(&self, store: &StoreOpaque, value: Ref) -> Result<u64> {
        self.check(store)?;
        let ty = store.runtime.get(self.0).ty().element;
        store.ref_slot(value, ty)
    }

    fn check(&self, store: &StoreOpaque) -> Result<()> {
        if self.0.store() == store.id {
            Ok(())
        } else {
            Err(Error::StoreMismatch("a table"))
        }
    }
}
