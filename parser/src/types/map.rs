//! Replacing the references to defined types in a type.

use std::convert::Infallible;

use super::{
    CompositeType, ExternType, FieldType, FuncType, GlobalType, HeapType, RefType, StorageType,
    SubType, TableType, ValType,
};

/// Adds `map` to a type that has `try_map`.
macro_rules! map {
    ($($name:ident)*) => {$(
        impl<T: Copy> $name<T> {
            /// The same type with every reference to a defined type replaced.
            pub fn map<U>(&self, mut f: impl FnMut(T) -> U) -> $name<U> {
                let Ok(ty) = self.try_map(|t| Ok::<U, Infallible>(f(t)));
                ty
            }
        }
    )*};
}

map! {
    ValType RefType HeapType StorageType FieldType FuncType CompositeType SubType TableType
    GlobalType ExternType
}

impl<T: Copy> HeapType<T> {
    /// Like [`map`](Self::map), for a function that can fail.
    pub fn try_map<U, E>(&self, mut f: impl FnMut(T) -> Result<U, E>) -> Result<HeapType<U>, E> {
        Ok(match *self {
            Self::Func => HeapType::Func,
            Self::Extern => HeapType::Extern,
            Self::Any => HeapType::Any,
            Self::Eq => HeapType::Eq,
            Self::I31 => HeapType::I31,
            Self::Struct => HeapType::Struct,
            Self::Array => HeapType::Array,
            Self::None => HeapType::None,
            Self::NoExtern => HeapType::NoExtern,
            Self::NoFunc => HeapType::NoFunc,
            Self::Exn => HeapType::Exn,
            Self::NoExn => HeapType::NoExn,
            Self::Concrete(t) => HeapType::Concrete(f(t)?),
        })
    }
}

impl<T: Copy> RefType<T> {
    /// Like [`map`](Self::map), for a function that can fail.
    pub fn try_map<U, E>(&self, f: impl FnMut(T) -> Result<U, E>) -> Result<RefType<U>, E> {
        Ok(RefType {
            nullable: self.nullable,
            heap: self.heap.try_map(f)?,
        })
    }
}

impl<T: Copy> ValType<T> {
    /// Like [`map`](Self::map), for a function that can fail.
    pub fn try_map<U, E>(&self, f: impl FnMut(T) -> Result<U, E>) -> Result<ValType<U>, E> {
        Ok(match self {
            Self::I32 => ValType::I32,
            Self::I64 => ValType::I64,
            Self::F32 => ValType::F32,
            Self::F64 => ValType::F64,
            Self::V128 => ValType::V128,
            Self::Ref(ty) => ValType::Ref(ty.try_map(f)?),
        })
    }
}

impl<T: Copy> StorageType<T> {
    /// Like [`map`](Self::map), for a function that can fail.
    pub fn try_map<U, E>(&self, f: impl FnMut(T) -> Result<U, E>) -> Result<StorageType<U>, E> {
        Ok(match self {
            Self::I8 => StorageType::I8,
            Self::I16 => StorageType::I16,
            Self::Val(ty) => StorageType::Val(ty.try_map(f)?),
        })
    }
}

impl<T: Copy> FieldType<T> {
    /// Like [`map`](Self::map), for a function that can fail.
    pub fn try_map<U, E>(&self, f: impl FnMut(T) -> Result<U, E>) -> Result<FieldType<U>, E> {
        Ok(FieldType {
            storage: self.storage.try_map(f)?,
            mutable: self.mutable,
        })
    }
}

impl<T: Copy> FuncType<T> {
    /// Like [`map`](Self::map), for a function that can fail.
    pub fn try_map<U, E>(&self, mut f: impl FnMut(T) -> Result<U, E>) -> Result<FuncType<U>, E> {
        Ok(FuncType {
            params: self
                .params
                .iter()
                .map(|ty| ty.try_map(&mut f))
                .collect::<Result<_, E>>()?,
            results: self
                .results
                .iter()
                .map(|ty| ty.try_map(&mut f))
                .collect::<Result<_, E>>()?,
        })
    }
}

impl<T: Copy> CompositeType<T> {
    /// Like [`map`](Self::map), for a function that can fail.
    pub fn try_map<U, E>(
        &self,
        mut f: impl FnMut(T) -> Result<U, E>,
    ) -> Result<CompositeType<U>, E> {
        Ok(match self {
            Self::Func(ty) => CompositeType::Func(ty.try_map(f)?),
            Self::Struct(fields) => CompositeType::Struct(
                fields
                    .iter()
                    .map(|field| field.try_map(&mut f))
                    .collect::<Result<_, E>>()?,
            ),
            Self::Array(field) => CompositeType::Array(field.try_map(f)?),
        })
    }
}

impl<T: Copy> SubType<T> {
    /// Like [`map`](Self::map), for a function that can fail.
    pub fn try_map<U, E>(&self, mut f: impl FnMut(T) -> Result<U, E>) -> Result<SubType<U>, E> {
        Ok(SubType {
            is_final: self.is_final,
            supertype: self.supertype.map(&mut f).transpose()?,
            composite: self.composite.try_map(f)?,
        })
    }
}

impl<T: Copy> TableType<T> {
    /// Like [`map`](Self::map), for a function that can fail.
    pub fn try_map<U, E>(&self, f: impl FnMut(T) -> Result<U, E>) -> Result<TableType<U>, E> {
        let Self {
            element,
            index64,
            shared,
            min,
            max,
        } = *self;
        Ok(TableType {
            element: element.try_map(f)?,
            index64,
            shared,
            min,
            max,
        })
    }
}

impl<T: Copy> GlobalType<T> {
    /// Like [`map`](Self::map), for a function that can fail.
    pub fn try_map<U, E>(&self, f: impl FnMut(T) -> Result<U, E>) -> Result<GlobalType<U>, E> {
        let Self {
            content,
            mutable,
            shared,
        } = *self;
        Ok(GlobalType {
            content: content.try_map(f)?,
            mutable,
            shared,
        })
    }
}

impl<T: Copy> ExternType<T> {
    /// Like [`map`](Self::map), for a function that can fail.
    pub fn try_map<U, E>(&self, mut f: impl FnMut(T) -> Result<U, E>) -> Result<ExternType<U>, E> {
        Ok(match self {
            Self::Func(t) => ExternType::Func(f(*t)?),
            Self::Table(ty) => ExternType::Table(ty.try_map(f)?),
            Self::Memory(ty) => ExternType::Memory(*ty),
            Self::Global(ty) => ExternType::Global(ty.try_map(f)?),
            Self::Tag(t) => ExternType::Tag(f(*t)?),
        })
    }
}
