//! Bounds on what a guest may take: memory, tables, stack and time.
//!
//! ```sh
//! cargo run -p rwasm --example limits
//! ```

use rwasm::{Config, Engine, Instance, Limits, Module, Result, Store, Trap};
use std::thread;
use std::time::Duration;

const GREEDY: &str = r#"(module
    (memory 1)
    (func (export "grow") (param $pages i32) (result i32)
        (memory.grow (local.get $pages)))
    (func $dive (export "dive") (call $dive))
    (func (export "spin") (loop $for_ever (br $for_ever))))"#;

fn main() -> Result<()> {
    // A guest looks for interruptions only if the engine is told so.
    let engine = Engine::new(Config::new().interruption(true))?;
    let module = Module::new(&engine, GREEDY)?;

    // Every limit has a default; these are tighter.
    let mut store = Store::new(&engine, ());
    let limits = Limits::default().memory_bytes(1 << 20);
    store.limits(limits.stack_bytes(64 << 10))?;
    let instance = Instance::new(&mut store, &module, &[])?;

    // To grow beyond the limit fails as the specification says: with -1.
    let grow = instance.get_typed_func::<i32, i32>(&mut store, "grow")?;
    assert_eq!(grow.call(&mut store, 15)?, 1);
    assert_eq!(grow.call(&mut store, 1)?, -1);
    println!("the memory stays at 16 pages");

    // To recurse for ever is a trap.
    let dive = instance.get_typed_func::<(), ()>(&mut store, "dive")?;
    let error = dive.call(&mut store, ()).unwrap_err();
    println!("recursion for ever: {error}");
    assert_eq!(error.trap(), Some(Trap::StackOverflow));

    // To loop for ever is stopped from another thread.
    let interrupt = store.interrupt_handle();
    let watchdog = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        interrupt.interrupt();
    });
    let spin = instance.get_typed_func::<(), ()>(&mut store, "spin")?;
    let error = spin.call(&mut store, ()).unwrap_err();
    println!("a loop for ever: {error}");
    assert_eq!(error.trap(), Some(Trap::Interrupted));
    watchdog.join().expect("the watchdog does not panic");

    // The store and the instance are as good as before.
    assert_eq!(grow.call(&mut store, 0)?, 16);
    Ok(())
}
