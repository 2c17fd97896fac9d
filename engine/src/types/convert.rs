//! Between the embedder's types and those of the crates below.
//!
//! Down there a reference to a defined type is an index into a module or an id
//! of the engine's registry; up here it is a [`ConcreteType`], which knows its
//! engine. So the way down fails for types of another engine: their ids would
//! be those of other types, and references be taken for what they are not.

use super::{
    ConcreteType, ExternType, FuncType, GlobalType, HeapType, MemoryType, Mutability, RefType,
    TableType, TagType, ValType,
};
use crate::engine::Engine;
use crate::error::{Error, Result, TypeError};
use crate::val::Hierarchy;
use rwasm_parser as raw;
use rwasm_runtime::types::TypeId;

impl ConcreteType {
    pub(super) fn from_id(id: TypeId, engine: &Engine) -> Self {
        let hierarchy = match engine.registry().sub_type(id).composite {
            raw::CompositeType::Func(_) => Hierarchy::Func,
            raw::CompositeType::Struct(_) | raw::CompositeType::Array(_) => Hierarchy::Any,
        };
        ConcreteType {
            engine: engine.id(),
            id: id.as_u32(),
            hierarchy,
        }
    }

    pub(super) fn to_id(self, engine: &Engine) -> Result<TypeId> {
        if self.engine != engine.id() {
            return Err(Error::StoreMismatch("a type"));
        }
        Ok(TypeId::from_u32(self.id))
    }
}

macro_rules! heap_types {
    ($($name:ident)*) => {
        impl HeapType {
            pub(crate) fn from_raw(ty: raw::HeapType<TypeId>, engine: &Engine) -> Self {
                match ty {
                    $(raw::HeapType::$name => HeapType::$name,)*
                    raw::HeapType::Concrete(id) => {
                        HeapType::Concrete(ConcreteType::from_id(id, engine))
                    }
                }
            }

            pub(crate) fn to_raw(self, engine: &Engine) -> Result<raw::HeapType<TypeId>> {
                Ok(match self {
                    $(HeapType::$name => raw::HeapType::$name,)*
                    HeapType::Concrete(ty) => raw::HeapType::Concrete(ty.to_id(engine)?),
                })
            }
        }
    };
}

heap_types! { Func NoFunc Extern NoExtern Any Eq I31 Struct Array None Exn NoExn }

impl RefType {
    pub(crate) fn from_raw(ty: raw::RefType<TypeId>, engine: &Engine) -> Self {
        RefType::new(ty.nullable, HeapType::from_raw(ty.heap, engine))
    }

    pub(crate) fn to_raw(self, engine: &Engine) -> Result<raw::RefType<TypeId>> {
        let heap = self.heap.to_raw(engine)?;
        Ok(raw::RefType {
            nullable: self.nullable,
            heap,
        })
    }
}

impl ValType {
    pub(crate) fn from_raw(ty: raw::ValType<TypeId>, engine: &Engine) -> Self {
        match ty {
            raw::ValType::I32 => ValType::I32,
            raw::ValType::I64 => ValType::I64,
            raw::ValType::F32 => ValType::F32,
            raw::ValType::F64 => ValType::F64,
            raw::ValType::V128 => ValType::V128,
            raw::ValType::Ref(ty) => ValType::Ref(RefType::from_raw(ty, engine)),
        }
    }

    pub(crate) fn to_raw(self, engine: &Engine) -> Result<raw::ValType<TypeId>> {
        Ok(match self {
            ValType::I32 => raw::ValType::I32,
            ValType::I64 => raw::ValType::I64,
            ValType::F32 => raw::ValType::F32,
            ValType::F64 => raw::ValType::F64,
            ValType::V128 => raw::ValType::V128,
            ValType::Ref(ty) => raw::ValType::Ref(ty.to_raw(engine)?),
        })
    }
}

impl FuncType {
    /// The function type with this id.
    pub(crate) fn from_id(id: TypeId, engine: &Engine) -> Self {
        let ty = engine.registry().sub_type(id);
        let ty = ty
            .composite
            .as_func()
            .expect("validated: functions have function types");
        let convert = |&ty| ValType::from_raw(ty, engine);
        FuncType::new(
            ty.params.iter().map(convert),
            ty.results.iter().map(convert),
        )
    }

    /// The id of this type without a supertype, as host functions have it. An
    /// error if it has more parameters or results than a module's may have.
    pub(crate) fn register(&self, engine: &Engine) -> Result<TypeId> {
        Ok(engine.registry().register_func_type(self.to_raw(engine)?)?)
    }

    pub(crate) fn to_raw(&self, engine: &Engine) -> Result<raw::FuncType<TypeId>> {
        let convert =
            |types: &[ValType]| -> Result<_> { types.iter().map(|ty| ty.to_raw(engine)).collect() };
        Ok(raw::FuncType {
            params: convert(self.params())?,
            results: convert(self.results())?,
        })
    }
}

impl Mutability {
    pub(super) fn from_raw(mutable: bool) -> Self {
        if mutable {
            Mutability::Var
        } else {
            Mutability::Const
        }
    }
}

impl GlobalType {
    pub(crate) fn from_raw(ty: raw::GlobalType<TypeId>, engine: &Engine) -> Self {
        let content = ValType::from_raw(ty.content, engine);
        GlobalType::new(content, Mutability::from_raw(ty.mutable))
    }

    pub(crate) fn to_raw(self, engine: &Engine) -> Result<raw::GlobalType<TypeId>> {
        let mutable = self.mutability == Mutability::Var;
        Ok(raw::GlobalType {
            content: self.content.to_raw(engine)?,
            mutable,
            shared: false,
        })
    }
}

impl TableType {
    pub(crate) fn from_raw(ty: raw::TableType<TypeId>, engine: &Engine) -> Self {
        TableType {
            element: RefType::from_raw(ty.element, engine),
            minimum: ty.min,
            maximum: ty.max,
            table64: ty.index64,
        }
    }

    /// The type, if it is one that a module of this engine could declare.
    pub(crate) fn to_raw(self, engine: &Engine) -> Result<raw::TableType<TypeId>> {
        check_limits(self.minimum, self.maximum)?;
        Ok(raw::TableType {
            element: self.element.to_raw(engine)?,
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

    /// The type, if it is one that a module of this engine could declare.
    pub(crate) fn to_raw(self, engine: &Engine) -> Result<raw::MemoryType, TypeError> {
        check_limits(self.minimum, self.maximum)?;
        if self.shared && !engine.config().threads {
            return Err(TypeError::Invalid("shared memories need `Config::threads`"));
        }
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
    pub(crate) fn from_raw(ty: raw::ExternType<TypeId>, engine: &Engine) -> Self {
        match ty {
            raw::ExternType::Func(id) => FuncType::from_id(id, engine).into(),
            raw::ExternType::Table(ty) => TableType::from_raw(ty, engine).into(),
            raw::ExternType::Memory(ty) => MemoryType::from_raw(ty).into(),
            raw::ExternType::Global(ty) => GlobalType::from_raw(ty, engine).into(),
            raw::ExternType::Tag(id) => TagType::new(FuncType::from_id(id, engine)).into(),
        }
    }
}
