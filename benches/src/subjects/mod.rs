//! Who runs the kernels: rwasm's tiers and the peers, behind one small trait.
//!
//! A runtime's file says how it does the few things of [`Runtime`]; what is the
//! same for all stands here.

mod rwasm;
mod silverfir;
mod wasmi;
mod wasmtime;

use crate::kernels::{Entry, Kernel};
use crate::wasi::Wasi;
use ::rwasm::Tier;
use thiserror::Error;

/// A runtime with its settings.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Name in reports.
    pub name: &'static str,
    /// Compiles (or translates) a kernel.
    pub load: fn(&Kernel) -> Result<Box<dyn Guest>, SubjectError>,
}

/// Everybody, the one that ratios are usually taken against last.
pub const SUBJECTS: &[Subject] = &[
    Subject {
        name: "rwasm-interp",
        load: |kernel| load(kernel, |wasm| rwasm::Rwasm::load(wasm, Tier::Interp)),
    },
    Subject {
        name: "rwasm-jit",
        load: |kernel| load(kernel, |wasm| rwasm::Rwasm::load(wasm, Tier::Jit)),
    },
    Subject {
        name: "rwasm-auto",
        load: |kernel| load(kernel, |wasm| rwasm::Rwasm::load(wasm, Tier::Auto)),
    },
    Subject {
        name: "silverfir",
        load: |kernel| load(kernel, silverfir::Silverfir::load),
    },
    Subject {
        name: "wasmi",
        load: |kernel| load(kernel, wasmi::Wasmi::load),
    },
    Subject {
        name: "wasmtime",
        load: |kernel| load(kernel, wasmtime::Wasmtime::load),
    },
];

/// A kernel that was loaded.
pub trait Guest {
    /// Calls the exported function of a kernel, and returns the bits of its
    /// result; or runs a program from its start to its end, in an instance of
    /// its own, and returns a digest of what it printed.
    ///
    /// # Errors
    /// If the guest trapped.
    fn run(&mut self, size: i32) -> Result<u64, SubjectError>;
}

/// Why a subject cannot load or run a kernel.
#[derive(Debug, Error)]
#[error("{subject}: {cause}")]
pub struct SubjectError {
    /// The subject's name.
    pub subject: &'static str,
    /// What it said.
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}

/// A module that a runtime loaded, with all of WASI that programs import.
trait Runtime: Sized + 'static {
    const NAME: &'static str;
    /// What the runtime complains with.
    type Error: Into<Box<dyn std::error::Error + Send + Sync>>;
    /// An instance, in a store of its own.
    type Instance;
    /// An exported function of it.
    type Func;

    fn instantiate(&self, wasi: Wasi) -> Result<Self::Instance, Self::Error>;

    /// The exported function of that name.
    fn func(instance: &mut Self::Instance, name: &str) -> Result<Self::Func, Self::Error>;

    /// Calls a function with as much of `argument` as it takes, nothing or that;
    /// returns the bits of its result, 0 if it has none. A program's end is no
    /// error if its exit code is 0.
    fn call(
        instance: &mut Self::Instance,
        func: &Self::Func,
        argument: i32,
    ) -> Result<u64, Self::Error>;

    /// The digest of what the program in the instance printed.
    fn digest(instance: &Self::Instance) -> u64;
}

/// A kernel, instantiated.
struct Called<R: Runtime> {
    instance: R::Instance,
    func: R::Func,
}

/// A program, which every run instantiates anew.
struct Program<R> {
    name: String,
    module: R,
}

fn load<R: Runtime>(
    kernel: &Kernel,
    load: impl FnOnce(&[u8]) -> Result<R, R::Error>,
) -> Result<Box<dyn Guest>, SubjectError> {
    let module = load(&kernel.wasm).map_err(error::<R>)?;
    Ok(match &kernel.entry {
        Entry::Export(export) => {
            let mut instance = module.instantiate(Wasi::default()).map_err(error::<R>)?;
            let func = R::func(&mut instance, export).map_err(error::<R>)?;
            Box::new(Called::<R> { instance, func })
        }
        Entry::Start => Box::new(Program {
            name: kernel.name.clone(),
            module,
        }),
    })
}

impl<R: Runtime> Guest for Called<R> {
    fn run(&mut self, size: i32) -> Result<u64, SubjectError> {
        R::call(&mut self.instance, &self.func, size).map_err(error::<R>)
    }
}

impl<R: Runtime> Guest for Program<R> {
    fn run(&mut self, size: i32) -> Result<u64, SubjectError> {
        let run = || {
            let mut instance = self.module.instantiate(Wasi::new(&self.name, size))?;
            let start = R::func(&mut instance, "_start")?;
            R::call(&mut instance, &start, size)?;
            Ok(R::digest(&instance))
        };
        run().map_err(error::<R>)
    }
}

fn error<R: Runtime>(cause: R::Error) -> SubjectError {
    SubjectError {
        subject: R::NAME,
        cause: cause.into(),
    }
}

/// Code that is the same but for the crate whose types it is about: linking
/// WASI, calling a function, the bits of a value. rwasm, wasmi and wasmtime have
/// the same interface there.
macro_rules! like_wasmtime {
    ($runtime:ident, $subject:ty) => {
        /// An instance, in a store of its own.
        pub(super) struct Instance {
            store: $runtime::Store<crate::wasi::Wasi>,
            instance: $runtime::Instance,
        }

        /// An exported function.
        pub(super) struct Func {
            func: $runtime::Func,
            takes_argument: bool,
            results: usize,
        }

        impl super::Runtime for $subject {
            const NAME: &'static str = stringify!($runtime);
            type Error = $runtime::Error;
            type Instance = Instance;
            type Func = Func;

            fn instantiate(&self, wasi: crate::wasi::Wasi) -> Result<Instance, Self::Error> {
                let mut store = $runtime::Store::new(&self.engine, wasi);
                let instance = instantiate(&self.linker, &mut store, &self.module)?;
                Ok(Instance { store, instance })
            }

            fn func(
                Instance { store, instance }: &mut Instance,
                name: &str,
            ) -> Result<Func, Self::Error> {
                let func = instance.get_func(&mut *store, name);
                let func = func.ok_or_else(|| missing(name))?;
                let ty = func.ty(&*store);
                Ok(Func {
                    func,
                    takes_argument: ty.params().len() > 0,
                    results: ty.results().len(),
                })
            }

            fn call(
                Instance { store, .. }: &mut Instance,
                func: &Func,
                argument: i32,
            ) -> Result<u64, Self::Error> {
                use $runtime::Val;
                let arguments = [Val::I32(argument)];
                let arguments = &arguments[..usize::from(func.takes_argument)];
                let mut results = [Val::I32(0)];
                match func
                    .func
                    .call(store, arguments, &mut results[..func.results])
                {
                    Err(error) if exit_code(&error) == Some(0) => {}
                    outcome => outcome?,
                }
                Ok(match results[0] {
                    Val::I32(value) => u64::from(value.cast_unsigned()),
                    Val::I64(value) => value.cast_unsigned(),
                    _ => float_bits(&results[0]),
                })
            }

            fn digest(Instance { store, .. }: &Instance) -> u64 {
                store.data().digest()
            }
        }

        /// All of WASI.
        fn link(
            linker: &mut $runtime::Linker<crate::wasi::Wasi>,
            engine: &$runtime::Engine,
        ) -> Result<(), $runtime::Error> {
            use crate::wasi::{self, Width};
            for function in wasi::FUNCTIONS {
                let params = function.params.iter().map(|width| match width {
                    Width::I32 => $runtime::ValType::I32,
                    Width::I64 => $runtime::ValType::I64,
                });
                let results = function.returns.then_some($runtime::ValType::I32);
                let ty = func_type(engine, params, results);
                linker.func_new(wasi::MODULE, function.name, ty, |caller, args, results| {
                    call_host(function, caller, args, results)
                })?;
            }
            Ok(())
        }

        fn call_host(
            function: &crate::wasi::Function,
            mut caller: $runtime::Caller<'_, crate::wasi::Wasi>,
            args: &[$runtime::Val],
            results: &mut [$runtime::Val],
        ) -> Result<(), $runtime::Error> {
            use $runtime::Val;
            let mut words = [0; 4];
            for (word, arg) in words.iter_mut().zip(args) {
                *word = match arg {
                    Val::I32(value) => u64::from(value.cast_unsigned()),
                    Val::I64(value) => value.cast_unsigned(),
                    _ => 0,
                };
            }
            let memory = memory(&mut caller).ok_or_else(|| missing("memory"))?;
            let (memory, wasi) = memory.data_and_store_mut(&mut caller);
            match function.run(wasi, memory, &words) {
                Some(errno) => {
                    results[0] = Val::I32(errno.cast_signed());
                    Ok(())
                }
                None => Err(exit(wasi.exit_code())),
            }
        }
    };
}
use like_wasmtime;
