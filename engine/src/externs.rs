//! What modules import and export.

use crate::context::AsContext;
use crate::func::Func;
use crate::global::Global;
use crate::memory::Memory;
use crate::table::Table;
use crate::tag::Tag;
use crate::types::ExternType;
use rwasm_runtime::handle::{Extern as RawExtern, StoreId};

/// Something that can be imported or exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// Its type now: the minimum of a memory or table is its current size.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn ty(&self, ctx: impl AsContext) -> ExternType {
        let ctx = ctx.as_context();
        let store = ctx.opaque();
        let ty = store.runtime.extern_type(self.to_raw());
        ExternType::from_raw(ty, &store.engine)
    }

    pub(crate) fn belongs_to(&self, store: StoreId) -> bool {
        self.to_raw().store() == store
    }
}

macro_rules! kinds {
    ($($kind:ident $into:ident $what:literal,)*) => {
        impl Extern {
            $(
                #[doc = concat!("The ", $what, ", if it is one.")]
                pub fn $into(self) -> Option<$kind> {
                    match self {
                        Extern::$kind(handle) => Some(handle),
                        _ => None,
                    }
                }
            )*

            /// What kind of thing it is, in a word.
            pub(crate) fn kind(&self) -> &'static str {
                match self {
                    $(Extern::$kind(_) => $what,)*
                }
            }

            pub(crate) fn from_raw(raw: RawExtern) -> Self {
                match raw {
                    $(RawExtern::$kind(handle) => Extern::$kind($kind(handle)),)*
                }
            }

            pub(crate) fn to_raw(self) -> RawExtern {
                match self {
                    $(Extern::$kind($kind(handle)) => RawExtern::$kind(handle),)*
                }
            }
        }

        $(impl From<$kind> for Extern {
            fn from(handle: $kind) -> Self {
                Extern::$kind(handle)
            }
        })*
    };
}

kinds! {
    Func into_func "function",
    Table into_table "table",
    Memory into_memory "memory",
    Global into_global "global",
    Tag into_tag "tag",
}
