//! rwasm, in the tier that the subject names.

use super::like_wasmtime;
use crate::wasi::Wasi;
use rwasm::{
    Caller, Config, Engine, Error, FuncType, Linker, Memory, Module, Store, Tier, TypeError, Val,
    ValType,
};

/// A module.
pub(super) struct Rwasm {
    engine: Engine,
    module: Module,
    linker: Linker<Wasi>,
}

impl Rwasm {
    pub(super) fn load(wasm: &[u8], tier: Tier) -> Result<Self, Error> {
        let engine = Engine::new(Config::new().tier(tier))?;
        let module = Module::new(&engine, wasm)?;
        let mut linker = Linker::new(&engine);
        link(&mut linker, &engine)?;
        Ok(Rwasm {
            engine,
            module,
            linker,
        })
    }
}

like_wasmtime!(rwasm, Rwasm);

fn instantiate(
    linker: &Linker<Wasi>,
    store: &mut Store<Wasi>,
    module: &Module,
) -> Result<rwasm::Instance, Error> {
    linker.instantiate(store, module)
}

fn func_type(
    _: &Engine,
    params: impl IntoIterator<Item = ValType>,
    results: impl IntoIterator<Item = ValType>,
) -> FuncType {
    FuncType::new(params, results)
}

fn memory(caller: &mut Caller<'_, Wasi>) -> Option<Memory> {
    caller.memory()
}

fn float_bits(value: &Val) -> u64 {
    match value {
        Val::F32(bits) => u64::from(*bits),
        Val::F64(bits) => *bits,
        _ => 0,
    }
}

fn missing(export: &str) -> Error {
    TypeError::UnknownExport(export.to_owned()).into()
}

fn exit(code: i32) -> Error {
    Error::Exit(code)
}

fn exit_code(error: &Error) -> Option<i32> {
    match error {
        Error::Exit(code) => Some(*code),
        _ => None,
    }
}
