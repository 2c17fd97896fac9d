//! Types of values and of what modules import and export.
//!
//! These are the embedder's view: plain values that can be made, compared and
//! printed without an engine. Only a [`ConcreteType`] (a reference to a type
//! that some module defines) belongs to the engine it came from.

mod convert;
mod object;

pub use object::{ArrayType, FieldType, StorageType, StructType};

use crate::engine::EngineId;
use crate::val::Hierarchy;
use std::fmt;

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValType {
    /// 32-bit integers.
    I32,
    /// 64-bit integers.
    I64,
    /// 32-bit floats.
    F32,
    /// 64-bit floats.
    F64,
    /// 128-bit vectors.
    V128,
    /// References.
    Ref(RefType),
}

impl ValType {
    /// `funcref`, that is `(ref null func)`.
    pub const FUNCREF: ValType = ValType::Ref(RefType::FUNCREF);
    /// `externref`, that is `(ref null extern)`.
    pub const EXTERNREF: ValType = ValType::Ref(RefType::EXTERNREF);
    /// `anyref`, that is `(ref null any)`.
    pub const ANYREF: ValType = ValType::Ref(RefType::ANYREF);
    /// `exnref`, that is `(ref null exn)`.
    pub const EXNREF: ValType = ValType::Ref(RefType::EXNREF);

    /// Whether this is a number type.
    pub fn is_num(self) -> bool {
        matches!(
            self,
            ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64
        )
    }

    /// Whether this is a reference type.
    pub fn is_ref(self) -> bool {
        matches!(self, ValType::Ref(_))
    }

    /// The reference type, if this is one.
    pub fn as_ref(self) -> Option<RefType> {
        match self {
            ValType::Ref(ty) => Some(ty),
            _ => None,
        }
    }
}

impl From<RefType> for ValType {
    fn from(ty: RefType) -> Self {
        ValType::Ref(ty)
    }
}

impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValType::I32 => f.write_str("i32"),
            ValType::I64 => f.write_str("i64"),
            ValType::F32 => f.write_str("f32"),
            ValType::F64 => f.write_str("f64"),
            ValType::V128 => f.write_str("v128"),
            ValType::Ref(ty) => ty.fmt(f),
        }
    }
}

/// The type of a reference: what it points to, and whether it may be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RefType {
    nullable: bool,
    heap: HeapType,
}

impl RefType {
    /// `(ref null func)`.
    pub const FUNCREF: RefType = RefType::new(true, HeapType::Func);
    /// `(ref null extern)`.
    pub const EXTERNREF: RefType = RefType::new(true, HeapType::Extern);
    /// `(ref null any)`.
    pub const ANYREF: RefType = RefType::new(true, HeapType::Any);
    /// `(ref null exn)`.
    pub const EXNREF: RefType = RefType::new(true, HeapType::Exn);

    /// A reference to `heap`, null included if `nullable`.
    pub const fn new(nullable: bool, heap: HeapType) -> Self {
        RefType { nullable, heap }
    }

    /// Whether null is a value of this type.
    pub const fn is_nullable(self) -> bool {
        self.nullable
    }

    /// What values of this type point to.
    pub const fn heap_type(self) -> HeapType {
        self.heap
    }
}

impl fmt::Display for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.nullable, self.heap) {
            (true, HeapType::Func) => f.write_str("funcref"),
            (true, HeapType::Extern) => f.write_str("externref"),
            (true, HeapType::Any) => f.write_str("anyref"),
            (true, HeapType::Exn) => f.write_str("exnref"),
            (true, heap) => write!(f, "(ref null {heap})"),
            (false, heap) => write!(f, "(ref {heap})"),
        }
    }
}

/// What a reference points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeapType {
    /// Any function.
    Func,
    /// No function: the bottom type of functions.
    NoFunc,
    /// Any value of the host.
    Extern,
    /// No value of the host: the bottom type of `extern`.
    NoExtern,
    /// Any value of the guest but functions.
    Any,
    /// What `ref.eq` compares.
    Eq,
    /// Unboxed 31-bit integers.
    I31,
    /// Any struct.
    Struct,
    /// Any array.
    Array,
    /// The bottom type of `any`.
    None,
    /// Any exception.
    Exn,
    /// No exception: the bottom type of `exn`.
    NoExn,
    /// A type that a module defines.
    Concrete(ConcreteType),
}

impl fmt::Display for HeapType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HeapType::Func => "func",
            HeapType::NoFunc => "nofunc",
            HeapType::Extern => "extern",
            HeapType::NoExtern => "noextern",
            HeapType::Any => "any",
            HeapType::Eq => "eq",
            HeapType::I31 => "i31",
            HeapType::Struct => "struct",
            HeapType::Array => "array",
            HeapType::None => "none",
            HeapType::Exn => "exn",
            HeapType::NoExn => "noexn",
            HeapType::Concrete(ty) => return ty.fmt(f),
        })
    }
}

/// A type that a module defines, canonical in its engine: equal types of
/// different modules are one `ConcreteType`. It means nothing to another engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConcreteType {
    engine: EngineId,
    id: u32,
    pub(crate) hierarchy: Hierarchy,
}

impl fmt::Display for ConcreteType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$type{}", self.id)
    }
}

/// The type of a function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FuncType {
    /// Parameters, then results.
    types: Box<[ValType]>,
    params: usize,
}

impl FuncType {
    /// A function of `params` that returns `results`.
    pub fn new(
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> Self {
        let mut types: Vec<ValType> = params.into_iter().collect();
        let params = types.len();
        types.extend(results);
        FuncType {
            types: types.into(),
            params,
        }
    }

    /// Types of the parameters.
    pub fn params(&self) -> &[ValType] {
        &self.types[..self.params]
    }

    /// Types of the results.
    pub fn results(&self) -> &[ValType] {
        &self.types[self.params..]
    }
}

impl fmt::Display for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_types(f, self.params())?;
        f.write_str(" -> ")?;
        write_types(f, self.results())
    }
}

/// Writes `(i32, i64)`.
fn write_types(f: &mut fmt::Formatter<'_>, types: &[ValType]) -> fmt::Result {
    f.write_str("(")?;
    for (i, ty) in types.iter().enumerate() {
        let separator = if i == 0 { "" } else { ", " };
        write!(f, "{separator}{ty}")?;
    }
    f.write_str(")")
}

/// Whether a global may be assigned to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mutability {
    /// `const`.
    Const,
    /// `mut`.
    Var,
}

/// The type of a global.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GlobalType {
    content: ValType,
    mutability: Mutability,
}

impl GlobalType {
    /// A global that holds a `content`.
    pub fn new(content: ValType, mutability: Mutability) -> Self {
        GlobalType {
            content,
            mutability,
        }
    }

    /// The type of the value.
    pub fn content(&self) -> ValType {
        self.content
    }

    /// Whether it may be assigned to.
    pub fn mutability(&self) -> Mutability {
        self.mutability
    }
}

impl fmt::Display for GlobalType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mutability {
            Mutability::Const => self.content.fmt(f),
            Mutability::Var => write!(f, "mut {}", self.content),
        }
    }
}

/// The type of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableType {
    element: RefType,
    minimum: u64,
    maximum: Option<u64>,
    table64: bool,
}

impl TableType {
    /// A table of `minimum` to `maximum` elements, with 32-bit indices.
    pub fn new(element: RefType, minimum: u64, maximum: Option<u64>) -> Self {
        TableType {
            element,
            minimum,
            maximum,
            table64: false,
        }
    }

    /// The same with 64-bit indices.
    pub fn table64(mut self) -> Self {
        self.table64 = true;
        self
    }

    /// The type of the elements.
    pub fn element(&self) -> RefType {
        self.element
    }

    /// Fewest elements.
    pub fn minimum(&self) -> u64 {
        self.minimum
    }

    /// Most elements, if the type limits them.
    pub fn maximum(&self) -> Option<u64> {
        self.maximum
    }

    /// Whether indices have 64 bits.
    pub fn is_64(&self) -> bool {
        self.table64
    }
}

impl fmt::Display for TableType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_limits(f, self.table64, self.minimum, self.maximum)?;
        write!(f, " {}", self.element)
    }
}

/// The type of a linear memory. Sizes are in pages.
///
/// ```
/// let ty = rwasm::MemoryType::new(1, Some(16)).shared();
/// assert_eq!(ty.to_string(), "1 16 shared");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MemoryType {
    minimum: u64,
    maximum: Option<u64>,
    memory64: bool,
    shared: bool,
    page_size_log2: u8,
}

impl MemoryType {
    /// A memory of `minimum` to `maximum` pages of 64 KiB, with 32-bit
    /// addresses, not shared.
    pub fn new(minimum: u64, maximum: Option<u64>) -> Self {
        MemoryType {
            minimum,
            maximum,
            memory64: false,
            shared: false,
            page_size_log2: 16,
        }
    }

    /// The same with 64-bit addresses.
    pub fn memory64(mut self) -> Self {
        self.memory64 = true;
        self
    }

    /// The same, shared between threads.
    pub fn shared(mut self) -> Self {
        self.shared = true;
        self
    }

    /// The same with pages of `1 << log2` bytes. The custom-page-sizes proposal
    /// has 0 and 16.
    pub fn page_size_log2(mut self, log2: u8) -> Self {
        self.page_size_log2 = log2;
        self
    }

    /// Fewest pages.
    pub fn minimum(&self) -> u64 {
        self.minimum
    }

    /// Most pages, if the type limits them.
    pub fn maximum(&self) -> Option<u64> {
        self.maximum
    }

    /// Whether addresses have 64 bits.
    pub fn is_64(&self) -> bool {
        self.memory64
    }

    /// Whether threads share it.
    pub fn is_shared(&self) -> bool {
        self.shared
    }

    /// Bytes of a page.
    pub fn page_size(&self) -> u64 {
        1 << self.page_size_log2
    }
}

impl fmt::Display for MemoryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_limits(f, self.memory64, self.minimum, self.maximum)?;
        if self.shared {
            f.write_str(" shared")?;
        }
        if self.page_size_log2 != 16 {
            write!(f, " (pagesize {})", self.page_size())?;
        }
        Ok(())
    }
}

/// Writes limits as the text format does: `i64 1 2`.
fn write_limits(
    f: &mut fmt::Formatter<'_>,
    is_64: bool,
    minimum: u64,
    maximum: Option<u64>,
) -> fmt::Result {
    if is_64 {
        f.write_str("i64 ")?;
    }
    write!(f, "{minimum}")?;
    maximum.map_or(Ok(()), |maximum| write!(f, " {maximum}"))
}

/// The type of an exception tag.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TagType {
    func: FuncType,
}

impl TagType {
    /// A tag whose exceptions carry the parameters of `func`.
    pub fn new(func: FuncType) -> Self {
        TagType { func }
    }

    /// The function type whose parameters the exceptions carry.
    pub fn func_type(&self) -> &FuncType {
        &self.func
    }
}

impl fmt::Display for TagType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_types(f, self.func.params())
    }
}

/// The type of an import or export.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ExternType {
    /// A function.
    Func(FuncType),
    /// A table.
    Table(TableType),
    /// A memory.
    Memory(MemoryType),
    /// A global.
    Global(GlobalType),
    /// A tag.
    Tag(TagType),
}

impl ExternType {
    /// What kind of thing it is: `func`, `table`, `memory`, `global` or `tag`.
    pub fn kind(&self) -> &'static str {
        match self {
            ExternType::Func(_) => "func",
            ExternType::Table(_) => "table",
            ExternType::Memory(_) => "memory",
            ExternType::Global(_) => "global",
            ExternType::Tag(_) => "tag",
        }
    }

    /// The function type, if this is one.
    pub fn func(&self) -> Option<&FuncType> {
        match self {
            ExternType::Func(ty) => Some(ty),
            _ => None,
        }
    }
}

impl fmt::Display for ExternType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind())?;
        match self {
            ExternType::Func(ty) => ty.fmt(f),
            ExternType::Table(ty) => ty.fmt(f),
            ExternType::Memory(ty) => ty.fmt(f),
            ExternType::Global(ty) => ty.fmt(f),
            ExternType::Tag(ty) => ty.fmt(f),
        }
    }
}

macro_rules! from_type {
    ($($variant:ident($ty:ident),)*) => {
        $(impl From<$ty> for ExternType {
            fn from(ty: $ty) -> Self {
                ExternType::$variant(ty)
            }
        })*
    };
}

from_type! {
    Func(FuncType),
    Table(TableType),
    Memory(MemoryType),
    Global(GlobalType),
    Tag(TagType),
}

/// An import of a module.
#[derive(Clone, Debug)]
pub struct ImportType<'module> {
    pub(crate) module: &'module str,
    pub(crate) name: &'module str,
    pub(crate) ty: ExternType,
}

impl<'module> ImportType<'module> {
    /// The module that it is imported from.
    pub fn module(&self) -> &'module str {
        self.module
    }

    /// Its name there.
    pub fn name(&self) -> &'module str {
        self.name
    }

    /// What the importing module expects.
    pub fn ty(&self) -> &ExternType {
        &self.ty
    }
}

/// An export of a module.
#[derive(Clone, Debug)]
pub struct ExportType<'module> {
    pub(crate) name: &'module str,
    pub(crate) ty: ExternType,
}

impl<'module> ExportType<'module> {
    /// Its name.
    pub fn name(&self) -> &'module str {
        self.name
    }

    /// Its type.
    pub fn ty(&self) -> &ExternType {
        &self.ty
    }
}
