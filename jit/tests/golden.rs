//! What translation and Cranelift make of small modules, held in files beside
//! them.
//!
//! `tests/golden/NAME.wat` is one family of instructions, `NAME.clif` what
//! translation makes of its functions, `NAME.asm` what they are compiled to for
//! [`Processor::Reference`]. A change of either shows in review what it does to
//! the code. `BLESS=1 cargo test -p rwasm-jit --test golden` writes the files
//! anew.

#[path = "../../interp/tests/blessed/mod.rs"]
mod blessed;

use rwasm_jit::{PrintError, Processor};
use rwasm_parser::{Features, LocalFuncIndex, Module, ParseOptions};
use rwasm_runtime::code::{CodeCell, Entries, ModuleCode};
use rwasm_runtime::layout::{Status, VmCtx};
use rwasm_runtime::types::TypeRegistry;
use std::ptr;
use std::sync::Arc;

type Print = fn(&ModuleCode, LocalFuncIndex, Processor) -> Result<String, PrintError>;

#[test]
fn ir_is_as_blessed() {
    check("clif", rwasm_jit::print_clif);
}

#[test]
fn machine_code_is_as_blessed() {
    check("asm", rwasm_jit::print_machine_code);
}

fn check(extension: &str, print: Print) {
    blessed::check(env!("CARGO_MANIFEST_DIR"), extension, |text| {
        print_module(text, print)
    });
}

/// The code of all functions of a module.
fn print_module(text: &str, print: Print) -> String {
    let options = ParseOptions {
        features: Features {
            threads: true,
            wide_arithmetic: true,
            ..Features::default()
        },
        ..ParseOptions::default()
    };
    let module = Module::parse_any(text.as_bytes().to_vec().into(), None, &options)
        .unwrap_or_else(|error| panic!("{error}"));
    // Nothing is run, so that any entries do.
    let entries = Entries {
        interp: ptr::null(),
        array: never_called,
        native: ptr::null(),
    };
    let registry = Arc::new(TypeRegistry::new());
    let code = ModuleCode::new(
        Arc::new(module),
        registry,
        blessed::settings(text),
        entries,
        None,
    );
    let funcs = (0..code.cells.len() as u32).map(LocalFuncIndex::from_u32);
    let printed: Vec<String> = funcs
        .map(|func| {
            let text = print(&code, func, Processor::Reference);
            let text = text.unwrap_or_else(|error| panic!("{error}"));
            format!("func {func}\n{}\n", text.trim_end())
        })
        .collect();
    printed.join("\n")
}

unsafe extern "C" fn never_called(
    _callee: *mut VmCtx,
    _caller: *mut VmCtx,
    _cell: *const CodeCell,
    _slots: *mut u64,
) -> Status {
    unreachable!("nothing is run")
}
