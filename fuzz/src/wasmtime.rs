//! wasmtime, the oracle.

use crate::case::{Case, HEAP};
use crate::host::{self, FUNCS, GLOBALS, Trace, Ty};
use crate::record::{Digest, Record, Step, Stop, Value, trap_kind};
use ::wasmtime::{
    Config, Engine, Error, Extern, FuncType, Global, GlobalType, Linker, Module, Mutability,
    OptLevel, Ref, RefType, Store, StoreLimits, StoreLimitsBuilder, ThrownException, Trap, Val,
    ValType,
};

/// The data of a store.
struct State {
    trace: Trace,
    limits: StoreLimits,
}

impl Default for State {
    fn default() -> Self {
        let limits = StoreLimitsBuilder::new().memory_size(HEAP as usize);
        State {
            trace: Trace::default(),
            limits: limits.build(),
        }
    }
}

/// An engine: one serves all cases.
pub struct Wasmtime(Engine);

impl Wasmtime {
    pub fn new() -> Result<Self, Error> {
        let mut config = Config::new();
        config
            // Two runtimes with signal handlers in one process would test how
            // they get on with each other.
            .signals_based_traps(false)
            .memory_init_cow(false)
            .cranelift_opt_level(OptLevel::None)
            .wasm_backtrace_max_frames(None)
            .relaxed_simd_deterministic(true)
            .wasm_tail_call(true)
            .wasm_multi_memory(true)
            .wasm_memory64(true)
            .wasm_extended_const(true)
            .wasm_function_references(true)
            .wasm_gc(true)
            .wasm_exceptions(true)
            .wasm_wide_arithmetic(true)
            .wasm_custom_page_sizes(true);
        Ok(Wasmtime(Engine::new(&config)?))
    }

    /// Runs a case.
    pub fn run(&self, case: &Case) -> Record {
        let mut record = Record::default();
        if let Err(error) = self.steps(case, &mut record) {
            record.add("instantiation", Step::Stopped(stop(&error)));
        }
        record
    }

    fn steps(&self, case: &Case, record: &mut Record) -> Result<(), Error> {
        let module = Module::new(&self.0, &case.wasm)?;
        let mut store = Store::new(&self.0, State::default());
        store.limiter(|state| &mut state.limits);
        let linker = self.linker(&mut store)?;
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
                let params: Vec<Val> = ty.params().zip(args).map(val).collect();
                let mut results = vec![Val::I32(0); ty.results().len()];
                let outcome = func.call(&mut store, &params, &mut results);
                let outcome = outcome.map(|()| results.iter().map(value).collect());
                if !record.add(what, Step::of(outcome.map_err(|error| stop(&error)))) {
                    return Ok(());
                }
                let trace = &store.data().trace;
                let (calls, digest) = (trace.calls, trace.digest());
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
                        let element = table.get(&mut store, at);
                        let null = element.is_none_or(|element| is_null(&element));
                        digest.word(null.into());
                    }
                    Step::Table {
                        elements,
                        digest: digest.finish(),
                    }
                }
                Some(Extern::Global(global)) => Step::Global(value(&global.get(&mut store))),
                Some(_) => continue,
                None => missing(),
            };
            record.add(what, step);
        }
        Ok(())
    }

    fn linker(&self, store: &mut Store<State>) -> Result<Linker<State>, Error> {
        let mut linker = Linker::<State>::new(&self.0);
        for (number, func) in FUNCS.iter().enumerate() {
            let types = |types: &[Ty]| types.iter().map(|&ty| val_type(ty)).collect::<Vec<_>>();
            let ty = FuncType::new(&self.0, types(func.params), types(func.results));
            linker.func_new(
                host::MODULE,
                func.name,
                ty,
                move |mut caller, args, results| {
                    let given = caller.data_mut().trace.call(number, args.iter().map(value));
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
        Ok(linker)
    }
}

fn missing() -> Step {
    Step::Stopped(Stop::Other("no such export".to_owned()))
}

fn stop(error: &Error) -> Stop {
    if error.downcast_ref::<ThrownException>().is_some() {
        return Stop::Exception;
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => trap_kind(&trap.to_string()),
        // The alternative form has the causes.
        None => trap_kind(&format!("{error:#}")),
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

fn val((ty, &value): (ValType, &Value)) -> Val {
    match (ty, value) {
        (ValType::Ref(ty), _) => Val::null_ref(RefType::heap_type(&ty)),
        (_, number) => number_val(number),
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
    match val {
        Val::I32(number) => Value::I32(number.cast_unsigned()),
        Val::I64(number) => Value::I64(number.cast_unsigned()),
        Val::F32(bits) => Value::F32(*bits),
        Val::F64(bits) => Value::F64(*bits),
        Val::V128(bits) => Value::V128(bits.as_u128()),
        reference => match reference.ref_() {
            Some(reference) if !is_null(&reference) => Value::Reference,
            _ => Value::Null,
        },
    }
}

fn is_null(reference: &Ref) -> bool {
    reference.is_null()
}
