//! wasmi with the features that make it fastest; the workspace manifest says
//! which.

use super::{Guest, SubjectError};
use crate::kernels::{Entry, Kernel};
use crate::wasi::{self, Function, Wasi, Width};
use wasmi::{Caller, Config, Engine, Error, Func, FuncType, Linker, Module, Store, Val, ValType};

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

pub(super) fn load(kernel: &Kernel) -> Result<Box<dyn Guest>, SubjectError> {
    try_load(kernel).map_err(error)
}

fn try_load(kernel: &Kernel) -> Result<Box<dyn Guest>, Error> {
    let engine = Engine::new(&Config::default());
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

fn instantiate(engine: &Engine, module: &Module, export: &str) -> Result<Instance, Error> {
    let mut store = Store::new(engine, ());
    let instance = Linker::new(engine).instantiate_and_start(&mut store, module)?;
    let func = instance
        .get_func(&store, export)
        .ok_or_else(|| Error::new(format!("no function {export:?} is exported")))?;
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
            Some(Val::F32(value)) => u64::from(value.to_bits()),
            Some(Val::F64(value)) => value.to_bits(),
            _ => 0,
        })
    }
}

impl Guest for Program {
    fn run(&mut self, size: i32) -> Result<u64, SubjectError> {
        let wasi = Wasi::new(&self.name, size);
        let mut store = Store::new(self.module.engine(), wasi);
        match self.start(&mut store) {
            Ok(()) => Ok(store.data().digest()),
            Err(cause) if cause.i32_exit_status() == Some(0) => Ok(store.data().digest()),
            Err(cause) => Err(error(cause)),
        }
    }
}

impl Program {
    fn start(&self, store: &mut Store<Wasi>) -> Result<(), Error> {
        let instance = self
            .linker
            .instantiate_and_start(&mut *store, &self.module)?;
        let start = instance.get_typed_func::<(), ()>(&*store, "_start")?;
        start.call(store, ())
    }
}

fn linker(engine: &Engine) -> Result<Linker<Wasi>, Error> {
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
) -> Result<(), Error> {
    let mut words = [0; 4];
    for (word, arg) in words.iter_mut().zip(args) {
        *word = match arg {
            Val::I32(value) => u64::from(value.cast_unsigned()),
            Val::I64(value) => value.cast_unsigned(),
            _ => 0,
        };
    }
    let memory = caller
        .get_export("memory")
        .and_then(wasmi::Extern::into_memory)
        .ok_or_else(|| Error::new("no memory is exported"))?;
    let (memory, wasi) = memory.data_and_store_mut(&mut caller);
    match function.run(wasi, memory, &words) {
        Some(errno) => {
            results[0] = Val::I32(errno.cast_signed());
            Ok(())
        }
        None => Err(Error::i32_exit(wasi.exit_code())),
    }
}

fn error(cause: Error) -> SubjectError {
    SubjectError {
        subject: "wasmi",
        cause: Box::new(cause),
    }
}
