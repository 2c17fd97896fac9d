//! Values whose type is known at run time.

use crate::exception::ExnRef;
use crate::func::Func;
use crate::reference::{AnyRef, ArrayRef, EqRef, ExternRef, StructRef};
use crate::types::{HeapType, RefType, ValType};

/// A value of the guest.
///
/// Floats are kept as bits, so that NaN payloads survive.
#[derive(Clone, Copy, Debug)]
pub enum Val {
    /// A 32-bit integer.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
    /// The bits of a 32-bit float.
    F32(u32),
    /// The bits of a 64-bit float.
    F64(u64),
    /// A 128-bit vector.
    V128(V128),
    /// A reference to a function.
    FuncRef(Option<Func>),
    /// A reference to a value of the host.
    ExternRef(Option<ExternRef>),
    /// A reference to a value of the guest: an i31, a struct or an array.
    AnyRef(Option<AnyRef>),
    /// A reference to an exception.
    ExnRef(Option<ExnRef>),
}

/// A 128-bit vector, as the integer whose little-endian bytes are its lanes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct V128(u128);

impl V128 {
    /// The vector's bits.
    pub fn as_u128(self) -> u128 {
        self.0
    }
}

impl From<u128> for V128 {
    fn from(bits: u128) -> Self {
        V128(bits)
    }
}

impl From<V128> for u128 {
    fn from(value: V128) -> Self {
        value.0
    }
}

/// A reference whose type is known at run time: an element of a table.
#[derive(Clone, Copy, Debug)]
pub enum Ref {
    /// A reference to a function.
    Func(Option<Func>),
    /// A reference to a value of the host.
    Extern(Option<ExternRef>),
    /// A reference to a value of the guest.
    Any(Option<AnyRef>),
    /// A reference to an exception.
    Exn(Option<ExnRef>),
}

impl Ref {
    /// The null reference of type `ty`; `None` if null is no value of it.
    pub fn null(ty: RefType) -> Option<Ref> {
        ty.is_nullable().then(|| match hierarchy(ty.heap_type()) {
            Hierarchy::Func => Ref::Func(None),
            Hierarchy::Extern => Ref::Extern(None),
            Hierarchy::Any => Ref::Any(None),
            Hierarchy::Exn => Ref::Exn(None),
        })
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(
            self,
            Ref::Func(None) | Ref::Extern(None) | Ref::Any(None) | Ref::Exn(None)
        )
    }

    /// The function reference, if it is one.
    pub fn as_func(&self) -> Option<Option<Func>> {
        match *self {
            Ref::Func(func) => Some(func),
            _ => None,
        }
    }

    /// The reference to a value of the host, if it is one.
    pub fn as_extern(&self) -> Option<Option<ExternRef>> {
        match *self {
            Ref::Extern(value) => Some(value),
            _ => None,
        }
    }
}

impl Val {
    /// Zero or null; `None` for a reference type that null is no value of.
    pub fn default_for_ty(ty: ValType) -> Option<Val> {
        Some(match ty {
            ValType::I32 => Val::I32(0),
            ValType::I64 => Val::I64(0),
            ValType::F32 => Val::F32(0),
            ValType::F64 => Val::F64(0),
            ValType::V128 => Val::V128(V128::default()),
            ValType::Ref(ty) => Ref::null(ty)?.into(),
        })
    }

    /// The reference, if it is one.
    pub fn as_ref(&self) -> Option<Ref> {
        match *self {
            Val::FuncRef(func) => Some(Ref::Func(func)),
            Val::ExternRef(value) => Some(Ref::Extern(value)),
            Val::AnyRef(value) => Some(Ref::Any(value)),
            Val::ExnRef(value) => Some(Ref::Exn(value)),
            _ => None,
        }
    }
}

/// The top type above a heap type: what representation its references have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Hierarchy {
    Func,
    Extern,
    Any,
    Exn,
}

/// The hierarchy of a heap type.
pub(crate) fn hierarchy(ty: HeapType) -> Hierarchy {
    match ty {
        HeapType::Func | HeapType::NoFunc => Hierarchy::Func,
        HeapType::Extern | HeapType::NoExtern => Hierarchy::Extern,
        HeapType::Exn | HeapType::NoExn => Hierarchy::Exn,
        HeapType::Any
        | HeapType::Eq
        | HeapType::I31
        | HeapType::Struct
        | HeapType::Array
        | HeapType::None => Hierarchy::Any,
        HeapType::Concrete(ty) => ty.hierarchy,
    }
}

macro_rules! accessors {
    ($($variant:ident($repr:ty) $get:ident $unwrap:ident -> $ty:ty, $name:literal, $convert:expr;)*) => {
        impl Val {
            $(
                #[doc = concat!("The value, if it is ", $name, ".")]
                pub fn $get(&self) -> Option<$ty> {
                    match *self {
                        Val::$variant(value) => {
                            let convert: fn($repr) -> $ty = $convert;
                            Some(convert(value))
                        }
                        _ => None,
                    }
                }

                #[doc = concat!("The value, which must be ", $name, ".")]
                ///
                /// # Panics
                /// If it is anything else.
                #[track_caller]
                pub fn $unwrap(&self) -> $ty {
                    match self.$get() {
                        Some(value) => value,
                        None => panic!("expected {}, found {self:?}", $name),
                    }
                }
            )*
        }
    };
}

accessors! {
    I32(i32) i32 unwrap_i32 -> i32, "an i32", |v| v;
    I64(i64) i64 unwrap_i64 -> i64, "an i64", |v| v;
    F32(u32) f32 unwrap_f32 -> f32, "an f32", f32::from_bits;
    F64(u64) f64 unwrap_f64 -> f64, "an f64", f64::from_bits;
    V128(V128) v128 unwrap_v128 -> V128, "a v128", |v| v;
    FuncRef(Option<Func>) funcref unwrap_funcref -> Option<Func>, "a funcref", |v| v;
    ExternRef(Option<ExternRef>) externref unwrap_externref -> Option<ExternRef>,
        "an externref", |v| v;
    AnyRef(Option<AnyRef>) anyref unwrap_anyref -> Option<AnyRef>, "an anyref", |v| v;
    ExnRef(Option<ExnRef>) exnref unwrap_exnref -> Option<ExnRef>, "an exnref", |v| v;
}

macro_rules! from_values {
    ($($from:ty => $to:ident::$variant:ident($convert:expr),)*) => {
        $(impl From<$from> for $to {
            fn from(value: $from) -> $to {
                let convert: fn($from) -> _ = $convert;
                $to::$variant(convert(value))
            }
        })*
    };
}

from_values! {
    StructRef => Val::AnyRef(|v| Some(v.into())),
    ArrayRef => Val::AnyRef(|v| Some(v.into())),
    EqRef => Val::AnyRef(|v| Some(v.into())),
    i32 => Val::I32(|v| v),
    u32 => Val::I32(|v| v as i32),
    i64 => Val::I64(|v| v),
    u64 => Val::I64(|v| v as i64),
    f32 => Val::F32(f32::to_bits),
    f64 => Val::F64(f64::to_bits),
    V128 => Val::V128(|v| v),
    Func => Val::FuncRef(Some),
    Option<Func> => Val::FuncRef(|v| v),
    ExternRef => Val::ExternRef(Some),
    Option<ExternRef> => Val::ExternRef(|v| v),
    AnyRef => Val::AnyRef(Some),
    Option<AnyRef> => Val::AnyRef(|v| v),
    ExnRef => Val::ExnRef(Some),
    Option<ExnRef> => Val::ExnRef(|v| v),
    Func => Ref::Func(Some),
    Option<Func> => Ref::Func(|v| v),
    ExternRef => Ref::Extern(Some),
    Option<ExternRef> => Ref::Extern(|v| v),
    AnyRef => Ref::Any(Some),
    Option<AnyRef> => Ref::Any(|v| v),
    ExnRef => Ref::Exn(Some),
    Option<ExnRef> => Ref::Exn(|v| v),
}

impl From<Ref> for Val {
    fn from(value: Ref) -> Val {
        match value {
            Ref::Func(func) => Val::FuncRef(func),
            Ref::Extern(value) => Val::ExternRef(value),
            Ref::Any(value) => Val::AnyRef(value),
            Ref::Exn(value) => Val::ExnRef(value),
        }
    }
}
