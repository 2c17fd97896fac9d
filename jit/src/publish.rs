//! Making machine code reachable: placed in an image, linked with what the module
//! has already, and named by its cells.
//!
//! ```text
//!  image 1  [f] [stub of g]        image 2  [g] ─► f        image 3  [f] ─► [g]
//!  f calls g through a stub:       g calls f directly       relinked: both call
//!  g has no code yet                                        each other directly
//! ```
//! Code that is published never changes. A call of a function without code goes
//! to a stub of the caller's image, which jumps to whatever the callee's cell
//! names; [`relink`] places all functions once more, so that they call each
//! other directly, and leads the cells to the new copies. The old ones stay:
//! frames may return to them.

use crate::arch;
use crate::compile::{CompileError, Compiled};
use crate::function::Target;
use crate::link::Linker;
use crate::memory::{Published, arena};
use crate::place::Place;
use crate::resolve::{self, Adapter, Purpose};
use crate::symbol::Symbol;
use crate::translate::Entry;
use rwasm_parser::LocalFuncIndex;
use rwasm_runtime::code::{CodeCell, Entries, ModuleCode};
use std::collections::{BTreeMap, HashMap};
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// The machine code of a module, as the module keeps it.
#[derive(Debug, Default)]
pub(crate) struct MachineCode {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    images: Vec<Published>,
    /// The functions that have code, and the address of the newest copy.
    functions: BTreeMap<LocalFuncIndex, (Compiled, usize)>,
    /// These functions, in the order in which they first had code.
    order: Vec<LocalFuncIndex>,
    /// What takes over interpreted frames: by function and offset of the loop.
    loops: HashMap<(LocalFuncIndex, u32), Box<CodeCell>>,
    /// Adapters whose addresses were given away.
    adapters: Vec<Arc<Adapter>>,
    /// Functions that were placed since all were last linked with each other.
    unlinked: usize,
}

impl MachineCode {
    /// The machine code of a module, made if there is none yet.
    pub(crate) fn of(code: &ModuleCode) -> &Self {
        let kept = code.machine_code(|| Box::new(MachineCode::default()));
        kept.downcast_ref().expect("only this tier makes some")
    }

    /// Keeps an adapter as long as the module.
    pub(crate) fn keep(&self, adapter: Arc<Adapter>) {
        self.lock().keep(adapter);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn keep(&mut self, adapter: Arc<Adapter>) {
        let adapters = &mut self.adapters;
        if !adapters.iter().any(|other| Arc::ptr_eq(other, &adapter)) {
            adapters.push(adapter);
        }
    }
}

/// Publishes functions of a module; returns the bytes that they take, stubs
/// included. Where one has code already, the new one takes its place.
/// `interp_entry` is an instruction that calls a cell by its array entry.
///
/// # Errors
/// If there is no memory for them; the module's cells are unchanged then.
pub fn publish(
    code: &ModuleCode,
    compiled: Vec<Compiled>,
    interp_entry: *const u64,
) -> Result<usize, CompileError> {
    if compiled.is_empty() {
        return Ok(0);
    }
    // Before the lock, since adapters may have to be compiled.
    let mut frame_entries = Vec::new();
    for function in &compiled {
        if let Entry::Loop(_) = function.entry {
            frame_entries.push(resolve::frame_entry(&code.cells[function.func.index()])?);
        }
    }
    let mut frame_entries = frame_entries.into_iter();
    let mut state = MachineCode::of(code).lock();
    let placed = state.place(code, &compiled)?;
    for (function, address) in compiled.into_iter().zip(placed.addresses) {
        let cell = &code.cells[function.func.index()];
        let native: *const () = ptr::with_exposed_provenance(address);
        match function.entry {
            Entry::Function => {
                code.publish_native(
                    function.func,
                    native,
                    resolve::first_array_call,
                    interp_entry,
                );
                let func = function.func;
                if state.functions.insert(func, (function, address)).is_none() {
                    state.order.push(func);
                }
                state.unlinked += 1;
            }
            Entry::Loop(at) => {
                let (adapter, array) = frame_entries.next().expect("one for each loop");
                state.keep(adapter);
                let entries = Entries {
                    interp: interp_entry,
                    array,
                    native,
                };
                let slots = (cell.param_slots, cell.result_slots);
                let heir = CodeCell::new(entries, code, function.func, slots);
                // The first one stays: its address was given away.
                let key = (function.func, at);
                state.loops.entry(key).or_insert_with(|| Box::new(heir));
            }
        }
    }
    Ok(placed.bytes)
}

/// Makes what the interpreter and the host call a function by once it is machine
/// code, and what it may call others by, so that the first calls need not.
///
/// # Errors
/// If it cannot be made.
pub fn prepare_calls(code: &ModuleCode, compiled: &Compiled) -> Result<(), CompileError> {
    let cell = &code.cells[compiled.func.index()];
    let mut purposes = vec![match compiled.entry {
        Entry::Function => resolve::native_purpose(cell),
        Entry::Loop(_) => resolve::frame_purpose(cell),
    }];
    let imported = code.module.num_imported_functions() as usize;
    let imported = &code.module.functions()[..imported];
    for ty in &compiled.code.called_types {
        let id = code.type_ids[ty.index()];
        purposes.push(resolve::array_purpose(&code.registry, id));
        if imported.contains(ty) {
            purposes.push(resolve::host_purpose(&code.registry, id));
        }
    }
    let calls = purposes.len();
    for relocation in &compiled.code.relocations {
        if let Target::Symbol(Symbol::LibCall(call)) = relocation.target {
            purposes.push(Purpose::LibCall(call));
        }
    }
    // Those of the runtime stay anyway.
    let machine_code = MachineCode::of(code);
    for adapter in resolve::adapters(&purposes)?.into_iter().take(calls) {
        machine_code.keep(adapter);
    }
    Ok(())
}

/// The functions of a module that have machine code, in the order in which they
/// first had some.
pub fn published(code: &ModuleCode) -> Vec<Compiled> {
    if code.existing_machine_code().is_none() {
        return Vec::new();
    }
    let state = MachineCode::of(code).lock();
    let functions = state.order.iter().map(|func| &state.functions[func]);
    functions.map(|(compiled, _)| compiled.clone()).collect()
}

/// Whether a function has machine code that was published.
pub fn is_published(code: &ModuleCode, func: LocalFuncIndex) -> bool {
    code.existing_machine_code().is_some()
        && MachineCode::of(code).lock().functions.contains_key(&func)
}

/// What takes over an interpreted frame of a function at the head of a loop, if
/// that was published: a cell to be called by its array entry, with the frame as
/// its array.
pub fn heir(code: &ModuleCode, func: LocalFuncIndex, loop_at: u32) -> Option<&CodeCell> {
    code.existing_machine_code()?;
    // The guest asks, which does not wait while something is being published.
    let state = match MachineCode::of(code).state.try_lock() {
        Ok(state) => state,
        Err(TryLockError::Poisoned(error)) => error.into_inner(),
        Err(TryLockError::WouldBlock) => return None,
    };
    let heir: *const CodeCell = &**state.loops.get(&(func, loop_at))?;
    // SAFETY: cells are never removed and their boxes never move; they go with
    // the module, which `code` borrows.
    Some(unsafe { &*heir })
}

/// Places all functions of a module again if enough were published since it was
/// last done, so that they call each other directly; returns whether it was done.
///
/// # Errors
/// If there is no memory; everything stays as it was.
pub fn relink(code: &ModuleCode) -> Result<bool, CompileError> {
    let mut state = MachineCode::of(code).lock();
    // At least half of them are new each time, so that all copies together are
    // no more than three times the code.
    if state.unlinked < 2 || state.unlinked * 2 < state.functions.len() {
        return Ok(false);
    }
    let functions: Vec<Compiled> = state
        .functions
        .values()
        .map(|(function, _)| function.clone())
        .collect();
    let placed = state.place(code, &functions)?;
    for (function, address) in functions.into_iter().zip(placed.addresses) {
        let native: *const () = ptr::with_exposed_provenance(address);
        code.replace_native(function.func, native);
        state.functions.insert(function.func, (function, address));
    }
    state.unlinked = 0;
    Ok(true)
}

struct Placed {
    /// By function.
    addresses: Vec<usize>,
    bytes: usize,
}

impl State {
    /// Puts functions into an image of their own.
    fn place(&mut self, code: &ModuleCode, compiled: &[Compiled]) -> Result<Placed, CompileError> {
        let mut linker = Linker::default();
        let mut offsets = Vec::with_capacity(compiled.len());
        // Where direct calls of own functions go: offsets in this image.
        let mut own: HashMap<LocalFuncIndex, usize> = HashMap::new();
        for function in compiled {
            let offset = linker.add(function.func.as_u32(), function.code.clone())? as usize;
            offsets.push(offset);
            if function.entry == Entry::Function {
                own.insert(function.func, offset);
            }
        }
        let mut without_code: Vec<LocalFuncIndex> = linker
            .callees()
            .filter(|func| !own.contains_key(func) && !self.functions.contains_key(func))
            .collect();
        without_code.sort_unstable();
        without_code.dedup();
        for func in without_code {
            let stub = linker.reserve(
                arch::STUB_SIZE,
                Place::aligned(arch::STUB_SIZE.max(1) as u32),
            )?;
            let bytes = linker.bytes_mut(stub, arch::STUB_SIZE);
            arch::write_stub(bytes, &code.cells[func.index()]);
            own.insert(func, stub);
        }
        let room = arena()?.allocate(linker.len())?;
        let base = room.base();
        let linked = linker.finish(base, code, |target| match target {
            Target::Symbol(Symbol::Func(func)) => Ok(match own.get(&func) {
                Some(offset) => base + offset,
                None => self.functions[&func].1,
            }),
            Target::Symbol(Symbol::LibCall(call)) => resolve::trampoline(call),
            Target::Symbol(Symbol::Runtime(function)) => Ok(function.address().addr()),
            Target::Own(_) | Target::Cranelift(_) => unreachable!("the linker's own"),
        })?;
        let bytes = linked.code.len();
        self.images.push(room.publish(&linked.code, linked.image)?);
        Ok(Placed {
            addresses: offsets.into_iter().map(|offset| base + offset).collect(),
            bytes,
        })
    }
}
