//! Building what chores measure.

use std::{path::PathBuf, process::Command};

use crate::{
    error::{Error, Result},
    paths::Paths,
    process,
    toolchain::host_cargo,
};

/// The command as `cargo build --release` makes it.
pub fn build_rwasm(paths: &Paths) -> Result<PathBuf> {
    let mut cargo = host_cargo();
    cargo.args(["build", "--release", "--bin", "rwasm"]);
    let mut built = build_executables(cargo.current_dir(&paths.root))?;
    built.pop().ok_or_else(|| Error::Output {
        command: process::line(&cargo),
        expected: "executable",
    })
}

/// Runs a `cargo build`, and returns the programs that it has built.
pub fn build_executables(cargo: &mut Command) -> Result<Vec<PathBuf>> {
    cargo.args(["--message-format", "json-render-diagnostics"]);
    let messages = process::output(cargo)?;
    let executable = |line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    };
    Ok(messages.lines().filter_map(executable).collect())
}
