//! Host functions from closures.
//!
//! Each closure type has an array entry of its own, compiled for its arguments
//! and results: it reads the caller's slots, calls the closure and writes the
//! slots, without a look-up or an allocation.

use super::host::{HostCall, HostDef, run};
use super::wasm_ty::{WasmList, WasmResults, WasmTy, for_each_arity};
use crate::caller::Caller;
use crate::error::Error;
use crate::types::FuncType;
use rwasm_runtime::code::CodeCell;
use rwasm_runtime::layout::{Status, VmCtx};

/// A closure that can be a host function: a `Fn` of up to 16 [`WasmTy`]
/// arguments, with or without a [`Caller`] before them, that returns a
/// [`WasmRet`].
///
/// ```
/// use rwasm::{Caller, Error, Linker};
///
/// let mut linker = Linker::<u32>::new(&Default::default());
/// linker
///     .func_wrap("host", "add", |a: i32, b: i32| a + b)?
///     .func_wrap("host", "count", |mut caller: Caller<'_, u32>| *caller.data_mut() += 1)?
///     .func_wrap("host", "check", |n: i64| -> Result<i32, Error> {
///         i32::try_from(n).map_err(Error::host)
///     })?;
/// # Ok::<(), Error>(())
/// ```
pub trait IntoFunc<T: 'static, Params, Results>: Send + Sync + Sized + 'static {
    /// The function's type and entry.
    #[doc(hidden)]
    fn into_def(self) -> HostDef<T>;
}

/// What a host function may return: `()`, a [`WasmTy`], a tuple of up to 16 of
/// them, or a `Result<_, Error>` of one of these.
pub trait WasmRet: 'static {
    /// The results.
    #[doc(hidden)]
    type Results: WasmResults;

    /// Results or failure.
    #[doc(hidden)]
    fn into_result(self) -> Result<Self::Results, Error>;
}

impl<R: WasmResults + 'static> WasmRet for R {
    type Results = R;

    #[inline(always)]
    fn into_result(self) -> Result<R, Error> {
        Ok(self)
    }
}

impl<R: WasmResults + 'static> WasmRet for Result<R, Error> {
    type Results = R;

    #[inline(always)]
    fn into_result(self) -> Result<R, Error> {
        self
    }
}

/// `IntoFunc` for closures of so many arguments; `$caller` names and types the
/// `Caller` before them, where there is one.
macro_rules! closure {
    ([$($caller:ident: $caller_ty:ty)?] $($a:ident)*) => {
        #[allow(non_snake_case)]
        impl<T: 'static, F, $($a: WasmTy,)* R: WasmRet> IntoFunc<T, ($($caller_ty,)? $($a,)*), R>
            for F
        where
            F: Fn($($caller_ty,)? $($a),*) -> R + Send + Sync + 'static,
        {
            fn into_def(self) -> HostDef<T> {
                unsafe extern "C" fn entry<T: 'static, F, $($a: WasmTy,)* R: WasmRet>(
                    callee: *mut VmCtx,
                    caller: *mut VmCtx,
                    _cell: *const CodeCell,
                    slots: *mut u64,
                ) -> Status
                where
                    F: Fn($($caller_ty,)? $($a),*) -> R + Send + Sync + 'static,
                {
                    // Without the store, nothing but arguments can become roots.
                    let has_store = !stringify!($($caller)?).is_empty();
                    let scoped = has_store || <($($a,)*) as WasmList>::ROOTED;
                    // SAFETY: this entry is that of a host function whose
                    // closure is an `F` and whose type is that of `F`.
                    unsafe {
                        run(callee, caller, scoped, |call: HostCall<'_, T, F>| {
                            let store = HostCall::<T, F>::runtime(call.store);
                            let ($($a,)*) = <($($a,)*) as WasmList>::read(store, slots);
                            $(let $caller = call.caller;)?
                            let results = (call.func)($($caller,)? $($a),*).into_result()?;
                            let store = HostCall::<T, F>::runtime(call.store);
                            results.check_all(store)?;
                            results.write(std::slice::from_raw_parts_mut(
                                slots,
                                <R::Results as WasmList>::SLOTS,
                            ));
                            Ok(())
                        })
                    }
                }

                let ty = FuncType::new(
                    <($($a,)*) as WasmList>::val_types(),
                    R::Results::val_types(),
                );
                // SAFETY: the entry reads an `F` and values of these types.
                unsafe { HostDef::new(ty, entry::<T, F, $($a,)* R>, self) }
            }
        }
    };
}

macro_rules! closures {
    ($len:literal: $($a:ident)*) => {
        closure!([] $($a)*);
        closure!([caller: Caller<'_, T>] $($a)*);
    };
}

for_each_arity!(closures);
