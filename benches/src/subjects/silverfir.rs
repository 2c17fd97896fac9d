//! Silverfir-nano's interpreter. It translates a module anew for each instance.

use super::Runtime;
use crate::wasi::{self, Function, Wasi};
use rwasm::ExternType;
use sf_nano_core::{Caller, Config, Engine, Import, Tier, Value, WasmError};
use std::cell::RefCell;
use std::rc::Rc;

/// A module.
pub(super) struct Silverfir {
    engine: Engine,
    wasm: Vec<u8>,
    /// The same module, to look up types that Silverfir-nano does not tell.
    types: rwasm::Module,
}

/// An instance; its host functions share the program's state.
pub(super) struct Instance {
    instance: sf_nano_core::Instance,
    wasi: Rc<RefCell<Wasi>>,
    types: rwasm::Module,
}

/// An exported function.
pub(super) struct Func {
    func: sf_nano_core::Func,
    takes_argument: bool,
    results: usize,
}

impl Silverfir {
    pub(super) fn load(wasm: &[u8]) -> Result<Self, String> {
        let engine = Engine::new(Config::new().tier(Tier::Interp)).map_err(|e| format!("{e:?}"))?;
        let types = rwasm::Module::new(&rwasm::Engine::default(), wasm);
        let silverfir = Silverfir {
            engine,
            wasm: wasm.to_owned(),
            types: types.map_err(|e| e.to_string())?,
        };
        // Only an instance says whether the interpreter takes the module.
        silverfir.instantiate(Wasi::default())?;
        Ok(silverfir)
    }
}

impl Runtime for Silverfir {
    const NAME: &'static str = "silverfir";
    type Error = String;
    type Instance = Instance;
    type Func = Func;

    fn instantiate(&self, wasi: Wasi) -> Result<Instance, String> {
        let wasi = Rc::new(RefCell::new(wasi));
        let imports: Vec<Import> = wasi::FUNCTIONS
            .iter()
            .map(|function| {
                let wasi = Rc::clone(&wasi);
                Import::func(wasi::MODULE, function.name, move |caller, args, results| {
                    call_host(function, &mut wasi.borrow_mut(), caller, args, results)
                })
            })
            .collect();
        let instance = sf_nano_core::Instance::new(&self.engine, &self.wasm, &imports);
        Ok(Instance {
            instance: instance.map_err(|e| e.to_string())?,
            wasi,
            types: self.types.clone(),
        })
    }

    fn func(instance: &mut Instance, name: &str) -> Result<Func, String> {
        let missing = || format!("no function is exported as {name:?}");
        let func = instance.instance.get_func(name).ok_or_else(missing)?;
        let Some(ExternType::Func(ty)) = instance.types.get_export(name) else {
            return Err(missing());
        };
        Ok(Func {
            func,
            takes_argument: !ty.params().is_empty(),
            results: ty.results().len(),
        })
    }

    fn call(
        Instance { instance, .. }: &mut Instance,
        func: &Func,
        argument: i32,
    ) -> Result<u64, String> {
        let arguments = [Value::I32(argument)];
        let arguments = &arguments[..usize::from(func.takes_argument)];
        let mut results = [Value::I32(0)];
        match instance.call(&func.func, arguments, &mut results[..func.results]) {
            Err(error) if error.exit_code() == Some(0) => {}
            outcome => outcome.map_err(|e| e.to_string())?,
        }
        Ok(match results[0] {
            Value::I32(value) => u64::from(value.cast_unsigned()),
            Value::I64(value) => value.cast_unsigned(),
            Value::F32(value) => u64::from(value.to_bits()),
            Value::F64(value) => value.to_bits(),
            _ => 0,
        })
    }

    fn digest(Instance { wasi, .. }: &Instance) -> u64 {
        wasi.borrow().digest()
    }
}

fn call_host(
    function: &Function,
    wasi: &mut Wasi,
    caller: &mut Caller<'_>,
    args: &[Value],
    results: &mut [Value],
) -> Result<(), WasmError> {
    let mut words = [0; 4];
    for (word, arg) in words.iter_mut().zip(args) {
        *word = match *arg {
            Value::I32(value) => u64::from(value.cast_unsigned()),
            Value::I64(value) => value.cast_unsigned(),
            _ => 0,
        };
    }
    let memory = caller.memory_mut();
    let memory = memory.ok_or_else(|| WasmError::trap("no memory is exported"))?;
    match function.run(wasi, memory, &words) {
        Some(errno) => {
            results[0] = Value::I32(errno.cast_signed());
            Ok(())
        }
        None => Err(WasmError::exit_with_code(wasi.exit_code())),
    }
}
