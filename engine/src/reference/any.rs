//! References to values of the guest, whatever they are.

use super::{ArrayRef, ExternRef, Handle, StructRef};
use crate::context::{AsContext, AsContextMut};
use crate::error::Result;
use crate::types::HeapType;
use rwasm_parser::HeapType as RawHeapType;
use rwasm_runtime::gc::ObjectKind;
use rwasm_runtime::reference;
use std::num::NonZeroU32;

/// A reference to a value of the guest: an i31, a struct, an array, or a value
/// of the host that the guest has converted.
///
/// Like all handles of references it is scoped: see
/// [`RootScope`](crate::RootScope).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AnyRef(pub(crate) Handle);

/// A reference that the guest can compare: an i31, a struct or an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EqRef(pub(crate) Handle);

/// An integer of 31 bits, which takes no room on the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct I31(u32);

impl I31 {
    /// The low 31 bits of `value`.
    pub fn wrapping_u32(value: u32) -> Self {
        I31(value & 0x7fff_ffff)
    }

    /// The low 31 bits of `value`.
    pub fn wrapping_i32(value: i32) -> Self {
        Self::wrapping_u32(value as u32)
    }

    /// `value`, if it has 31 bits.
    pub fn new_u32(value: u32) -> Option<Self> {
        (value >> 31 == 0).then_some(I31(value))
    }

    /// `value`, if it has 31 bits with its sign.
    pub fn new_i32(value: i32) -> Option<Self> {
        let wrapped = Self::wrapping_i32(value);
        (wrapped.get_i32() == value).then_some(wrapped)
    }

    /// The value, zero-extended.
    pub fn get_u32(self) -> u32 {
        self.0
    }

    /// The value, sign-extended.
    pub fn get_i32(self) -> i32 {
        (self.0 << 1) as i32 >> 1
    }
}

impl AnyRef {
    /// A reference to an i31.
    pub fn from_i31(mut ctx: impl AsContextMut, value: I31) -> AnyRef {
        let ctx = ctx.as_context_mut();
        let word = reference::i31_slot(value.get_u32()) as u32;
        let word = NonZeroU32::new(word).expect("an i31 has its lowest bit set");
        // SAFETY: an i31 refers to nothing.
        AnyRef(unsafe { Handle::new(&ctx.opaque().runtime, word) })
    }

    /// The reference that the guest would get by `any.convert_extern`.
    pub fn convert_extern(ctx: impl AsContext, value: ExternRef) -> Result<AnyRef> {
        let ctx = ctx.as_context();
        value.0.check(&ctx.opaque().runtime)?;
        Ok(AnyRef(value.0))
    }

    /// The most special type that the value has.
    pub fn ty(&self, ctx: impl AsContext) -> Result<HeapType> {
        let ctx = ctx.as_context();
        let store = ctx.opaque();
        let ty = store.heap_type_of(self.0)?;
        Ok(HeapType::from_raw(ty, &store.engine))
    }

    /// Whether the value is of that type.
    pub fn matches_ty(&self, ctx: impl AsContext, ty: HeapType) -> Result<bool> {
        let ctx = ctx.as_context();
        let store = ctx.opaque();
        let found = store.heap_type_of(self.0)?;
        let ty = ty.to_raw(&store.engine)?;
        Ok(store.is_heap_subtype(found, ty))
    }

    /// Whether it is an i31, a struct or an array.
    pub fn is_eqref(&self, ctx: impl AsContext) -> Result<bool> {
        self.matches_ty(ctx, HeapType::Eq)
    }

    /// As a reference that can be compared, if it is one.
    pub fn as_eqref(&self, ctx: impl AsContext) -> Result<Option<EqRef>> {
        Ok(self.is_eqref(ctx)?.then_some(EqRef(self.0)))
    }

    /// Whether it is an i31.
    pub fn is_i31(&self, ctx: impl AsContext) -> Result<bool> {
        Ok(self.as_i31(ctx)?.is_some())
    }

    /// The i31, if it is one.
    pub fn as_i31(&self, ctx: impl AsContext) -> Result<Option<I31>> {
        let ctx = ctx.as_context();
        let slot = self.0.slot(&ctx.opaque().runtime)?;
        Ok(reference::i31_from_slot(slot).map(I31))
    }

    /// Whether it is a struct.
    pub fn is_struct(&self, ctx: impl AsContext) -> Result<bool> {
        self.is_object(ctx, ObjectKind::Struct)
    }

    /// As a struct, if it is one.
    pub fn as_struct(&self, ctx: impl AsContext) -> Result<Option<StructRef>> {
        Ok(self.is_struct(ctx)?.then_some(StructRef(self.0)))
    }

    /// Whether it is an array.
    pub fn is_array(&self, ctx: impl AsContext) -> Result<bool> {
        self.is_object(ctx, ObjectKind::Array)
    }

    /// As an array, if it is one.
    pub fn as_array(&self, ctx: impl AsContext) -> Result<Option<ArrayRef>> {
        Ok(self.is_array(ctx)?.then_some(ArrayRef(self.0)))
    }

    fn is_object(&self, ctx: impl AsContext, kind: ObjectKind) -> Result<bool> {
        let ctx = ctx.as_context();
        let object = self.0.object(&ctx.opaque().runtime)?;
        Ok(object.is_some_and(|object| object.kind() == kind))
    }

    /// Whether the reference belongs to the store.
    pub fn belongs_to(&self, ctx: impl AsContext) -> bool {
        self.0.store() == ctx.as_context().opaque().id
    }
}

impl EqRef {
    /// As any reference.
    pub fn to_anyref(self) -> AnyRef {
        AnyRef(self.0)
    }
}

impl From<EqRef> for AnyRef {
    fn from(value: EqRef) -> AnyRef {
        value.to_anyref()
    }
}

impl crate::store::StoreOpaque {
    /// The most special type that a value of the `any` hierarchy has.
    pub(crate) fn heap_type_of(
        &self,
        value: Handle,
    ) -> Result<RawHeapType<rwasm_runtime::types::TypeId>> {
        if let Some(object) = value.object(&self.runtime)? {
            return Ok(RawHeapType::Concrete(object.ty()));
        }
        let is_i31 = reference::i31_from_slot(value.slot_unchecked()).is_some();
        Ok(if is_i31 {
            RawHeapType::I31
        } else {
            RawHeapType::Any
        })
    }

    pub(crate) fn is_heap_subtype(
        &self,
        sub: RawHeapType<rwasm_runtime::types::TypeId>,
        sup: RawHeapType<rwasm_runtime::types::TypeId>,
    ) -> bool {
        let reference = |heap| rwasm_parser::RefType {
            nullable: false,
            heap,
        };
        let registry = self.engine.registry();
        registry.is_ref_subtype(&reference(sub), &reference(sup))
    }
}
