//! References other than to functions.

use crate::context::{AsContext, AsContextMut, StoreContext};
use crate::error::Result;
use rwasm_runtime::handle::StoreId;
use rwasm_runtime::reference::HostRef;
use std::any::Any;
use std::num::NonZeroU32;

/// A reference to a value of the host, as `externref` in the guest.
///
/// The value lives as long as its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExternRef {
    pub(crate) store: StoreId,
    /// As it stands in a slot.
    pub(crate) bits: NonZeroU32,
}

impl ExternRef {
    /// Hands `value` to the store.
    pub fn new(mut ctx: impl AsContextMut, value: impl Any + Send + Sync) -> Result<ExternRef> {
        let mut ctx = ctx.as_context_mut();
        let store = ctx.opaque_mut();
        let reference = store.runtime.new_host_ref(Box::new(value))?;
        let bits = NonZeroU32::new(reference.to_slot() as u32).expect("a reference is not null");
        store.runtime.root(bits.get())?;
        Ok(ExternRef {
            store: store.id,
            bits,
        })
    }

    /// The value; `downcast_ref` gives it its type back. `None` if the guest
    /// made the reference from a value of its own (`extern.convert_any`).
    ///
    /// # Panics
    /// If the reference belongs to another store.
    pub fn data<'a, T: 'static>(
        &self,
        ctx: impl Into<StoreContext<'a, T>>,
    ) -> Option<&'a (dyn Any + Send + Sync)> {
        let store = ctx.into().opaque();
        assert!(
            self.store == store.id,
            "an external reference of another store"
        );
        let reference = HostRef::from_slot(self.bits.get().into())?;
        store.runtime.host_ref(reference)
    }

    /// Whether the reference belongs to the store.
    pub fn belongs_to(&self, ctx: impl AsContext) -> bool {
        self.store == ctx.as_context().opaque().id
    }
}

/// A reference to a value of the guest: an i31, a struct or an array. It can be
/// passed on, and no more yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AnyRef {
    pub(crate) store: StoreId,
    pub(crate) bits: NonZeroU32,
}
