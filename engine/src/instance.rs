//! Instances of modules.

use crate::context::{AsContextMut, StoreContext, StoreContextMut};
use crate::engine::Engine;
use crate::error::{Error, LinkError, Result, TypeError};
use crate::externs::Extern;
use crate::func::{Func, TypedFunc, WasmParams, WasmResults};
use crate::global::Global;
use crate::memory::Memory;
use crate::module::Module;
use crate::store::StoreOpaque;
use crate::table::Table;
use crate::tag::Tag;
use rwasm_runtime::handle::{Extern as RawExtern, InstanceHandle};

/// An instance of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instance {
    handle: InstanceHandle,
    /// Its index in the store.
    index: u32,
}

impl Instance {
    /// Instantiates `module` with its imports in order, and runs its start
    /// function. [`Linker::instantiate`](crate::Linker::instantiate) finds
    /// imports by name.
    pub fn new(
        mut ctx: impl AsContextMut,
        module: &Module,
        imports: &[Extern],
    ) -> Result<Instance> {
        let mut ctx = ctx.as_context_mut();
        let instance = ctx.opaque_mut().instantiate(module, imports)?;
        instance.start(ctx)?;
        Ok(instance)
    }

    /// The instance below.
    pub(crate) fn handle(self) -> InstanceHandle {
        self.handle
    }

    /// Calls the start function, if the module has one.
    pub(crate) fn start(self, mut ctx: impl AsContextMut) -> Result<()> {
        let mut ctx = ctx.as_context_mut();
        match ctx.opaque_mut().runtime.start_func(self.handle) {
            Some(start) => Func(start).typed::<(), ()>(&ctx)?.call(ctx, ()),
            None => Ok(()),
        }
    }

    /// The same instance in the next life of its store.
    ///
    /// # Safety
    /// The instance is of an earlier life of the store, whose baseline has it.
    pub(crate) unsafe fn renewed(self, store: &StoreOpaque) -> Self {
        // SAFETY: as the caller promises.
        let handle = unsafe { store.runtime.renewed(self.handle) };
        Instance { handle, ..self }
    }

    /// The module that this is an instance of.
    ///
    /// # Panics
    /// As all methods but [`new`](Self::new): if the instance belongs to another
    /// store.
    pub fn module<'a, T: 'static>(&self, ctx: impl Into<StoreContext<'a, T>>) -> &'a Module {
        let store = ctx.into().opaque();
        self.check(store);
        store.instances[self.index as usize]
            .as_ref()
            .expect("an instance is known to its store")
    }

    /// An export.
    pub fn get_export(&self, mut ctx: impl AsContextMut, name: &str) -> Option<Extern> {
        let mut ctx = ctx.as_context_mut();
        let store = ctx.opaque_mut();
        self.check(store);
        store
            .runtime
            .export(self.handle, name)
            .map(Extern::from_raw)
    }

    /// An exported function.
    pub fn get_func(&self, ctx: impl AsContextMut, name: &str) -> Option<Func> {
        self.get_export(ctx, name)?.into_func()
    }

    /// An exported function, with its type checked once. An error if there is
    /// none of this name, or if it has another type.
    pub fn get_typed_func<P: WasmParams, R: WasmResults>(
        &self,
        mut ctx: impl AsContextMut,
        name: &str,
    ) -> Result<TypedFunc<P, R>> {
        match self.get_export(&mut ctx, name) {
            Some(Extern::Func(func)) => func.typed(ctx),
            Some(other) => Err(TypeError::WrongExport {
                name: name.to_owned(),
                expected: "function",
                found: other.kind(),
            }
            .into()),
            None => Err(TypeError::UnknownExport(name.to_owned()).into()),
        }
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
        ctx: impl Into<StoreContextMut<'a, T>>,
    ) -> impl ExactSizeIterator<Item = Export<'a>> {
        let store = &mut ctx.into().into_inner().opaque;
        self.check(store);
        let handle = self.handle;
        let module = store.instances[self.index as usize].as_ref();
        let module = module.expect("an instance is known to its store");
        let exports = module.parsed().exports();
        let runtime = &mut store.runtime;
        exports.iter().map(move |export| Export {
            name: &export.name,
            value: Extern::from_raw(runtime.definition(handle, export.kind, export.index)),
        })
    }

    #[track_caller]
    fn check(&self, store: &StoreOpaque) {
        assert!(
            self.handle.store() == store.id,
            "an instance of another store"
        );
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

impl StoreOpaque {
    /// Instantiates a module; its start function remains to be called.
    fn instantiate(&mut self, module: &Module, imports: &[Extern]) -> Result<Instance> {
        if !Engine::same(module.engine(), &self.engine) {
            return Err(Error::StoreMismatch("a module"));
        }
        let expected = module.parsed().imports().len();
        if imports.len() != expected {
            return Err(LinkError::ImportCount {
                expected,
                found: imports.len(),
            }
            .into());
        }
        let imports: Vec<_> = imports.iter().map(|import| import.to_raw()).collect();
        self.instantiate_raw(module, &imports)
    }

    /// The same, for as many imports as the module of this engine has.
    pub(crate) fn instantiate_raw(
        &mut self,
        module: &Module,
        imports: &[RawExtern],
    ) -> Result<Instance> {
        let instance = self.runtime.instantiate(module.code(), imports);
        let handle = instance.map_err(|error| Error::from_instantiate(error, module))?;
        Ok(self.remember(module, handle))
    }

    /// As [`StoreOpaque::instantiate`], for imports that need no check.
    ///
    /// # Safety
    /// The imports are this store's, as many as the module has, and match their
    /// types.
    pub(crate) unsafe fn instantiate_matched(
        &mut self,
        module: &Module,
        imports: &[RawExtern],
    ) -> Result<Instance> {
        // SAFETY: as the caller promises.
        let instance = unsafe { self.runtime.instantiate_matched(module.code(), imports) };
        let handle = instance.map_err(|error| Error::from_instantiate(error, module))?;
        Ok(self.remember(module, handle))
    }

    fn remember(&mut self, module: &Module, handle: InstanceHandle) -> Instance {
        let index = self.instance_index(handle);
        let at = index as usize;
        if self.instances.len() <= at {
            // Failed instantiations leave gaps.
            self.instances.resize_with(at + 1, || None);
        }
        self.instances[at] = Some(module.clone());
        Instance { handle, index }
    }
}
