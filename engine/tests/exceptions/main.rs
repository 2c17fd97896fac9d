//! Exceptions inside of guests, in both forms: the instructions of WebAssembly
//! 3.0 and the legacy ones. What the host sees of them is in
//! `host_exceptions.rs`.

#[path = "../common/mod.rs"]
mod common;

mod legacy;
mod standard;

use common::{call, instance_with, shown};
use rwasm::Val;

/// Calls each function that a module exports with each argument of its row; a
/// row says what comes back.
fn check(wat: &str, rows: &[(&str, i32, &str)]) {
    let configs = [
        common::config(),
        common::config().consume_fuel(true).clone(),
        common::config().interruption(true).clone(),
        common::config().guarded_memories(Some(false)).clone(),
    ];
    for config in &configs {
        let (mut store, instance) = instance_with(config, wat);
        for &(name, argument, expected) in rows {
            let found = match call(&mut store, instance, name, &[Val::I32(argument)]) {
                Ok(values) => shown(&values),
                Err(error) => error.to_string(),
            };
            assert_eq!(found, expected, "{name} {argument} {config:?}");
        }
    }
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
