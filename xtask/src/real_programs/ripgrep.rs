//! ripgrep, searching a tree.

use std::fs;

use super::{
    Program,
    sample::{Sample, words},
    trial::{Failure, Guest, Outcome, Trial},
};
use crate::error::Context;

pub const PROGRAMS: &[Program] = &[Program {
    name: "ripgrep",
    check: ripgrep,
}];

fn ripgrep(trial: &mut Trial<'_>) -> Result<(), Failure> {
    let folder = trial.folder("texts")?;
    let sample = Sample::new();
    sample.write_to(&folder)?;
    for (name, text) in [
        (".ignore", "*.log\n"),
        ("ignored.log", "stasta stasta\n"),
        ("part-0/binary", "stasta\0stasta\n"),
    ] {
        let file = folder.join(name);
        fs::write(&file, text).at(&file)?;
    }
    let module = trial.modules.ripgrep.clone();
    let search = |args: &[&str]| {
        let guest = Guest::new(module.clone())
            .flag("--argv0", "rg")
            .dir(&folder, "/texts");
        guest.args(&["--sort", "path"]).args(args).args(&["/texts"])
    };

    // A literal, with the lines around which it stands.
    let literal = matching_lines(&sample, |line| line.contains("stagal"));
    trial.expect(
        search(&["--line-number", "stagal"]),
        &Outcome::success(literal),
    )?;

    // A pattern with an alternative and word boundaries, without case.
    let phrase = matching_lines(&sample, |line| {
        let line: Vec<String> = words(line).map(str::to_ascii_lowercase).collect();
        line.windows(2)
            .any(|pair| ["baba", "bacor"].contains(&pair[0].as_str()) && pair[1].starts_with("ba"))
    });
    let pattern = r"\b(baba|bacor)\W+ba";
    trial.expect(search(&["-n", "-i", pattern]), &Outcome::success(phrase))?;

    let counts = sample.files().fold(String::new(), |counts, (path, text)| {
        match words(text).filter(|word| *word == "baba").count() {
            0 => counts,
            count => format!("{counts}/texts/{path}:{count}\n"),
        }
    });
    trial.expect(
        search(&["--count-matches", "-w", "baba"]),
        &Outcome::success(counts),
    )?;

    trial.expect(search(&["no such text"]), &Outcome::code(1).printing(""))?;
    let outcome = Outcome::code(2).printing("").saying("unclosed group");
    trial.expect(search(&["(unclosed"]), &outcome)
}

/// The lines that ripgrep has to print, with their paths and numbers.
fn matching_lines(sample: &Sample, matches: impl Fn(&str) -> bool) -> String {
    let mut lines = String::new();
    for (path, text) in sample.files() {
        for (index, line) in text.lines().enumerate().filter(|(_, line)| matches(line)) {
            lines.push_str(&format!("/texts/{path}:{}:{line}\n", index + 1));
        }
    }
    lines
}
