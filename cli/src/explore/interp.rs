//! `rwasm explore --interp`: what the interpreter makes of a module's functions.

use rwasm::parser::{self, ExternKind, FuncIndex};
use rwasm::{Config, Engine, Tier, Validation};

use crate::failure::{Failure, Result};
use crate::source::Source;
use crate::{exit, output, suggest};

/// Prints the code of all functions, or of those that `wanted` names by index
/// or name. A function without code is told and does not stop the others.
pub fn print(source: &Source, wanted: Option<&str>) -> Result<u8> {
    let mut config = Config::new();
    config.tier(Tier::Interp).validation(Validation::Lazy);
    config.threads(true).custom_page_sizes(true);
    config.wide_arithmetic(true);
    let engine = Engine::new(&config)
        .map_err(|error| Failure::new(exit::FAILED, format!("no code can be made: {error}")))?;
    let module = source.load(&engine)?;
    let funcs = match wanted {
        Some(wanted) => find(module.parsed(), wanted)?,
        None => defined(module.parsed()).collect(),
    };
    let mut code = 0;
    for func in funcs {
        match module.interp_code(func) {
            Ok(Some(text)) => output::print(&output::printable(&text))?,
            Ok(None) => {
                code = exit::FAILED;
                output::note(&format!("function {func} is imported: it has no code here"));
            }
            Err(error) => {
                code = exit::FAILED;
                output::note(&format!("function {func} has no code: {error}"));
            }
        }
    }
    Ok(code)
}

/// The functions that the module has bodies for.
fn defined(module: &parser::Module) -> impl Iterator<Item = FuncIndex> {
    let imported = module.num_imported_functions();
    (imported..module.functions().len() as u32).map(FuncIndex::from_u32)
}

/// The function of an index, or those that are exported or named so.
fn find(module: &parser::Module, wanted: &str) -> Result<Vec<FuncIndex>> {
    if let Ok(index) = wanted.parse() {
        let count = module.functions().len();
        if (index as usize) < count {
            return Ok(vec![FuncIndex::from_u32(index)]);
        }
        let message = format!("there is no function {index}: there are {count}");
        return Err(Failure::new(exit::FAILED, message));
    }
    let mut found: Vec<FuncIndex> = known(module)
        .filter(|&(_, name)| name == wanted)
        .map(|(func, _)| func)
        .collect();
    found.sort_unstable();
    found.dedup();
    if found.is_empty() {
        let hint = suggest::nearest(wanted, known(module).map(|(_, name)| name))
            .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        let message = format!("no function is called `{wanted}`{hint}");
        return Err(Failure::new(exit::FAILED, message));
    }
    Ok(found)
}

/// All functions with names, some with several.
fn known(module: &parser::Module) -> impl Iterator<Item = (FuncIndex, &str)> {
    let exported = module.exports().iter().filter_map(|export| {
        let func = export.kind == ExternKind::Func;
        func.then(|| (FuncIndex::from_u32(export.index), &*export.name))
    });
    exported.chain(module.names().functions())
}
