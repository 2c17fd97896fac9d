//! The module `spectest` that scripts import from, as the specification's
//! interpreter defines it (`interpreter/host/spectest.ml`). Its functions
//! print there; here they take their arguments and do nothing.

use rwasm::{
    Global, GlobalType, Linker, Memory, MemoryType, Mutability, Ref, RefType, Result, Store, Table,
    TableType, Val, ValType,
};

const NAME: &str = "spectest";

/// Defines the module in `linker`. With `threads`, also its shared memory,
/// which no module could import otherwise.
pub(crate) fn define(linker: &mut Linker<()>, store: &mut Store<()>, threads: bool) -> Result<()> {
    linker.func_wrap(NAME, "print", || {})?;
    linker.func_wrap(NAME, "print_i32", |_: i32| {})?;
    linker.func_wrap(NAME, "print_i64", |_: i64| {})?;
    linker.func_wrap(NAME, "print_f32", |_: f32| {})?;
    linker.func_wrap(NAME, "print_f64", |_: f64| {})?;
    linker.func_wrap(NAME, "print_i32_f32", |_: i32, _: f32| {})?;
    linker.func_wrap(NAME, "print_f64_f64", |_: f64, _: f64| {})?;

    let globals = [
        ("global_i32", ValType::I32, Val::I32(666)),
        ("global_i64", ValType::I64, Val::I64(666)),
        ("global_f32", ValType::F32, Val::from(666.6_f32)),
        ("global_f64", ValType::F64, Val::from(666.6_f64)),
    ];
    for (name, ty, value) in globals {
        let global = Global::new(&mut *store, GlobalType::new(ty, Mutability::Const), value)?;
        linker.define(&*store, NAME, name, global)?;
    }

    let table = TableType::new(RefType::FUNCREF, 10, Some(20));
    for (name, ty) in [("table", table), ("table64", table.table64())] {
        let table = Table::new(&mut *store, ty, Ref::Func(None))?;
        linker.define(&*store, NAME, name, table)?;
    }

    let memory = MemoryType::new(1, Some(2));
    let shared = threads.then_some(("shared_memory", memory.shared()));
    for (name, ty) in [("memory", memory)].into_iter().chain(shared) {
        let memory = Memory::new(&mut *store, ty)?;
        linker.define(&*store, NAME, name, memory)?;
    }
    Ok(())
}
