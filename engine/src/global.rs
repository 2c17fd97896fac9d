//! Globals.

use crate::context::{AsContext, AsContextMut};
use crate::error::{Error, Result, TypeError};
use crate::types::GlobalType;
use crate::val::Val;
use rwasm_runtime::global::Global as RawGlobal;
use rwasm_runtime::handle::Handle;

/// A global variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Global(pub(crate) Handle<RawGlobal>);

impl Global {
    /// A new global that holds `value`.
    pub fn new(mut ctx: impl AsContextMut, ty: GlobalType, value: Val) -> Result<Global> {
        let mut ctx = ctx.as_context_mut();
        let store = ctx.opaque_mut();
        let raw = ty.to_raw(&store.engine)?;
        let value = store.slots(value, raw.content)?;
        // SAFETY: the value was checked to be of the global's type.
        Ok(Global(unsafe { store.runtime.new_global(raw, value) }))
    }

    /// Its type.
    ///
    /// # Panics
    /// If the global belongs to another store.
    pub fn ty(&self, ctx: impl AsContext) -> GlobalType {
        let ctx = ctx.as_context();
        let store = ctx.opaque();
        GlobalType::from_raw(store.runtime.get(self.0).ty(), &store.engine)
    }

    /// Its value.
    ///
    /// # Panics
    /// If the global belongs to another store.
    pub fn get(&self, ctx: impl AsContext) -> Val {
        let ctx = ctx.as_context();
        let store = ctx.opaque();
        let global = store.runtime.get(self.0);
        // SAFETY: a global of this store holds a value of its type.
        unsafe { store.read(global.ty().content, &global.value()) }
    }

    /// Sets its value; an error if it is immutable or `value` of another type.
    pub fn set(&self, mut ctx: impl AsContextMut, value: Val) -> Result<()> {
        let mut ctx = ctx.as_context_mut();
        let store = ctx.opaque_mut();
        if self.0.store() != store.id {
            return Err(Error::StoreMismatch("a global"));
        }
        let ty = store.runtime.get(self.0).ty();
        if !ty.mutable {
            return Err(TypeError::ImmutableGlobal.into());
        }
        let value = store.slots(value, ty.content)?;
        // SAFETY: the value was checked to be of the global's type.
        unsafe { store.runtime.set_global(self.0, value) };
        Ok(())
    }
}
