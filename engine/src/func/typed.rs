//! Calls whose types are checked once.

use super::Func;
use crate::context::AsContextMut;
use crate::error::Result;
use crate::reference::ExternRef;
use crate::types::{HeapType, RefType, ValType};
use crate::val::V128;
use std::fmt;
use std::marker::PhantomData;

/// A function whose type was checked to be `P -> R`, so that calls need no
/// check, no look-up and no allocation.
pub struct TypedFunc<P, R> {
    func: Func,
    types: PhantomData<fn(P) -> R>,
}

impl<P: WasmParams, R: WasmResults> TypedFunc<P, R> {
    /// Calls it.
    ///
    /// A panic of a host function that was called on the way is resumed here.
    pub fn call(&self, ctx: impl AsContextMut, params: P) -> Result<R> {
        let _ = (ctx, params);
        unimplemented!()
    }

    /// The function.
    pub fn func(&self) -> &Func {
        &self.func
    }
}

impl<P, R> Copy for TypedFunc<P, R> {}

impl<P, R> Clone for TypedFunc<P, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, R> fmt::Debug for TypedFunc<P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TypedFunc").field(&self.func).finish()
    }
}

pub(crate) mod sealed {
    pub trait Sealed {}
}
use sealed::Sealed;

/// A Rust type that stands for a value type: `i32`, `u32`, `i64`, `u64`, `f32`,
/// `f64`, [`V128`], [`Func`] (never null), [`ExternRef`] (never null), and
/// `Option` of the last two.
pub trait WasmTy: Sealed + Sized + Send + 'static {
    /// The value type.
    #[doc(hidden)]
    fn val_type() -> ValType;
}

macro_rules! wasm_ty {
    ($($ty:ty => $val_type:expr;)*) => {
        $(
            impl Sealed for $ty {}
            impl WasmTy for $ty {
                fn val_type() -> ValType {
                    $val_type
                }
            }
        )*
    };
}

wasm_ty! {
    i32 => ValType::I32;
    u32 => ValType::I32;
    i64 => ValType::I64;
    u64 => ValType::I64;
    f32 => ValType::F32;
    f64 => ValType::F64;
    V128 => ValType::V128;
    Func => ValType::Ref(RefType::new(false, HeapType::Func));
    Option<Func> => ValType::FUNCREF;
    ExternRef => ValType::Ref(RefType::new(false, HeapType::Extern));
    Option<ExternRef> => ValType::EXTERNREF;
}

/// Parameters of a [`TypedFunc`]: a [`WasmTy`], or a tuple of up to 16 of them.
pub trait WasmParams: Sealed {}

/// Results of a [`TypedFunc`]: a [`WasmTy`], or a tuple of up to 16 of them.
pub trait WasmResults: Sealed {}

impl<A: WasmTy> WasmParams for A {}
impl<A: WasmTy> WasmResults for A {}

macro_rules! for_each_arity {
    ($macro:ident) => {
        $macro!();
        $macro!(A1);
        $macro!(A1 A2);
        $macro!(A1 A2 A3);
        $macro!(A1 A2 A3 A4);
        $macro!(A1 A2 A3 A4 A5);
        $macro!(A1 A2 A3 A4 A5 A6);
        $macro!(A1 A2 A3 A4 A5 A6 A7);
        $macro!(A1 A2 A3 A4 A5 A6 A7 A8);
        $macro!(A1 A2 A3 A4 A5 A6 A7 A8 A9);
        $macro!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10);
        $macro!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11);
        $macro!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12);
        $macro!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13);
        $macro!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14);
        $macro!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15);
        $macro!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15 A16);
    };
}
pub(crate) use for_each_arity;

macro_rules! tuples {
    ($($a:ident)*) => {
        impl<$($a: WasmTy),*> Sealed for ($($a,)*) {}
        impl<$($a: WasmTy),*> WasmParams for ($($a,)*) {}
        impl<$($a: WasmTy),*> WasmResults for ($($a,)*) {}
    };
}

for_each_arity!(tuples);
