//! Functions: of guests and of the host.

mod host;
mod into_func;
mod typed;
mod wasm_ty;

pub(crate) use host::HostDef;
pub use into_func::{IntoFunc, WasmRet};
pub use typed::TypedFunc;
pub use wasm_ty::{WasmParams, WasmResults, WasmTy};

use crate::caller::Caller;
use crate::context::{AsContext, AsContextMut};
use crate::error::{Error, Result, TypeError};
use crate::slots;
use crate::store::StoreOpaque;
use crate::types::{FuncType, ValType};
use crate::val::Val;
use rwasm_runtime::handle::Handle;
use rwasm_runtime::layout::FuncRef;

/// A function of a guest or of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Func(pub(crate) Handle<FuncRef>);

impl Func {
    /// A host function from a closure; its type is that of the closure.
    /// See [`IntoFunc`] for what the closure may be.
    pub fn wrap<T: 'static, Params, Results>(
        mut ctx: impl AsContextMut<Data = T>,
        func: impl IntoFunc<T, Params, Results>,
    ) -> Func {
        let func = ctx.as_context_mut().bind(&func.into_def());
        func.expect("a closure has no more parameters than a function may have")
    }

    /// A host function of type `ty`, which gets its arguments and leaves its
    /// results as values. The results are zero or null before.
    ///
    /// A result that does not fit its type is an error of the call. A type with
    /// more than 1,000 parameters or results is an error here.
    pub fn new<T: 'static>(
        mut ctx: impl AsContextMut<Data = T>,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<Func> {
        let mut ctx = ctx.as_context_mut();
        let def = HostDef::dynamic(ctx.engine(), ty, func)?;
        ctx.bind(&def)
    }

    /// Its type.
    ///
    /// # Panics
    /// If the function belongs to another store.
    pub fn ty(&self, ctx: impl AsContext) -> FuncType {
        self.ty_in(ctx.as_context().opaque())
    }

    /// Calls it. The number and types of `params`, and the number of
    /// `results`, must be those of its type; `results` may hold anything
    /// before.
    ///
    /// A panic of a host function that was called on the way is resumed here.
    pub fn call(
        &self,
        mut ctx: impl AsContextMut,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<()> {
        let mut ctx = ctx.as_context_mut();
        let store = ctx.opaque();
        self.check(store)?;
        let ty = store
            .engine
            .registry()
            .sub_type(store.runtime.get(self.0).ty);
        let ty = ty
            .composite
            .as_func()
            .expect("a function has a function type");
        check_count("arguments", ty.params.len(), params.len())?;
        check_count("results", ty.results.len(), results.len())?;

        let len = slots::count(&ty.params).max(slots::count(&ty.results));
        let mut few = [0; 16];
        let mut many = Vec::new();
        let slots = match few.get_mut(..len) {
            Some(few) => few,
            None => {
                many.resize(len, 0);
                &mut many[..]
            }
        };
        store.write_values(params, &ty.params, slots)?;
        // SAFETY: the slots hold arguments that were checked, and have room for
        // the results; no reference to the store is used any more.
        unsafe { StoreOpaque::enter(ctx.opaque_ptr(), self.0, slots.as_mut_ptr())? };
        // SAFETY: the function has left results of its type.
        let values = unsafe { ctx.opaque().read_values(&ty.results, slots) };
        for (result, value) in results.iter_mut().zip(values) {
            *result = value;
        }
        Ok(())
    }

    /// Checks its type once, for calls without checks.
    pub fn typed<P: WasmParams, R: WasmResults>(
        &self,
        ctx: impl AsContext,
    ) -> Result<TypedFunc<P, R>> {
        let ctx = ctx.as_context();
        let store = ctx.opaque();
        self.check(store)?;
        let ty = self.ty_in(store);
        // What comes from Rust must fit the function's parameters, and its
        // results must fit what Rust takes them for.
        check_types("parameters", &P::val_types(), ty.params(), store)?;
        check_types("results", ty.results(), &R::val_types(), store)?;
        // SAFETY: it was just checked.
        Ok(unsafe { TypedFunc::new_unchecked(*self) })
    }

    fn ty_in(&self, store: &StoreOpaque) -> FuncType {
        FuncType::from_id(store.runtime.get(self.0).ty, &store.engine)
    }

    fn check(&self, store: &StoreOpaque) -> Result<()> {
        if self.0.store() == store.id {
            Ok(())
        } else {
            Err(Error::StoreMismatch("a function"))
        }
    }
}

/// Whether there are as many as the type has.
pub(crate) fn check_count(
    what: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), TypeError> {
    if expected == found {
        Ok(())
    } else {
        Err(TypeError::Count {
            what,
            expected,
            found,
        })
    }
}

/// Whether values of types `found` fit where `expected` are wanted.
fn check_types(
    what: &'static str,
    found: &[ValType],
    expected: &[ValType],
    store: &StoreOpaque,
) -> Result<()> {
    check_count(what, expected.len(), found.len())?;
    let engine = &store.engine;
    for (&found, &expected) in found.iter().zip(expected) {
        let fits = (found.to_raw(engine)?, expected.to_raw(engine)?);
        if !engine.registry().is_val_subtype(&fits.0, &fits.1) {
            return Err(TypeError::Mismatch { expected, found }.into());
        }
    }
    Ok(())
}
