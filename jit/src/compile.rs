//! Compiling functions, and whole modules on all cores.

use crate::function::{CodegenError, CompiledFunction};
use crate::isa::{self, IsaError, Processor};
use crate::link::LinkError;
use crate::publish::publish;
use crate::translate::{Entry, TranslateError, Translator};
use cranelift_codegen::Context;
use cranelift_codegen::isa::TargetIsa;
use rwasm_parser::LocalFuncIndex;
use rwasm_runtime::code::ModuleCode;
use std::io;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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

/// A function as machine code, ready to be published.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Whose code it is.
    pub func: LocalFuncIndex,
    /// Where it begins.
    pub entry: Entry,
    pub(crate) code: Arc<CompiledFunction>,
}

impl Compiled {
    /// Bytes of machine code.
    pub fn code_bytes(&self) -> usize {
        self.code.code.len()
    }
}

/// Compiles functions one by one. Buffers are kept from function to function: a
/// thread that compiles has one of these.
pub struct Compiler(Worker<'static>);

impl Compiler {
    /// A compiler for this machine.
    ///
    /// # Errors
    /// If there is no back end for its processor.
    pub fn new() -> Result<Self, IsaError> {
        Ok(Compiler(Worker::new(isa::host()?)))
    }

    /// Compiles a function of a module to be entered at `entry`. Nothing runs it
    /// before it is published.
    ///
    /// # Errors
    /// If the function must stay interpreted.
    pub fn compile(
        &mut self,
        code: &ModuleCode,
        func: LocalFuncIndex,
        entry: Entry,
    ) -> Result<Compiled, FunctionError> {
        let compiled = self.0.guard(|worker| worker.compile(code, func, entry))?;
        Ok(Compiled {
            func,
            entry,
            code: Arc::new(compiled),
        })
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
    let mut summary = Summary::default();
    if code.cells.is_empty() {
        return Ok(summary);
    }
    let mut compiled = Vec::new();
    let job = |worker: &mut Worker<'_>, func| worker.compile(code, func, Entry::Function);
    for (func, result) in compile_functions(isa, code.cells.len(), options, job)? {
        match result {
            Ok(function) => compiled.push(Compiled {
                func,
                entry: Entry::Function,
                code: Arc::new(function),
            }),
            Err(error) => summary.left.push((func, error)),
        }
    }
    compiled.sort_unstable_by_key(|compiled| compiled.func);
    summary.compiled = compiled.len();
    summary.code_bytes = publish(code, compiled, options.interp_entry)?;
    Ok(summary)
}

/// Bytes of stack of a thread that compiles: Cranelift recurses over what a
/// function's control flow nests.
pub const COMPILE_STACK: usize = 8 << 20;

type Outcome = (LocalFuncIndex, Result<CompiledFunction, FunctionError>);

/// Does `job` for the selected ones of `count` functions, in any order. A panic is
/// that function's failure alone.
fn compile_functions(
    isa: &dyn TargetIsa,
    count: usize,
    options: &Options<'_>,
    job: impl Fn(&mut Worker<'_>, LocalFuncIndex) -> Result<CompiledFunction, FunctionError> + Sync,
) -> Result<Vec<Outcome>, CompileError> {
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
                done.push((func, worker.guard(|worker| job(worker, func))));
            }
        }
    };
    let threads = options.threads.get().min(count);
    std::thread::scope(|scope| {
        let mut workers = Vec::new();
        for _ in 0..threads {
            let thread = std::thread::Builder::new().stack_size(COMPILE_STACK);
            match thread.spawn_scoped(scope, work) {
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

    /// Cranelift asserts what it believes; a guest need not pay for it.
    fn guard<T>(
        &mut self,
        job: impl FnOnce(&mut Self) -> Result<T, FunctionError>,
    ) -> Result<T, FunctionError> {
        match catch_unwind(AssertUnwindSafe(|| job(self))) {
            Ok(result) => result,
            Err(panic) => {
                // Its buffers may be half full of the function that failed.
                *self = Worker::new(self.isa);
                Err(CodegenError::panicked(&*panic).into())
            }
        }
    }

    fn compile(
        &mut self,
        code: &ModuleCode,
        func: LocalFuncIndex,
        entry: Entry,
    ) -> Result<CompiledFunction, FunctionError> {
        self.context.clear();
        let translated = self
            .translator
            .translate(code, func, entry, &mut self.context.func)?;
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
    let translated = worker
        .translator
        .translate(code, func, Entry::Function, func_ir);
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
    let translated = worker
        .translator
        .translate(code, func, Entry::Function, func_ir);
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

#[cfg(test)]
mod tests {
    use super::*;
    use rwasm_parser::{Module, ParseOptions};
    use rwasm_runtime::code::{CodeCell, CodeSettings, Entries};
    use rwasm_runtime::layout::{Status, VmCtx};
    use rwasm_runtime::types::TypeRegistry;
    use std::ptr;

    #[test]
    fn a_panic_leaves_one_function_interpreted() {
        let text = "(module (func) (func (result i32) i32.const 1) (func))";
        let options = ParseOptions::default();
        let module = Module::parse_any(text.as_bytes().to_vec().into(), None, &options).unwrap();
        let entries = Entries {
            interp: ptr::null(),
            array: never_called,
            native: ptr::null(),
        };
        let registry = Arc::new(TypeRegistry::new());
        let settings = CodeSettings::default();
        let code = ModuleCode::new(Arc::new(module), registry, settings, entries, None);
        let options = Options {
            // The one that panics compiles the next function, too.
            threads: NonZero::<usize>::MIN,
            select: &|_| true,
            interp_entry: ptr::null(),
        };
        let job = |worker: &mut Worker<'_>, func: LocalFuncIndex| {
            let compiled = worker.compile(&code, func, Entry::Function);
            assert!(func.index() != 1, "as asked");
            compiled
        };
        let isa = isa::host().unwrap();
        let outcomes = compile_functions(isa, code.cells.len(), &options, job).unwrap();
        assert_eq!(outcomes.len(), 3);
        for (func, outcome) in outcomes {
            match outcome {
                Ok(_) => assert_ne!(func.index(), 1),
                Err(error) => {
                    assert_eq!(func.index(), 1);
                    assert_eq!(error.to_string(), "the compiler panicked: as asked");
                }
            }
        }
    }

    unsafe extern "C" fn never_called(
        _callee: *mut VmCtx,
        _caller: *mut VmCtx,
        _cell: *const CodeCell,
        _slots: *mut u64,
    ) -> Status {
        unreachable!("nothing is run")
    }
}
