//! The system as guests see it: what is the same in every way to meet HTTP.

use crate::settings::Program;
use rwasm_wasi::{BuildError, Limits, WasiCtx, WasiCtxBuilder};

/// What all guests of a program are given: arguments, environment, folders.
pub(crate) fn builder(program: &Program, limits: Limits) -> Result<WasiCtxBuilder, BuildError> {
    let mut builder = WasiCtx::builder();
    builder
        .limits(limits)
        .arg(program.module.file_name().unwrap_or_default())
        .args(&program.args);
    for (name, value) in &program.env {
        builder.env(name, value);
    }
    for folder in &program.folders {
        builder.preopened_dir(&folder.host, &folder.guest, folder.access)?;
    }
    Ok(builder)
}
