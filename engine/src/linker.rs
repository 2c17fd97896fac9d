//! Instantiation by name.

use crate::caller::Caller;
use crate::context::{AsContext, AsContextMut};
use crate::engine::Engine;
use crate::error::Result;
use crate::externs::Extern;
use crate::func::IntoFunc;
use crate::instance::Instance;
use crate::module::Module;
use crate::types::FuncType;
use crate::val::Val;
use std::marker::PhantomData;

/// Names for imports, to instantiate modules with.
///
/// Host functions belong to no store, so that one linker serves many. What is
/// defined by [`Linker::define`] or [`Linker::instance`] belongs to one store.
#[derive(Clone, Debug)]
pub struct Linker<T: 'static>(PhantomData<fn(T)>);

impl<T> Linker<T> {
    /// A linker that knows no names.
    pub fn new(engine: &Engine) -> Self {
        let _ = engine;
        unimplemented!()
    }

    /// The engine of the linker.
    pub fn engine(&self) -> &Engine {
        unimplemented!()
    }

    /// Whether a name may be defined again, which then hides what was defined
    /// before. Off by default: an error.
    pub fn allow_shadowing(&mut self, allow: bool) -> &mut Self {
        let _ = allow;
        self
    }

    /// Defines a host function; its type is that of the closure.
    /// See [`IntoFunc`] for what the closure may be.
    pub fn func_wrap<Params, Results>(
        &mut self,
        module: &str,
        name: &str,
        func: impl IntoFunc<T, Params, Results>,
    ) -> Result<&mut Self> {
        let _ = (module, name, func);
        unimplemented!()
    }

    /// Defines a host function of type `ty`, which gets its arguments and
    /// leaves its results as values.
    pub fn func_new(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<&mut Self> {
        let _ = (module, name, ty, func);
        unimplemented!()
    }

    /// Defines something that a store owns.
    pub fn define(
        &mut self,
        ctx: impl AsContext<Data = T>,
        module: &str,
        name: &str,
        item: impl Into<Extern>,
    ) -> Result<&mut Self> {
        let _ = (ctx, module, name, item.into());
        unimplemented!()
    }

    /// Defines all exports of an instance, under `module`.
    pub fn instance(
        &mut self,
        ctx: impl AsContextMut<Data = T>,
        module: &str,
        instance: Instance,
    ) -> Result<&mut Self> {
        let _ = (ctx, module, instance);
        unimplemented!()
    }

    /// Defines `as_module` `as_name` as what `module` `name` is now.
    pub fn alias(
        &mut self,
        module: &str,
        name: &str,
        as_module: &str,
        as_name: &str,
    ) -> Result<&mut Self> {
        let _ = (module, name, as_module, as_name);
        unimplemented!()
    }

    /// Defines all that `module` has under `as_module` too.
    pub fn alias_module(&mut self, module: &str, as_module: &str) -> Result<&mut Self> {
        let _ = (module, as_module);
        unimplemented!()
    }

    /// What is defined under these names.
    pub fn get(
        &self,
        ctx: impl AsContextMut<Data = T>,
        module: &str,
        name: &str,
    ) -> Option<Extern> {
        let _ = (ctx, module, name);
        unimplemented!()
    }

    /// Instantiates `module` with what is defined, and runs its start function.
    ///
    /// Imports that nothing is defined for are all listed in one
    /// [`LinkError::UnknownImports`](crate::LinkError::UnknownImports).
    pub fn instantiate(
        &self,
        ctx: impl AsContextMut<Data = T>,
        module: &Module,
    ) -> Result<Instance> {
        let _ = (ctx, module);
        unimplemented!()
    }
}
