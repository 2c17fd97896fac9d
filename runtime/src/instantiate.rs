//! Instantiation, in the order of the specification (section "Instantiation"):
//! imports are matched, definitions allocated, globals and segments evaluated,
//! active segments copied. The caller calls the start function.

use crate::code::ModuleCode;
use crate::const_expr::evaluate;
use crate::handle::{Extern, Handle, InstanceHandle};
use crate::instance::{Elements, Instance, func_ref, global_def, memory, table, tag};
use crate::layout::{FuncRef, VmCtx};
use crate::libcalls;
use crate::limits::{LimitKind, ResourceError};
use crate::memory::Memory;
use crate::store::{Store, check_count};
use crate::trap::Trap;
use crate::tunables::HUGE_PAGE;
use crate::types::TypeId;
use rwasm_parser::{
    ConstExpr, DataKind, ElementItems, ElementKind, ExternKind, ExternType, FuncIndex, GlobalIndex,
    Import, MemoryIndex, PlainData, Table, TableIndex, TagIndex, TypeIndex,
};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::thread;
use thiserror::Error;

/// If data fills so many huge pages, another thread helps to bring them in: each
/// takes half a millisecond to clear.
const MANY_BLOCKS: usize = 3;

/// Why a module could not be instantiated.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InstantiateError {
    /// The imports are not what the module asks for.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// An active segment does not fit, or there is no room for an object of an
    /// initialiser. What was written before stays.
    #[error(transparent)]
    Trap(#[from] Trap),
    /// A limit or the system forbids it.
    #[error(transparent)]
    Resource(#[from] ResourceError),
    /// The code was made for stores of another engine.
    #[error("the module belongs to another engine than the store")]
    OtherEngine,
    /// An import belongs to another store.
    #[error("an import belongs to another store than the instance")]
    OtherStore,
}

/// Imports are not what a module asks for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LinkError {
    /// There is nothing for an import.
    #[error("unknown import: `{module}` `{name}`")]
    Unknown {
        /// The name of the module it is wanted from.
        module: Box<str>,
        /// Its name there.
        name: Box<str>,
        /// The type that it must match.
        expected: ExternType<TypeId>,
    },
    /// What is there for an import does not match its type.
    #[error(
        "incompatible import type: `{module}` `{name}` must be a {}{}",
        expected.kind().name(),
        found_kind(expected, found)
    )]
    Incompatible {
        /// The name of the module it is wanted from.
        module: Box<str>,
        /// Its name there.
        name: Box<str>,
        /// The type that it must match.
        expected: ExternType<TypeId>,
        /// The type of what was given.
        found: ExternType<TypeId>,
    },
    /// There is more than the module imports.
    #[error("{given} imports were given to a module that has {expected}")]
    TooMany {
        /// How many the module has.
        expected: usize,
        /// How many were given.
        given: usize,
    },
}

/// What to say of the types of an incompatible import.
fn found_kind(expected: &ExternType<TypeId>, found: &ExternType<TypeId>) -> String {
    if expected.kind() == found.kind() {
        " of another type".to_owned()
    } else {
        format!(", not a {}", found.kind().name())
    }
}

impl Store {
    /// Instantiates a module with `imports` in the order of its own. What
    /// [`Store::start_func`] gives remains to be called.
    ///
    /// If it fails after imports were matched, what was allocated, and what was
    /// written into imported tables and memories, stays as long as the store.
    pub fn instantiate(
        &mut self,
        code: &Arc<ModuleCode>,
        imports: &[Extern],
    ) -> Result<InstanceHandle, InstantiateError> {
        self.check_engine(code)?;
        self.match_imports(code, imports)?;
        // SAFETY: they match.
        unsafe { self.instantiate_matched(code, imports) }
    }

    fn check_engine(&self, code: &ModuleCode) -> Result<(), InstantiateError> {
        if !Arc::ptr_eq(&code.registry, self.registry())
            // Code for guarded memories does not check its accesses.
            || code.settings.guarded_memories != self.settings().guarded_memories
            // Code that is interrupted by a page reads it before its first memory.
            || code.settings.interruption != self.settings().interruption
        {
            return Err(InstantiateError::OtherEngine);
        }
        Ok(())
    }

    /// As [`Store::instantiate`], for imports that need no check.
    ///
    /// # Safety
    /// The imports are this store's, as many as the module has, and match their
    /// types.
    pub unsafe fn instantiate_matched(
        &mut self,
        code: &Arc<ModuleCode>,
        imports: &[Extern],
    ) -> Result<InstanceHandle, InstantiateError> {
        self.check_engine(code)?;
        let index = self.instances.len();
        let limit = self.limits().instances;
        check_count(LimitKind::Instances, limit, index).map_err(ResourceError::from)?;
        let instance = Instance::new(code, self.as_ptr(), index as u32)?;
        let vmctx = instance.vmctx();
        let instance = self.instances.push(instance);
        let mut setup = Setup {
            store: self,
            code,
            instance,
            vmctx,
        };
        setup.store.begin_setup();
        let done = setup.run(imports);
        self.end_setup();
        done?;
        Ok(self.handle(instance))
    }

    fn match_imports(&self, code: &ModuleCode, imports: &[Extern]) -> Result<(), InstantiateError> {
        let wanted = code.module.imports();
        if imports.len() > wanted.len() {
            let (expected, given) = (wanted.len(), imports.len());
            return Err(LinkError::TooMany { expected, given }.into());
        }
        let canonical = |ty: &Import| ty.ty.map(|ty| code.type_ids[ty.index()]);
        for (import, &given) in wanted.iter().zip(imports) {
            if given.store() != self.id() {
                return Err(InstantiateError::OtherStore);
            }
            let (expected, found) = (canonical(import), self.extern_type(given));
            if !self.registry().matches(&found, &expected) {
                let (module, name) = (import.module.clone(), import.name.clone());
                return Err(LinkError::Incompatible {
                    module,
                    name,
                    expected,
                    found,
                }
                .into());
            }
        }
        match wanted.get(imports.len()) {
            None => Ok(()),
            Some(import) => Err(LinkError::Unknown {
                module: import.module.clone(),
                name: import.name.clone(),
                expected: canonical(import),
            }
            .into()),
        }
    }

    /// The function that an instance's module wants called once, before
    /// anything else in it.
    pub fn start_func(&mut self, instance: InstanceHandle) -> Option<Handle<FuncRef>> {
        let start = self.get(instance).code().module.start()?;
        match self.definition(instance, ExternKind::Func, start.as_u32()) {
            Extern::Func(func) => Some(func),
            _ => unreachable!("a function was asked for"),
        }
    }

    /// What an instance exports by that name.
    pub fn export(&mut self, instance: InstanceHandle, name: &str) -> Option<Extern> {
        let code = self.get(instance).code();
        let export = &code.module.exports()[code.exports().get(name)?];
        let (kind, index) = (export.kind, export.index);
        Some(self.definition(instance, kind, index))
    }

    /// The memory that an instance exports as `memory`, without a look-up by name.
    pub fn exported_memory(&self, instance: InstanceHandle) -> Option<Handle<Memory>> {
        // SAFETY: the block is that of an instance of this store.
        unsafe { self.exported_memory_of(self.get(instance).vmctx()) }
    }

    /// A definition of an instance: imported or own, exported or not.
    ///
    /// # Panics
    /// If the module has no such definition, or the instance is of another
    /// store.
    pub fn definition(&mut self, instance: InstanceHandle, kind: ExternKind, index: u32) -> Extern {
        let instance = self.get(instance);
        let (vmctx, module) = (instance.vmctx(), &instance.code().module);
        let count = match kind {
            ExternKind::Func => module.functions().len(),
            ExternKind::Table => module.tables().len(),
            ExternKind::Memory => module.memories().len(),
            ExternKind::Global => module.globals().len(),
            ExternKind::Tag => module.tags().len(),
        };
        assert!(
            (index as usize) < count,
            "the module has no {} {index}",
            kind.name()
        );
        // SAFETY: the block is live, and the index valid for its module. Where
        // instantiation succeeded all definitions are in place; no handle of
        // an instance whose instantiation failed is ever given out.
        unsafe {
            match kind {
                ExternKind::Func => {
                    let func = func_ref(vmctx, FuncIndex::from_u32(index));
                    Extern::Func(self.handle(func.cast_mut()))
                }
                ExternKind::Table => {
                    Extern::Table(self.handle(table(vmctx, TableIndex::from_u32(index))))
                }
                ExternKind::Memory => {
                    Extern::Memory(self.handle(memory(vmctx, MemoryIndex::from_u32(index))))
                }
                ExternKind::Global => {
                    let global = global_def(vmctx, GlobalIndex::from_u32(index));
                    Extern::Global(self.handle(global.cast()))
                }
                ExternKind::Tag => Extern::Tag(self.handle(tag(vmctx, TagIndex::from_u32(index)))),
            }
        }
    }
}

/// An instance while its definitions come into place.
///
/// The `unsafe` blocks below rest on the same facts: `vmctx` and `instance` are
/// live in `store`, the code is validated, and definitions are put in place in
/// the order in which validation lets expressions refer to them.
struct Setup<'a> {
    store: &'a mut Store,
    code: &'a ModuleCode,
    instance: *mut Instance,
    vmctx: *mut VmCtx,
}

impl Setup<'_> {
    fn run(&mut self, imports: &[Extern]) -> Result<(), InstantiateError> {
        self.allocate(imports)?;
        self.evaluate_elements()?;
        self.copy_elements()?;
        self.copy_data()
    }

    /// Puts imported definitions in place, then makes the module's own.
    fn allocate(&mut self, imports: &[Extern]) -> Result<(), InstantiateError> {
        let module = &*self.code.module;
        if self.code.meets_objects {
            self.store.use_types();
            // SAFETY: see `Setup`.
            unsafe { (*self.vmctx).gc_base = self.store.gc_base()? };
        }
        self.put_imports(imports);
        let canonical = |ty: TypeIndex| self.code.type_ids[ty.index()];
        for (table, index) in own(module.tables(), module.num_imported_tables()) {
            let init = self.table_init(table)?;
            // SAFETY: validation gave the initialiser the element type.
            let table = unsafe { self.store.new_table(table.ty.map(canonical), init)? };
            self.put(self.code.offsets.table(index), table);
        }
        for (&ty, index) in own(module.memories(), module.num_imported_memories()) {
            let memory = self.store.new_memory(ty)?;
            self.put(self.code.offsets.memory(index), memory);
        }
        self.set_memory_pointers();
        for (global, index) in own(module.globals(), module.num_imported_globals()) {
            let init = global
                .init
                .as_ref()
                .expect("only imported globals lack one");
            let value = self.evaluate(init)?;
            // SAFETY: validation gave the initialiser the global's type.
            let global = unsafe { self.store.new_global(global.ty.map(canonical), value) };
            self.put(self.code.offsets.global(index), global);
        }
        for (&ty, index) in own(module.tags(), module.num_imported_tags()) {
            let tag = self.store.new_tag(canonical(ty));
            self.put(self.code.offsets.tag(index), tag);
        }
        Ok(())
    }

    fn put_imports(&mut self, imports: &[Extern]) {
        let offsets = self.code.offsets;
        let (mut funcs, mut tables, mut memories, mut globals, mut tags) = (0, 0, 0, 0, 0);
        let next = |count: &mut u32| {
            *count += 1;
            *count - 1
        };
        for &import in imports {
            match import {
                Extern::Func(func) => self.put(offsets.imported_func(next(&mut funcs)), func),
                Extern::Table(table) => self.put(offsets.table(next(&mut tables)), table),
                Extern::Memory(memory) => self.put(offsets.memory(next(&mut memories)), memory),
                Extern::Global(global) => self.put(offsets.global(next(&mut globals)), global),
                Extern::Tag(tag) => self.put(offsets.tag(next(&mut tags)), tag),
            }
        }
    }

    /// Puts a definition in place, which stands as a pointer to its first field.
    fn put<T>(&mut self, offset: u32, definition: Handle<T>) {
        // SAFETY: see `Setup`; the offset is from the block's own layout.
        unsafe {
            self.vmctx
                .byte_add(offset as usize)
                .cast::<*mut T>()
                .write(definition.as_ptr())
        };
    }

    /// What the head of the block says of memories that are in place.
    fn set_memory_pointers(&mut self) {
        if let Some(index) = self.code.exported_memory() {
            // SAFETY: see `Setup`; the memory is in place.
            unsafe { (*self.vmctx).exported_memory = memory(self.vmctx, index).cast() };
        }
        if !self.code.module.memories().is_empty() && self.code.memory_is_guarded(0) {
            // SAFETY: see `Setup`; the memory is in place.
            unsafe {
                let memory = memory(self.vmctx, MemoryIndex::from_u32(0));
                debug_assert!((*memory).is_guarded());
                debug_assert!((*memory).poll_page().is_some() || !self.code.has_poll_page());
                (*self.vmctx).memory0_base = (*memory).def.base;
            }
        }
    }

    /// What the elements of a table start as.
    fn table_init(&self, table: &Table) -> Result<u64, Trap> {
        table
            .init
            .as_ref()
            .map_or(Ok(0), |init| Ok(self.evaluate(init)?[0]))
    }

    fn evaluate(&self, expr: &ConstExpr) -> Result<[u64; 2], Trap> {
        // SAFETY: see `Setup`.
        unsafe { evaluate(self.vmctx, expr) }
    }

    /// Evaluates the items of all segments that have expressions.
    fn evaluate_elements(&mut self) -> Result<(), InstantiateError> {
        let segments = self.code.module.elements();
        let mut elements = Vec::with_capacity(segments.len());
        for segment in segments {
            elements.push(match (&segment.kind, &segment.items) {
                (ElementKind::Declared, _) => Elements::Dropped,
                (_, ElementItems::Functions(_)) => Elements::Functions,
                (_, ElementItems::Expressions(items)) => {
                    let values = items.iter().map(|item| Ok(self.evaluate(item)?[0]));
                    Elements::Values(values.collect::<Result<_, Trap>>()?)
                }
            });
        }
        // SAFETY: see `Setup`.
        unsafe { (*self.instance).elements = elements.into() };
        Ok(())
    }

    fn copy_elements(&mut self) -> Result<(), InstantiateError> {
        for (segment, index) in self.code.module.elements().iter().zip(0..) {
            if let ElementKind::Active { table, offset } = &segment.kind {
                let [at, _] = self.evaluate(offset)?;
                let len = match &segment.items {
                    ElementItems::Functions(items) => items.len(),
                    ElementItems::Expressions(items) => items.len(),
                } as u64;
                // SAFETY: see `Setup`.
                unsafe {
                    libcalls::table_init(self.vmctx, table.as_u32(), index, at, 0, len)?;
                    libcalls::elem_drop(self.vmctx, index);
                }
            }
        }
        Ok(())
    }

    fn copy_data(&mut self) -> Result<(), InstantiateError> {
        let module = &*self.code.module;
        let Some(segments) = module.plain_data() else {
            return self.copy_any_data();
        };
        let blocks = self.expect_data(segments);
        if blocks.len() < MANY_BLOCKS {
            return self.copy_plain_data(segments);
        }
        // SAFETY: see `Setup`; segments are of this form only where there is a first
        // memory.
        let memory = unsafe { &*memory(self.vmctx, MemoryIndex::from_u32(0)) };
        thread::scope(|scope| {
            // From the other end, so that this thread finds them there.
            let blocks = blocks.into_iter().rev();
            let _ = thread::Builder::new()
                .spawn_scoped(scope, || blocks.for_each(|block| memory.bring_in(block)));
            self.copy_plain_data(segments)
        })
    }

    fn copy_plain_data(&self, segments: &[PlainData]) -> Result<(), InstantiateError> {
        // SAFETY: see `Setup`; segments are of this form only where there is a first
        // memory.
        let memory = unsafe { &*memory(self.vmctx, MemoryIndex::from_u32(0)) };
        // SAFETY: see `Setup`; nothing else refers to this field meanwhile.
        let dropped = unsafe { &mut (*self.instance).dropped_data };
        for (segment, dropped) in segments.iter().zip(dropped) {
            // None if the file was cut short since it was mapped.
            let bytes = self.code.module.bytes().get(segment.range());
            let bytes = bytes.ok_or(Trap::MemoryOutOfBounds)?;
            // SAFETY: see `Setup`.
            unsafe { memory.init(segment.address().into(), bytes)? };
            *dropped = true;
        }
        Ok(())
    }

    fn copy_any_data(&mut self) -> Result<(), InstantiateError> {
        for (index, segment) in self.code.module.data().enumerate() {
            if let DataKind::Active { memory: to, offset } = &segment.kind {
                let [at, _] = self.evaluate(offset)?;
                let bytes = self.code.module.data_bytes(&segment);
                if bytes.len() != segment.range.len() {
                    // The file was cut short since it was mapped.
                    return Err(Trap::MemoryOutOfBounds.into());
                }
                // SAFETY: see `Setup`.
                unsafe {
                    (*memory(self.vmctx, *to)).init(at, bytes)?;
                    (&mut (*self.instance).dropped_data)[index] = true;
                }
            }
        }
        Ok(())
    }

    /// Prepares the first memory for the data that is about to be copied: where
    /// that is much, most of the time goes into bringing in its pages. The result is
    /// where they are huge.
    fn expect_data(&self, segments: &[PlainData]) -> Vec<Range<usize>> {
        let len = |segment: &PlainData| segment.range().len();
        if segments.iter().map(len).sum::<usize>() < HUGE_PAGE {
            return Vec::new();
        }
        let mut filled: BTreeMap<usize, usize> = BTreeMap::new();
        // Most segments are in the same block as the one before.
        let (mut block, mut bytes) = (0, 0);
        for segment in segments {
            let mut at = segment.address() as usize;
            let end = at.saturating_add(len(segment));
            while at < end {
                if at / HUGE_PAGE != block {
                    *filled.entry(block).or_default() += bytes;
                    (block, bytes) = (at / HUGE_PAGE, 0);
                }
                let next = end.min((block + 1).saturating_mul(HUGE_PAGE));
                bytes += next - at;
                at = next;
            }
        }
        *filled.entry(block).or_default() += bytes;
        // SAFETY: see `Setup`; there is data for it, so the memory exists.
        let memory = unsafe { &*memory(self.vmctx, MemoryIndex::from_u32(0)) };
        let blocks = filled.into_iter().filter_map(|(block, bytes)| {
            let range = block * HUGE_PAGE..(block + 1).saturating_mul(HUGE_PAGE);
            (bytes >= HUGE_PAGE / 2 && range.end <= memory.byte_len()).then_some(range)
        });
        let blocks: Vec<_> = blocks.collect();
        for block in &blocks {
            memory.expect_writes(block.clone());
        }
        blocks
    }
}

/// The entries of an index space behind the imported ones, with their indices.
fn own<T>(entries: &[T], imported: u32) -> impl Iterator<Item = (&T, u32)> {
    entries.iter().zip(0..).skip(imported as usize)
}
