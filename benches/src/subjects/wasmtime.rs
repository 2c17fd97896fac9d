//! wasmtime at its defaults: Cranelift, optimising, all of a module before the
//! start.

use super::like_wasmtime;
use crate::wasi::Wasi;
use std::fmt;
use wasmtime::{
    Caller, Config, Engine, Error, Extern, FuncType, Linker, Memory, Module, Store, Val, ValType,
};

/// A module.
pub(super) struct Wasmtime {
    engine: Engine,
    module: Module,
    linker: Linker<Wasi>,
}

/// What `proc_exit` fails with.
#[derive(Debug)]
struct Exit(i32);

impl Wasmtime {
    pub(super) fn load(wasm: &[u8]) -> Result<Self, Error> {
        let engine = Engine::new(&Config::new())?;
        let module = Module::new(&engine, wasm)?;
        let mut linker = Linker::new(&engine);
        link(&mut linker, &engine)?;
        Ok(Wasmtime {
            engine,
            module,
            linker,
        })
    }
}

like_wasmtime!(wasmtime, Wasmtime);

fn instantiate(
    linker: &Linker<Wasi>,
    store: &mut Store<Wasi>,
    module: &Module,
) -> Result<wasmtime::Instance, Error> {
    linker.instantiate(store, module)
}

fn func_type(
    engine: &Engine,
    params: impl IntoIterator<Item = ValType>,
    results: impl IntoIterator<Item = ValType>,
) -> FuncType {
    FuncType::new(engine, params, results)
}

fn memory(caller: &mut Caller<'_, Wasi>) -> Option<Memory> {
    caller.get_export("memory").and_then(Extern::into_memory)
}

fn float_bits(value: &Val) -> u64 {
    match value {
        Val::F32(bits) => u64::from(*bits),
        Val::F64(bits) => *bits,
        _ => 0,
    }
}

fn missing(export: &str) -> Error {
    Error::msg(format!("nothing is exported as {export:?}"))
}

fn exit(code: i32) -> Error {
    Exit(code).into()
}

fn exit_code(error: &Error) -> Option<i32> {
    error.downcast_ref().map(|Exit(code)| *code)
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the program exited with code {}", self.0)
    }
}

impl std::error::Error for Exit {}
