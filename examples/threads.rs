//! Threads: guests that share a memory, each on a thread with a store of its own.
//!
//! ```sh
//! cargo run -p rwasm --example threads
//! ```

use rwasm::{Config, Engine, Linker, MemoryType, Module, Result, SharedMemory, Store};
use std::thread;

fn main() -> Result<()> {
    let engine = Engine::new(Config::new().threads(true))?;
    // Adds to a counter, and wakes who waits for it to become what it should.
    let module = Module::new(
        &engine,
        r#"(module
            (import "host" "memory" (memory 1 1 shared))
            (func (export "count") (param $n i32)
                (loop $next
                    (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
                    (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (drop (memory.atomic.notify (i32.const 0) (i32.const 1)))))"#,
    )?;

    // The memory belongs to no store, so that the linker can give it to many.
    let memory = SharedMemory::new(&engine, MemoryType::new(1, Some(1)).shared())?;
    let mut linker = Linker::new(&engine);
    linker.define_shared_memory("host", "memory", &memory)?;

    let guest = || -> Result<()> {
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &module)?;
        let count = instance.get_typed_func::<u32, ()>(&mut store, "count")?;
        count.call(&mut store, 1000)
    };
    let counter = || -> Result<u32> {
        let mut bytes = [0; 4];
        memory.read(0, &mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    };
    thread::scope(|threads| {
        let guests = [(); 4].map(|()| threads.spawn(guest));
        // The host can wait like a guest: as long as the value is the old one,
        // until somebody notifies.
        let mut seen = counter()?;
        while seen < 4000 && guests.iter().any(|guest| !guest.is_finished()) {
            let a_while = std::time::Duration::from_millis(10);
            memory.atomic_wait32(0, seen, Some(a_while))?;
            seen = counter()?;
        }
        for guest in guests {
            guest.join().expect("guests do not panic the host")?;
        }
        println!("four guests counted to {}", counter()?);
        assert_eq!(counter()?, 4000);
        Ok(())
    })
}
