//! Finding or making the adapters that functions are entered through, when they
//! are first needed.
//!
//! Adapters are shared by all functions of a shape in the process, and kept by
//! whoever has given their address away: a module for its own functions, a store
//! for those of the host.

use crate::adapter::{self, Destination};
use crate::arch;
use crate::compile::CompileError;
use crate::function::{CodegenError, CompiledFunction};
use crate::isa;
use crate::libcall::LibCall;
use crate::link::{LinkError, Linker};
use crate::memory::{Published, arena};
use crate::publish::MachineCode;
use crate::shape::Shape;
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
use std::collections::{HashMap, VecDeque};
use std::ptr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

/// An adapter, at offset 0 of an image of its own.
pub(crate) type Adapter = Published;

/// An adapter with the array entry that it is.
pub(crate) type ArrayAdapter = (Arc<Adapter>, ArrayEntry);

/// Adapters that somebody uses, and the ones made last.
static ADAPTERS: LazyLock<Mutex<Adapters>> = LazyLock::new(Mutex::default);

/// Adapters that are kept although nobody uses them, each a page: the next store
/// of a module needs those that the last one gave back.
const KEPT: usize = 256;

#[derive(Default)]
struct Adapters {
    all: HashMap<(Destination, Shape), Weak<Adapter>>,
    /// The ones made last, oldest first.
    kept: VecDeque<Arc<Adapter>>,
}

/// The ways to functions of the runtime. There are few, so they stay.
static TRAMPOLINES: LazyLock<Mutex<HashMap<LibCall, Adapter>>> = LazyLock::new(Mutex::default);

/// The adapter for a shape, made if there is none.
fn adapter(destination: Destination, shape: Shape) -> Result<Arc<Adapter>, CompileError> {
    let mut adapters = ADAPTERS.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (destination, shape);
    if let Some(adapter) = adapters.all.get(&key).and_then(Weak::upgrade) {
        return Ok(adapter);
    }
    let made = make(|isa, func, buffers| adapter::build(isa, destination, &key.1, func, buffers))?;
    let made = Arc::new(made);
    let Adapters { all, kept } = &mut *adapters;
    kept.push_back(made.clone());
    if kept.len() > KEPT {
        kept.pop_front();
    }
    if all.len() == all.capacity() {
        all.retain(|_, adapter| adapter.strong_count() > 0);
    }
    all.insert(key, Arc::downgrade(&made));
    Ok(made)
}

/// The address of the way to a function of the runtime.
pub(crate) fn trampoline(call: LibCall) -> Result<usize, CompileError> {
    let mut trampolines = TRAMPOLINES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(trampoline) = trampolines.get(&call) {
        return Ok(trampoline.address(0).addr());
    }
    let made = make(|isa, func, buffers| {
        adapter::build_trampoline(isa, call, func, buffers);
    })?;
    let address = made.address(0).addr();
    trampolines.insert(call, made);
    Ok(address)
}

/// Builds, compiles and publishes one function, on a thread of its own: whoever
/// asks may have little stack left.
fn make(
    build: impl FnOnce(&dyn TargetIsa, &mut ir::Function, &mut FunctionBuilderContext) + Send,
) -> Result<Published, CompileError> {
    let isa = isa::host()?;
    let compile = || -> Result<Published, CompileError> {
        let mut context = Context::new();
        build(isa, &mut context.func, &mut FunctionBuilderContext::new());
        let function = CompiledFunction::compile(isa, &mut context, Translated::default())?;
        let mut linker = Linker::default();
        linker.add(0, Arc::new(function))?;
        let room = arena()?.allocate(linker.len())?;
        let linked = linker.finish(room.base(), ptr::null(), |target| {
            Err(CompileError::from(LinkError::Missing(format!(
                "{target:?}"
            ))))
        })?;
        Ok(room.publish(&linked.code, linked.image)?)
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, compile)?;
        thread
            .join()
            .unwrap_or_else(|panic| Err(CodegenError::panicked(&*panic).into()))
    })
}

/// The array entry by which code that takes over frames of a cell's function is
/// called.
pub(crate) fn frame_entry(cell: &CodeCell) -> Result<ArrayAdapter, CompileError> {
    // SAFETY: it is the cell of a module, which its borrower keeps alive.
    let shape = unsafe { shape_of(cell) };
    let shape = Shape {
        params: [ir::types::I64].into(),
        ..shape
    };
    let adapter = adapter(Destination::Frame, shape)?;
    // SAFETY: an adapter of this destination is an array entry.
    let entry = unsafe { std::mem::transmute::<*const (), ArrayEntry>(adapter.address(0)) };
    Ok((adapter, entry))
}

/// The array entry by which machine code of a cell's function is called.
pub(crate) fn native_entry(cell: &CodeCell) -> Result<ArrayAdapter, CompileError> {
    // SAFETY: it is the cell of a module, which its borrower keeps alive.
    let shape = unsafe { shape_of(cell) };
    let adapter = adapter(Destination::Native, shape)?;
    // SAFETY: an adapter of this destination is an array entry.
    let entry = unsafe { std::mem::transmute::<*const (), ArrayEntry>(adapter.address(0)) };
    Ok((adapter, entry))
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
        match native_entry(&*cell) {
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
        let shape = Shape::of((*store).registry(), (*func).func_ref.ty);
        let adapter = adapter(Destination::Host, shape)?;
        let entry = adapter.address(0);
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
        let adapter = adapter(Destination::Array, shape_of(&*cell))?;
        let entry = adapter.address(0);
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
        let error = make(|_, _, _| panic!("as asked")).expect_err("it panics");
        assert_eq!(error.to_string(), "the compiler panicked: as asked");
    }
}
