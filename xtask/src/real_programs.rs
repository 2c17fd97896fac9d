//! Runs programs that nobody wrote for this runtime under `rwasm run`, and
//! programs that mean it harm, and compares what they do with what they must do.
//!
//! What is expected is computed here, natively and in another way than the
//! guest does it, wherever that can be done.

mod hostile;
pub mod modules;
mod ours;
mod python;
mod ripgrep;
mod sample;
mod servers;
mod trial;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::{
    error::{Context, Error, Result},
    paths::Paths,
    process,
    toolchain::host_cargo,
};
use modules::Modules;
use trial::{Failure, Trial};

/// One program, and what is done with it.
struct Program {
    name: &'static str,
    check: fn(&mut Trial<'_>) -> Result<(), Failure>,
}

/// The programs, the quick ones first.
fn programs() -> impl Iterator<Item = &'static Program> {
    ours::PROGRAMS
        .iter()
        .chain(servers::PROGRAMS)
        .chain(ripgrep::PROGRAMS)
        .chain(python::PROGRAMS)
        .chain(hostile::PROGRAMS)
}

/// `real-programs [--rwasm PATH] [NAME]…`
pub fn run(paths: &Paths, args: &[String]) -> Result<ExitCode> {
    let (rwasm, names) = match args {
        [flag, rwasm, names @ ..] if flag == "--rwasm" => {
            let rwasm = Path::new(rwasm);
            (fs::canonicalize(rwasm).at(rwasm)?, names)
        }
        names => (PathBuf::new(), names),
    };
    if names
        .iter()
        .any(|name| programs().all(|program| program.name != name))
    {
        let known: Vec<_> = programs().map(|program| program.name).collect();
        eprintln!("the programs are: {}", known.join(", "));
        return Err(Error::Usage);
    }
    let rwasm = if rwasm.as_os_str().is_empty() {
        build_rwasm(paths)?
    } else {
        rwasm
    };
    let modules = Modules::get(paths)?;

    let (mut passed, mut failed) = (0, 0);
    for program in programs() {
        if !names.is_empty() && names.iter().all(|name| name != program.name) {
            continue;
        }
        let scratch = paths
            .target
            .join("real-programs-scratch")
            .join(program.name);
        let mut trial = Trial::new(&rwasm, &modules, scratch)?;
        let outcome = (program.check)(&mut trial);
        let seconds = trial.time().as_secs_f64();
        let runs = trial.runs();
        match outcome {
            Ok(()) => {
                passed += 1;
                trial.clean_up()?;
                println!(
                    "pass  {:<18} {seconds:>8.3} s  in {runs} runs",
                    program.name
                );
            }
            Err(failure) => {
                failed += 1;
                println!(
                    "FAIL  {:<18} {seconds:>8.3} s  in {runs} runs: {failure}",
                    program.name
                );
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Installs the command as its users do, into a folder of ours.
fn build_rwasm(paths: &Paths) -> Result<PathBuf> {
    let root = paths.target.join("installed");
    let mut cargo = host_cargo();
    cargo
        .args(["install", "--locked", "--force", "--path", "cli", "--root"])
        .arg(&root)
        .current_dir(&paths.root);
    process::run(&mut cargo)?;
    Ok(root.join("bin/rwasm"))
}
