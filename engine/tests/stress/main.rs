//! Modules at the edge of what is valid: what making, instantiating and calling
//! them costs is in proportion to their size.
//!
//! Each shape is built in two sizes, one four times the other, and the processor
//! time and the peak of the heap are compared. What is linear gives a ratio of
//! four, what is quadratic sixteen; the bound lies between. No bound is on time
//! itself, so that a slow or busy machine changes nothing.
//!
//! One test runs all shapes, one after the other: the meters are the process's.

mod meter;
mod shapes;

use meter::Meter;
use rwasm::{
    Config, Engine, Error, Limits, Linker, Module, ModuleBytes, Store, Trap, Val, Validation,
};
use shapes::{SHAPES, Shape};
use std::env;
use std::sync::Mutex;

/// How much more four times the size may cost.
const MOST: f64 = 10.0;

/// What takes less than this is noise: the larger size must be large enough.
const LEAST_MS: f64 = 2.0;

/// The same for the heap: what any module takes.
const LEAST_BYTES: usize = 4 << 20;

/// How much of its size a shape has in a build that is not optimised.
const SCALE: u32 = if cfg!(debug_assertions) { 8 } else { 1 };

/// The meters are the process's: one test at a time.
static METERS: Mutex<()> = Mutex::new(());

#[test]
fn work_is_in_proportion_to_size() {
    let _meters = METERS.lock();
    meter::keep_pages();
    let only = env::var("SHAPE").unwrap_or_default();
    let failures: Vec<String> = SHAPES
        .iter()
        .filter(|shape| shape.name.contains(&only))
        .flat_map(|shape| {
            let bytes = |size| ModuleBytes::from((shape.build)(size));
            let size = shape.size / SCALE;
            let modules = (bytes(size / 4), bytes(size));
            // Lazy validation as well: it takes other ways.
            [Validation::Eager, Validation::Lazy]
                .map(|validation| check(shape, &modules, validation))
        })
        .flatten()
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What is out of proportion, if anything is.
fn check(
    shape: &Shape,
    (small, large): &(ModuleBytes, ModuleBytes),
    validation: Validation,
) -> Option<String> {
    let cost = |wasm| meter::measure(|| (shape.run)(wasm, validation));
    let (mut a, mut b) = (cost(small), cost(large));
    // What disturbs only ever adds: the least of some runs counts.
    for _ in 0..3 {
        let quadratic = b.cpu_ms > LEAST_MS && b.cpu_ms > MOST * a.cpu_ms;
        let greedy = b.peak as f64 > MOST * a.peak as f64 + LEAST_BYTES as f64;
        let bloated = b.peak > shape.bytes_per_byte * large.len() + LEAST_BYTES;
        if !(quadratic || greedy || bloated) {
            return None;
        }
        (a, b) = (a.min(cost(small)), b.min(cost(large)));
    }
    Some(format!(
        "{} ({validation:?}): {} to {} bytes; {:.1} to {:.1} ms, {} to {} KiB of heap",
        shape.name,
        small.len(),
        large.len(),
        a.cpu_ms,
        b.cpu_ms,
        a.peak >> 10,
        b.peak >> 10,
    ))
}

/// Makes an instance and calls its export `f`, if it has one.
fn run(wasm: &ModuleBytes, validation: Validation) {
    let outcome = call(wasm, validation);
    assert!(outcome.is_ok(), "{:?}", outcome.err());
}

/// As [`run`], for what the interpreter may refuse to run, or trap in.
fn run_or_refuse(wasm: &ModuleBytes, validation: Validation) {
    match call(wasm, validation) {
        Ok(()) | Err(Error::Unsupported(_) | Error::Trap(_) | Error::Limit(_)) => {}
        Err(Error::Parse(error)) => assert!(error.to_string().contains("limit"), "{error}"),
        Err(error) => panic!("{error}"),
    }
}

fn call(wasm: &ModuleBytes, validation: Validation) -> rwasm::Result<()> {
    let engine = Engine::new(Config::new().validation(validation))?;
    let module = Module::from_bytes(&engine, wasm.clone())?;
    let mut store = Store::new(&engine, ());
    store.limits(Limits::new().table_elements(20_000_000))?;
    let mut linker = Linker::new(&engine);
    for import in module.imports() {
        linker.func_wrap(import.module(), import.name(), || {})?;
    }
    let instance = linker.instantiate(&mut store, &module)?;
    let Some(func) = instance.get_func(&mut store, "f") else {
        return Ok(());
    };
    let ty = func.ty(&store);
    let params: Vec<Val> = ty.params().iter().map(|_| Val::I32(0)).collect();
    let mut results = vec![Val::I32(0); ty.results().len()];
    func.call(&mut store, &params, &mut results)
}

/// A trap deep inside of a large function that calls itself: the backtrace of
/// 64 frames must not cost 64 times the lowering of the function.
#[test]
fn a_backtrace_through_large_functions_is_cheap() {
    let _meters = METERS.lock();
    let wasm = shapes::large_recursive_function(200_000);
    let engine = Engine::default();
    let module = Module::new(&engine, &wasm).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine)
        .instantiate(&mut store, &module)
        .unwrap();
    let func = instance.get_typed_func::<i32, ()>(&mut store, "f").unwrap();
    let trap_at = |store: &mut Store<()>, depth| {
        let meter = Meter::start();
        let error = func.call(store, depth).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::Unreachable));
        meter.stop().cpu_ms
    };
    // The first call lowers.
    trap_at(&mut store, 1);
    let least = |store: &mut Store<()>, depth| {
        (0..3)
            .map(|_| trap_at(store, depth))
            .fold(f64::MAX, f64::min)
    };
    let (shallow, deep) = (least(&mut store, 1), least(&mut store, 60));
    assert!(
        deep < MOST * shallow.max(LEAST_MS),
        "{shallow} ms, {deep} ms"
    );
}
