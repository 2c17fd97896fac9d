//! From `wasmparser`'s types, as they stand in a module's bytes.

use wasmparser::{AbstractHeapType, CompositeInnerType, PackedIndex, UnpackedIndex};

use super::{
    CompositeType, FieldType, FuncType, GlobalType, HeapType, MemoryType, RefType, StorageType,
    SubType, TableType, ValType,
};
use crate::index::TypeIndex;

/// A type that is no part of WebAssembly 3.0, or that names a defined type by
/// something else than its index in the module (as types that come from a
/// validator do).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a type of a proposal that is not supported")]
pub struct UnsupportedType;

type Result<T> = std::result::Result<T, UnsupportedType>;

impl TryFrom<wasmparser::ValType> for ValType {
    type Error = UnsupportedType;

    fn try_from(ty: wasmparser::ValType) -> Result<Self> {
        Ok(match ty {
            wasmparser::ValType::I32 => Self::I32,
            wasmparser::ValType::I64 => Self::I64,
            wasmparser::ValType::F32 => Self::F32,
            wasmparser::ValType::F64 => Self::F64,
            wasmparser::ValType::V128 => Self::V128,
            wasmparser::ValType::Ref(ty) => Self::Ref(ty.try_into()?),
        })
    }
}

impl TryFrom<wasmparser::RefType> for RefType {
    type Error = UnsupportedType;

    fn try_from(ty: wasmparser::RefType) -> Result<Self> {
        Ok(Self {
            nullable: ty.is_nullable(),
            heap: ty.heap_type().try_into()?,
        })
    }
}

impl TryFrom<wasmparser::HeapType> for HeapType {
    type Error = UnsupportedType;

    fn try_from(ty: wasmparser::HeapType) -> Result<Self> {
        match ty {
            wasmparser::HeapType::Abstract { shared: false, ty } => Ok(match ty {
                AbstractHeapType::Func => Self::Func,
                AbstractHeapType::Extern => Self::Extern,
                AbstractHeapType::Any => Self::Any,
                AbstractHeapType::Eq => Self::Eq,
                AbstractHeapType::I31 => Self::I31,
                AbstractHeapType::Struct => Self::Struct,
                AbstractHeapType::Array => Self::Array,
                AbstractHeapType::None => Self::None,
                AbstractHeapType::NoExtern => Self::NoExtern,
                AbstractHeapType::NoFunc => Self::NoFunc,
                AbstractHeapType::Exn => Self::Exn,
                AbstractHeapType::NoExn => Self::NoExn,
                AbstractHeapType::Cont | AbstractHeapType::NoCont => return Err(UnsupportedType),
            }),
            wasmparser::HeapType::Concrete(UnpackedIndex::Module(index)) => {
                Ok(Self::Concrete(TypeIndex::from_u32(index)))
            }
            wasmparser::HeapType::Abstract { shared: true, .. }
            | wasmparser::HeapType::Concrete(_)
            | wasmparser::HeapType::Exact(_) => Err(UnsupportedType),
        }
    }
}

impl TryFrom<wasmparser::StorageType> for StorageType {
    type Error = UnsupportedType;

    fn try_from(ty: wasmparser::StorageType) -> Result<Self> {
        Ok(match ty {
            wasmparser::StorageType::I8 => Self::I8,
            wasmparser::StorageType::I16 => Self::I16,
            wasmparser::StorageType::Val(ty) => Self::Val(ty.try_into()?),
        })
    }
}

impl TryFrom<wasmparser::FieldType> for FieldType {
    type Error = UnsupportedType;

    fn try_from(ty: wasmparser::FieldType) -> Result<Self> {
        Ok(Self {
            storage: ty.element_type.try_into()?,
            mutable: ty.mutable,
        })
    }
}

impl TryFrom<&wasmparser::FuncType> for FuncType {
    type Error = UnsupportedType;

    fn try_from(ty: &wasmparser::FuncType) -> Result<Self> {
        let convert = |types: &[wasmparser::ValType]| {
            types.iter().map(|&ty| ty.try_into()).collect::<Result<_>>()
        };
        Ok(Self {
            params: convert(ty.params())?,
            results: convert(ty.results())?,
        })
    }
}

impl TryFrom<&wasmparser::CompositeType> for CompositeType {
    type Error = UnsupportedType;

    fn try_from(ty: &wasmparser::CompositeType) -> Result<Self> {
        if ty.shared || ty.descriptor_idx.is_some() || ty.describes_idx.is_some() {
            return Err(UnsupportedType);
        }
        Ok(match &ty.inner {
            CompositeInnerType::Func(ty) => Self::Func(ty.try_into()?),
            CompositeInnerType::Struct(ty) => Self::Struct(
                ty.fields
                    .iter()
                    .map(|&field| field.try_into())
                    .collect::<Result<_>>()?,
            ),
            CompositeInnerType::Array(ty) => Self::Array(ty.0.try_into()?),
            CompositeInnerType::Cont(_) => return Err(UnsupportedType),
        })
    }
}

impl TryFrom<&wasmparser::SubType> for SubType {
    type Error = UnsupportedType;

    fn try_from(ty: &wasmparser::SubType) -> Result<Self> {
        let supertype = match ty.supertype_idxs[..] {
            [] => None,
            [index] => Some(type_index(index)?),
            _ => return Err(UnsupportedType),
        };
        Ok(Self {
            is_final: ty.is_final,
            supertype,
            composite: (&ty.composite_type).try_into()?,
        })
    }
}

fn type_index(index: PackedIndex) -> Result<TypeIndex> {
    index
        .as_module_index()
        .map(TypeIndex::from_u32)
        .ok_or(UnsupportedType)
}

impl TryFrom<wasmparser::TableType> for TableType {
    type Error = UnsupportedType;

    fn try_from(ty: wasmparser::TableType) -> Result<Self> {
        Ok(Self {
            element: ty.element_type.try_into()?,
            index64: ty.table64,
            shared: ty.shared,
            min: ty.initial,
            max: ty.maximum,
        })
    }
}

impl TryFrom<wasmparser::MemoryType> for MemoryType {
    type Error = UnsupportedType;

    fn try_from(ty: wasmparser::MemoryType) -> Result<Self> {
        Ok(Self {
            index64: ty.memory64,
            shared: ty.shared,
            min: ty.initial,
            max: ty.maximum,
            page_size_log2: match ty.page_size_log2 {
                None => 16,
                Some(log2 @ 0..=16) => log2 as u8,
                Some(_) => return Err(UnsupportedType),
            },
        })
    }
}

impl TryFrom<wasmparser::GlobalType> for GlobalType {
    type Error = UnsupportedType;

    fn try_from(ty: wasmparser::GlobalType) -> Result<Self> {
        Ok(Self {
            content: ty.content_type.try_into()?,
            mutable: ty.mutable,
            shared: ty.shared,
        })
    }
}
