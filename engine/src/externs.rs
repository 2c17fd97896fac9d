//! What modules import and export.

use crate::context::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::error::{AccessError, Result};
use crate::func::Func;
use crate::store::StoreId;
use crate::types::{ExternType, GlobalType, MemoryType, TableType, TagType};
use crate::val::{Ref, Val};

/// Something that can be imported or exported.
#[derive(Clone, Copy, Debug)]
pub enum Extern {
    /// A function.
    Func(Func),
    /// A table.
    Table(Table),
    /// A memory.
    Memory(Memory),
    /// A global.
    Global(Global),
    /// An exception tag.
    Tag(Tag),
}

impl Extern {
    /// The function, if it is one.
    pub fn into_func(self) -> Option<Func> {
        match self {
            Extern::Func(func) => Some(func),
            _ => None,
        }
    }

    /// The table, if it is one.
    pub fn into_table(self) -> Option<Table> {
        match self {
            Extern::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The memory, if it is one.
    pub fn into_memory(self) -> Option<Memory> {
        match self {
            Extern::Memory(memory) => Some(memory),
            _ => None,
        }
    }

    /// The global, if it is one.
    pub fn into_global(self) -> Option<Global> {
        match self {
            Extern::Global(global) => Some(global),
            _ => None,
        }
    }

    /// The tag, if it is one.
    pub fn into_tag(self) -> Option<Tag> {
        match self {
            Extern::Tag(tag) => Some(tag),
            _ => None,
        }
    }

    /// Its type now: the minimum of a memory or table is its current size.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn ty(&self, ctx: impl AsContext) -> ExternType {
        match self {
            Extern::Func(func) => func.ty(ctx).into(),
            Extern::Table(table) => table.ty(ctx).into(),
            Extern::Memory(memory) => memory.ty(ctx).into(),
            Extern::Global(global) => global.ty(ctx).into(),
            Extern::Tag(tag) => tag.ty(ctx).into(),
        }
    }
}

macro_rules! from_handle {
    ($($handle:ident,)*) => {
        $(impl From<$handle> for Extern {
            fn from(handle: $handle) -> Self {
                Extern::$handle(handle)
            }
        })*
    };
}

from_handle!(Func, Table, Memory, Global, Tag,);

/// A linear memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Memory {
    store: StoreId,
}

impl Memory {
    /// A new memory, of zeroes.
    pub fn new(ctx: impl AsContextMut, ty: MemoryType) -> Result<Memory> {
        let _ = (ctx, ty);
        unimplemented!()
    }

    /// Its type now: the minimum is its current size.
    ///
    /// # Panics
    /// As all methods but `new`: if the memory belongs to another store.
    pub fn ty(&self, ctx: impl AsContext) -> MemoryType {
        let _ = (ctx, self.store);
        unimplemented!()
    }

    /// Its size in pages.
    pub fn size(&self, ctx: impl AsContext) -> u64 {
        let _ = ctx;
        unimplemented!()
    }

    /// Its size in bytes.
    pub fn data_size(&self, ctx: impl AsContext) -> usize {
        let _ = ctx;
        unimplemented!()
    }

    /// Its bytes.
    ///
    /// # Panics
    /// Also if the memory is shared: other threads may write to it.
    pub fn data<'a, T: 'static>(&self, ctx: impl Into<StoreContext<'a, T>>) -> &'a [u8] {
        let _ = ctx.into();
        unimplemented!()
    }

    /// Its bytes, to be changed.
    ///
    /// # Panics
    /// Also if the memory is shared.
    pub fn data_mut<'a, T: 'static>(&self, ctx: impl Into<StoreContextMut<'a, T>>) -> &'a mut [u8] {
        let _ = ctx.into();
        unimplemented!()
    }

    /// Its bytes and the store's data, at once.
    ///
    /// # Panics
    /// Also if the memory is shared.
    pub fn data_and_store_mut<'a, T: 'static>(
        &self,
        ctx: impl Into<StoreContextMut<'a, T>>,
    ) -> (&'a mut [u8], &'a mut T) {
        let _ = ctx.into();
        unimplemented!()
    }

    /// Copies `buffer.len()` bytes at `offset` into `buffer`.
    pub fn read(
        &self,
        ctx: impl AsContext,
        offset: usize,
        buffer: &mut [u8],
    ) -> Result<(), AccessError> {
        let _ = (ctx, offset, buffer);
        unimplemented!()
    }

    /// Copies `bytes` to `offset`.
    pub fn write(
        &self,
        ctx: impl AsContextMut,
        offset: usize,
        bytes: &[u8],
    ) -> Result<(), AccessError> {
        let _ = (ctx, offset, bytes);
        unimplemented!()
    }

    /// Adds `delta` pages of zeroes; returns the size before in pages.
    pub fn grow(&self, ctx: impl AsContextMut, delta: u64) -> Result<u64> {
        let _ = (ctx, delta);
        unimplemented!()
    }
}

/// A table of references.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    store: StoreId,
}

impl Table {
    /// A new table, filled with `init`.
    pub fn new(ctx: impl AsContextMut, ty: TableType, init: Ref) -> Result<Table> {
        let _ = (ctx, ty, init);
        unimplemented!()
    }

    /// Its type now: the minimum is its current size.
    ///
    /// # Panics
    /// If the table belongs to another store.
    pub fn ty(&self, ctx: impl AsContext) -> TableType {
        let _ = (ctx, self.store);
        unimplemented!()
    }

    /// Its number of elements.
    ///
    /// # Panics
    /// If the table belongs to another store.
    pub fn size(&self, ctx: impl AsContext) -> u64 {
        let _ = ctx;
        unimplemented!()
    }

    /// An element; `None` beyond the end.
    ///
    /// # Panics
    /// If the table belongs to another store.
    pub fn get(&self, ctx: impl AsContextMut, index: u64) -> Option<Ref> {
        let _ = (ctx, index);
        unimplemented!()
    }

    /// Sets an element.
    pub fn set(&self, ctx: impl AsContextMut, index: u64, value: Ref) -> Result<()> {
        let _ = (ctx, index, value);
        unimplemented!()
    }

    /// Adds `delta` elements that are `init`; returns the size before.
    pub fn grow(&self, ctx: impl AsContextMut, delta: u64, init: Ref) -> Result<u64> {
        let _ = (ctx, delta, init);
        unimplemented!()
    }

    /// Sets `len` elements from `index` on.
    pub fn fill(&self, ctx: impl AsContextMut, index: u64, value: Ref, len: u64) -> Result<()> {
        let _ = (ctx, index, value, len);
        unimplemented!()
    }

    /// Copies `len` elements from `source` to `destination`; the ranges may
    /// overlap.
    pub fn copy(
        ctx: impl AsContextMut,
        destination: &Table,
        destination_index: u64,
        source: &Table,
        source_index: u64,
        len: u64,
    ) -> Result<()> {
        let _ = (
            ctx,
            destination,
            destination_index,
            source,
            source_index,
            len,
        );
        unimplemented!()
    }
}

/// A global variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Global {
    store: StoreId,
}

impl Global {
    /// A new global that holds `value`.
    pub fn new(ctx: impl AsContextMut, ty: GlobalType, value: Val) -> Result<Global> {
        let _ = (ctx, ty, value);
        unimplemented!()
    }

    /// Its type.
    ///
    /// # Panics
    /// If the global belongs to another store.
    pub fn ty(&self, ctx: impl AsContext) -> GlobalType {
        let _ = (ctx, self.store);
        unimplemented!()
    }

    /// Its value.
    ///
    /// # Panics
    /// If the global belongs to another store.
    pub fn get(&self, ctx: impl AsContextMut) -> Val {
        let _ = ctx;
        unimplemented!()
    }

    /// Sets its value; an error if it is immutable or `value` of another type.
    pub fn set(&self, ctx: impl AsContextMut, value: Val) -> Result<()> {
        let _ = (ctx, value);
        unimplemented!()
    }
}

/// An exception tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tag {
    store: StoreId,
}

impl Tag {
    /// A new tag, different from all others.
    pub fn new(ctx: impl AsContextMut, ty: &TagType) -> Result<Tag> {
        let _ = (ctx, ty);
        unimplemented!()
    }

    /// Its type.
    ///
    /// # Panics
    /// If the tag belongs to another store.
    pub fn ty(&self, ctx: impl AsContext) -> TagType {
        let _ = (ctx, self.store);
        unimplemented!()
    }
}
