//! Instantiation whose imports are found and checked once.

use crate::context::AsContextMut;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::func::HostDef;
use crate::instance::Instance;
use crate::linker::Definition;
use crate::module::Module;
use crate::shared_memory::SharedMemory;
use crate::store::{StoreInner, StoreOpaque};
use rwasm_parser::ExternType as RawExternType;
use rwasm_runtime::handle::{Extern as RawExtern, StoreId};
use rwasm_runtime::instantiate::{InstantiateError, LinkError};
use rwasm_runtime::types::TypeId;
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;

/// A module and what its imports are, found by name and checked once, for
/// instances in many stores. Cheap to clone.
///
/// [`Linker::instantiate_pre`](crate::Linker::instantiate_pre) makes it, an
/// [`InstancePool`](crate::InstancePool) makes instances of it that cost next to
/// nothing.
///
/// ```
/// use rwasm::{Engine, Linker, Module, Store};
///
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"(module
///     (import "host" "twice" (func $twice (param i32) (result i32)))
///     (func (export "run") (result i32) (call $twice (i32.const 21))))"#)?;
/// let mut linker = Linker::<()>::new(&engine);
/// linker.func_wrap("host", "twice", |n: i32| 2 * n)?;
///
/// let pre = linker.instantiate_pre(&module)?;
/// for _ in 0..3 {
///     let mut store = Store::new(&engine, ());
///     let instance = pre.instantiate(&mut store)?;
///     let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
///     assert_eq!(run.call(&mut store, ())?, 42);
/// }
/// # Ok::<(), rwasm::Error>(())
/// ```
pub struct InstancePre<T: 'static>(Arc<Shared<T>>);

struct Shared<T: 'static> {
    module: Module,
    imports: Box<[Import<T>]>,
    /// Whether all imports are known to match, in whatever store.
    matched: bool,
}

enum Import<T: 'static> {
    Host(Arc<HostDef<T>>, TypeId),
    Shared(SharedMemory),
    /// Its type is that of now, which only its store knows.
    Owned(StoreId, RawExtern),
}

impl<T> InstancePre<T> {
    /// `definitions` are for the imports of `module`, in order, and of `engine`.
    pub(crate) fn new(
        engine: &Engine,
        module: &Module,
        definitions: impl Iterator<Item = Definition<T>>,
    ) -> Result<Self> {
        if !Engine::same(engine, module.engine()) {
            return Err(Error::StoreMismatch("a module"));
        }
        let mut matched = true;
        let mut imports = Vec::with_capacity(module.parsed().imports().len());
        for definition in definitions {
            let import = match definition {
                Definition::Host(def) => {
                    let ty = def.type_id(engine)?;
                    check(module, imports.len(), RawExternType::Func(ty))?;
                    Import::Host(def, ty)
                }
                Definition::Shared(memory) => {
                    let ty = RawExternType::Memory(memory.raw_type());
                    check(module, imports.len(), ty)?;
                    Import::Shared(memory)
                }
                Definition::Extern(store, item) => {
                    matched = false;
                    Import::Owned(store, item.to_raw())
                }
            };
            imports.push(import);
        }
        Ok(InstancePre(Arc::new(Shared {
            module: module.clone(),
            imports: imports.into(),
            matched,
        })))
    }

    /// The module.
    pub fn module(&self) -> &Module {
        &self.0.module
    }

    /// Instantiates the module in a store, and runs its start function.
    pub fn instantiate(&self, mut ctx: impl AsContextMut<Data = T>) -> Result<Instance> {
        let mut ctx = ctx.as_context_mut();
        // SAFETY: the store is borrowed exclusively, by a context that nobody uses
        // meanwhile.
        let instance = unsafe { self.instantiate_in(ctx.inner_ptr())? };
        instance.start(ctx)?;
        Ok(instance)
    }

    /// The same, but for the start function.
    ///
    /// # Safety
    /// The store is live, but for its data, and borrowed by the caller alone, and
    /// no reference to it is live.
    pub(crate) unsafe fn instantiate_in(&self, store: NonNull<StoreInner<T>>) -> Result<Instance> {
        let Shared {
            module,
            imports,
            matched,
        } = &*self.0;
        // SAFETY: as the caller promises; the pointer to the opaque part is used
        // only between calls that use the other.
        let opaque: *mut StoreOpaque = unsafe { &raw mut (*store.as_ptr()).opaque };
        // SAFETY: as above.
        if !Engine::same(module.engine(), unsafe { &(*opaque).engine }) {
            return Err(Error::StoreMismatch("a module"));
        }
        let bind = |import: &Import<T>| {
            // SAFETY: as the caller promises; see above.
            unsafe {
                Ok(match import {
                    Import::Host(def, ty) => RawExtern::Func(def.bind(store, Some(*ty))?.0),
                    Import::Shared(memory) => RawExtern::Memory(memory.memory_in(&mut *opaque)?.0),
                    Import::Owned(id, item) if *id == (*opaque).id => *item,
                    Import::Owned(..) => {
                        return Err(Error::StoreMismatch("what the linker has defined"));
                    }
                })
            }
        };
        let imports = imports.iter().map(bind).collect::<Result<Vec<_>>>()?;
        // SAFETY: see above. Types were checked, and those of shared memories,
        // which grow, match all the more.
        unsafe {
            match matched {
                true => (*opaque).instantiate_matched(module, &imports),
                false => (*opaque).instantiate_raw(module, &imports),
            }
        }
    }
}

/// Whether a definition of type `found` fits the import at `position`.
fn check(module: &Module, position: usize, found: RawExternType<TypeId>) -> Result<()> {
    let code = module.code();
    let import = &code.module.imports()[position];
    let expected = import.ty.map(|ty| code.type_ids[ty.index()]);
    if code.registry.matches(&found, &expected) {
        return Ok(());
    }
    let error = LinkError::Incompatible {
        module: import.module.clone(),
        name: import.name.clone(),
        expected,
        found,
    };
    Err(Error::from_instantiate(
        InstantiateError::Link(error),
        module,
    ))
}

impl<T> Clone for InstancePre<T> {
    fn clone(&self) -> Self {
        InstancePre(self.0.clone())
    }
}

impl<T> fmt::Debug for InstancePre<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InstancePre").field(&self.0.module).finish()
    }
}
