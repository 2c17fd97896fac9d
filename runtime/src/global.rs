//! Globals and tags.

use crate::layout::GlobalDef;
use crate::types::TypeId;
use rwasm_parser::GlobalType;

/// A global.
#[derive(Debug)]
#[repr(C)]
pub struct Global {
    /// What code sees. First, so that a `*mut GlobalDef` of a store is a
    /// `*mut Global`.
    pub def: GlobalDef,
    ty: GlobalType<TypeId>,
}

impl Global {
    /// A global with a value, as slots; all but a `v128` have one, and the
    /// second is zero.
    ///
    /// # Safety
    /// `value` holds a value of the type; a reference is valid as long as the
    /// store lives.
    pub unsafe fn new(ty: GlobalType<TypeId>, value: [u64; 2]) -> Self {
        Global {
            def: GlobalDef { value },
            ty,
        }
    }

    /// The type.
    pub fn ty(&self) -> GlobalType<TypeId> {
        self.ty
    }

    /// The value as slots.
    pub fn value(&self) -> [u64; 2] {
        self.def.value
    }
}

/// A tag: what exceptions are told apart by. Two tags differ even if their
/// types are equal.
#[derive(Debug)]
pub struct Tag {
    ty: TypeId,
}

impl Tag {
    /// A tag whose exceptions carry the parameters of this function type.
    pub fn new(ty: TypeId) -> Self {
        Tag { ty }
    }

    /// The type.
    pub fn ty(&self) -> TypeId {
        self.ty
    }
}
