//! How long handles last.

use super::{AnyRef, ArrayRef, EqRef, ExternRef, Handle, StructRef};
use crate::context::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::error::Result;
use crate::exception::ExnRef;
use rwasm_runtime::gc::OwnedRoot;
use std::marker::PhantomData;

/// A scope of handles: those made in it end with it.
///
/// A handle of a reference ([`AnyRef`], [`StructRef`], [`ExternRef`] …) keeps what
/// it refers to alive until its scope ends. To use it after that is an error,
/// never a use of freed memory. Host functions have a scope each, for what they
/// get and make. Elsewhere handles last as long as their store, so that a program
/// which goes on making them needs scopes. What must outlive its scope is held by
/// [`Owned`]. Handles of one store are equal if they refer to the same object.
///
/// ```
/// use rwasm::{AnyRef, I31, RootScope, Store};
///
/// let mut store = Store::<()>::default();
/// let handle = {
///     let mut scope = RootScope::new(&mut store);
///     AnyRef::from_i31(&mut scope, I31::wrapping_u32(7))
/// };
/// assert!(handle.as_i31(&store).is_err());
/// ```
#[derive(Debug)]
pub struct RootScope<C: AsContextMut> {
    ctx: C,
    depth: usize,
}

impl<C: AsContextMut> RootScope<C> {
    /// Begins a scope. The store is used through it.
    pub fn new(mut ctx: C) -> Self {
        let depth = ctx.as_context_mut().opaque_mut().runtime.begin_root_scope();
        RootScope { ctx, depth }
    }
}

impl<C: AsContextMut> Drop for RootScope<C> {
    fn drop(&mut self) {
        let mut ctx = self.ctx.as_context_mut();
        ctx.opaque_mut().runtime.end_root_scope(self.depth);
    }
}

impl<C: AsContextMut> AsContext for RootScope<C> {
    type Data = C::Data;

    fn as_context(&self) -> StoreContext<'_, C::Data> {
        self.ctx.as_context()
    }
}

impl<C: AsContextMut> AsContextMut for RootScope<C> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, C::Data> {
        self.ctx.as_context_mut()
    }
}

/// A reference that lasts as long as this, whatever scope it was made in.
///
/// ```
/// use rwasm::{ExternRef, Owned, RootScope, Store};
///
/// let mut store = Store::<()>::default();
/// let owned = {
///     let mut scope = RootScope::new(&mut store);
///     let reference = ExternRef::new(&mut scope, 42u64)?;
///     Owned::new(&mut scope, reference)?
/// };
/// let value = owned.get().data(&store);
/// assert_eq!(value.unwrap().downcast_ref(), Some(&42u64));
/// # Ok::<(), rwasm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Owned<R> {
    root: OwnedRoot,
    kind: PhantomData<fn() -> R>,
}

impl<R: Reference> Owned<R> {
    /// Keeps a reference from ending with its scope.
    pub fn new(mut ctx: impl AsContextMut, reference: R) -> Result<Self> {
        let ctx = ctx.as_context_mut();
        let runtime = &ctx.opaque().runtime;
        let slot = reference.handle().slot(runtime)?;
        // SAFETY: the handle is good, so what it refers to is alive.
        let root = unsafe { runtime.keep(slot as u32) };
        Ok(Owned {
            root,
            kind: PhantomData,
        })
    }

    /// A handle that lasts as long as this, or a clone of it.
    pub fn get(&self) -> R {
        R::from_handle(Handle::of_owned(&self.root))
    }
}

/// A handle of a reference: [`AnyRef`], [`EqRef`], [`StructRef`], [`ArrayRef`],
/// [`ExternRef`] or [`ExnRef`].
pub trait Reference: Copy + sealed::Sealed {
    #[doc(hidden)]
    fn handle(self) -> Handle;
    #[doc(hidden)]
    fn from_handle(handle: Handle) -> Self;
}

mod sealed {
    /// Keeps the trait to the types of this crate.
    pub trait Sealed {}
}

macro_rules! references {
    ($($ty:ident),*) => {
        $(
            impl sealed::Sealed for $ty {}
            impl Reference for $ty {
                fn handle(self) -> Handle {
                    self.0
                }
                fn from_handle(handle: Handle) -> Self {
                    $ty(handle)
                }
            }
        )*
    };
}
references!(AnyRef, EqRef, StructRef, ArrayRef, ExternRef, ExnRef);
