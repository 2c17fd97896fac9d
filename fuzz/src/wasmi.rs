//! wasmi, asked where rwasm and wasmtime differ, as far as it can run the
//! module. It is not asked first: version 2.0 is wrong about some divisions by
//! zero and some globals with floats.

use crate::case::Case;
use crate::host::{self, FUNCS, GLOBALS, Trace, Ty};
use crate::record::{Digest, Record, Step, Stop, Value, trap_kind};
use ::wasmi::{
    Config, Engine, Error, Extern, FuncType, Global, Linker, Module, Mutability, Store, Val,
    ValType,
};

/// Runs a case.
pub fn run(case: &Case) -> Record {
    let mut record = Record::default();
    if let Err(error) = steps(case, &mut record) {
        record.add("instantiation", Step::Stopped(stop(&error)));
    }
    record
}

fn steps(case: &Case, record: &mut Record) -> Result<(), Error> {
    let mut config = Config::default();
    config
        .wasm_multi_memory(true)
        .wasm_memory64(true)
        .wasm_tail_call(true)
        .wasm_custom_page_sizes(true)
        .wasm_wide_arithmetic(true);
    let engine = Engine::new(&config);
    let Ok(module) = Module::new(&engine, &case.wasm) else {
        let stop = Stop::Unsupported("the module".to_owned());
        record.add("instantiation", Step::Stopped(stop));
        return Ok(());
    };
    let mut store = Store::new(&engine, Trace::default());
    let linker = linker(&engine, &mut store)?;
    let instance = linker.instantiate_and_start(&mut store, &module)?;
    record.add("instantiation", Step::Returned(Vec::new()));
    for export in &case.exports {
        for (number, args) in export.calls.iter().enumerate() {
            let what = format!("call {number} of {:?}", export.name);
            let Some(func) = instance.get_func(&store, &export.name) else {
                continue;
            };
            let ty = func.ty(&store);
            let params: Vec<Val> = ty.params().iter().zip(args).map(val).collect();
            let mut results = vec![Val::I32(0); ty.results().len()];
            let outcome = func.call(&mut store, &params, &mut results);
            let outcome = outcome.map(|()| results.iter().map(value).collect());
            if !record.add(what, Step::of(outcome.map_err(|error| stop(&error)))) {
                return Ok(());
            }
            let Trace { calls, .. } = *store.data();
            let digest = store.data().digest();
            record.add("host", Step::Host { calls, digest });
        }
    }
    for export in &case.exports {
        let what = format!("{} {:?}", export.kind.name(), export.name);
        let step = match instance.get_export(&store, &export.name) {
            Some(Extern::Memory(memory)) => {
                let bytes = memory.data(&store);
                Step::Memory {
                    bytes: bytes.len() as u64,
                    digest: Digest::bytes(bytes),
                }
            }
            Some(Extern::Table(table)) => {
                let elements = table.size(&store);
                let mut digest = Digest::new();
                for at in 0..elements {
                    let null = table
                        .get(&store, at)
                        .is_none_or(|element| value(&element.into()) == Value::Null);
                    digest.word(null.into());
                }
                Step::Table {
                    elements,
                    digest: digest.finish(),
                }
            }
            Some(Extern::Global(global)) => Step::Global(value(&global.get(&store))),
            _ => continue,
        };
        record.add(what, step);
    }
    Ok(())
}

fn linker(engine: &Engine, store: &mut Store<Trace>) -> Result<Linker<Trace>, Error> {
    let mut linker = Linker::<Trace>::new(engine);
    for (number, func) in FUNCS.iter().enumerate() {
        let types = |types: &[Ty]| types.iter().map(|&ty| val_type(ty)).collect::<Vec<_>>();
        let ty = FuncType::new(types(func.params), types(func.results));
        linker.func_new(
            host::MODULE,
            func.name,
            ty,
            move |mut caller, args, results| {
                let given = caller.data_mut().call(number, args.iter().map(value));
                for (result, given) in results.iter_mut().zip(given) {
                    *result = number_val(given);
                }
                Ok(())
            },
        )?;
    }
    for global in GLOBALS {
        let mutability = if global.mutable {
            Mutability::Var
        } else {
            Mutability::Const
        };
        let defined = Global::new(&mut *store, number_val(global.value), mutability);
        linker.define(host::MODULE, global.name, defined)?;
    }
    Ok(linker)
}

fn stop(error: &Error) -> Stop {
    trap_kind(&error.to_string())
}

fn val_type(ty: Ty) -> ValType {
    match ty {
        Ty::I32 => ValType::I32,
        Ty::I64 => ValType::I64,
        Ty::F32 => ValType::F32,
        Ty::F64 => ValType::F64,
        Ty::V128 => ValType::V128,
    }
}

fn val((ty, &value): (&ValType, &Value)) -> Val {
    match value {
        Value::Null | Value::Reference => Val::default_for_ty(*ty),
        number => number_val(number),
    }
}

fn number_val(value: Value) -> Val {
    match value {
        Value::I32(bits) => Val::I32(bits.cast_signed()),
        Value::I64(bits) => Val::I64(bits.cast_signed()),
        Value::F32(bits) => Val::F32(::wasmi::F32::from_bits(bits)),
        Value::F64(bits) => Val::F64(::wasmi::F64::from_bits(bits)),
        Value::V128(bits) => Val::V128(bits.into()),
        Value::Null | Value::Reference => Val::I32(0),
    }
}

fn value(val: &Val) -> Value {
    match val {
        Val::I32(number) => Value::I32(number.cast_unsigned()),
        Val::I64(number) => Value::I64(number.cast_unsigned()),
        Val::F32(number) => Value::F32(number.to_bits()),
        Val::F64(number) => Value::F64(number.to_bits()),
        Val::V128(bits) => Value::V128(bits.as_u128()),
        Val::FuncRef(reference) if !reference.is_null() => Value::Reference,
        Val::ExternRef(reference) if !reference.is_null() => Value::Reference,
        Val::FuncRef(_) | Val::ExternRef(_) => Value::Null,
    }
}
