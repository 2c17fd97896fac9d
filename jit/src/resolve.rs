//! Finding or making the adapters that functions are entered through, when they
//! are first needed.
//!
//! Adapters are shared by all functions of a shape in the process, and kept by
//! whoever has given their address away: a module for its own functions, a store
//! for those of the host.

use crate::adapter::{self, Destination};
use crate::arch;
use crate::compile::CompileError;
use crate::function::{CodegenError, CompiledFunction, Target};
use crate::isa;
use crate::libcall::LibCall;
use crate::link::{LinkError, Linker};
use crate::memory::{Published, arena};
use crate::publish::MachineCode;
use crate::shape::Shape;
use crate::symbol::Symbol;
use crate::translate::Translated;
use cranelift_codegen::Context;
use cranelift_codegen::ir;
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::FunctionBuilderContext;
use rwasm_runtime::code::CodeCell;
use rwasm_runtime::error::Pending;
use rwasm_runtime::host::HostFunc;
use rwasm_runtime::layout::{ArrayEntry, Status, VmCtx, VmCtxKind};
use rwasm_runtime::store::Store;
use rwasm_runtime::sys::stack;
use rwasm_runtime::types::{TypeId, TypeRegistry};
use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

/// An adapter, in an image that it may share with others.
#[derive(Debug)]
pub(crate) struct Adapter {
    image: Arc<Published>,
    offset: usize,
    /// What it was before it was linked, to be kept for other processes.
    function: Arc<CompiledFunction>,
}

impl Adapter {
    fn address(&self) -> *const () {
        self.image.address(self.offset)
    }

    pub(crate) fn function(&self) -> &CompiledFunction {
        &self.function
    }
}

/// What an adapter is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    /// Calls of functions of a shape.
    Call(Destination, Shape),
    /// Calls of a function of the runtime.
    LibCall(LibCall),
}

/// An adapter with the array entry that it is.
pub(crate) type ArrayAdapter = (Arc<Adapter>, ArrayEntry);

/// Adapters that somebody uses, and the ones made last.
static ADAPTERS: LazyLock<Mutex<Adapters>> = LazyLock::new(Mutex::default);

/// Adapters that are kept although nobody uses them, a page at most each: the next store
/// of a module needs those that the last one gave back.
const KEPT: usize = 256;

/// Native stack that is more than compiling an adapter takes: they have no control
/// flow that nests.
const ADAPTER_STACK: usize = 1 << 20;

#[derive(Default)]
struct Adapters {
    calls: HashMap<(Destination, Shape), Weak<Adapter>>,
    /// The ones made last, oldest first.
    kept: VecDeque<Arc<Adapter>>,
    /// The ways to functions of the runtime. There are few, so they stay.
    libcalls: HashMap<LibCall, Arc<Adapter>>,
}

impl Adapters {
    fn lock() -> MutexGuard<'static, Self> {
        ADAPTERS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, purpose: &Purpose) -> Option<Arc<Adapter>> {
        match purpose {
            Purpose::Call(destination, shape) => {
                // Looked up by value, since there is no borrowed form of a pair.
                let key = (*destination, shape.clone());
                self.calls.get(&key).and_then(Weak::upgrade)
            }
            Purpose::LibCall(call) => self.libcalls.get(call).cloned(),
        }
    }

    /// Keeps an adapter that was just made.
    fn keep(&mut self, made: &Arc<Adapter>) {
        self.kept.push_back(made.clone());
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
    }

    fn insert(&mut self, purpose: Purpose, adapter: &Arc<Adapter>) {
        match purpose {
            Purpose::Call(destination, shape) => {
                if self.calls.len() == self.calls.capacity() {
                    self.calls.retain(|_, adapter| adapter.strong_count() > 0);
                }
                let adapter = Arc::downgrade(adapter);
                self.calls.insert((destination, shape), adapter);
            }
            Purpose::LibCall(call) => {
                self.libcalls.insert(call, adapter.clone());
            }
        }
    }
}

/// The adapter for a purpose, made if there is none.
fn adapter(purpose: Purpose) -> Result<Arc<Adapter>, CompileError> {
    Ok(adapters(&[purpose])?.remove(0))
}

/// The adapters for some purposes, in that order. Those that there are not yet are
/// made, and placed together. Nobody waits for those of others meanwhile; if two
/// threads make the same, the first one's is everybody's.
pub(crate) fn adapters(purposes: &[Purpose]) -> Result<Vec<Arc<Adapter>>, CompileError> {
    let found: Vec<_> = {
        let adapters = Adapters::lock();
        purposes
            .iter()
            .map(|purpose| adapters.get(purpose))
            .collect()
    };
    let missing: HashSet<&Purpose> = purposes
        .iter()
        .zip(&found)
        .filter_map(|(purpose, found)| found.is_none().then_some(purpose))
        .collect();
    let mut made = HashMap::new();
    if !missing.is_empty() {
        let placed = place(compile(|isa, functions| {
            for purpose in &missing {
                functions.compile(isa, |func, buffers| match purpose {
                    Purpose::Call(destination, shape) => {
                        adapter::build(isa, *destination, shape, func, buffers);
                    }
                    Purpose::LibCall(call) => {
                        adapter::build_trampoline(isa, *call, func, buffers);
                    }
                })?;
            }
            Ok(())
        })?)?;
        let mut adapters = Adapters::lock();
        for (&purpose, new) in missing.iter().zip(placed) {
            let adapter = adapters.get(purpose).unwrap_or_else(|| {
                adapters.insert(purpose.clone(), &new);
                if let Purpose::Call(..) = purpose {
                    adapters.keep(&new);
                }
                new
            });
            made.insert(purpose, adapter);
        }
    }
    let all = purposes.iter().zip(found);
    Ok(all
        .map(|(purpose, found)| found.unwrap_or_else(|| made[purpose].clone()))
        .collect())
}

/// The address of the way to a function of the runtime.
pub(crate) fn trampoline(call: LibCall) -> Result<usize, CompileError> {
    Ok(adapter(Purpose::LibCall(call))?.address().addr())
}

/// Takes up adapters that an earlier process made, where there are none;
/// returns those that were taken up. Calls of functions need them to be kept.
pub(crate) fn take_up(
    mut made: Vec<(Purpose, CompiledFunction)>,
) -> Result<Vec<Arc<Adapter>>, CompileError> {
    let mut adapters = Adapters::lock();
    made.retain(|(purpose, _)| adapters.get(purpose).is_none());
    if made.is_empty() {
        return Ok(Vec::new());
    }
    let (purposes, functions): (Vec<_>, Vec<_>) = made.into_iter().unzip();
    let placed = place(functions)?;
    for (purpose, adapter) in purposes.into_iter().zip(&placed) {
        adapters.insert(purpose, adapter);
    }
    Ok(placed)
}

/// The adapters that there are for functions of the runtime, and for calls of
/// functions of any of these shapes.
pub(crate) fn existing(shapes: &HashSet<Shape>) -> Vec<(Purpose, Arc<Adapter>)> {
    let adapters = Adapters::lock();
    let calls = adapters.calls.iter().filter_map(|(key, adapter)| {
        let (destination, shape) = key;
        let purpose = Purpose::Call(*destination, shape.clone());
        let adapter = shapes.contains(shape).then(|| adapter.upgrade())??;
        Some((purpose, adapter))
    });
    let libcalls = adapters.libcalls.iter();
    let libcalls = libcalls.map(|(&call, adapter)| (Purpose::LibCall(call), adapter.clone()));
    calls.chain(libcalls).collect()
}

/// What compiles adapters, one after the other.
#[derive(Default)]
struct Functions {
    buffers: FunctionBuilderContext,
    compiled: Vec<CompiledFunction>,
}

impl Functions {
    fn compile(
        &mut self,
        isa: &dyn TargetIsa,
        build: impl FnOnce(&mut ir::Function, &mut FunctionBuilderContext),
    ) -> Result<(), CompileError> {
        let mut context = Context::new();
        build(&mut context.func, &mut self.buffers);
        let translated = Translated::default();
        let compiled = CompiledFunction::compile(isa, &mut context, translated)?;
        self.compiled.push(compiled);
        Ok(())
    }
}

/// Compiles some functions: on a thread of its own where whoever asks may have little
/// stack left.
fn compile(
    build: impl FnOnce(&dyn TargetIsa, &mut Functions) -> Result<(), CompileError> + Send,
) -> Result<Vec<CompiledFunction>, CompileError> {
    let compile = || {
        let mut functions = Functions::default();
        build(isa::host()?, &mut functions)?;
        Ok(functions.compiled)
    };
    let compiled = if has_stack() {
        catch_unwind(AssertUnwindSafe(compile))
    } else {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().spawn_scoped(scope, compile)?;
            Ok::<_, CompileError>(thread.join())
        })?
    };
    compiled.unwrap_or_else(|panic| Err(CodegenError::panicked(&*panic).into()))
}

/// Whether this thread has stack enough to compile an adapter.
fn has_stack() -> bool {
    let here = stack::pointer();
    let own = stack::bounds().filter(|bounds| bounds.contains(&here));
    own.is_some_and(|bounds| here - bounds.start >= ADAPTER_STACK)
}

/// Publishes adapters in one image.
fn place(
    functions: impl IntoIterator<Item = CompiledFunction>,
) -> Result<Vec<Arc<Adapter>>, CompileError> {
    let mut linker = Linker::default();
    let mut placed = Vec::new();
    for (function, index) in functions.into_iter().zip(0..) {
        let function = Arc::new(function);
        placed.push((linker.add(index, function.clone())?, function));
    }
    let room = arena()?.allocate(linker.len())?;
    let linked = linker.finish(room.base(), ptr::null(), |target| match target {
        Target::Symbol(Symbol::Runtime(function)) => Ok(function.address().addr()),
        other => Err(CompileError::from(LinkError::Missing(format!("{other:?}")))),
    })?;
    let image = Arc::new(room.publish(&linked.code, linked.image)?);
    let adapters = placed.into_iter().map(|(offset, function)| {
        Arc::new(Adapter {
            image: image.clone(),
            offset: offset as usize,
            function,
        })
    });
    Ok(adapters.collect())
}

/// What code is called by that takes over frames of a cell's function.
pub(crate) fn frame_purpose(cell: &CodeCell) -> Purpose {
    // SAFETY: it is the cell of a module, which its borrower keeps alive.
    let shape = unsafe { shape_of(cell) };
    let shape = Shape {
        params: [ir::types::I64].into(),
        ..shape
    };
    Purpose::Call(Destination::Frame, shape)
}

/// What machine code of a cell's function is called by, by those that have none.
pub(crate) fn native_purpose(cell: &CodeCell) -> Purpose {
    // SAFETY: it is the cell of a module, which its borrower keeps alive.
    let shape = unsafe { shape_of(cell) };
    Purpose::Call(Destination::Native, shape)
}

/// The array entry by which code that takes over frames of a cell's function is
/// called.
pub(crate) fn frame_entry(cell: &CodeCell) -> Result<ArrayAdapter, CompileError> {
    array_entry(frame_purpose(cell))
}

/// The array entry for a purpose of which there are array entries.
fn array_entry(purpose: Purpose) -> Result<ArrayAdapter, CompileError> {
    let adapter = adapter(purpose)?;
    // SAFETY: an adapter of these destinations is an array entry.
    let entry = unsafe { std::mem::transmute::<*const (), ArrayEntry>(adapter.address()) };
    Ok((adapter, entry))
}

/// What machine code calls functions of a type by that have none.
pub(crate) fn array_purpose(registry: &TypeRegistry, ty: TypeId) -> Purpose {
    Purpose::Call(Destination::Array, Shape::of(registry, ty))
}

/// What machine code calls the host's functions of a type by.
pub(crate) fn host_purpose(registry: &TypeRegistry, ty: TypeId) -> Purpose {
    Purpose::Call(Destination::Host, Shape::of(registry, ty))
}

/// The shape of a cell's function.
///
/// # Safety
/// The cell belongs to a live module.
unsafe fn shape_of(cell: &CodeCell) -> Shape {
    // SAFETY: as the caller promises.
    let code = unsafe { &*cell.module };
    let func = code.module.func_index(cell.func);
    let ty = code.type_ids[code.module.functions()[func.index()].index()];
    Shape::of(&code.registry, ty)
}

/// The array entry that a function of machine code begins with: it finds the
/// adapter.
///
/// # Safety
/// As for every [`ArrayEntry`].
pub(crate) unsafe extern "C" fn first_array_call(
    callee: *mut VmCtx,
    caller: *mut VmCtx,
    cell: *const CodeCell,
    slots: *mut u64,
) -> Status {
    // SAFETY: the contract of array entries: all are live, and the cell is of a
    // module, since only such lead here.
    unsafe {
        match array_entry(native_purpose(&*cell)) {
            Ok((adapter, entry)) => {
                MachineCode::of(&*(*cell).module).keep(adapter);
                (*cell).set_array_entry(entry);
                entry(callee, caller, cell, slots)
            }
            Err(error) => Store::fail((*callee).store, Pending::Code(Box::new(error))),
        }
    }
}

/// The adapter to enter a function without machine code through, or null with
/// the reason pending. `fp` and `return_address` are the caller's, for the
/// backtrace.
///
/// # Safety
/// Called by `arch::resolve_and_enter`: machine code has called a function of
/// the live block `callee`, which [`rwasm_runtime::layout::StoreCtx::callee`]
/// tells unless it is one of the host.
pub(crate) unsafe extern "C" fn resolve_native(
    callee: *mut VmCtx,
    fp: *mut u64,
    return_address: *const u64,
) -> *const () {
    // SAFETY: as the caller promises. While guest code runs nobody else refers
    // into the store.
    unsafe {
        let ctx = (*callee).store;
        let result = match (*callee).kind {
            VmCtxKind::Host => resolve_host(callee.cast()),
            VmCtxKind::Instance => resolve_own((*ctx).callee),
        };
        result.unwrap_or_else(|error| {
            (*(*ctx).segment).exit_fp = fp;
            (*(*ctx).segment).exit_ip = return_address;
            Store::fail(ctx, Pending::Code(Box::new(error)));
            ptr::null()
        })
    }
}

/// # Safety
/// The function is live and nobody refers into its store.
unsafe fn resolve_host(func: *mut HostFunc) -> Result<*const (), CompileError> {
    // SAFETY: as the caller promises.
    unsafe {
        let store = (*func).vmctx.store.cast::<Store>();
        let adapter = adapter(host_purpose((*store).registry(), (*func).func_ref.ty))?;
        let entry = adapter.address();
        for native in [&(*func).cell.native_entry, &(*func).func_ref.native] {
            native.store(entry.cast_mut(), Ordering::Release);
        }
        (*store).keep_code(adapter);
        Ok(entry)
    }
}

/// # Safety
/// The cell belongs to a live module.
unsafe fn resolve_own(cell: *const CodeCell) -> Result<*const (), CompileError> {
    // SAFETY: as the caller promises.
    unsafe {
        let shape = shape_of(&*cell);
        let adapter = adapter(Purpose::Call(Destination::Array, shape))?;
        let entry = adapter.address();
        MachineCode::of(&*(*cell).module).keep(adapter);
        // Machine code may have been published meanwhile.
        let unresolved = arch::resolve_and_enter as *const ();
        (*(*cell).module).resolve_native((*cell).func, unresolved, entry);
        Ok(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_of_the_adapter() {
        let error = compile(|_, _| panic!("as asked")).expect_err("it panics");
        assert_eq!(error.to_string(), "the compiler panicked: as asked");
    }
}
