//! Reading and writing a guest's memory, from outside and in a host function.
//!
//! ```sh
//! cargo run -p rwasm --example memory
//! ```

use rwasm::{Caller, Engine, Error, Linker, Module, Result, Store};

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (import "host" "print" (func $print (param i32 i32)))
            (memory (export "memory") 1)
            (data (i32.const 8) "hello from the guest")
            (func (export "greet")
                (call $print (i32.const 8) (i32.const 20)))
            (func (export "upper") (param $at i32) (param $end i32)
                (loop $next
                    (if (i32.lt_u (local.get $at) (local.get $end))
                        (then
                            (i32.store8
                                (local.get $at)
                                (i32.and (i32.load8_u (local.get $at)) (i32.const 0xdf)))
                            (local.set $at (i32.add (local.get $at) (i32.const 1)))
                            (br $next))))))"#,
    )?;

    let mut linker = Linker::<Vec<String>>::new(&engine);
    linker.func_wrap(
        "host",
        "print",
        |mut caller: Caller<'_, Vec<String>>, at: u32, len: u32| -> Result<()> {
            // The export called `memory` is at hand without a look-up.
            let memory = caller.memory().ok_or_else(|| Error::host("no memory"))?;
            // Both at once: the guest's bytes and the store's data.
            let (bytes, printed) = memory.data_and_store_mut(&mut caller);
            // What a guest says must be checked: it may be anything.
            let (at, len) = (at as usize, len as usize);
            let text = at.checked_add(len).and_then(|end| bytes.get(at..end));
            let text = text.ok_or_else(|| Error::host("the text is outside the memory"))?;
            printed.push(String::from_utf8_lossy(text).into_owned());
            Ok(())
        },
    )?;

    let mut store = Store::new(&engine, Vec::new());
    let instance = linker.instantiate(&mut store, &module)?;
    instance
        .get_typed_func::<(), ()>(&mut store, "greet")?
        .call(&mut store, ())?;
    println!("printed: {:?}", store.data());
    assert_eq!(store.data()[..], ["hello from the guest"]);

    // From outside: copies by `read` and `write`, or the bytes themselves.
    let memory = instance
        .get_memory(&mut store, "memory")
        .expect("it is exported");
    memory.write(&mut store, 1000, b"shout")?;
    let upper = instance.get_typed_func::<(u32, u32), ()>(&mut store, "upper")?;
    upper.call(&mut store, (1000, 1005))?;
    let text = &memory.data(&store)[1000..1005];
    println!("in upper case: {}", String::from_utf8_lossy(text));
    assert_eq!(text, b"SHOUT");

    // Memories grow by pages of 64 KiB; borrowed bytes end where they grow.
    let pages_before = memory.grow(&mut store, 2)?;
    println!("grown from {pages_before} to {} pages", memory.size(&store));
    assert_eq!(memory.data_size(&store), 3 << 16);
    Ok(())
}
