//! What code lowering makes of small modules, held in files beside them.
//!
//! `tests/golden/NAME.wat` is one family of instructions, `NAME.code` what the
//! printer says of its functions. A change of either shows in review what it
//! does to the code. `BLESS=1 cargo test -p rwasm-interp --test golden` writes
//! the files anew.
//!
//! Nothing here depends on the machine: the settings are those below, whatever
//! the process could do, and the printer knows no addresses.

mod blessed;

use rwasm_parser::{Features, LocalFuncIndex, Module, ParseOptions};
use rwasm_runtime::code::ModuleCode;
use rwasm_runtime::types::TypeRegistry;
use std::sync::Arc;

#[test]
fn code_is_as_blessed() {
    blessed::check(env!("CARGO_MANIFEST_DIR"), "code", print);
}

/// The code of all functions of a module.
fn print(text: &str) -> String {
    let options = ParseOptions {
        features: Features {
            threads: true,
            wide_arithmetic: true,
            legacy_exceptions: true,
            ..Features::default()
        },
        ..ParseOptions::default()
    };
    let module = Module::parse_any(text.as_bytes().to_vec().into(), None, &options)
        .unwrap_or_else(|error| panic!("{error}"));
    // Nothing is run, so that any entries do.
    let code = ModuleCode::new(
        Arc::new(module),
        Arc::new(TypeRegistry::new()),
        blessed::settings(text),
        rwasm_interp::ENTRIES,
        None,
    );
    let funcs = (0..code.cells.len() as u32).map(LocalFuncIndex::from_u32);
    let printed: Vec<String> = funcs
        .map(|func| {
            rwasm_interp::print_function(&code, func).unwrap_or_else(|error| panic!("{error}"))
        })
        .collect();
    printed.join("\n")
}
