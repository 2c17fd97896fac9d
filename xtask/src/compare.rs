//! Compares whole processes: the command `rwasm` in each tier, and those of the
//! peers that stand on `PATH`, on the programs of `guests/modules/`.
//!
//! Every run is a pair: the first with empty caches, the second with what the
//! first has left there. Subjects take turns within a round, so that a busy
//! machine disturbs all alike. A subject whose output is not that of the others
//! is not in the tables.
//!
//! With `--goals` it is each figure that a start is to reach instead ([`goals`]).

mod chart;
mod goals;
mod report;
mod runner;
mod sample;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::{
    error::{Context, Error, Result},
    paths::Paths,
    rwasm::build_rwasm,
};
use report::Report;
use runner::{Runner, Subject};

/// What the command line says.
struct Options {
    rwasm: Option<PathBuf>,
    rounds: usize,
    size: u32,
    programs: Vec<String>,
    /// Not all programs under all subjects, but each figure of a start.
    goals: bool,
}

/// `compare [--goals] [--rwasm PATH] [--rounds N] [--size N] [PROGRAM]…`
pub fn run(paths: &Paths, args: &[String]) -> Result<ExitCode> {
    let options = Options::parse(args)?;
    let rwasm = match options.rwasm {
        Some(rwasm) => rwasm,
        None => build_rwasm(paths)?,
    };
    let output = paths.target.join("compare");
    fs::create_dir_all(&output).at(&output)?;
    if options.goals {
        let table = goals::measure(paths, &rwasm, options.rounds)?;
        print!("{table}");
        let path = output.join("goals.md");
        fs::write(&path, table).at(&path)?;
        return Ok(ExitCode::SUCCESS);
    }
    let programs = programs(&paths.root.join("guests/modules"), &options.programs)?;
    let subjects = Subject::all(&rwasm, &output)?;
    let mut runner = Runner::new(output.join("home"), options.size, subjects);
    for module in &programs {
        eprintln!("{}", module.display());
        runner.measure(module, options.rounds)?;
    }
    let report = Report::new(runner, options.rounds, options.size);
    let write = |name: &str, text: String| {
        let path = output.join(name);
        fs::write(&path, text).at(&path)
    };
    write("compare.json", report.json())?;
    for (name, chart) in report.charts() {
        write(&name, chart)?;
    }
    let markdown = report.markdown();
    print!("{markdown}");
    write("compare.md", markdown)?;
    Ok(ExitCode::SUCCESS)
}

impl Options {
    fn parse(args: &[String]) -> Result<Self> {
        let mut options = Options {
            rwasm: None,
            rounds: 5,
            size: 100,
            programs: Vec::new(),
            goals: false,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut number = || {
                let text = args.next().ok_or(Error::Usage)?;
                text.parse().map_err(|_| Error::Usage)
            };
            match arg.as_str() {
                "--rounds" => options.rounds = (number()? as usize).max(1),
                "--size" => options.size = number()?,
                "--goals" => options.goals = true,
                "--rwasm" => options.rwasm = Some(args.next().ok_or(Error::Usage)?.into()),
                flag if flag.starts_with('-') => return Err(Error::Usage),
                name => options.programs.push(name.to_owned()),
            }
        }
        Ok(options)
    }
}

/// The modules in `folder` of those names, or all.
fn programs(folder: &Path, names: &[String]) -> Result<Vec<PathBuf>> {
    if !names.is_empty() {
        let module = |name: &String| {
            let module = folder.join(name).with_extension("wasm");
            fs::metadata(&module).at(&module).map(|_| module)
        };
        return names.iter().map(module).collect();
    }
    let mut modules = Vec::new();
    for entry in fs::read_dir(folder).at(folder)? {
        let path = entry.at(folder)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "wasm")
        {
            modules.push(path);
        }
    }
    modules.sort();
    Ok(modules)
}
