//! Interpreters' code: made for every function of a module, as a bench of its
//! speed and its size. Programs lower a function when it is first called.

use crate::subjects::SubjectError;
use rwasm_parser::ParseOptions;
use rwasm_runtime::code::{CodeSettings, ModuleCode};
use rwasm_runtime::types::TypeRegistry;
use std::any::Any;
use std::sync::Arc;
use wasm_encoder::{CodeSection, Function, RawSection};
use wasmparser::{Parser, Payload};

/// Parses and validates a module, and also lowers all of it if the second
/// argument says so. What it returns keeps the code alive, and nothing else that
/// it would not keep without code.
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
    let error = |cause: Box<dyn std::error::Error + Send + Sync>| SubjectError {
        subject: "wasmi",
        cause,
    };
    let mut config = wasmi::Config::default();
    config.compilation_mode(wasmi::CompilationMode::Eager);
    let engine = wasmi::Engine::new(&config);
    // What it has not translated yet it keeps a copy of, which it frees as it
    // translates: that is no part of what a module is without its code.
    let module = if lower {
        wasmi::Module::new(&engine, wasm)
    } else {
        let stubs = without_bodies(wasm).map_err(|cause| error(cause.into()))?;
        wasmi::Module::new(&engine, &stubs)
    };
    Ok(Box::new(module.map_err(|cause| error(cause.into()))?))
}

/// The module with `unreachable` for every body.
fn without_bodies(wasm: &[u8]) -> Result<Vec<u8>, wasmparser::BinaryReaderError> {
    let mut module = wasm_encoder::Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        if let Payload::CodeSectionStart { count, .. } = payload {
            let mut stub = Function::new([]);
            stub.instructions().unreachable().end();
            let mut code = CodeSection::new();
            for _ in 0..count {
                code.function(&stub);
            }
            module.section(&code);
        } else if let Some((id, range)) = payload.as_section() {
            let data = &wasm[range.start as usize..range.end as usize];
            module.section(&RawSection { id, data });
        }
    }
    Ok(module.finish())
}
