//! The smallest embedding: a module, an instance, a call.
//!
//! ```sh
//! cargo run -p rwasm --example hello
//! ```

use rwasm::{Engine, Instance, Module, Result, Store};

fn main() -> Result<()> {
    // An engine holds settings and types; one serves a whole program.
    let engine = Engine::default();

    // A module comes from bytes, in binary or in text form, or from a file by
    // `Module::from_file`. It is validated here, once.
    let module = Module::new(
        &engine,
        r#"(module
            (func (export "gcd") (param $a i32) (param $b i32) (result i32)
                (local $rest i32)
                (loop $next
                    (if (local.get $b)
                        (then
                            (local.set $rest (i32.rem_u (local.get $a) (local.get $b)))
                            (local.set $a (local.get $b))
                            (local.set $b (local.get $rest))
                            (br $next))))
                local.get $a))"#,
    )?;

    // A store owns instances, and data of the embedder's: none here.
    let mut store = Store::new(&engine, ());

    // The module imports nothing, so there is nothing to link.
    let instance = Instance::new(&mut store, &module, &[])?;

    // The function's type is checked here, once, and not in every call.
    let gcd = instance.get_typed_func::<(i32, i32), i32>(&mut store, "gcd")?;
    let result = gcd.call(&mut store, (1_071, 462))?;

    println!("gcd(1071, 462) = {result}");
    assert_eq!(result, 21);
    Ok(())
}
