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

use std::{fs, path::Path, process::ExitCode};

use serde_json::{Value, json};

use crate::{
    error::{Context, Result},
    machine::machine,
    paths::Paths,
};
use arms::Arms;
use measure::Laboratory;
use options::Options;

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
    let results = Laboratory::new(&arms, &options, &output).measure()?;
    let results = json!({
        "command": format!("cargo xtask payload {}", args.join(" ")).trim_end(),
        "date": report::today()?,
        "machine": machine(),
        "options": options.json(),
        "arms": arms.json()?,
        "results": results,
    });
    let folder = match options.docs {
        true => paths.root.join("docs/payload"),
        false => output,
    };
    write(paths, &options, &folder, &results)?;
    Ok(ExitCode::SUCCESS)
}

/// The results as JSON, tables and figures.
fn write(paths: &Paths, options: &Options, folder: &Path, results: &Value) -> Result<()> {
    fs::create_dir_all(folder).at(folder)?;
    let keep = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).at(&path).map(|()| path)
    };
    keep("payload.json", &format!("{results:#}\n"))?;
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
