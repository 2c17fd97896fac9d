//! Interpreters' code: made for every function of a module, as a bench of its
//! speed and its size. Programs lower a function when it is first called.

use crate::subjects::SubjectError;
use rwasm_parser::ParseOptions;
use rwasm_runtime::code::{CodeSettings, ModuleCode};
use rwasm_runtime::types::TypeRegistry;
use std::any::Any;
use std::sync::Arc;
use wasmi::{CompilationMode, Config, Engine};

/// Parses and validates a module, and also lowers all of it if the second
/// argument says so. What it returns keeps the code alive.
pub type Lower = fn(&[u8], bool) -> Result<Box<dyn Any>, SubjectError>;

/// The interpreters, the one that ratios are taken against last.
pub const SUBJECTS: &[(&str, Lower)] = &[("rwasm", lower_rwasm), ("wasmi", lower_wasmi)];

fn lower_rwasm(wasm: &[u8], lower: bool) -> Result<Box<dyn Any>, SubjectError> {
    let error = |cause: Box<dyn std::error::Error + Send + Sync>| SubjectError {
        subject: "rwasm",
        cause,
    };
    // As wasmi does, bodies are validated when they are lowered.
    let options = ParseOptions {
        validate_bodies: !lower,
        ..ParseOptions::default()
    };
    let module = rwasm_parser::Module::parse(wasm.to_vec().into(), &options)
        .map_err(|cause| error(cause.into()))?;
    let settings = CodeSettings {
        guarded_memories: true,
        lazy_validation: lower,
        ..CodeSettings::default()
    };
    let code = ModuleCode::new(
        Arc::new(module),
        Arc::new(TypeRegistry::new()),
        settings,
        rwasm_interp::ENTRIES,
        None,
    );
    if lower {
        for cell in &code.cells {
            rwasm_interp::lower_cell(cell).map_err(|cause| error(cause.into()))?;
        }
    }
    Ok(Box::new(code))
}

fn lower_wasmi(wasm: &[u8], lower: bool) -> Result<Box<dyn Any>, SubjectError> {
    let mut config = Config::default();
    config.compilation_mode(if lower {
        CompilationMode::Eager
    } else {
        CompilationMode::LazyTranslation
    });
    let module = wasmi::Module::new(&Engine::new(&config), wasm);
    match module {
        Ok(module) => Ok(Box::new(module)),
        Err(cause) => Err(SubjectError {
            subject: "wasmi",
            cause: Box::new(cause),
        }),
    }
}
