//! Calls whose types are checked once.

use super::{Func, WasmParams, WasmResults};
use crate::context::{AsContextMut, StoreContextMut};
use crate::error::{Error, Result};
use crate::store::StoreOpaque;
use std::fmt;
use std::marker::PhantomData;

/// A function whose type was checked to be `P -> R`, so that calls need no
/// check, no look-up and no allocation.
///
/// [`Func::typed`] and [`Instance::get_typed_func`](crate::Instance::get_typed_func)
/// give it.
pub struct TypedFunc<P, R> {
    func: Func,
    types: PhantomData<fn(P) -> R>,
}

impl<P: WasmParams, R: WasmResults> TypedFunc<P, R> {
    /// # Safety
    /// Values of type `P` fit the parameters of `func`, and its results fit `R`.
    pub(super) unsafe fn new_unchecked(func: Func) -> Self {
        TypedFunc {
            func,
            types: PhantomData,
        }
    }

    /// Calls it.
    ///
    /// A panic of a host function that was called on the way is resumed here.
    #[inline]
    pub fn call(&self, mut ctx: impl AsContextMut, params: P) -> Result<R> {
        let ctx = ctx.as_context_mut();
        let store = &ctx.opaque().runtime;
        if self.func.0.store() != store.id() {
            return Err(Error::StoreMismatch("a function"));
        }
        params.check_all(store)?;
        // The condition is a constant: one buffer, as large as the larger side.
        if P::SLOTS >= R::SLOTS {
            self.call_in(ctx, params, P::ZEROES)
        } else {
            self.call_in(ctx, params, R::ZEROES)
        }
    }

    /// Calls it with the slots of `buffer`.
    #[inline(always)]
    fn call_in<T>(
        &self,
        mut ctx: StoreContextMut<'_, T>,
        params: P,
        mut buffer: impl AsMut<[u64]>,
    ) -> Result<R> {
        let slots = buffer.as_mut();
        params.write(slots);
        let slots = slots.as_mut_ptr();
        // SAFETY: the function takes what `P` writes and leaves what `R` reads;
        // the arguments belong to the store, to which no reference is live.
        unsafe {
            StoreOpaque::enter(ctx.opaque_ptr(), self.func.0, slots)?;
            Ok(R::read(&ctx.opaque().runtime, slots))
        }
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
