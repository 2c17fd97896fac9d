//! What the tests share.
// Each test program uses a part of it.
#![allow(dead_code, reason = "each test file uses a part of this")]

use rwasm::{
    AsContextMut, Caller, Config, Engine, Error, Instance, Linker, Module, Result, Store, Tier, Val,
};
use std::env;
use std::process::Command;

/// Says which tiers the tests of this process run under: one of [`TIERS`].
const TIERS_VAR: &str = "RWASM_TEST_TIERS";

/// The default, then the rest by name: a tier, and a seed if it shares the
/// functions with the interpreter.
const TIERS: [(&str, Tier, Option<u64>); 4] = [
    ("interp", Tier::Interp, None),
    ("jit", Tier::Jit, None),
    ("auto", Tier::Auto, None),
    ("mixed", Tier::Jit, Some(1)),
];

/// A configuration with the tiers that the tests of this process run under.
pub fn config() -> Config {
    let mut config = Config::new();
    if let Ok(name) = env::var(TIERS_VAR) {
        let tiers = TIERS.iter().find(|tiers| tiers.0 == name);
        let (_, tier, mixed) = tiers.unwrap_or_else(|| panic!("{TIERS_VAR}={name}"));
        config.tier(*tier).mixed_tiers(*mixed);
    }
    config
}

/// All of [`TIERS`], with and without guards behind memories, and with pages of
/// any size: for tests that go through them in one process.
pub fn configs() -> Vec<Config> {
    let mut configs = Vec::new();
    for (_, tier, mixed) in TIERS {
        for guarded in [None, Some(false)] {
            let mut config = Config::new();
            config.tier(tier).mixed_tiers(mixed);
            config.guarded_memories(guarded).custom_page_sizes(true);
            configs.push(config);
        }
    }
    configs
}

/// An engine of that [`config`].
pub fn engine() -> Engine {
    Engine::new(&config()).unwrap()
}

/// Runs all tests of this program once for each of [`TIERS`], in a process of
/// its own; what runs directly runs under the default.
pub fn run_under_all_tiers() {
    if env::var_os(TIERS_VAR).is_some() {
        return;
    }
    for (name, tier, mixed) in TIERS {
        if Engine::new(Config::new().tier(tier).mixed_tiers(mixed))
            .is_err_and(|error| matches!(error, Error::Config(rwasm::ConfigError::NoJit)))
        {
            continue;
        }
        let mut tests = Command::new(env::current_exe().unwrap());
        let output = tests.env(TIERS_VAR, name).output().unwrap();
        assert!(
            output.status.success(),
            "{TIERS_VAR}={name}: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// A store that holds `()` and an instance of a module that imports nothing.
pub fn instance(wat: &str) -> (Store<()>, Instance) {
    instance_with(&config(), wat)
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
    let engine = engine();
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
