//! Host functions from closures.

use super::typed::sealed::Sealed;
use super::typed::{WasmResults, WasmTy, for_each_arity};
use crate::caller::Caller;
use crate::error::Error;

/// A closure that can be a host function: `Fn` of up to 16 [`WasmTy`]
/// arguments, with or without a [`Caller`] before them, that returns a
/// [`WasmRet`].
pub trait IntoFunc<T: 'static, Params, Results>: Send + Sync + 'static {}

/// What a host function may return: `()`, a [`WasmTy`], a tuple of up to 16 of
/// them, or a `Result<_, Error>` of one of these.
pub trait WasmRet {}

impl<R: WasmResults> WasmRet for R {}
impl<R: WasmResults> WasmRet for Result<R, Error> {}
impl<R: WasmResults> Sealed for Result<R, Error> {}

macro_rules! closures {
    ($($a:ident)*) => {
        impl<T: 'static, F, $($a: WasmTy,)* R: WasmRet> IntoFunc<T, ($($a,)*), R> for F
        where
            F: Fn($($a),*) -> R + Send + Sync + 'static,
        {
        }

        impl<T: 'static, F, $($a: WasmTy,)* R: WasmRet> IntoFunc<T, (Caller<'_, T>, $($a,)*), R> for F
        where
            F: Fn(Caller<'_, T>, $($a),*) -> R + Send + Sync + 'static,
        {
        }
    };
}

for_each_arity!(closures);
