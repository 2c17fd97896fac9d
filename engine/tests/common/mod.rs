//! What the tests share.
// Each test program uses a part of it.
#![allow(dead_code, reason = "each test file uses a part of this")]

use rwasm::{AsContextMut, Caller, Config, Engine, Instance, Linker, Module, Result, Store, Val};

/// A store that holds `()` and an instance of a module that imports nothing.
pub fn instance(wat: &str) -> (Store<()>, Instance) {
    instance_with(&Config::new(), wat)
}

/// As [`instance`], in an engine of that configuration.
pub fn instance_with(config: &Config, wat: &str) -> (Store<()>, Instance) {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    if config_counts_fuel(&mut store) {
        store.set_fuel(u64::MAX).unwrap();
    }
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    (store, instance)
}

fn config_counts_fuel(store: &mut Store<()>) -> bool {
    store.get_fuel().is_ok()
}

/// A linker, and a store that holds `data`, of one default engine.
pub fn linker<T: 'static>(data: T) -> (Store<T>, Linker<T>) {
    let engine = Engine::default();
    (Store::new(&engine, data), Linker::new(&engine))
}

/// Instantiates a module in text form.
pub fn link<T: 'static>(store: &mut Store<T>, linker: &Linker<T>, wat: &str) -> Result<Instance> {
    let module = Module::new(store.engine(), wat)?;
    linker.instantiate(store, &module)
}

/// Calls an export by name, with values.
pub fn call(
    mut ctx: impl AsContextMut,
    instance: Instance,
    name: &str,
    params: &[Val],
) -> Result<Vec<Val>> {
    let func = instance.get_func(&mut ctx, name).unwrap();
    let mut results = vec![Val::I32(-1); func.ty(&ctx).results().len()];
    func.call(ctx, params, &mut results)?;
    Ok(results)
}

/// Calls an export of the caller without parameters and results.
pub fn call_back<T>(caller: &mut Caller<'_, T>, name: &str) -> Result<()> {
    let func = caller
        .get_export(name)
        .and_then(|export| export.into_func())
        .unwrap();
    func.typed::<(), ()>(&caller)?.call(caller, ())
}

/// Values as text, to compare.
pub fn shown(values: &[Val]) -> String {
    format!("{values:?}")
}
