//! Instances of modules.

use crate::context::{AsContext, AsContextMut, StoreContext};
use crate::error::Result;
use crate::externs::{Extern, Global, Memory, Table, Tag};
use crate::func::{Func, TypedFunc, WasmParams, WasmResults};
use crate::module::Module;
use crate::store::StoreId;

/// An instance of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instance {
    store: StoreId,
}

impl Instance {
    /// Instantiates `module` with its imports in order, and runs its start
    /// function. [`Linker::instantiate`](crate::Linker::instantiate) finds
    /// imports by name.
    pub fn new(ctx: impl AsContextMut, module: &Module, imports: &[Extern]) -> Result<Instance> {
        let _ = (ctx, module, imports);
        unimplemented!()
    }

    /// The module that this is an instance of.
    ///
    /// # Panics
    /// As all methods but `new`: if the instance belongs to another store.
    pub fn module<'a, T: 'static>(&self, ctx: impl Into<StoreContext<'a, T>>) -> &'a Module {
        let _ = (ctx.into(), self.store);
        unimplemented!()
    }

    /// An export.
    pub fn get_export(&self, ctx: impl AsContextMut, name: &str) -> Option<Extern> {
        let _ = (ctx, name);
        unimplemented!()
    }

    /// An exported function.
    pub fn get_func(&self, ctx: impl AsContextMut, name: &str) -> Option<Func> {
        self.get_export(ctx, name)?.into_func()
    }

    /// An exported function, with its type checked once. An error if there is
    /// none of this name, or if it has another type.
    pub fn get_typed_func<P: WasmParams, R: WasmResults>(
        &self,
        ctx: impl AsContextMut,
        name: &str,
    ) -> Result<TypedFunc<P, R>> {
        let _ = (ctx, name);
        unimplemented!()
    }

    /// An exported memory.
    pub fn get_memory(&self, ctx: impl AsContextMut, name: &str) -> Option<Memory> {
        self.get_export(ctx, name)?.into_memory()
    }

    /// An exported table.
    pub fn get_table(&self, ctx: impl AsContextMut, name: &str) -> Option<Table> {
        self.get_export(ctx, name)?.into_table()
    }

    /// An exported global.
    pub fn get_global(&self, ctx: impl AsContextMut, name: &str) -> Option<Global> {
        self.get_export(ctx, name)?.into_global()
    }

    /// An exported tag.
    pub fn get_tag(&self, ctx: impl AsContextMut, name: &str) -> Option<Tag> {
        self.get_export(ctx, name)?.into_tag()
    }

    /// All exports, in the module's order.
    pub fn exports<'a, T: 'static>(
        &self,
        ctx: impl Into<crate::StoreContextMut<'a, T>>,
    ) -> impl ExactSizeIterator<Item = Export<'a>> {
        let _ = ctx.into();
        std::iter::empty()
    }

    /// Whether the instance belongs to the store.
    pub fn belongs_to(&self, ctx: impl AsContext) -> bool {
        self.store == ctx.as_context().id()
    }
}

/// An export of an instance.
#[derive(Clone, Copy, Debug)]
pub struct Export<'a> {
    name: &'a str,
    value: Extern,
}

impl<'a> Export<'a> {
    /// Its name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// What it is.
    pub fn into_extern(self) -> Extern {
        self.value
    }
}
