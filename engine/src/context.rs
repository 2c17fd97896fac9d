//! Borrows of a store, and what gives one.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::{ConfigError, Result};
use crate::func::{Func, HostDef};
use crate::store::{Store, StoreInner, StoreOpaque};
use rwasm_runtime::interrupt::InterruptHandle;
use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// What gives shared access to a store: a [`Store`], a [`Caller`], a context,
/// or a reference to one of these.
pub trait AsContext {
    /// The data that the embedder keeps in the store.
    type Data: 'static;

    /// Borrows the store.
    fn as_context(&self) -> StoreContext<'_, Self::Data>;
}

/// What gives exclusive access to a store.
pub trait AsContextMut: AsContext {
    /// Borrows the store exclusively.
    fn as_context_mut(&mut self) -> StoreContextMut<'_, Self::Data>;
}

/// A shared borrow of a [`Store`].
pub struct StoreContext<'a, T: 'static> {
    store: NonNull<StoreInner<T>>,
    borrow: PhantomData<&'a StoreInner<T>>,
}

/// An exclusive borrow of a [`Store`].
pub struct StoreContextMut<'a, T: 'static> {
    store: NonNull<StoreInner<T>>,
    borrow: PhantomData<&'a mut StoreInner<T>>,
}

// SAFETY: it is as good as a `&StoreInner<T>`, of which all but `T` is `Sync`.
unsafe impl<T: Sync> Send for StoreContext<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for StoreContext<'_, T> {}
// SAFETY: it is as good as a `&mut StoreInner<T>`, of which all but `T` is `Send`.
unsafe impl<T: Send> Send for StoreContextMut<'_, T> {}
// SAFETY: `&StoreContextMut` is as good as a `&StoreInner<T>`.
unsafe impl<T: Sync> Sync for StoreContextMut<'_, T> {}

impl<'a, T> StoreContext<'a, T> {
    /// # Safety
    /// The store is live and not borrowed exclusively during `'a`.
    #[inline(always)]
    pub(crate) unsafe fn new(store: NonNull<StoreInner<T>>) -> Self {
        StoreContext {
            store,
            borrow: PhantomData,
        }
    }

    /// The engine of the store.
    pub fn engine(&self) -> &'a Engine {
        &self.opaque().engine
    }

    /// The data that the embedder keeps in the store.
    pub fn data(&self) -> &'a T {
        &self.inner().data
    }

    /// Fuel left. An error where the engine does not count it.
    pub fn get_fuel(&self) -> Result<u64> {
        self.opaque().fuel()
    }

    /// A handle with which another thread stops the running guest.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.opaque().runtime.interrupt().clone()
    }

    #[inline(always)]
    pub(crate) fn opaque(&self) -> &'a StoreOpaque {
        &self.inner().opaque
    }

    #[inline(always)]
    fn inner(&self) -> &'a StoreInner<T> {
        // SAFETY: the store is live and borrowed during `'a`.
        unsafe { self.store.as_ref() }
    }
}

impl<'a, T> StoreContextMut<'a, T> {
    /// # Safety
    /// The store is live and borrowed by nobody else during `'a`.
    #[inline(always)]
    pub(crate) unsafe fn new(store: NonNull<StoreInner<T>>) -> Self {
        StoreContextMut {
            store,
            borrow: PhantomData,
        }
    }

    /// The engine of the store.
    pub fn engine(&self) -> &Engine {
        self.as_context().engine()
    }

    /// The data that the embedder keeps in the store.
    pub fn data(&self) -> &T {
        self.as_context().data()
    }

    /// The same, to be changed.
    pub fn data_mut(&mut self) -> &mut T {
        &mut self.inner_mut().data
    }

    /// Fuel left. An error where the engine does not count it.
    pub fn get_fuel(&self) -> Result<u64> {
        self.opaque().fuel()
    }

    /// Sets the fuel left. An error where the engine does not count it.
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        let store = self.opaque_mut();
        store.check_fuel()?;
        // So much that no run could use it up stands for all above it.
        store.runtime.ctx.fuel = i64::try_from(fuel).unwrap_or(i64::MAX);
        Ok(())
    }

    /// A handle with which another thread stops the running guest.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.as_context().interrupt_handle()
    }

    /// The store itself.
    pub(crate) fn inner_ptr(&mut self) -> NonNull<StoreInner<T>> {
        self.store
    }

    /// The data, for as long as the store is borrowed.
    pub(crate) fn into_data_mut(self) -> &'a mut T {
        &mut self.into_inner().data
    }

    /// The store, for as long as it is borrowed.
    #[inline(always)]
    pub(crate) fn into_inner(mut self) -> &'a mut StoreInner<T> {
        // SAFETY: the store is live and ours alone during `'a`; this context
        // ends here.
        unsafe { self.store.as_mut() }
    }

    #[inline(always)]
    pub(crate) fn opaque(&self) -> &StoreOpaque {
        self.as_context().opaque()
    }

    #[inline(always)]
    pub(crate) fn opaque_mut(&mut self) -> &mut StoreOpaque {
        &mut self.inner_mut().opaque
    }

    /// The opaque part, for calls into guest code.
    #[inline(always)]
    pub(crate) fn opaque_ptr(&mut self) -> NonNull<StoreOpaque> {
        // The opaque part comes first.
        self.store.cast()
    }

    /// Makes a host function a function of this store, or finds that it is one.
    pub(crate) fn bind(&mut self, def: &HostDef<T>) -> Result<Func> {
        // SAFETY: the function is this store's, so it runs only as long as the
        // store lives, for who has borrowed it exclusively.
        unsafe { def.bind(self.store, None) }
    }

    #[inline(always)]
    fn inner_mut(&mut self) -> &mut StoreInner<T> {
        // SAFETY: the store is live and ours alone during `'a`, and this borrows
        // the context.
        unsafe { self.store.as_mut() }
    }
}

impl StoreOpaque {
    fn fuel(&self) -> Result<u64> {
        self.check_fuel()?;
        // Below zero is where the last block began that could not be paid.
        Ok(u64::try_from(self.runtime.ctx.fuel).unwrap_or(0))
    }

    fn check_fuel(&self) -> Result<()> {
        match self.engine.settings().fuel {
            true => Ok(()),
            false => Err(ConfigError::FuelDisabled.into()),
        }
    }
}

impl<T> Copy for StoreContext<'_, T> {}

impl<T> Clone for StoreContext<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: fmt::Debug> fmt::Debug for StoreContext<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreContext")
            .field("data", self.data())
            .finish_non_exhaustive()
    }
}

impl<T: fmt::Debug> fmt::Debug for StoreContextMut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreContextMut")
            .field("data", self.data())
            .finish_non_exhaustive()
    }
}

impl<T> AsContext for StoreContext<'_, T> {
    type Data = T;

    #[inline]
    fn as_context(&self) -> StoreContext<'_, T> {
        *self
    }
}

impl<T> AsContext for StoreContextMut<'_, T> {
    type Data = T;

    #[inline]
    fn as_context(&self) -> StoreContext<'_, T> {
        // SAFETY: this context is borrowed, so nobody changes the store.
        unsafe { StoreContext::new(self.store) }
    }
}

impl<T> AsContextMut for StoreContextMut<'_, T> {
    #[inline]
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        // SAFETY: this context is borrowed exclusively.
        unsafe { StoreContextMut::new(self.store) }
    }
}

impl<C: AsContext> AsContext for &C {
    type Data = C::Data;

    #[inline]
    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(self)
    }
}

impl<C: AsContext> AsContext for &mut C {
    type Data = C::Data;

    #[inline]
    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(self)
    }
}

impl<C: AsContextMut> AsContextMut for &mut C {
    #[inline]
    fn as_context_mut(&mut self) -> StoreContextMut<'_, C::Data> {
        C::as_context_mut(self)
    }
}

impl<'a, T> From<StoreContextMut<'a, T>> for StoreContext<'a, T> {
    #[inline]
    fn from(ctx: StoreContextMut<'a, T>) -> Self {
        StoreContext {
            store: ctx.store,
            borrow: PhantomData,
        }
    }
}

/// Contexts from references: what functions take whose result borrows from the
/// store.
macro_rules! from_reference {
    ($($name:ident $(<$lifetime:lifetime>)?,)*) => {
        $(
            impl<'a, T> From<&'a $name<$($lifetime,)? T>> for StoreContext<'a, T> {
                #[inline]
                fn from(from: &'a $name<$($lifetime,)? T>) -> Self {
                    from.as_context()
                }
            }

            impl<'a, T> From<&'a mut $name<$($lifetime,)? T>> for StoreContext<'a, T> {
                #[inline]
                fn from(from: &'a mut $name<$($lifetime,)? T>) -> Self {
                    from.as_context_mut().into()
                }
            }

            impl<'a, T> From<&'a mut $name<$($lifetime,)? T>> for StoreContextMut<'a, T> {
                #[inline]
                fn from(from: &'a mut $name<$($lifetime,)? T>) -> Self {
                    from.as_context_mut()
                }
            }
        )*
    };
}

from_reference!(Store, StoreContextMut<'_>, Caller<'_>,);
