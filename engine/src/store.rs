//! A store: what instances own, and the embedder's data.

use crate::Limits;
use crate::context::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::engine::Engine;
use crate::error::Result;
use crate::interrupt::InterruptHandle;
use std::marker::PhantomData;
use std::num::NonZeroU64;
use std::ptr::NonNull;

/// Owns instances and all that they define, and data of type `T` that host
/// functions reach.
///
/// Handles such as [`Func`](crate::Func) or [`Memory`](crate::Memory) are small
/// and copied freely; they mean something only together with their store.
/// Nothing is freed before the store is.
pub struct Store<T: 'static> {
    inner: NonNull<StoreInner<T>>,
    owned: PhantomData<StoreInner<T>>,
}

/// Tells the stores of a process apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct StoreId(pub(crate) NonZeroU64);

pub(crate) struct StoreInner<T> {
    pub(crate) id: StoreId,
    pub(crate) data: T,
}

impl<T> Store<T> {
    /// An empty store that holds `data`.
    pub fn new(engine: &Engine, data: T) -> Self {
        let _ = (engine, data);
        unimplemented!()
    }

    /// The engine of the store.
    pub fn engine(&self) -> &Engine {
        unimplemented!()
    }

    /// The data.
    pub fn data(&self) -> &T {
        unimplemented!()
    }

    /// The data, to be changed.
    pub fn data_mut(&mut self) -> &mut T {
        unimplemented!()
    }

    /// Ends the store and gives the data back.
    pub fn into_data(self) -> T {
        unimplemented!()
    }

    /// Sets the limits of what is made or grown from now on.
    pub fn limits(&mut self, limits: Limits) {
        let _ = limits;
        unimplemented!()
    }

    /// Sets the fuel left. An error where the engine does not count it
    /// ([`Config::consume_fuel`](crate::Config::consume_fuel)).
    ///
    /// A call that runs out ends with [`Trap::OutOfFuel`](crate::Trap::OutOfFuel).
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.as_context_mut().set_fuel(fuel)
    }

    /// Fuel left. An error where the engine does not count it.
    pub fn get_fuel(&self) -> Result<u64> {
        self.as_context().get_fuel()
    }

    /// A handle with which another thread stops the running guest.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.as_context().interrupt_handle()
    }
}

impl<T> AsContext for Store<T> {
    type Data = T;

    #[inline]
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext {
            inner: self.inner,
            borrow: PhantomData,
        }
    }
}

impl<T> AsContextMut for Store<T> {
    #[inline]
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut {
            inner: self.inner,
            borrow: PhantomData,
        }
    }
}

impl<T: Default> Default for Store<T> {
    fn default() -> Self {
        Store::new(&Engine::default(), T::default())
    }
}

// SAFETY: a store owns everything that its pointers reach, except what engine
// and modules share, which is `Sync`.
unsafe impl<T: Send> Send for Store<T> {}
// SAFETY: as above; a shared borrow changes nothing.
unsafe impl<T: Sync> Sync for Store<T> {}

impl<T: std::fmt::Debug> std::fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("data", self.data())
            .finish_non_exhaustive()
    }
}
