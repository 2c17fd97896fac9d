//! Instantiation by name.

use crate::caller::Caller;
use crate::context::{AsContext, AsContextMut, StoreContextMut};
use crate::engine::Engine;
use crate::error::{Error, LinkError, Result, UnknownImport};
use crate::externs::Extern;
use crate::func::{HostDef, IntoFunc};
use crate::instance::Instance;
use crate::instance_pre::InstancePre;
use crate::module::Module;
use crate::shared_memory::SharedMemory;
use crate::types::{FuncType, ImportType};
use crate::val::Val;
use rwasm_runtime::handle::StoreId;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Names for imports, to instantiate modules with.
///
/// Host functions belong to no store, so that one linker serves many. What is
/// defined by [`Linker::define`] or [`Linker::instance`] belongs to one store.
pub struct Linker<T: 'static> {
    engine: Engine,
    modules: HashMap<Box<str>, Names<T>>,
    allow_shadowing: bool,
}

/// The names of one module.
type Names<T> = HashMap<Box<str>, Definition<T>>;

pub(crate) enum Definition<T: 'static> {
    Host(Arc<HostDef<T>>),
    Extern(StoreId, Extern),
    Shared(SharedMemory),
}

impl<T> Linker<T> {
    /// A linker that knows no names.
    pub fn new(engine: &Engine) -> Self {
        Linker {
            engine: engine.clone(),
            modules: HashMap::new(),
            allow_shadowing: false,
        }
    }

    /// The engine of the linker.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether a name may be defined again, which then hides what was defined
    /// before. Off by default: an error.
    pub fn allow_shadowing(&mut self, allow: bool) -> &mut Self {
        self.allow_shadowing = allow;
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
        self.insert(module, name, Definition::Host(Arc::new(func.into_def())))
    }

    /// Defines a host function of type `ty`, which gets its arguments and
    /// leaves its results as values; see [`Func::new`](crate::Func::new).
    pub fn func_new(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<&mut Self> {
        let def = HostDef::dynamic(&self.engine, ty, func)?;
        self.insert(module, name, Definition::Host(Arc::new(def)))
    }

    /// Defines something that a store owns.
    pub fn define(
        &mut self,
        ctx: impl AsContext<Data = T>,
        module: &str,
        name: &str,
        item: impl Into<Extern>,
    ) -> Result<&mut Self> {
        let (store, item) = (ctx.as_context().opaque().id, item.into());
        if !item.belongs_to(store) {
            return Err(Error::StoreMismatch("what is to be defined"));
        }
        self.insert(module, name, Definition::Extern(store, item))
    }

    /// Defines a shared memory, which belongs to no store: every store that the
    /// linker instantiates modules in has it.
    pub fn define_shared_memory(
        &mut self,
        module: &str,
        name: &str,
        memory: &SharedMemory,
    ) -> Result<&mut Self> {
        if !Engine::same(&self.engine, memory.engine()) {
            return Err(Error::StoreMismatch("a shared memory"));
        }
        self.insert(module, name, Definition::Shared(memory.clone()))
    }

    /// Defines all exports of an instance, under `module`.
    pub fn instance(
        &mut self,
        mut ctx: impl AsContextMut<Data = T>,
        module: &str,
        instance: Instance,
    ) -> Result<&mut Self> {
        let mut ctx = ctx.as_context_mut();
        let store = ctx.opaque().id;
        for export in instance.exports(&mut ctx) {
            let definition = Definition::Extern(store, export.into_extern());
            self.insert(module, export.name(), definition)?;
        }
        Ok(self)
    }

    /// Defines `as_module` `as_name` as what `module` `name` is now.
    pub fn alias(
        &mut self,
        module: &str,
        name: &str,
        as_module: &str,
        as_name: &str,
    ) -> Result<&mut Self> {
        let Some(definition) = self.find(module, name) else {
            let (module, name) = (module.to_owned(), name.to_owned());
            return Err(LinkError::Undefined { module, name }.into());
        };
        let definition = definition.clone();
        self.insert(as_module, as_name, definition)
    }

    /// Defines all that `module` has now under `as_module` too.
    pub fn alias_module(&mut self, module: &str, as_module: &str) -> Result<&mut Self> {
        let names = self.modules.get(module).cloned().unwrap_or_default();
        for (name, definition) in names {
            self.insert(as_module, &name, definition)?;
        }
        Ok(self)
    }

    /// What is defined under these names; `None` also if that belongs to another
    /// store.
    pub fn get(
        &self,
        mut ctx: impl AsContextMut<Data = T>,
        module: &str,
        name: &str,
    ) -> Option<Extern> {
        let mut ctx = ctx.as_context_mut();
        self.check(&ctx).ok()?;
        self.find(module, name)?.bind(&mut ctx).ok()
    }

    /// Instantiates `module` with what is defined, and runs its start function.
    ///
    /// Imports that nothing is defined for are all listed in one
    /// [`LinkError::UnknownImports`].
    pub fn instantiate(
        &self,
        mut ctx: impl AsContextMut<Data = T>,
        module: &Module,
    ) -> Result<Instance> {
        let mut ctx = ctx.as_context_mut();
        self.check(&ctx)?;
        let definitions = self.resolve(module)?.into_iter();
        let imports = definitions.map(|definition| definition.bind(&mut ctx));
        let imports = imports.collect::<Result<Vec<_>>>()?;
        Instance::new(ctx, module, &imports)
    }

    /// Resolves the imports of `module` with what is defined now, for instances in
    /// many stores. Fails as [`Linker::instantiate`] does, and where the types of
    /// host functions and shared memories do not fit.
    pub fn instantiate_pre(&self, module: &Module) -> Result<InstancePre<T>> {
        let definitions = self.resolve(module)?.into_iter().cloned();
        InstancePre::new(&self.engine, module, definitions)
    }

    /// Finds all imports of a module, in order.
    fn resolve(&self, module: &Module) -> Result<Vec<&Definition<T>>> {
        let imports = module.parsed().imports();
        let mut found = Vec::with_capacity(imports.len());
        let mut unknown = Vec::new();
        for (position, import) in imports.iter().enumerate() {
            match self.find(&import.module, &import.name) {
                Some(definition) => found.push(definition),
                None => unknown.push(position),
            }
        }
        if unknown.is_empty() {
            return Ok(found);
        }
        let types: Vec<_> = module.imports().collect();
        let unknown = unknown.into_iter().enumerate().map(|(nth, position)| {
            let ImportType { module, name, ty } = types[position].clone();
            let suggestion = (nth < MAX_SUGGESTIONS)
                .then(|| self.suggest(module, name))
                .flatten();
            UnknownImport {
                module: module.to_owned(),
                name: name.to_owned(),
                ty,
                suggestion,
            }
        });
        Err(LinkError::UnknownImports(unknown.collect()).into())
    }

    /// The name that is defined and nearest to one that is not.
    fn suggest(&self, module: &str, name: &str) -> Option<(String, String)> {
        let near = |a: &str, b: &str| distance(a, b).filter(|&d| d <= a.len().max(b.len()) / 3);
        let known = self.modules.iter().flat_map(|(known_module, names)| {
            names
                .keys()
                .map(move |known_name| (&**known_module, &**known_name))
        });
        known
            .filter_map(|(known_module, known_name)| {
                let name_distance = near(name, known_name)?;
                // The right name in whatever module is worth telling.
                let module_distance = match near(module, known_module) {
                    Some(distance) => distance,
                    None if name_distance == 0 => module.len().max(known_module.len()),
                    None => return None,
                };
                Some((name_distance + module_distance, known_module, known_name))
            })
            .min()
            .map(|(_, module, name)| (module.to_owned(), name.to_owned()))
    }

    /// Whether this is a linker for the store: types have meaning in one engine.
    fn check(&self, ctx: &StoreContextMut<'_, T>) -> Result<()> {
        if Engine::same(&self.engine, ctx.engine()) {
            return Ok(());
        }
        Err(Error::StoreMismatch("a linker"))
    }

    fn find(&self, module: &str, name: &str) -> Option<&Definition<T>> {
        self.modules.get(module)?.get(name)
    }

    fn insert(&mut self, module: &str, name: &str, definition: Definition<T>) -> Result<&mut Self> {
        if !self.allow_shadowing && self.find(module, name).is_some() {
            let (module, name) = (module.to_owned(), name.to_owned());
            return Err(LinkError::Duplicate { module, name }.into());
        }
        let names = match self.modules.get_mut(module) {
            Some(names) => names,
            None => self.modules.entry(module.into()).or_default(),
        };
        names.insert(name.into(), definition);
        Ok(self)
    }
}

/// How many unknown imports get a suggestion: each costs a look at every name.
const MAX_SUGGESTIONS: usize = 64;

/// Names longer than this are compared no further: the time goes with the
/// product of both lengths, and a module decides one of them.
const MAX_COMPARED_LEN: usize = 128;

/// How many edits lead from one name to the other.
fn distance(a: &str, b: &str) -> Option<usize> {
    if a == b {
        return Some(0);
    }
    (a.len().max(b.len()) <= MAX_COMPARED_LEN).then(|| strsim::damerau_levenshtein(a, b))
}

impl<T> Definition<T> {
    /// What it is in a store.
    fn bind(&self, ctx: &mut StoreContextMut<'_, T>) -> Result<Extern> {
        match self {
            Definition::Host(def) => Ok(ctx.bind(def)?.into()),
            Definition::Shared(memory) => Ok(memory.memory(ctx)?.into()),
            Definition::Extern(store, item) if *store == ctx.opaque().id => Ok(*item),
            Definition::Extern(..) => Err(Error::StoreMismatch("what the linker has defined")),
        }
    }
}

impl<T> Clone for Definition<T> {
    fn clone(&self) -> Self {
        match self {
            Definition::Host(def) => Definition::Host(def.clone()),
            Definition::Extern(store, item) => Definition::Extern(*store, *item),
            Definition::Shared(memory) => Definition::Shared(memory.clone()),
        }
    }
}

impl<T> Clone for Linker<T> {
    fn clone(&self) -> Self {
        Linker {
            engine: self.engine.clone(),
            modules: self.modules.clone(),
            allow_shadowing: self.allow_shadowing,
        }
    }
}

impl<T> fmt::Debug for Linker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for (module, names) in &self.modules {
            list.entries(names.keys().map(|name| (module, name)));
        }
        list.finish()
    }
}
