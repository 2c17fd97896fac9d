//! An engine without tiers.

use rwasm_parser::{Features, GlobalType, Module, ModuleBytes, ParseOptions, ValType};
use rwasm_runtime::code::{CodeCell, CodeSettings, Entries, ModuleCode};
use rwasm_runtime::handle::{Extern, Handle, InstanceHandle};
use rwasm_runtime::instantiate::InstantiateError;
use rwasm_runtime::layout::{FuncRef, Status, VmCtx};
use rwasm_runtime::limits::Limits;
use rwasm_runtime::memory::Memory;
use rwasm_runtime::store::{OwnedStore, Store};
use rwasm_runtime::table::Table;
use rwasm_runtime::trap::Trap;
use rwasm_runtime::types::TypeRegistry;
use std::ptr;
use std::sync::Arc;

static NO_CODE: u64 = 0;

/// Stands for the code of all functions: calls trap.
pub unsafe extern "C" fn unreachable_entry(
    callee: *mut VmCtx,
    _caller: *mut VmCtx,
    _cell: *const CodeCell,
    _slots: *mut u64,
) -> Status {
    // SAFETY: the runtime passes live blocks.
    unsafe { Store::raise((*callee).store, Trap::Unreachable) }
}

pub const ENTRIES: Entries = Entries {
    interp: &raw const NO_CODE,
    array: unreachable_entry,
    native: ptr::null(),
};

/// A store with what belongs to it.
pub struct Fixture {
    pub registry: Arc<TypeRegistry>,
    pub settings: CodeSettings,
    pub store: OwnedStore,
}

impl Fixture {
    pub fn new() -> Self {
        Self::with(false, Limits::default())
    }

    /// One more store of a registry.
    pub fn of(registry: Arc<TypeRegistry>) -> Self {
        Self::make(registry, false, Limits::default())
    }

    pub fn with(guarded_memories: bool, limits: Limits) -> Self {
        Self::make(Arc::new(TypeRegistry::new()), guarded_memories, limits)
    }

    fn make(registry: Arc<TypeRegistry>, guarded_memories: bool, limits: Limits) -> Self {
        let settings = CodeSettings {
            guarded_memories,
            ..CodeSettings::default()
        };
        let store = OwnedStore::new(registry.clone(), limits, settings, ENTRIES).unwrap();
        Fixture {
            registry,
            settings,
            store,
        }
    }

    pub fn code(&self, wat: &str) -> Arc<ModuleCode> {
        ModuleCode::new(
            parse(wat),
            self.registry.clone(),
            self.settings,
            ENTRIES,
            None,
        )
    }

    pub fn instantiate(
        &mut self,
        wat: &str,
        imports: &[Extern],
    ) -> Result<InstanceHandle, InstantiateError> {
        let code = self.code(wat);
        self.store.instantiate(&code, imports)
    }

    /// Instantiates a module that imports nothing.
    pub fn instance(&mut self, wat: &str) -> InstanceHandle {
        self.instantiate(wat, &[]).unwrap()
    }

    pub fn vmctx(&self, instance: InstanceHandle) -> *mut VmCtx {
        self.store.get(instance).vmctx()
    }

    pub fn export(&mut self, instance: InstanceHandle, name: &str) -> Extern {
        self.store.export(instance, name).unwrap()
    }

    pub fn memory(&mut self, instance: InstanceHandle, name: &str) -> Handle<Memory> {
        match self.export(instance, name) {
            Extern::Memory(memory) => memory,
            other => panic!("{other:?}"),
        }
    }

    pub fn table(&mut self, instance: InstanceHandle, name: &str) -> Handle<Table> {
        match self.export(instance, name) {
            Extern::Table(table) => table,
            other => panic!("{other:?}"),
        }
    }

    pub fn func(&mut self, instance: InstanceHandle, name: &str) -> Handle<FuncRef> {
        match self.export(instance, name) {
            Extern::Func(func) => func,
            other => panic!("{other:?}"),
        }
    }

    pub fn global(&mut self, instance: InstanceHandle, name: &str) -> [u64; 2] {
        match self.export(instance, name) {
            Extern::Global(global) => self.store.get(global).value(),
            other => panic!("{other:?}"),
        }
    }

    /// An `i32` global of the host.
    pub fn new_i32(&mut self, value: i32, mutable: bool) -> Extern {
        let ty = GlobalType {
            content: ValType::I32,
            mutable,
            shared: false,
        };
        // SAFETY: an `i32` is zero-extended in its slot.
        Extern::Global(unsafe { self.store.new_global(ty, [value as u32 as u64, 0]) })
    }
}

pub fn parse(wat: &str) -> Arc<Module> {
    let features = Features {
        threads: true,
        custom_page_sizes: true,
        ..Features::default()
    };
    let options = ParseOptions {
        features,
        ..ParseOptions::default()
    };
    let bytes = ModuleBytes::from(wat.as_bytes().to_vec());
    match Module::parse_any(bytes, None, &options) {
        Ok(module) => Arc::new(module),
        Err(error) => panic!("{error}\n{wat}"),
    }
}
