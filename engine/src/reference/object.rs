//! Structs and arrays.

use super::{AnyRef, EqRef, Handle};
use crate::context::{AsContext, AsContextMut};
use crate::error::{AccessError, Result, TypeError};
use crate::func::check_count;
use crate::store::StoreOpaque;
use crate::types::{ArrayType, StructType};
use crate::val::Val;
use rwasm_parser::{CompositeType, FieldType, StorageType, ValType as RawValType};
use rwasm_runtime::types::TypeId;
use std::num::NonZeroU32;

/// A reference to a struct.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StructRef(pub(crate) Handle);

/// A reference to an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ArrayRef(pub(crate) Handle);

impl StructRef {
    /// A new struct with these fields. An error if they do not fit the type, and
    /// the trap of a guest's allocation if there is no room.
    pub fn new(mut ctx: impl AsContextMut, ty: &StructType, fields: &[Val]) -> Result<StructRef> {
        let mut ctx = ctx.as_context_mut();
        let store = ctx.opaque_mut();
        let id = ty.id(&store.engine)?;
        check_count("fields", ty.fields().len(), fields.len())?;
        Ok(StructRef(store.new_object(id, fields)?))
    }

    /// Its type.
    pub fn ty(&self, ctx: impl AsContext) -> Result<StructType> {
        let ctx = ctx.as_context();
        let store = ctx.opaque();
        Ok(StructType::from_id(
            store.object_type(self.0)?,
            &store.engine,
        ))
    }

    /// Its fields.
    pub fn fields(&self, mut ctx: impl AsContextMut) -> Result<Vec<Val>> {
        ctx.as_context_mut().opaque().all_fields(self.0)
    }

    /// A field. A packed integer is zero-extended to an `i32`.
    pub fn field(&self, mut ctx: impl AsContextMut, index: usize) -> Result<Val> {
        let ctx = ctx.as_context_mut();
        ctx.opaque().field(self.0, index, "struct field")
    }

    /// Sets a field; an error if it is immutable or `value` of another type. A
    /// packed integer is cut off.
    pub fn set_field(&self, mut ctx: impl AsContextMut, index: usize, value: Val) -> Result<()> {
        let mut ctx = ctx.as_context_mut();
        let store = ctx.opaque_mut();
        store.set_field(self.0, index, value, "struct field")
    }

    /// As any reference.
    pub fn to_anyref(self) -> AnyRef {
        AnyRef(self.0)
    }

    /// As a reference that can be compared.
    pub fn to_eqref(self) -> EqRef {
        EqRef(self.0)
    }
}

impl ArrayRef {
    /// A new array of `len` times `value`. An error if that does not fit the
    /// type, and the trap of a guest's allocation if there is no room.
    pub fn new(
        mut ctx: impl AsContextMut,
        ty: &ArrayType,
        value: Val,
        len: u32,
    ) -> Result<ArrayRef> {
        let mut ctx = ctx.as_context_mut();
        let store = ctx.opaque_mut();
        let id = ty.id(&store.engine)?;
        let value = store.field_slots(value, &store.field_type(id, 0))?;
        let values = std::iter::repeat_n(value, len as usize);
        // SAFETY: the value was checked to be of the element type.
        Ok(ArrayRef(unsafe { store.allocate(id, values)? }))
    }

    /// A new array of these elements.
    pub fn new_fixed(
        mut ctx: impl AsContextMut,
        ty: &ArrayType,
        elements: &[Val],
    ) -> Result<ArrayRef> {
        let mut ctx = ctx.as_context_mut();
        let store = ctx.opaque_mut();
        let id = ty.id(&store.engine)?;
        Ok(ArrayRef(store.new_object(id, elements)?))
    }

    /// Its type.
    pub fn ty(&self, ctx: impl AsContext) -> Result<ArrayType> {
        let ctx = ctx.as_context();
        let store = ctx.opaque();
        Ok(ArrayType::from_id(
            store.object_type(self.0)?,
            &store.engine,
        ))
    }

    /// The number of elements.
    pub fn len(&self, ctx: impl AsContext) -> Result<u32> {
        let ctx = ctx.as_context();
        let object = self.0.object(&ctx.opaque().runtime)?;
        Ok(object.expect("a handle of an array").len())
    }

    /// Whether there are no elements.
    pub fn is_empty(&self, ctx: impl AsContext) -> Result<bool> {
        Ok(self.len(ctx)? == 0)
    }

    /// Its elements.
    pub fn elems(&self, mut ctx: impl AsContextMut) -> Result<Vec<Val>> {
        ctx.as_context_mut().opaque().all_fields(self.0)
    }

    /// An element. A packed integer is zero-extended to an `i32`.
    pub fn get(&self, mut ctx: impl AsContextMut, index: u32) -> Result<Val> {
        let ctx = ctx.as_context_mut();
        ctx.opaque().field(self.0, index as usize, "array")
    }

    /// Sets an element; an error if they are immutable or `value` of another
    /// type. A packed integer is cut off.
    pub fn set(&self, mut ctx: impl AsContextMut, index: u32, value: Val) -> Result<()> {
        let mut ctx = ctx.as_context_mut();
        let store = ctx.opaque_mut();
        store.set_field(self.0, index as usize, value, "array")
    }

    /// As any reference.
    pub fn to_anyref(self) -> AnyRef {
        AnyRef(self.0)
    }

    /// As a reference that can be compared.
    pub fn to_eqref(self) -> EqRef {
        EqRef(self.0)
    }
}

macro_rules! upcasts {
    ($($from:ident),*) => {
        $(
            impl From<$from> for AnyRef {
                fn from(value: $from) -> AnyRef {
                    value.to_anyref()
                }
            }

            impl From<$from> for EqRef {
                fn from(value: $from) -> EqRef {
                    value.to_eqref()
                }
            }
        )*
    };
}
upcasts!(StructRef, ArrayRef);

impl StoreOpaque {
    fn object_type(&self, object: Handle) -> Result<TypeId> {
        let object = object.object(&self.runtime)?;
        Ok(object.expect("a handle of an object").ty())
    }

    /// The type of a struct's field, or of an array's elements.
    fn field_type(&self, ty: TypeId, index: usize) -> FieldType<TypeId> {
        match &self.engine.registry().sub_type(ty).composite {
            CompositeType::Struct(fields) => fields[index],
            CompositeType::Array(element) => *element,
            CompositeType::Func(_) => unreachable!("a type of objects"),
        }
    }

    /// A value as a field stores it. An error if it is not of the field's type.
    fn field_slots(&self, value: Val, field: &FieldType<TypeId>) -> Result<[u64; 2]> {
        self.slots(value, value_type(field))
    }

    fn new_object(&mut self, ty: TypeId, values: &[Val]) -> Result<Handle> {
        let slots = values.iter().enumerate().map(|(index, &value)| {
            let field = self.field_type(ty, index);
            self.field_slots(value, &field)
        });
        let slots = slots.collect::<Result<Vec<_>>>()?;
        // SAFETY: the values were checked to be of the fields' types, as many as
        // the caller says.
        unsafe { self.allocate(ty, slots.into_iter()) }
    }

    /// # Safety
    /// As for the store's `new_object`: the values are of the fields' types, and
    /// as many; references among them are held by handles.
    unsafe fn allocate(
        &mut self,
        ty: TypeId,
        values: impl ExactSizeIterator<Item = [u64; 2]>,
    ) -> Result<Handle> {
        // SAFETY: as the caller promises; the object was just made.
        unsafe {
            let word = self.runtime.new_object(ty, values)?;
            let word = NonZeroU32::new(word).expect("a reference is not null");
            Ok(Handle::new(&self.runtime, word))
        }
    }

    fn field(&self, object: Handle, index: usize, what: &'static str) -> Result<Val> {
        let object = object.object(&self.runtime)?;
        let object = object.expect("a handle of an object");
        let value = u32::try_from(index).ok().and_then(|at| object.get(at));
        let value = value.ok_or(AccessError(what))?;
        let ty = value_type(&self.field_type(object.ty(), index));
        // SAFETY: the field holds a value of its type.
        Ok(unsafe { self.read(ty, &value) })
    }

    fn all_fields(&self, object: Handle) -> Result<Vec<Val>> {
        let len = object
            .object(&self.runtime)?
            .map_or(0, |object| object.len());
        let fields = 0..len as usize;
        fields.map(|at| self.field(object, at, "object")).collect()
    }

    fn set_field(
        &mut self,
        object: Handle,
        index: usize,
        value: Val,
        what: &'static str,
    ) -> Result<()> {
        let (ty, len) = {
            let object = object.object(&self.runtime)?;
            let object = object.expect("a handle of an object");
            (object.ty(), object.len())
        };
        let at = u32::try_from(index).ok().filter(|&at| at < len);
        let at = at.ok_or(AccessError(what))?;
        let field = self.field_type(ty, index);
        if !field.mutable {
            return Err(TypeError::ImmutableField.into());
        }
        let value = self.field_slots(value, &field)?;
        // SAFETY: the value was checked to be of the field's type.
        let done = unsafe { self.runtime.set_object(object.root(), at, value) };
        debug_assert!(done);
        Ok(())
    }
}

/// The type of the values that a field takes and gives.
fn value_type(field: &FieldType<TypeId>) -> RawValType<TypeId> {
    match field.storage {
        StorageType::I8 | StorageType::I16 => RawValType::I32,
        StorageType::Val(ty) => ty,
    }
}
