//! References to values of the host.

use super::{AnyRef, Handle};
use crate::context::{AsContext, AsContextMut, StoreContext};
use crate::error::Result;
use rwasm_runtime::reference::HostRef;
use std::any::Any;
use std::num::NonZeroU32;

/// A reference to a value of the host, as `externref` in the guest.
///
/// Like all handles of references it is scoped: see
/// [`RootScope`](crate::RootScope). The value is dropped when neither a guest nor a handle refers to it any more,
/// at some later collection, and with its store at last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExternRef(pub(crate) Handle);

impl ExternRef {
    /// Hands `value` to the store.
    pub fn new(mut ctx: impl AsContextMut, value: impl Any + Send + Sync) -> Result<ExternRef> {
        let mut ctx = ctx.as_context_mut();
        let store = ctx.opaque_mut();
        let reference = store.runtime.new_host_ref(Box::new(value))?;
        let word = NonZeroU32::new(reference.to_slot() as u32).expect("a reference is not null");
        // SAFETY: the reference was just made.
        Ok(ExternRef(unsafe { Handle::new(&store.runtime, word) }))
    }

    /// The value; `downcast_ref` gives it its type back. `None` if the guest
    /// made the reference from a value of its own (`extern.convert_any`).
    ///
    /// # Panics
    /// If the reference belongs to another store, or its scope has ended.
    pub fn data<'a, T: 'static>(
        &self,
        ctx: impl Into<StoreContext<'a, T>>,
    ) -> Option<&'a (dyn Any + Send + Sync)> {
        let store = ctx.into().opaque();
        let slot = self.0.slot(&store.runtime);
        let slot = slot.expect("an external reference of this store, in its scope");
        store.runtime.host_ref(HostRef::from_slot(slot)?)
    }

    /// The reference that the guest converted with `any.convert_extern`.
    pub fn convert_any(ctx: impl AsContext, value: AnyRef) -> Result<ExternRef> {
        let ctx = ctx.as_context();
        value.0.check(&ctx.opaque().runtime)?;
        Ok(ExternRef(value.0))
    }

    /// Whether the reference belongs to the store.
    pub fn belongs_to(&self, ctx: impl AsContext) -> bool {
        self.0.store() == ctx.as_context().opaque().id
    }
}
