//! The payload experiment: one API by every arm, its answers compared byte by
//! byte, then measured under load (`benches/payload/README.md`).
//!
//! All servers of an arm share one processor, and the load generator has another.
//! Arms take turns within a round, so that a busy machine disturbs all alike.

mod arms;
mod check;
mod figure;
mod http;
mod measure;
mod options;
mod report;
mod servers;

use std::{
    fs,
    path::Path,
    process::{Command, ExitCode},
};

use serde_json::{Value, json};

use crate::{
    error::{Context, Error, Result},
    machine::machine,
    paths::Paths,
    process,
};
use arms::Arms;
use measure::Laboratory;
use options::Options;

/// Where results are kept, part by part.
const RESULTS: &str = "payload.json";

/// `payload [--quick] [--docs] [--check] …`, see `xtask/src/payload/options.rs`.
pub fn run(paths: &Paths, args: &[String]) -> Result<ExitCode> {
    let options = Options::parse(args)?;
    let output = paths.target.join("payload");
    fs::create_dir_all(&output).at(&output)?;
    let arms = Arms::new(paths, &output, &options)?;
    check::all(&arms, &options)?;
    if options.check_only {
        return Ok(ExitCode::SUCCESS);
    }
    let folder = match options.docs {
        true => paths.root.join("docs/payload"),
        false => output.clone(),
    };
    let file = folder.join(RESULTS);
    let mut results = match options.go_on {
        true => results_in(&file)?,
        false => json!({ "sessions": [] }),
    };
    // Cells of other arms, or measured for less long, could not stand in one table.
    if options.go_on && results["options"] != options.json() {
        return Err(Error::Results(file));
    }
    let sessions = results["sessions"].as_array_mut();
    sessions
        .ok_or_else(|| Error::Results(file.clone()))?
        .push(json!({
            "command": format!("cargo xtask payload {}", args.join(" ")).trim_end(),
            "commit": commit(paths)?,
            "date": report::today()?,
            "machine": machine(),
        }));
    results["options"] = options.json();
    results["arms"] = arms.json()?;
    fs::create_dir_all(&folder).at(&folder)?;
    let keep = |results: &Value| fs::write(&file, format!("{results:#}\n")).at(&file);
    Laboratory::new(&arms, &options, &output).measure(&mut results, keep)?;
    write(paths, &options, &folder, &results)?;
    Ok(ExitCode::SUCCESS)
}

/// What an earlier run has kept.
fn results_in(file: &Path) -> Result<Value> {
    let text = fs::read_to_string(file).at(file)?;
    serde_json::from_str(&text).map_err(|_| Error::Results(file.to_owned()))
}

/// What is measured.
fn commit(paths: &Paths) -> Result<String> {
    let git = ["describe", "--always", "--dirty"];
    let printed = process::output(Command::new("git").args(git).current_dir(&paths.root))?;
    Ok(printed.trim().to_owned())
}

/// The results as tables and figures.
fn write(paths: &Paths, options: &Options, folder: &Path, results: &Value) -> Result<()> {
    let keep = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).at(&path).map(|()| path)
    };
    for (name, svg) in report::figures(results) {
        figure::png(&keep(&name, &svg)?)?;
    }
    let tables = report::markdown(results);
    print!("{tables}");
    match options.docs {
        true => report::replace_tables(&paths.root.join("docs/payload.md"), &tables),
        false => keep("payload.md", &tables).map(drop),
    }
}
