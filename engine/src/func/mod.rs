//! Functions: of guests and of the host.

mod into_func;
mod typed;

pub use into_func::{IntoFunc, WasmRet};
pub use typed::{TypedFunc, WasmParams, WasmResults, WasmTy};

use crate::caller::Caller;
use crate::context::{AsContext, AsContextMut};
use crate::error::Result;
use crate::store::StoreId;
use crate::types::FuncType;
use crate::val::Val;

/// A function of a guest or of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Func {
    store: StoreId,
}

impl Func {
    /// A host function from a closure; its type is that of the closure.
    /// See [`IntoFunc`] for what the closure may be.
    pub fn wrap<T: 'static, Params, Results>(
        ctx: impl AsContextMut<Data = T>,
        func: impl IntoFunc<T, Params, Results>,
    ) -> Func {
        let _ = (ctx, func);
        unimplemented!()
    }

    /// A host function of type `ty`, which gets its arguments and leaves its
    /// results as values. The results are zero or null before.
    pub fn new<T: 'static>(
        ctx: impl AsContextMut<Data = T>,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Func {
        let _ = (ctx, ty, func);
        unimplemented!()
    }

    /// Its type.
    ///
    /// # Panics
    /// If the function belongs to another store.
    pub fn ty(&self, ctx: impl AsContext) -> FuncType {
        let _ = (ctx, self.store);
        unimplemented!()
    }

    /// Calls it. The number and types of `params`, and the number of
    /// `results`, must be those of its type; `results` may hold anything
    /// before.
    ///
    /// A panic of a host function that was called on the way is resumed here.
    pub fn call(&self, ctx: impl AsContextMut, params: &[Val], results: &mut [Val]) -> Result<()> {
        let _ = (ctx, params, results);
        unimplemented!()
    }

    /// Checks its type once, for calls without checks.
    pub fn typed<P: WasmParams, R: WasmResults>(
        &self,
        ctx: impl AsContext,
    ) -> Result<TypedFunc<P, R>> {
        let _ = ctx;
        unimplemented!()
    }
}
