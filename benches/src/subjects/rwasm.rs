//! rwasm, in the tier that the subject names.

use super::{Guest, SubjectError};
use crate::kernels::{Entry, Kernel};
use crate::wasi::{self, Function, Wasi, Width};
use rwasm::{
    Caller, Config, Engine, Error, Func, FuncType, Linker, Module, Result, Store, Tier, TypeError,
    Val, ValType,
};

/// A kernel, instantiated.
struct Instance {
    store: Store<()>,
    func: Func,
    takes_size: bool,
    results: Vec<Val>,
}

/// A program, which every run instantiates anew.
struct Program {
    name: String,
    module: Module,
    linker: Linker<Wasi>,
}

/// The interpreter.
pub(super) fn load_interp(kernel: &Kernel) -> Result<Box<dyn Guest>, SubjectError> {
    load(kernel, Tier::Interp).map_err(error)
}

/// Machine code, all of it before the start.
pub(super) fn load_jit(kernel: &Kernel) -> Result<Box<dyn Guest>, SubjectError> {
    load(kernel, Tier::Jit).map_err(error)
}

/// What the user gets who asks for nothing.
pub(super) fn load_auto(kernel: &Kernel) -> Result<Box<dyn Guest>, SubjectError> {
    load(kernel, Tier::Auto).map_err(error)
}

fn load(kernel: &Kernel, tier: Tier) -> Result<Box<dyn Guest>> {
    let engine = Engine::new(Config::new().tier(tier))?;
    let module = Module::new(&engine, &kernel.wasm)?;
    Ok(match &kernel.entry {
        Entry::Export(export) => Box::new(instantiate(&engine, &module, export)?),
        Entry::Start => Box::new(Program {
            name: kernel.name.clone(),
            module,
            linker: linker(&engine)?,
        }),
    })
}

fn instantiate(engine: &Engine, module: &Module, export: &str) -> Result<Instance> {
    let mut store = Store::new(engine, ());
    let instance = Linker::new(engine).instantiate(&mut store, module)?;
    let func = instance
        .get_func(&mut store, export)
        .ok_or_else(|| TypeError::UnknownExport(export.to_owned()))?;
    let ty = func.ty(&store);
    Ok(Instance {
        func,
        takes_size: !ty.params().is_empty(),
        results: vec![Val::I32(0); ty.results().len()],
        store,
    })
}

impl Guest for Instance {
    fn run(&mut self, size: i32) -> Result<u64, SubjectError> {
        let arguments = [Val::I32(size)];
        let arguments = &arguments[..usize::from(self.takes_size)];
        self.func
            .call(&mut self.store, arguments, &mut self.results)
            .map_err(error)?;
        Ok(match self.results.first() {
            Some(Val::I32(value)) => u64::from(value.cast_unsigned()),
            Some(Val::I64(value)) => value.cast_unsigned(),
            Some(Val::F32(bits)) => u64::from(*bits),
            Some(Val::F64(bits)) => *bits,
            _ => 0,
        })
    }
}

impl Guest for Program {
    fn run(&mut self, size: i32) -> Result<u64, SubjectError> {
        let wasi = Wasi::new(&self.name, size);
        let mut store = Store::new(self.module.engine(), wasi);
        match self.start(&mut store) {
            Ok(()) | Err(Error::Exit(0)) => Ok(store.data().digest()),
            Err(cause) => Err(error(cause)),
        }
    }
}

impl Program {
    fn start(&self, store: &mut Store<Wasi>) -> Result<()> {
        let instance = self.linker.instantiate(&mut *store, &self.module)?;
        let start = instance.get_typed_func::<(), ()>(&mut *store, "_start")?;
        start.call(store, ())
    }
}

fn linker(engine: &Engine) -> Result<Linker<Wasi>> {
    let mut linker = Linker::new(engine);
    for function in wasi::FUNCTIONS {
        let params = function.params.iter().map(|width| match width {
            Width::I32 => ValType::I32,
            Width::I64 => ValType::I64,
        });
        let results = function.returns.then_some(ValType::I32);
        let ty = FuncType::new(params, results);
        linker.func_new(wasi::MODULE, function.name, ty, |caller, args, results| {
            call(function, caller, args, results)
        })?;
    }
    Ok(linker)
}

fn call(
    function: &Function,
    mut caller: Caller<'_, Wasi>,
    args: &[Val],
    results: &mut [Val],
) -> Result<()> {
    let mut words = [0; 4];
    for (word, arg) in words.iter_mut().zip(args) {
        *word = match arg {
            Val::I32(value) => u64::from(value.cast_unsigned()),
            Val::I64(value) => value.cast_unsigned(),
            _ => 0,
        };
    }
    let memory = caller
        .memory()
        .ok_or_else(|| TypeError::UnknownExport("memory".to_owned()))?;
    let (memory, wasi) = memory.data_and_store_mut(&mut caller);
    match function.run(wasi, memory, &words) {
        Some(errno) => {
            results[0] = Val::I32(errno.cast_signed());
            Ok(())
        }
        None => Err(Error::Exit(wasi.exit_code())),
    }
}

fn error(cause: Error) -> SubjectError {
    SubjectError {
        subject: "rwasm",
        cause: Box::new(cause),
    }
}
