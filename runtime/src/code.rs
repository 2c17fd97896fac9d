//! Code cells and a module's code: what all instances of a module share.

mod cell;

pub use cell::{CodeCell, Entries};

use crate::exports::Exports;
use crate::func_refs::LiveRefs;
use crate::layout::{ArrayEntry, VmOffsets};
use crate::memory::{can_be_guarded, can_be_polled};
use crate::sys::mmap;
use crate::tunables::HUGE_PAGE;
use crate::types::{TypeId, TypeRegistry};
use rwasm_parser::{
    CompositeType, HeapType, LocalFuncIndex, MemoryIndex, Module, RefType, SubType, ValType,
};
use std::any::Any;
use std::sync::{self, Arc, OnceLock, Weak};

/// A lowered function body. The interpreter alone knows what the words mean.
#[derive(Debug)]
pub struct InterpCode {
    /// The instructions. Branches hold absolute addresses into this slice, so
    /// it must never move.
    pub words: Box<[u64]>,
    /// Slots of a frame, from its first argument to its last temporary.
    pub frame_slots: u32,
    /// What it takes to keep it, if that is wanted.
    pub origin: Option<Box<InterpOrigin>>,
}

/// Where lowered code came from, and which of its words are of this process alone.
#[derive(Debug)]
pub struct InterpOrigin {
    /// The body, as [`KeptBodies::hash`] has it.
    pub body: BodyHash,
    /// Two bits for each word, as the interpreter means them.
    pub kinds: Box<[u64]>,
    /// Words that are canonical types: their places and the types' indices.
    pub types: Box<[(u32, u32)]>,
}

/// A hash of a body and of where in the module it is.
pub type BodyHash = [u8; 32];

/// Lowered bodies of earlier processes. The interpreter asks for them where bodies
/// are validated when they are first called: what was kept was valid.
pub trait KeptBodies: Send + Sync + std::fmt::Debug {
    /// The hash of these bytes as the body of a function.
    fn hash(&self, code: &ModuleCode, func: LocalFuncIndex, body: &[u8]) -> BodyHash;

    /// What was kept of a function, and of which body.
    fn find(&self, func: LocalFuncIndex) -> Option<(BodyHash, &[u8])>;

    /// A function was called for the first time, and what was kept of it was taken,
    /// or it was lowered.
    fn note(&self, func: LocalFuncIndex, found: bool);
}

/// Machine code of earlier processes.
pub trait KeptCode: Send + Sync + std::fmt::Debug {
    /// Publishes what was kept of a function that the interpreter calls for the first
    /// time; returns whether it has machine code now.
    fn publish_called(&self, code: &ModuleCode, func: LocalFuncIndex) -> bool;

    /// The same of a function that is hot ([`TierUp`]), for which it is worth some
    /// trouble.
    fn publish_hot(&self, code: &ModuleCode, func: LocalFuncIndex) -> bool;
}

/// What code is lowered and compiled for. Fixed per engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodeSettings {
    /// 32-bit memories are reserved and guarded, so that accesses need no
    /// explicit check.
    pub guarded_memories: bool,
    /// Charge fuel per basic block.
    pub fuel: bool,
    /// Check for interruption at loop headers and function entries.
    pub interruption: bool,
    /// Bodies were not validated yet: validate each as it is lowered.
    pub lazy_validation: bool,
    /// Count calls and loop iterations, and ask [`TierUp`] when the budget of a
    /// function is spent.
    pub tier_up: bool,
}

/// Who decides what becomes of code that gets hot, where
/// [`CodeSettings::tier_up`] is set.
///
/// Both are called on the guest's thread, which waits meanwhile: they ask for
/// work to be done elsewhere. They give the cell a new budget.
pub trait TierUp: Send + Sync + std::fmt::Debug {
    /// A function's budget was spent when it was called.
    fn function_is_hot(&self, code: &ModuleCode, cell: &CodeCell);

    /// A function's budget was spent in the loop at this byte offset of the
    /// module. Returns a cell whose array entry takes the running frame over at
    /// the loop's head (the frame's slots are its array; it leaves the
    /// function's results there), or null if there is none yet.
    fn loop_is_hot(&self, code: &ModuleCode, cell: &CodeCell, loop_at: u32) -> *const CodeCell;
}

/// A module ready to be instantiated: what its instances share.
#[derive(Debug)]
pub struct ModuleCode {
    /// The parsed module.
    pub module: Arc<Module>,
    /// The registry that `type_ids` belongs to.
    pub registry: Arc<TypeRegistry>,
    /// Canonical types by module type index.
    pub type_ids: Box<[TypeId]>,
    /// Layout of the instance blocks.
    pub offsets: VmOffsets,
    /// How its code is made.
    pub settings: CodeSettings,
    /// Whether its code may get hold of structs, arrays or exceptions, its own or
    /// those of other modules, and look into them.
    pub meets_objects: bool,
    /// One cell for each of the module's own functions.
    pub cells: Box<[CodeCell]>,
    /// References to its functions, which follow the cells.
    pub(crate) live_refs: LiveRefs,
    /// Made when first asked for.
    exports: OnceLock<Exports>,
    /// Found when first asked for.
    exported_memory: OnceLock<Option<MemoryIndex>>,
    /// The machine code that cells lead to, as the tier that made it owns it.
    machine_code: OnceLock<MachineCode>,
    /// Who is asked when code gets hot.
    tier_up: Option<Arc<dyn TierUp>>,
    /// Who keeps lowered bodies, if somebody does.
    kept_bodies: OnceLock<Arc<dyn KeptBodies>>,
    /// Who has kept machine code, if somebody has.
    kept_code: OnceLock<Arc<dyn KeptCode>>,
    this: Weak<ModuleCode>,
}

/// Machine code of a module. What it is, only the tier that made it knows.
pub type MachineCode = Box<dyn Any + Send + Sync>;

impl ModuleCode {
    /// Canonicalises the module's types and gives every function a cell that
    /// starts with `entries`.
    ///
    /// # Panics
    /// If [`CodeSettings::tier_up`] is set and `tier_up` is missing.
    pub fn new(
        module: Arc<Module>,
        registry: Arc<TypeRegistry>,
        settings: CodeSettings,
        entries: Entries,
        tier_up: Option<Arc<dyn TierUp>>,
    ) -> Arc<Self> {
        assert!(tier_up.is_some() || !settings.tier_up, "nobody to ask");
        let type_ids = registry.canonicalize(&module);
        let offsets = VmOffsets::new(
            module.memories().len(),
            module.tables().len(),
            module.globals().len(),
            module.num_imported_functions() as usize,
            module.tags().len(),
        );
        let meets_objects = meets_objects(&module);
        let slots: Vec<(u16, u16)> = module.types().iter().map(func_slots).collect();
        Arc::new_cyclic(|weak| {
            let this = weak.as_ptr();
            let own_types = &module.functions()[module.num_imported_functions() as usize..];
            let mut cells = Vec::with_capacity(own_types.len());
            if own_types.len() * size_of::<CodeCell>() >= HUGE_PAGE {
                let room = cells.spare_capacity_mut();
                mmap::prefer_huge_pages(room.as_ptr().cast(), size_of_val(room));
            }
            cells.extend(own_types.iter().zip(0..).map(|(ty, func)| {
                let func = LocalFuncIndex::from_u32(func);
                CodeCell::new(entries, this, func, slots[ty.index()])
            }));
            ModuleCode {
                cells: cells.into(),
                live_refs: LiveRefs::default(),
                module,
                registry,
                type_ids,
                offsets,
                settings,
                meets_objects,
                exports: OnceLock::new(),
                exported_memory: OnceLock::new(),
                machine_code: OnceLock::new(),
                tier_up,
                kept_bodies: OnceLock::new(),
                kept_code: OnceLock::new(),
                this: weak.clone(),
            }
        })
    }

    /// The place for the module's machine code, dropped with the module; `make`
    /// fills it when it is first asked for.
    pub fn machine_code(&self, make: impl FnOnce() -> MachineCode) -> &(dyn Any + Send + Sync) {
        &**self.machine_code.get_or_init(make)
    }

    /// The module's machine code, if there is some.
    pub fn existing_machine_code(&self) -> Option<&(dyn Any + Send + Sync)> {
        self.machine_code.get().map(|code| &**code)
    }

    /// Has lowered bodies be kept, and those of earlier processes be used: from
    /// now on, and by the first who asks for it. Code that looks into objects has
    /// words that mean nothing elsewhere, so that its bodies are never kept.
    pub fn keep_bodies(&self, kept: Arc<dyn KeptBodies>) {
        if self.settings.lazy_validation && self.settings.tier_up && !self.meets_objects {
            let _ = self.kept_bodies.set(kept);
        }
    }

    /// Who keeps lowered bodies, if somebody does.
    pub fn kept_bodies(&self) -> Option<&dyn KeptBodies> {
        self.kept_bodies.get().map(|kept| &**kept)
    }

    /// Has machine code of earlier processes be used: from now on, and by the first
    /// who asks for it.
    pub fn keep_code(&self, kept: Arc<dyn KeptCode>) {
        let _ = self.kept_code.set(kept);
    }

    /// Who has kept machine code, if somebody has.
    pub fn kept_code(&self) -> Option<&dyn KeptCode> {
        self.kept_code.get().map(|kept| &**kept)
    }

    /// Who is asked when code gets hot.
    ///
    /// # Panics
    /// Unless [`CodeSettings::tier_up`] is set.
    pub fn tier_up(&self) -> &dyn TierUp {
        &**self.tier_up.as_ref().expect("the settings say so")
    }

    /// A handle that does not keep the module.
    pub fn downgrade(&self) -> Weak<ModuleCode> {
        self.this.clone()
    }

    /// Publishes machine code of an own function: calls by the array shape go to
    /// `array`, and the interpreter's to `interp`, which calls by the array shape.
    pub fn publish_native(
        &self,
        func: LocalFuncIndex,
        native: *const (),
        array: ArrayEntry,
        interp: *const u64,
    ) {
        self.cells[func.index()].publish_native(&self.live_refs, native, array, interp);
    }

    /// Leads calls by the native shape to another copy of the machine code.
    pub fn replace_native(&self, func: LocalFuncIndex, native: *const ()) {
        self.cells[func.index()].replace_native(&self.live_refs, native);
    }

    /// Replaces one way to the other forms by another, unless there is machine
    /// code by now.
    pub fn resolve_native(&self, func: LocalFuncIndex, from: *const (), to: *const ()) {
        self.cells[func.index()].resolve_native(&self.live_refs, from, to);
    }

    /// The module's exports by name.
    pub(crate) fn exports(&self) -> &Exports {
        self.exports.get_or_init(|| Exports::new(&self.module))
    }

    /// The memory that is exported as `memory`, as the WASI convention has it:
    /// host functions look for it on every call.
    pub fn exported_memory(&self) -> Option<MemoryIndex> {
        *self.exported_memory.get_or_init(|| {
            let export = &self.module.exports()[self.exports().get("memory")?];
            export.memory()
        })
    }

    /// Whether memory `index` is reserved and guarded, so that its base never
    /// moves and 32-bit accesses need no explicit check.
    pub fn memory_is_guarded(&self, index: u32) -> bool {
        let ty = &self.module.memories()[index as usize];
        self.settings.guarded_memories && can_be_guarded(ty)
    }

    /// Whether code learns that it is to stop by the page before memory 0.
    pub fn has_poll_page(&self) -> bool {
        let polled = self.module.memories().first().is_some_and(can_be_polled);
        self.settings.interruption && self.settings.guarded_memories && polled
    }
}

/// Whether objects can come into a module: it makes some, or a reference that
/// may lead to one comes in by a call, a table, a global or an exception, or it
/// has tags, hence exceptions.
/// External references count, since they can be converted.
fn meets_objects(module: &Module) -> bool {
    let may_refer = |ty: &RefType| match ty.heap {
        HeapType::Func | HeapType::NoFunc => false,
        HeapType::Concrete(ty) => module.types()[ty.index()].composite.as_func().is_none(),
        _ => true,
    };
    let may_be = |ty: &ValType| matches!(ty, ValType::Ref(ty) if may_refer(ty));
    let by_type = module.types().iter().any(|ty| match &ty.composite {
        CompositeType::Func(ty) => ty.params.iter().chain(&ty.results).any(may_be),
        CompositeType::Struct(_) | CompositeType::Array(_) => true,
    });
    // Machine code reaches the values of exceptions from the heap's base too.
    by_type
        || !module.tags().is_empty()
        || module
            .tables()
            .iter()
            .any(|table| may_refer(&table.ty.element))
        || module
            .globals()
            .iter()
            .any(|global| may_be(&global.ty.content))
}

/// Slots that a value of type `ty` takes.
pub fn value_slots<T>(ty: &ValType<T>) -> u16 {
    match ty {
        ValType::V128 => 2,
        _ => 1,
    }
}

/// Slots of a function type's arguments and results; zero for other types.
///
/// The specification's implementation limits (1,000 parameters and results,
/// which wasmparser enforces) keep both far below 2^16.
pub fn func_slots<T>(ty: &SubType<T>) -> (u16, u16) {
    let sum = |types: &[ValType<T>]| types.iter().map(value_slots).sum();
    match &ty.composite {
        CompositeType::Func(func) => (sum(&func.params), sum(&func.results)),
        CompositeType::Struct(_) | CompositeType::Array(_) => (0, 0),
    }
}
