//! Types in the notation of WebAssembly text.

use std::fmt::{self, Display, Formatter};

use super::{
    CompositeType, ExternType, FieldType, FuncType, GlobalType, HeapType, MemoryType, RefType,
    StorageType, SubType, TableType, ValType,
};

impl<T: Display> Display for ValType<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::I32 => f.write_str("i32"),
            Self::I64 => f.write_str("i64"),
            Self::F32 => f.write_str("f32"),
            Self::F64 => f.write_str("f64"),
            Self::V128 => f.write_str("v128"),
            Self::Ref(ty) => ty.fmt(f),
        }
    }
}

impl<T: Display> Display for RefType<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.nullable {
            return write!(f, "(ref {})", self.heap);
        }
        f.write_str(match &self.heap {
            HeapType::Func => "funcref",
            HeapType::Extern => "externref",
            HeapType::Any => "anyref",
            HeapType::Eq => "eqref",
            HeapType::I31 => "i31ref",
            HeapType::Struct => "structref",
            HeapType::Array => "arrayref",
            HeapType::None => "nullref",
            HeapType::NoExtern => "nullexternref",
            HeapType::NoFunc => "nullfuncref",
            HeapType::Exn => "exnref",
            HeapType::NoExn => "nullexnref",
            HeapType::Concrete(t) => return write!(f, "(ref null {t})"),
        })
    }
}

impl<T: Display> Display for HeapType<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Func => "func",
            Self::Extern => "extern",
            Self::Any => "any",
            Self::Eq => "eq",
            Self::I31 => "i31",
            Self::Struct => "struct",
            Self::Array => "array",
            Self::None => "none",
            Self::NoExtern => "noextern",
            Self::NoFunc => "nofunc",
            Self::Exn => "exn",
            Self::NoExn => "noexn",
            Self::Concrete(t) => return t.fmt(f),
        })
    }
}

impl<T: Display> Display for StorageType<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::I8 => f.write_str("i8"),
            Self::I16 => f.write_str("i16"),
            Self::Val(ty) => ty.fmt(f),
        }
    }
}

impl<T: Display> Display for FieldType<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.mutable {
            write!(f, "(mut {})", self.storage)
        } else {
            self.storage.fmt(f)
        }
    }
}

impl<T: Display> Display for FuncType<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("(func")?;
        for (keyword, types) in [("param", &self.params), ("result", &self.results)] {
            if types.is_empty() {
                continue;
            }
            write!(f, " ({keyword}")?;
            for ty in types {
                write!(f, " {ty}")?;
            }
            f.write_str(")")?;
        }
        f.write_str(")")
    }
}

impl<T: Display> Display for CompositeType<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Func(ty) => ty.fmt(f),
            Self::Struct(fields) => {
                f.write_str("(struct")?;
                for field in fields {
                    write!(f, " (field {field})")?;
                }
                f.write_str(")")
            }
            Self::Array(field) => write!(f, "(array {field})"),
        }
    }
}

impl<T: Display> Display for SubType<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.is_final && self.supertype.is_none() {
            return self.composite.fmt(f);
        }
        f.write_str(if self.is_final {
            "(sub final "
        } else {
            "(sub "
        })?;
        if let Some(supertype) = &self.supertype {
            write!(f, "{supertype} ")?;
        }
        write!(f, "{})", self.composite)
    }
}

impl<T: Display> Display for TableType<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_limits(f, self.index64, self.min, self.max)?;
        if self.shared {
            f.write_str(" shared")?;
        }
        write!(f, " {}", self.element)
    }
}

impl Display for MemoryType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_limits(f, self.index64, self.min, self.max)?;
        if self.shared {
            f.write_str(" shared")?;
        }
        if self.page_size_log2 != 16 {
            write!(f, " (pagesize {})", self.page_size())?;
        }
        Ok(())
    }
}

fn write_limits(f: &mut Formatter<'_>, index64: bool, min: u64, max: Option<u64>) -> fmt::Result {
    if index64 {
        f.write_str("i64 ")?;
    }
    write!(f, "{min}")?;
    if let Some(max) = max {
        write!(f, " {max}")?;
    }
    Ok(())
}

impl<T: Display> Display for GlobalType<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.shared, self.mutable) {
            (false, false) => self.content.fmt(f),
            (false, true) => write!(f, "(mut {})", self.content),
            (true, false) => write!(f, "(shared {})", self.content),
            (true, true) => write!(f, "(shared mut {})", self.content),
        }
    }
}

impl<T: Display> Display for ExternType<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Func(t) => write!(f, "(func (type {t}))"),
            Self::Table(ty) => write!(f, "(table {ty})"),
            Self::Memory(ty) => write!(f, "(memory {ty})"),
            Self::Global(ty) => write!(f, "(global {ty})"),
            Self::Tag(t) => write!(f, "(tag (type {t}))"),
        }
    }
}
