//! Between the embedder's types and those of the crates below.
//!
//! Down there a reference to a defined type is an index into a module or an id
//! of the engine's registry; up here it is a [`ConcreteType`].

use super::{
    ConcreteType, ExternType, FuncType, GlobalType, HeapType, MemoryType, Mutability, RefType,
    TableType, TagType, ValType,
};
use crate::error::TypeError;
use crate::val::Hierarchy;
use rwasm_parser as raw;
use rwasm_runtime::limits::LimitError;
use rwasm_runtime::types::{TypeId, TypeRegistry};

impl ConcreteType {
    fn new(id: TypeId, registry: &TypeRegistry) -> Self {
        let hierarchy = match registry.sub_type(id).composite {
            raw::CompositeType::Func(_) => Hierarchy::Func,
            raw::CompositeType::Struct(_) | raw::CompositeType::Array(_) => Hierarchy::Any,
        };
        ConcreteType {
            id: id.as_u32(),
            hierarchy,
        }
    }
}

macro_rules! heap_types {
    ($($name:ident)*) => {
        impl HeapType {
            pub(crate) fn from_raw(ty: raw::HeapType<TypeId>, registry: &TypeRegistry) -> Self {
                match ty {
                    $(raw::HeapType::$name => HeapType::$name,)*
                    raw::HeapType::Concrete(id) => {
                        HeapType::Concrete(ConcreteType::new(id, registry))
                    }
                }
            }

            pub(crate) fn to_raw(self) -> raw::HeapType<TypeId> {
                match self {
                    $(HeapType::$name => raw::HeapType::$name,)*
                    HeapType::Concrete(ty) => raw::HeapType::Concrete(TypeId::from_u32(ty.id)),
                }
            }
        }
    };
}

heap_types! { Func NoFunc Extern NoExtern Any Eq I31 Struct Array None Exn NoExn }

impl RefType {
    pub(crate) fn from_raw(ty: raw::RefType<TypeId>, registry: &TypeRegistry) -> Self {
        RefType::new(ty.nullable, HeapType::from_raw(ty.heap, registry))
    }

    pub(crate) fn to_raw(self) -> raw::RefType<TypeId> {
        raw::RefType {
            nullable: self.nullable,
            heap: self.heap.to_raw(),
        }
    }
}

impl ValType {
    pub(crate) fn from_raw(ty: raw::ValType<TypeId>, registry: &TypeRegistry) -> Self {
        match ty {
            raw::ValType::I32 => ValType::I32,
            raw::ValType::I64 => ValType::I64,
            raw::ValType::F32 => ValType::F32,
            raw::ValType::F64 => ValType::F64,
            raw::ValType::V128 => ValType::V128,
            raw::ValType::Ref(ty) => ValType::Ref(RefType::from_raw(ty, registry)),
        }
    }

    pub(crate) fn to_raw(self) -> raw::ValType<TypeId> {
        match self {
            ValType::I32 => raw::ValType::I32,
            ValType::I64 => raw::ValType::I64,
            ValType::F32 => raw::ValType::F32,
            ValType::F64 => raw::ValType::F64,
            ValType::V128 => raw::ValType::V128,
            ValType::Ref(ty) => raw::ValType::Ref(ty.to_raw()),
        }
    }
}

impl FuncType {
    /// The function type with this id.
    pub(crate) fn from_id(id: TypeId, registry: &TypeRegistry) -> Self {
        let ty = registry.sub_type(id);
        let ty = ty
            .composite
            .as_func()
            .expect("validated: functions have function types");
        let convert = |&ty| ValType::from_raw(ty, registry);
        FuncType::new(
            ty.params.iter().map(convert),
            ty.results.iter().map(convert),
        )
    }

    /// The id of this type without a supertype, as host functions have it. An
    /// error if it has more parameters or results than a module's may have.
    pub(crate) fn register(&self, registry: &TypeRegistry) -> Result<TypeId, LimitError> {
        let convert = |types: &[ValType]| types.iter().map(|ty| ty.to_raw()).collect();
        registry.register_func_type(raw::FuncType {
            params: convert(self.params()),
            results: convert(self.results()),
        })
    }
}

impl GlobalType {
    pub(crate) fn from_raw(ty: raw::GlobalType<TypeId>, registry: &TypeRegistry) -> Self {
        let mutability = if ty.mutable {
            Mutability::Var
        } else {
            Mutability::Const
        };
        GlobalType::new(ValType::from_raw(ty.content, registry), mutability)
    }

    pub(crate) fn to_raw(self) -> raw::GlobalType<TypeId> {
        let mutable = self.mutability == Mutability::Var;
        raw::GlobalType {
            content: self.content.to_raw(),
            mutable,
            shared: false,
        }
    }
}

impl TableType {
    pub(crate) fn from_raw(ty: raw::TableType<TypeId>, registry: &TypeRegistry) -> Self {
        TableType {
            element: RefType::from_raw(ty.element, registry),
            minimum: ty.min,
            maximum: ty.max,
            table64: ty.index64,
        }
    }

    /// The type, if it is one that a module could declare.
    pub(crate) fn to_raw(self) -> Result<raw::TableType<TypeId>, TypeError> {
        check_limits(self.minimum, self.maximum)?;
        Ok(raw::TableType {
            element: self.element.to_raw(),
            index64: self.table64,
            shared: false,
            min: self.minimum,
            max: self.maximum,
        })
    }
}

impl MemoryType {
    pub(crate) fn from_raw(ty: raw::MemoryType) -> Self {
        MemoryType {
            minimum: ty.min,
            maximum: ty.max,
            memory64: ty.index64,
            shared: ty.shared,
            page_size_log2: ty.page_size_log2,
        }
    }

    /// The type, if it is one that a module could declare.
    pub(crate) fn to_raw(self) -> Result<raw::MemoryType, TypeError> {
        check_limits(self.minimum, self.maximum)?;
        if self.shared && self.maximum.is_none() {
            return Err(TypeError::Invalid("a shared memory needs a maximum"));
        }
        if !matches!(self.page_size_log2, 0 | 16) {
            return Err(TypeError::Invalid("pages have 1 or 65,536 bytes"));
        }
        Ok(raw::MemoryType {
            index64: self.memory64,
            shared: self.shared,
            min: self.minimum,
            max: self.maximum,
            page_size_log2: self.page_size_log2,
        })
    }
}

fn check_limits(minimum: u64, maximum: Option<u64>) -> Result<(), TypeError> {
    match maximum {
        Some(maximum) if maximum < minimum => {
            Err(TypeError::Invalid("the minimum is above the maximum"))
        }
        _ => Ok(()),
    }
}

impl ExternType {
    pub(crate) fn from_raw(ty: raw::ExternType<TypeId>, registry: &TypeRegistry) -> Self {
        match ty {
            raw::ExternType::Func(id) => FuncType::from_id(id, registry).into(),
            raw::ExternType::Table(ty) => TableType::from_raw(ty, registry).into(),
            raw::ExternType::Memory(ty) => MemoryType::from_raw(ty).into(),
            raw::ExternType::Global(ty) => GlobalType::from_raw(ty, registry).into(),
            raw::ExternType::Tag(id) => TagType::new(FuncType::from_id(id, registry)).into(),
        }
    }
}
