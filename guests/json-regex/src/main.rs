//! Reads JSON lines from standard input and prints those whose field matches:
//! `json-regex FIELD PATTERN < LINES`.
//!
//! A match is printed as a JSON array of the line number and the pattern's
//! groups; a line that is no JSON object is reported on standard error. The
//! last line of output is an object with the totals.

use std::{
    env,
    error::Error,
    io::{self, BufRead, BufWriter, Write},
    process::ExitCode,
};

use regex::Regex;
use serde_json::{Value, json};

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let [field, pattern] = args.as_slice() else {
        eprintln!("usage: json-regex FIELD PATTERN < LINES");
        return ExitCode::from(2);
    };
    match run(field, pattern) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("json-regex: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(field: &str, pattern: &str) -> Result<(), Box<dyn Error>> {
    let pattern = Regex::new(pattern)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let (mut lines, mut matches, mut bad) = (0u64, 0u64, 0u64);
    for line in io::stdin().lock().lines() {
        let line = line?;
        lines += 1;
        let value = match serde_json::from_str(&line) {
            Ok(Value::Object(object)) => object,
            Ok(_) => {
                bad += 1;
                eprintln!("line {lines}: not an object");
                continue;
            }
            Err(error) => {
                bad += 1;
                eprintln!("line {lines}: {error}");
                continue;
            }
        };
        let Some(text) = value.get(field).and_then(Value::as_str) else {
            continue;
        };
        if let Some(groups) = pattern.captures(text) {
            matches += 1;
            let groups: Vec<_> = groups
                .iter()
                .skip(1)
                .map(|group| group.map(|group| group.as_str()))
                .collect();
            writeln!(out, "{}", json!([lines, groups]))?;
        }
    }
    writeln!(
        out,
        "{}",
        json!({ "lines": lines, "matches": matches, "bad": bad })
    )?;
    Ok(out.flush()?)
}
