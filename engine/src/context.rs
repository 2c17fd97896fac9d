//! Borrows of a store, and what gives one.

use crate::engine::Engine;
use crate::error::Result;
use crate::interrupt::InterruptHandle;
use crate::store::{Store, StoreId, StoreInner};
use std::marker::PhantomData;
use std::ptr::NonNull;

/// What gives shared access to a store: a [`Store`], a
/// [`Caller`](crate::Caller), a context, or a reference to one of these.
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
#[derive(Debug)]
pub struct StoreContext<'a, T: 'static> {
    pub(crate) inner: NonNull<StoreInner<T>>,
    pub(crate) borrow: PhantomData<&'a T>,
}

impl<T> Copy for StoreContext<'_, T> {}

impl<T> Clone for StoreContext<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

/// An exclusive borrow of a [`Store`].
#[derive(Debug)]
pub struct StoreContextMut<'a, T: 'static> {
    pub(crate) inner: NonNull<StoreInner<T>>,
    pub(crate) borrow: PhantomData<&'a mut T>,
}

impl<'a, T> StoreContext<'a, T> {
    /// The engine of the store.
    pub fn engine(&self) -> &'a Engine {
        unimplemented!()
    }

    /// The data that the embedder keeps in the store.
    pub fn data(&self) -> &'a T {
        unimplemented!()
    }

    /// Fuel left. An error where the engine does not count it.
    pub fn get_fuel(&self) -> Result<u64> {
        unimplemented!()
    }

    /// A handle with which another thread stops the running guest.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        unimplemented!()
    }

    pub(crate) fn id(&self) -> StoreId {
        unimplemented!()
    }
}

impl<'a, T> StoreContextMut<'a, T> {
    /// The engine of the store.
    pub fn engine(&self) -> &Engine {
        unimplemented!()
    }

    /// The data that the embedder keeps in the store.
    pub fn data(&self) -> &T {
        unimplemented!()
    }

    /// The same, to be changed.
    pub fn data_mut(&mut self) -> &mut T {
        unimplemented!()
    }

    /// Fuel left. An error where the engine does not count it.
    pub fn get_fuel(&self) -> Result<u64> {
        unimplemented!()
    }

    /// Sets the fuel left. An error where the engine does not count it.
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        let _ = fuel;
        unimplemented!()
    }

    /// A handle with which another thread stops the running guest.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        unimplemented!()
    }
}

impl<'a, T> From<StoreContextMut<'a, T>> for StoreContext<'a, T> {
    fn from(ctx: StoreContextMut<'a, T>) -> Self {
        StoreContext {
            inner: ctx.inner,
            borrow: PhantomData,
        }
    }
}

impl<'a, T> From<&'a Store<T>> for StoreContext<'a, T> {
    fn from(store: &'a Store<T>) -> Self {
        store.as_context()
    }
}

impl<'a, T> From<&'a mut Store<T>> for StoreContext<'a, T> {
    fn from(store: &'a mut Store<T>) -> Self {
        store.as_context_mut().into()
    }
}

impl<'a, T> From<&'a StoreContextMut<'_, T>> for StoreContext<'a, T> {
    fn from(ctx: &'a StoreContextMut<'_, T>) -> Self {
        ctx.as_context()
    }
}

impl<'a, T> From<&'a mut StoreContextMut<'_, T>> for StoreContext<'a, T> {
    fn from(ctx: &'a mut StoreContextMut<'_, T>) -> Self {
        ctx.as_context_mut().into()
    }
}

impl<'a, T> From<&'a mut Store<T>> for StoreContextMut<'a, T> {
    fn from(store: &'a mut Store<T>) -> Self {
        store.as_context_mut()
    }
}

impl<'a, T> From<&'a mut StoreContextMut<'_, T>> for StoreContextMut<'a, T> {
    fn from(ctx: &'a mut StoreContextMut<'_, T>) -> Self {
        ctx.as_context_mut()
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
        StoreContext {
            inner: self.inner,
            borrow: PhantomData,
        }
    }
}

impl<T> AsContextMut for StoreContextMut<'_, T> {
    #[inline]
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut {
            inner: self.inner,
            borrow: PhantomData,
        }
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
