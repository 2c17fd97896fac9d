//! What translation and Cranelift make of small modules, held in files beside
//! them.
//!
//! `tests/golden/NAME.wat` is one family of instructions, `NAME.clif` what
//! translation makes of its functions, `NAME.asm` what they are compiled to for
//! [`Processor::Reference`]. A change of either shows in review what it does to
//! the code. `BLESS=1 cargo test -p rwasm-jit --test golden` writes the files
//! anew.

use rwasm_jit::{PrintError, Processor};
use rwasm_parser::{Features, LocalFuncIndex, Module, ParseOptions};
use rwasm_runtime::code::{CodeCell, CodeSettings, Entries, ModuleCode};
use rwasm_runtime::layout::{Status, VmCtx};
use rwasm_runtime::types::TypeRegistry;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs, ptr};

/// What the first line of a module begins with if it asks for other settings
/// than those of a plain engine: `fuel`, `interruption`, `unguarded`.
const SETTINGS: &str = ";; settings:";

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
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let bless = env::var_os("BLESS").is_some_and(|value| value == "1");
    let modules = files(&folder, "wat");
    assert!(!modules.is_empty());
    let mut wrong = Vec::new();
    for module in &modules {
        let name = module.display();
        let code = print_module(&fs::read_to_string(module).unwrap(), print);
        let golden = module.with_extension(extension);
        if bless {
            fs::write(&golden, &code).unwrap();
        } else {
            let blessed = fs::read_to_string(&golden).unwrap_or_default();
            wrong.extend(difference(&blessed, &code).map(|text| format!("{name}: {text}")));
        }
    }
    let of_modules: BTreeSet<PathBuf> = modules
        .iter()
        .map(|path| path.with_extension(extension))
        .collect();
    for stray in files(&folder, extension).difference(&of_modules) {
        wrong.push(format!("{} belongs to no module", stray.display()));
    }
    assert!(
        wrong.is_empty(),
        "{}\n(BLESS=1 writes the files anew; look at the difference)",
        wrong.join("\n")
    );
}

/// The files of a folder with this extension.
fn files(folder: &Path, extension: &str) -> BTreeSet<PathBuf> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect()
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
    let code = ModuleCode::new(Arc::new(module), registry, settings(text), entries);
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

fn settings(text: &str) -> CodeSettings {
    let mut settings = CodeSettings {
        guarded_memories: true,
        ..CodeSettings::default()
    };
    let first = text.lines().next().unwrap_or_default();
    for word in first
        .strip_prefix(SETTINGS)
        .unwrap_or_default()
        .split_whitespace()
    {
        match word {
            "fuel" => settings.fuel = true,
            "interruption" => settings.interruption = true,
            "unguarded" => settings.guarded_memories = false,
            _ => panic!("no such setting: {word}"),
        }
    }
    settings
}

/// The first line in which the texts differ.
fn difference(blessed: &str, now: &str) -> Option<String> {
    if blessed == now {
        return None;
    }
    let (mut blessed, mut now) = (blessed.lines(), now.lines());
    let mut func = "";
    for line in 1.. {
        let (old, new) = (blessed.next(), now.next());
        if old != new || old.is_none() {
            let side = |text: Option<&str>| text.unwrap_or("(the end)").to_owned();
            let (old, new) = (side(old), side(new));
            return Some(format!(
                "line {line}, in {func}\n  blessed: {old}\n  now:     {new}"
            ));
        }
        func = old.filter(|text| text.starts_with("func")).unwrap_or(func);
    }
    None
}
