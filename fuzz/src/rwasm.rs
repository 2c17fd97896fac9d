//! rwasm, the subject: one configuration of one tier.

use crate::case::{Case, HEAP};
use crate::host::{self, FUNCS, GLOBALS, Trace, Ty};
use crate::record::{Digest, Record, Step, Stop, Value, trap_kind};
use ::rwasm::{
    Config, Engine, Error, Extern, FuncType, Global, GlobalType, Limits, Linker, Module,
    Mutability, Store, Tier, Val, ValType, Validation,
};

/// Runs a case in a tier. The settings, which must not matter, are chosen by
/// the case.
pub fn run(case: &Case, tier: Tier) -> Record {
    let mut record = Record::default();
    let bit = |at: u32| case.settings >> at & 1 == 1;
    let mut config = Config::new();
    config
        .tier(tier)
        .consume_fuel(bit(0) && bit(1))
        .interruption(bit(2) && bit(3))
        .guarded_memories(if bit(4) { None } else { Some(false) })
        .validation(if bit(5) {
            Validation::Lazy
        } else {
            Validation::Eager
        })
        .custom_page_sizes(true)
        .wide_arithmetic(true);
    if let Err(error) = steps(case, &config, &mut record) {
        record.add("instantiation", Step::Stopped(stop(&error)));
    }
    record
}

/// The tiers that this build has.
pub fn tiers() -> Vec<Tier> {
    Tier::ALL
        .into_iter()
        .filter(|&tier| Engine::new(Config::new().tier(tier)).is_ok())
        .collect()
}

/// Whether this build runs a module, given as text. Its function `f` is called.
pub fn supports(text: &str) -> bool {
    let run = || {
        let mut config = Config::new();
        config.custom_page_sizes(true).wide_arithmetic(true);
        let engine = Engine::new(&config)?;
        let mut store = Store::new(&engine, ());
        let module = Module::new(&engine, text)?;
        let instance = Linker::new(&engine).instantiate(&mut store, &module)?;
        let func = instance.get_typed_func::<(), ()>(&mut store, "f")?;
        func.call(&mut store, ())
    };
    run().is_ok()
}

fn steps(case: &Case, config: &Config, record: &mut Record) -> Result<(), Error> {
    let engine = Engine::new(config)?;
    let module = Module::new(&engine, &case.wasm)?;
    let mut store = Store::new(&engine, Trace::default());
    store.limits(Limits::new().gc_heap_bytes(HEAP.into()))?;
    // An error if fuel is not charged.
    let _ = store.set_fuel(u64::MAX >> 2);
    let mut linker = Linker::new(&engine);
    define(&mut linker, &mut store)?;
    let instance = linker.instantiate(&mut store, &module)?;
    record.add("instantiation", Step::Returned(Vec::new()));
    for export in &case.exports {
        for (number, args) in export.calls.iter().enumerate() {
            let what = format!("call {number} of {:?}", export.name);
            let Some(func) = instance.get_func(&mut store, &export.name) else {
                record.add(what, missing());
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
        let step = match instance.get_export(&mut store, &export.name) {
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
                        .is_none_or(|element| element.is_null());
                    digest.word(null.into());
                }
                Step::Table {
                    elements,
                    digest: digest.finish(),
                }
            }
            Some(Extern::Global(global)) => Step::Global(value(&global.get(&store))),
            Some(Extern::Func(_) | Extern::Tag(_)) => continue,
            None => missing(),
        };
        record.add(what, step);
    }
    Ok(())
}

fn missing() -> Step {
    Step::Stopped(Stop::Other("no such export".to_owned()))
}

fn define(linker: &mut Linker<Trace>, store: &mut Store<Trace>) -> Result<(), Error> {
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
        let content = Ty::of(global.value).map_or(ValType::I32, val_type);
        let ty = GlobalType::new(content, mutability);
        let defined = Global::new(&mut *store, ty, number_val(global.value))?;
        linker.define(&*store, host::MODULE, global.name, defined)?;
    }
    Ok(())
}

fn stop(error: &Error) -> Stop {
    match error {
        Error::Trap(error) => trap_kind(error.trap.message()),
        Error::Exception(_) => Stop::Exception,
        Error::Unsupported(error) => Stop::Unsupported(error.to_string()),
        Error::Limit(_) | Error::Resource(_) => Stop::OwnLimit(error.to_string()),
        Error::Parse(error) => Stop::Other(format!("invalid: {error}")),
        other => trap_kind(&other.to_string()),
    }
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
        Value::Null | Value::Reference => Val::default_for_ty(*ty).unwrap_or(Val::FuncRef(None)),
        number => number_val(number),
    }
}

fn number_val(value: Value) -> Val {
    match value {
        Value::I32(bits) => Val::I32(bits.cast_signed()),
        Value::I64(bits) => Val::I64(bits.cast_signed()),
        Value::F32(bits) => Val::F32(bits),
        Value::F64(bits) => Val::F64(bits),
        Value::V128(bits) => Val::V128(bits.into()),
        Value::Null | Value::Reference => Val::FuncRef(None),
    }
}

fn value(val: &Val) -> Value {
    match *val {
        Val::I32(number) => Value::I32(number.cast_unsigned()),
        Val::I64(number) => Value::I64(number.cast_unsigned()),
        Val::F32(bits) => Value::F32(bits),
        Val::F64(bits) => Value::F64(bits),
        Val::V128(bits) => Value::V128(bits.as_u128()),
        ref reference => match reference.as_ref() {
            Some(reference) if !reference.is_null() => Value::Reference,
            _ => Value::Null,
        },
    }
}
