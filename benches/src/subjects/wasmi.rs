//! wasmi with the features that make it fastest; the workspace manifest says
//! which.

use super::like_wasmtime;
use crate::wasi::Wasi;
use wasmi::{Caller, Config, Engine, Error, FuncType, Linker, Memory, Module, Store, Val, ValType};

/// A module.
pub(super) struct Wasmi {
    engine: Engine,
    module: Module,
    linker: Linker<Wasi>,
}

impl Wasmi {
    pub(super) fn load(wasm: &[u8]) -> Result<Self, Error> {
        let engine = Engine::new(&Config::default());
        let module = Module::new(&engine, wasm)?;
        let mut linker = Linker::new(&engine);
        link(&mut linker, &engine)?;
        Ok(Wasmi {
            engine,
            module,
            linker,
        })
    }
}

like_wasmtime!(wasmi, Wasmi);

fn instantiate(
    linker: &Linker<Wasi>,
    store: &mut Store<Wasi>,
    module: &Module,
) -> Result<wasmi::Instance, Error> {
    linker.instantiate_and_start(store, module)
}

fn func_type(
    _: &Engine,
    params: impl ExactSizeIterator<Item = ValType>,
    results: Option<ValType>,
) -> FuncType {
    FuncType::new(params, results)
}

fn memory(caller: &mut Caller<'_, Wasi>) -> Option<Memory> {
    caller.get_export("memory")?.into_memory()
}

fn float_bits(value: &Val) -> u64 {
    match value {
        Val::F32(value) => u64::from(value.to_bits()),
        Val::F64(value) => value.to_bits(),
        _ => 0,
    }
}

fn missing(export: &str) -> Error {
    Error::new(format!("nothing is exported as {export:?}"))
}

fn exit(code: i32) -> Error {
    Error::i32_exit(code)
}

fn exit_code(error: &Error) -> Option<i32> {
    error.i32_exit_status()
}
