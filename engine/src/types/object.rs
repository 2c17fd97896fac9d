//! Types of structs and arrays.

use super::{ConcreteType, HeapType, Mutability, ValType};
use crate::engine::Engine;
use crate::error::{Result, TypeError};
use rwasm_parser as raw;
use rwasm_runtime::types::TypeId;

/// What a field stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StorageType {
    /// 8 bits of an `i32`.
    I8,
    /// 16 bits of an `i32`.
    I16,
    /// A value.
    ValType(ValType),
}

impl From<ValType> for StorageType {
    fn from(ty: ValType) -> Self {
        StorageType::ValType(ty)
    }
}

/// The type of a struct's field, or of an array's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FieldType {
    mutability: Mutability,
    storage: StorageType,
}

impl FieldType {
    /// A field that stores a `storage`.
    pub fn new(mutability: Mutability, storage: impl Into<StorageType>) -> Self {
        FieldType {
            mutability,
            storage: storage.into(),
        }
    }

    /// Whether it may be assigned to.
    pub fn mutability(&self) -> Mutability {
        self.mutability
    }

    /// What it stores.
    pub fn storage(&self) -> StorageType {
        self.storage
    }

    fn from_raw(ty: raw::FieldType<TypeId>, engine: &Engine) -> Self {
        let storage = match ty.storage {
            raw::StorageType::I8 => StorageType::I8,
            raw::StorageType::I16 => StorageType::I16,
            raw::StorageType::Val(ty) => ValType::from_raw(ty, engine).into(),
        };
        FieldType::new(Mutability::from_raw(ty.mutable), storage)
    }

    fn to_raw(self, engine: &Engine) -> Result<raw::FieldType<TypeId>> {
        let storage = match self.storage {
            StorageType::I8 => raw::StorageType::I8,
            StorageType::I16 => raw::StorageType::I16,
            StorageType::ValType(ty) => raw::StorageType::Val(ty.to_raw(engine)?),
        };
        Ok(raw::FieldType {
            storage,
            mutable: self.mutability == Mutability::Var,
        })
    }
}

/// Fields that a struct type may have: the limit for those of modules.
const MAX_FIELDS: usize = 10_000;

/// The type of a struct, canonical in its engine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StructType {
    ty: ConcreteType,
    fields: Box<[FieldType]>,
}

impl StructType {
    /// Structs with these fields. The type is final and has no supertype.
    pub fn new(engine: &Engine, fields: impl IntoIterator<Item = FieldType>) -> Result<Self> {
        let fields: Box<[FieldType]> = fields.into_iter().collect();
        if fields.len() > MAX_FIELDS {
            return Err(TypeError::Invalid("a struct has at most 10,000 fields").into());
        }
        let raw = fields.iter().map(|field| field.to_raw(engine));
        let raw = raw::CompositeType::Struct(raw.collect::<Result<_>>()?);
        let id = engine.registry().register_object_type(raw);
        let ty = ConcreteType::from_id(id, engine);
        Ok(StructType { ty, fields })
    }

    /// The type of structs behind a reference's type, if it is one of the
    /// engine's.
    pub fn from_concrete(engine: &Engine, ty: ConcreteType) -> Option<Self> {
        let id = ty.to_id(engine).ok()?;
        let is_struct = engine
            .registry()
            .sub_type(id)
            .composite
            .as_struct()
            .is_some();
        is_struct.then(|| Self::from_id(id, engine))
    }

    /// The fields.
    pub fn fields(&self) -> &[FieldType] {
        &self.fields
    }

    /// As what a reference may point to.
    pub fn heap_type(&self) -> HeapType {
        HeapType::Concrete(self.ty)
    }

    pub(crate) fn from_id(id: TypeId, engine: &Engine) -> Self {
        let ty = engine.registry().sub_type(id);
        let fields = ty.composite.as_struct().expect("a type of structs");
        let fields = fields.iter().map(|&ty| FieldType::from_raw(ty, engine));
        StructType {
            ty: ConcreteType::from_id(id, engine),
            fields: fields.collect(),
        }
    }

    pub(crate) fn id(&self, engine: &Engine) -> Result<TypeId> {
        self.ty.to_id(engine)
    }
}

/// The type of an array, canonical in its engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ArrayType {
    ty: ConcreteType,
    element: FieldType,
}

impl ArrayType {
    /// Arrays of such elements. The type is final and has no supertype.
    pub fn new(engine: &Engine, element: FieldType) -> Result<Self> {
        let raw = raw::CompositeType::Array(element.to_raw(engine)?);
        let id = engine.registry().register_object_type(raw);
        let ty = ConcreteType::from_id(id, engine);
        Ok(ArrayType { ty, element })
    }

    /// The type of arrays behind a reference's type, if it is one of the
    /// engine's.
    pub fn from_concrete(engine: &Engine, ty: ConcreteType) -> Option<Self> {
        let id = ty.to_id(engine).ok()?;
        let is_array = engine
            .registry()
            .sub_type(id)
            .composite
            .as_array()
            .is_some();
        is_array.then(|| Self::from_id(id, engine))
    }

    /// The type of the elements.
    pub fn element(&self) -> FieldType {
        self.element
    }

    /// As what a reference may point to.
    pub fn heap_type(&self) -> HeapType {
        HeapType::Concrete(self.ty)
    }

    pub(crate) fn from_id(id: TypeId, engine: &Engine) -> Self {
        let ty = engine.registry().sub_type(id);
        let element = ty.composite.as_array().expect("a type of arrays");
        ArrayType {
            ty: ConcreteType::from_id(id, engine),
            element: FieldType::from_raw(*element, engine),
        }
    }

    pub(crate) fn id(&self, engine: &Engine) -> Result<TypeId> {
        self.ty.to_id(engine)
    }
}
