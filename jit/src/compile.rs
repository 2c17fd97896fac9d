//! Compiling a module: all functions in parallel, linked into one image.

use crate::arch;
use crate::function::{CodegenError, CompiledFunction, Target};
use crate::isa::{self, IsaError, Processor};
use crate::link::{LinkError, Linker};
use crate::memory::{Published, arena};
use crate::resolve::{Adapter, first_array_call, trampoline};
use crate::symbol::Symbol;
use crate::translate::{TranslateError, Translator};
use cranelift_codegen::Context;
use cranelift_codegen::isa::TargetIsa;
use rwasm_parser::{FuncIndex, LocalFuncIndex, Module};
use rwasm_runtime::code::ModuleCode;
use std::io;
use std::num::NonZero;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;

/// What to compile, and with what.
pub struct Options<'a> {
    /// Threads to use at most.
    pub threads: NonZero<usize>,
    /// Whether to compile a function; the others stay interpreted.
    pub select: &'a (dyn Fn(LocalFuncIndex) -> bool + Sync),
    /// The entry for the interpreter of functions that have machine code: an
    /// instruction that calls them by their array entry.
    pub interp_entry: *const u64,
}

/// What became of a module.
#[derive(Debug, Default)]
pub struct Summary {
    /// Functions that are machine code now.
    pub compiled: usize,
    /// Bytes of machine code, with stubs.
    pub code_bytes: usize,
    /// Functions that were selected but stay interpreted, with the reason.
    pub left: Vec<(LocalFuncIndex, FunctionError)>,
}

/// Why a module could not be compiled at all.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CompileError {
    /// Not on this machine.
    #[error(transparent)]
    Isa(#[from] IsaError),
    /// There is no memory for code, or no thread to make it.
    #[error("no machine code could be made: {0}")]
    System(#[from] io::Error),
    /// The parts do not fit together.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// An adapter could not be compiled.
    #[error(transparent)]
    Codegen(#[from] CodegenError),
    /// The module has machine code already.
    #[error("the module was compiled before")]
    Twice,
}

/// Why one function stays interpreted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FunctionError {
    /// It could not be translated; if it is invalid, calling it will say so.
    #[error(transparent)]
    Translate(#[from] TranslateError),
    /// Its translation could not be compiled.
    #[error(transparent)]
    Codegen(#[from] CodegenError),
}

/// The machine code of a module, as the module keeps it.
#[derive(Debug)]
pub(crate) struct MachineCode {
    _image: Published,
    /// By type index: where the stubs of functions of that type lead.
    adapters: Box<[AtomicPtr<()>]>,
    /// Adapters whose addresses were given away.
    kept: Mutex<Vec<Arc<Adapter>>>,
}

impl MachineCode {
    /// Keeps an adapter as long as the module.
    pub(crate) fn keep(&self, adapter: Arc<Adapter>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.iter().any(|other| Arc::ptr_eq(other, &adapter)) {
            kept.push(adapter);
        }
    }

    /// Leads the stubs of all functions of a function's type to `entry`.
    pub(crate) fn set_adapter(&self, func: FuncIndex, module: &Module, entry: *const ()) {
        let ty = module.functions()[func.index()];
        self.adapters[ty.index()].store(entry.cast_mut(), Ordering::Release);
    }
}

/// Compiles the selected functions of a module and publishes them in its cells.
///
/// Functions that cannot be compiled stay as they were; nobody needs to know.
///
/// # Errors
/// If the module as a whole cannot be compiled; its cells are unchanged then.
pub fn compile_module(code: &ModuleCode, options: &Options<'_>) -> Result<Summary, CompileError> {
    let isa = isa::host()?;
    if code.machine_code().is_some() {
        return Err(CompileError::Twice);
    }
    if code.cells.is_empty() {
        return Ok(Summary::default());
    }
    let mut functions = compile_functions(isa, code, options)?;
    functions.sort_unstable_by_key(|(func, _)| *func);

    let mut summary = Summary::default();
    let mut linker = Linker::default();
    let mut compiled: Vec<Option<u32>> = vec![None; code.cells.len()];
    for (func, result) in functions {
        match result {
            Ok(function) => compiled[func.index()] = Some(linker.add(func.as_u32(), function)?),
            Err(error) => summary.left.push((func, error)),
        }
    }
    let types = code.module.types().len();
    let unresolved = arch::resolve_and_enter as *const () as *mut ();
    let adapters: Box<[_]> = (0..types).map(|_| AtomicPtr::new(unresolved)).collect();
    let mut entries = Vec::with_capacity(compiled.len());
    for (cell, offset) in code.cells.iter().zip(&compiled) {
        entries.push(match *offset {
            Some(offset) => offset as usize,
            None => {
                let stub = linker.reserve(arch::STUB_SIZE, arch::STUB_SIZE.max(1))?;
                let ty = code.module.functions()[code.module.func_index(cell.func).index()];
                let bytes = linker.bytes_mut(stub, arch::STUB_SIZE);
                arch::write_stub(bytes, cell, &adapters[ty.index()]);
                stub
            }
        });
    }
    let room = arena()?.allocate(linker.len())?;
    let base = room.base();
    let linked = linker.finish(base, code, |target| match target {
        Target::Symbol(Symbol::Func(func)) => Ok(base + entries[func.index()]),
        Target::Symbol(Symbol::LibCall(call)) => trampoline(call),
        other => Err(LinkError::Missing(format!("{other:?}")).into()),
    })?;
    summary.code_bytes = linked.code.len();
    let image = room.publish(&linked.code, linked.image)?;
    let machine_code = MachineCode {
        _image: image,
        adapters,
        kept: Mutex::default(),
    };
    code.keep_machine_code(Box::new(machine_code))
        .map_err(|_| CompileError::Twice)?;
    for ((cell, entry), offset) in code.cells.iter().zip(entries).zip(compiled) {
        let entry: *const () = std::ptr::with_exposed_provenance(base + entry);
        if offset.is_some() {
            cell.publish_native(entry, first_array_call, options.interp_entry);
            summary.compiled += 1;
        } else {
            cell.native_entry.store(entry.cast_mut(), Ordering::Release);
        }
    }
    Ok(summary)
}

type Compiled = (LocalFuncIndex, Result<CompiledFunction, FunctionError>);

/// Compiles the selected functions, in any order.
fn compile_functions(
    isa: &dyn TargetIsa,
    code: &ModuleCode,
    options: &Options<'_>,
) -> Result<Vec<Compiled>, CompileError> {
    let count = code.cells.len();
    let next = AtomicUsize::new(0);
    let select = options.select;
    let work = || {
        let mut worker = Worker::new(isa);
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return done;
            }
            let func = LocalFuncIndex::from_u32(index as u32);
            if select(func) {
                done.push((func, worker.compile(code, func)));
            }
        }
    };
    let threads = options.threads.get().min(count);
    std::thread::scope(|scope| {
        let mut workers = Vec::new();
        for _ in 0..threads {
            match std::thread::Builder::new().spawn_scoped(scope, work) {
                Ok(worker) => workers.push(worker),
                // The others do its share.
                Err(_) if !workers.is_empty() => break,
                Err(error) => return Err(error.into()),
            }
        }
        let mut all = Vec::with_capacity(count);
        for worker in workers {
            let done = worker.join();
            all.extend(done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        Ok(all)
    })
}

/// What a thread keeps from function to function.
struct Worker<'i> {
    isa: &'i dyn TargetIsa,
    translator: Translator<'i>,
    context: Context,
}

impl<'i> Worker<'i> {
    fn new(isa: &'i dyn TargetIsa) -> Self {
        Worker {
            isa,
            translator: Translator::new(isa),
            context: Context::new(),
        }
    }

    fn compile(
        &mut self,
        code: &ModuleCode,
        func: LocalFuncIndex,
    ) -> Result<CompiledFunction, FunctionError> {
        self.context.clear();
        let translated = self
            .translator
            .translate(code, func, &mut self.context.func)?;
        Ok(CompiledFunction::compile(
            self.isa,
            &mut self.context,
            translated,
        )?)
    }
}

/// Prints a function as Cranelift's IR, as it is before optimisation.
///
/// # Errors
/// As for compiling it.
pub fn print_clif(
    code: &ModuleCode,
    func: LocalFuncIndex,
    processor: Processor,
) -> Result<String, PrintError> {
    let isa = processor.isa()?;
    let mut worker = Worker::new(&*isa);
    let func_ir = &mut worker.context.func;
    let translated = worker.translator.translate(code, func, func_ir);
    translated.map_err(FunctionError::from)?;
    Ok(worker.context.func.display().to_string())
}

/// Prints the instructions that a function is compiled to, before they are
/// encoded.
///
/// # Errors
/// As for compiling it.
pub fn print_machine_code(
    code: &ModuleCode,
    func: LocalFuncIndex,
    processor: Processor,
) -> Result<String, PrintError> {
    let isa = processor.isa()?;
    let mut worker = Worker::new(&*isa);
    let func_ir = &mut worker.context.func;
    let translated = worker.translator.translate(code, func, func_ir);
    translated.map_err(FunctionError::from)?;
    worker.context.set_disasm(true);
    let compiled = worker.context.compile(worker.isa, &mut Default::default());
    match compiled {
        Ok(compiled) => Ok(compiled.vcode.clone().unwrap_or_default()),
        Err(error) => {
            let error = CodegenError::Cranelift(error.inner.to_string());
            Err(FunctionError::from(error).into())
        }
    }
}

/// Why a function could not be printed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PrintError {
    /// Not on this machine.
    #[error(transparent)]
    Isa(#[from] IsaError),
    /// The function has no machine code.
    #[error(transparent)]
    Function(#[from] FunctionError),
}
