//! WebAssembly's types, as the specification (section "Types") has them.
//!
//! Every type is generic over what stands for a reference to a defined type.
//! In a module that is a [`TypeIndex`]; once types are canonical across
//! modules it is an id of the engine's type registry. [`ValType::map`] and its
//! siblings go from one to the other.

mod convert;
mod display;
mod map;

use crate::index::TypeIndex;

pub use convert::UnsupportedType;

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValType<T = TypeIndex> {
    /// A 32-bit integer.
    I32,
    /// A 64-bit integer.
    I64,
    /// A 32-bit float.
    F32,
    /// A 64-bit float.
    F64,
    /// A vector of 128 bits.
    V128,
    /// A reference.
    Ref(RefType<T>),
}

/// The type of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RefType<T = TypeIndex> {
    /// Whether the null reference is among its values.
    pub nullable: bool,
    /// What it refers to.
    pub heap: HeapType<T>,
}

/// What a reference refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeapType<T = TypeIndex> {
    /// Any function.
    Func,
    /// Any external (host) value.
    Extern,
    /// Any internal value.
    Any,
    /// Any value that can be compared by identity.
    Eq,
    /// An unboxed 31-bit integer.
    I31,
    /// Any structure.
    Struct,
    /// Any array.
    Array,
    /// The bottom of the internal types.
    None,
    /// The bottom of the external types.
    NoExtern,
    /// The bottom of the function types.
    NoFunc,
    /// Any exception.
    Exn,
    /// The bottom of the exception types.
    NoExn,
    /// A defined type.
    Concrete(T),
}

/// The type of a field's storage: a value or a packed integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StorageType<T = TypeIndex> {
    /// An integer packed into 8 bits.
    I8,
    /// An integer packed into 16 bits.
    I16,
    /// A value.
    Val(ValType<T>),
}

/// The type of a field of a structure, or of an array's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FieldType<T = TypeIndex> {
    /// What the field stores.
    pub storage: StorageType<T>,
    /// Whether the field can be written after creation.
    pub mutable: bool,
}

/// The type of a function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FuncType<T = TypeIndex> {
    /// The types of its parameters.
    pub params: Box<[ValType<T>]>,
    /// The types of its results.
    pub results: Box<[ValType<T>]>,
}

/// The shape of a defined type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CompositeType<T = TypeIndex> {
    /// A function.
    Func(FuncType<T>),
    /// A structure with these fields.
    Struct(Box<[FieldType<T>]>),
    /// An array with elements of this type.
    Array(FieldType<T>),
}

/// A defined type with its place in the subtype hierarchy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SubType<T = TypeIndex> {
    /// Whether it can have no subtypes.
    pub is_final: bool,
    /// The type that it declares as its supertype.
    pub supertype: Option<T>,
    /// Its shape.
    pub composite: CompositeType<T>,
}

/// The type of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableType<T = TypeIndex> {
    /// The type of its elements.
    pub element: RefType<T>,
    /// Whether it is indexed by `i64` instead of `i32`.
    pub index64: bool,
    /// Whether it can be shared between threads.
    pub shared: bool,
    /// The number of elements that it starts with.
    pub min: u64,
    /// The number of elements that it can grow to.
    pub max: Option<u64>,
}

/// The type of a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MemoryType {
    /// Whether it is addressed by `i64` instead of `i32`.
    pub index64: bool,
    /// Whether it can be shared between threads.
    pub shared: bool,
    /// The number of pages that it starts with.
    pub min: u64,
    /// The number of pages that it can grow to.
    pub max: Option<u64>,
    /// The binary logarithm of its page size: 16, or 0 where the
    /// custom-page-sizes proposal asks for pages of one byte.
    pub page_size_log2: u8,
}

/// The type of a global.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GlobalType<T = TypeIndex> {
    /// The type of its value.
    pub content: ValType<T>,
    /// Whether it can be written.
    pub mutable: bool,
    /// Whether it can be shared between threads.
    pub shared: bool,
}

/// The type of an import or export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExternType<T = TypeIndex> {
    /// A function of this defined type.
    Func(T),
    /// A table.
    Table(TableType<T>),
    /// A memory.
    Memory(MemoryType),
    /// A global.
    Global(GlobalType<T>),
    /// A tag whose values are the parameters of this defined function type.
    Tag(T),
}

impl<T> RefType<T> {
    /// `funcref`: a nullable reference to any function.
    pub const FUNCREF: Self = Self {
        nullable: true,
        heap: HeapType::Func,
    };
    /// `externref`: a nullable reference to any external value.
    pub const EXTERNREF: Self = Self {
        nullable: true,
        heap: HeapType::Extern,
    };
}

impl<T> ValType<T> {
    /// `funcref`: a nullable reference to any function.
    pub const FUNCREF: Self = Self::Ref(RefType::FUNCREF);
    /// `externref`: a nullable reference to any external value.
    pub const EXTERNREF: Self = Self::Ref(RefType::EXTERNREF);

    /// Whether a local of this type has a default value.
    pub fn is_defaultable(&self) -> bool {
        match self {
            Self::Ref(ty) => ty.nullable,
            _ => true,
        }
    }
}

impl<T> CompositeType<T> {
    /// The function type, if it is one.
    pub fn as_func(&self) -> Option<&FuncType<T>> {
        match self {
            Self::Func(ty) => Some(ty),
            _ => None,
        }
    }

    /// The fields, if it is a structure.
    pub fn as_struct(&self) -> Option<&[FieldType<T>]> {
        match self {
            Self::Struct(fields) => Some(fields),
            _ => None,
        }
    }

    /// The element type, if it is an array.
    pub fn as_array(&self) -> Option<&FieldType<T>> {
        match self {
            Self::Array(field) => Some(field),
            _ => None,
        }
    }
}

impl MemoryType {
    /// The size of a page in bytes.
    pub fn page_size(&self) -> u64 {
        // Validation admits 0 and 16 only; the mask keeps the shift defined.
        1 << (self.page_size_log2 & 63)
    }
}

#[cfg(test)]
mod tests;
