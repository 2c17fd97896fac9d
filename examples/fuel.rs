//! Fuel: a bound on work that is the same on every machine and in every run.
//!
//! ```sh
//! cargo run -p rwasm --example fuel
//! ```

use rwasm::{Config, Engine, Instance, Module, Result, Store, Trap};

fn main() -> Result<()> {
    // Counting costs time, so it is off unless asked for.
    let engine = Engine::new(Config::new().consume_fuel(true))?;
    let module = Module::new(
        &engine,
        r#"(module
            (func (export "count") (param $n i32) (result i32)
                (local $i i32)
                (loop $next
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br_if $next (i32.lt_u (local.get $i) (local.get $n))))
                local.get $i))"#,
    )?;

    // A store has no fuel until it is given some.
    let mut store = Store::new(&engine, ());
    store.set_fuel(10_000)?;
    let instance = Instance::new(&mut store, &module, &[])?;
    let count = instance.get_typed_func::<u32, u32>(&mut store, "count")?;

    count.call(&mut store, 100)?;
    let used = 10_000 - store.get_fuel()?;
    println!("counting to 100 took {used} units of fuel");

    // The same work takes the same fuel.
    let before = store.get_fuel()?;
    count.call(&mut store, 100)?;
    assert_eq!(before - store.get_fuel()?, used);

    // Whoever runs out is stopped.
    let error = count.call(&mut store, 1_000_000).unwrap_err();
    println!("counting to a million: {error}");
    assert_eq!(error.trap(), Some(Trap::OutOfFuel));

    // More fuel, and it goes on.
    store.set_fuel(used)?;
    assert_eq!(count.call(&mut store, 100)?, 100);
    Ok(())
}
