//! Functions of the host that a guest imports: plain ones, one with access to
//! the store, and one that can fail.
//!
//! ```sh
//! cargo run -p rwasm --example host_function
//! ```

use rwasm::{Caller, Engine, Error, Linker, Module, Result, Store};

/// What the host functions work on: any type will do.
#[derive(Default)]
struct Account {
    balance: i64,
    bookings: u32,
}

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (import "host" "tax" (func $tax (param i64) (result i64)))
            (import "host" "book" (func $book (param i64) (result i64)))
            (func (export "sell") (param $price i64) (result i64)
                (drop (call $book (local.get $price)))
                (call $book (i64.sub (i64.const 0) (call $tax (local.get $price))))))"#,
    )?;

    // A linker knows host functions by name. It belongs to no store, so that
    // many can be instantiated with it.
    let mut linker = Linker::<Account>::new(&engine);

    // The closure's type is the function's: (i64) -> i64.
    linker.func_wrap("host", "tax", |price: i64| price / 5)?;

    // With a `Caller` first, a closure reaches the store's data and the
    // caller's exports. It may fail, too; the guest then ends at this call.
    linker.func_wrap(
        "host",
        "book",
        |mut caller: Caller<'_, Account>, amount: i64| -> Result<i64> {
            let account = caller.data_mut();
            account.balance = account
                .balance
                .checked_add(amount)
                .ok_or_else(|| Error::host("the account is full"))?;
            account.bookings += 1;
            Ok(account.balance)
        },
    )?;

    let mut store = Store::new(&engine, Account::default());
    let instance = linker.instantiate(&mut store, &module)?;
    let sell = instance.get_typed_func::<i64, i64>(&mut store, "sell")?;

    let balance = sell.call(&mut store, 100)?;
    println!(
        "after a sale: {balance}, in {} bookings",
        store.data().bookings
    );
    assert_eq!((balance, store.data().bookings), (80, 2));

    // The host function's error comes out of the call as it went in.
    let error = sell.call(&mut store, i64::MAX).unwrap_err();
    println!("a sale too large: {error}");
    assert!(matches!(error, Error::Host(_)));
    Ok(())
}
