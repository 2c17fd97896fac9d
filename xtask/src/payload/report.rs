//! Tables and figures of what was measured.

use std::{collections::BTreeSet, fmt::Write, fs, path::Path, process::Command};

use serde_json::Value;

use super::figure::{self, Bar, Group};
use crate::{
    error::{Context, Result},
    process,
};

/// What in `docs/payload.md` stands before the tables.
const MARKER: &str = "<!-- From here on by `cargo xtask payload --docs`. -->\n";

/// What others are put in relation to.
const REFERENCES: [&str; 3] = ["axum", "node", "wasmtime"];

/// All tables.
pub fn markdown(results: &Value) -> String {
    let mut text = String::new();
    let options = &results["options"];
    let _ = writeln!(
        text,
        "{} run(s), requests counted for {} s after {} s of warm-up (saturation: {} s), {} starts. \
         Servers on processor {}, load generator on processor {}. All arms of a run were \
         measured in turn, in one session:\n",
        options["runs"],
        options["seconds"],
        options["warm_up_seconds"],
        options["capacity_seconds"],
        options["starts"],
        options["server_processor"],
        options["load_processor"],
    );
    for (session, number) in each(&results["sessions"]).zip(1..) {
        let _ = writeln!(
            text,
            "{number}. {}. {}. Commit {}, `{}`",
            string(&session["date"]),
            string(&session["machine"]),
            string(&session["commit"]),
            string(&session["command"]),
        );
    }
    text.push('\n');
    text += "Documents: ";
    let sizes = each(&results["sizes"]).map(|size| {
        format!(
            "{} is {} items, {} bytes",
            string(&size["name"]),
            size["items"],
            size["bytes"]
        )
    });
    text += &sizes.collect::<Vec<_>>().join("; ");
    text += ".\n";
    arms(&mut text, results);
    for size in each(&results["sizes"]) {
        capacity(&mut text, string(&size["name"]), &results["capacity"]);
    }
    load(&mut text, &results["load"]);
    text
}

/// Size, start and an empty request, for each arm.
fn arms(text: &mut String, results: &Value) {
    *text += "\n### Arms\n\n\
              | arm | command | deployed, MB | exec to first byte, ms | `GET /empty`, p50, µs | p99, µs | CPU, µs |\n\
              |---|---|---:|---:|---:|---:|---:|\n";
    for arm in each(&results["arms"]) {
        let name = string(&arm["name"]);
        let of = |list: &'static str| {
            let mut found = each(&results[list]).filter(|entry| entry["arm"] == name);
            found.next().unwrap_or(&Value::Null)
        };
        let empty = &of("empty")["outcome"]["get"];
        let _ = writeln!(
            text,
            "| {name} | `{}` | {} | {} | {} | {} | {} |",
            string(&arm["command"]),
            number(float(&arm["deployed_bytes"]) / 1e6, 1),
            number(float(&of("starts")["median"]), 1),
            number(float(&empty["p50"]) * 1e3, 0),
            number(float(&empty["p99"]) * 1e3, 0),
            number(float(&of("empty")["cpu_ms_per_request"]) * 1e3, 0),
        );
    }
}

/// Requests per second at saturation and what each took, with ratios.
fn capacity(text: &mut String, size: &str, measured: &Value) {
    for (kind, title) in [("get", "GET"), ("post", "POST")] {
        let is_here = |cell: &&Value| cell["size"] == size && cell["kind"] == kind;
        // What an experiment that goes on later has not come to.
        if !each(measured).any(|cell| is_here(&cell)) {
            continue;
        }
        let sessions = sessions(each(measured).filter(is_here));
        let _ = writeln!(
            text,
            "\n### {title} at saturation, {size} ({sessions})\n\n\
             | arm | per second | × axum | × node | × wasmtime | CPU, ms each | axum's part of that | node's | wasmtime's |\n\
             |---|---:|---:|---:|---:|---:|---:|---:|---:|"
        );
        let cells = |arm| {
            let of_arm = move |cell: &&Value| cell["arm"] == arm;
            each(measured).filter(is_here).filter(of_arm)
        };
        let rate = |arm| median(cells(arm).map(|cell| float(&cell["outcome"]["per_second"])));
        let cpu = |arm| median(cells(arm).map(|cell| float(&cell["cpu_ms_per_request"])));
        for arm in arms_of(measured) {
            let mut row = format!("| {arm} | {} |", number(rate(arm), 1));
            for reference in REFERENCES {
                let _ = write!(row, " {} |", number(rate(arm) / rate(reference), 2));
            }
            let _ = write!(row, " {} |", number(cpu(arm), 2));
            for reference in REFERENCES {
                let _ = write!(row, " {} |", number(cpu(reference) / cpu(arm), 2));
            }
            let _ = writeln!(text, "{row}");
        }
    }
}

/// One table for each size, load and number of servers.
fn load(text: &mut String, cells: &Value) {
    let arms = arms_of(cells);
    for (size, servers, load) in conditions(cells) {
        let is_here = |cell: &&Value| {
            let here = (&cell["size"], &cell["servers"], &cell["load"]);
            here == (size, servers, load)
        };
        let sessions = sessions(each(cells).filter(is_here));
        let rates = each(cells).filter(is_here).map(|cell| float(&cell["rate"]));
        let _ = writeln!(
            text,
            "\n### {}, {servers} server(s), {load} % of axum's capacity ({:.1} per second; {sessions})\n\n\
             | arm | good, % | fine, % | bad, % | p50, ms | p99, ms | p99.9, ms | per second | errors | memory, MiB |\n\
             |---|---:|---:|---:|---:|---:|---:|---:|---|---:|",
            string(size),
            median(rates)
        );
        for arm in &arms {
            let of_arm = || {
                each(cells)
                    .filter(is_here)
                    .filter(|cell| cell["arm"] == *arm)
            };
            if of_arm().next().is_none() {
                continue;
            }
            let outcome = |name: &str| median(of_arm().map(|cell| float(&cell["outcome"][name])));
            let time =
                |name: &str| median(of_arm().map(|cell| float(&cell["outcome"]["all"][name])));
            let memory = median(of_arm().map(|cell| float(&cell["memory"])));
            let _ = writeln!(
                text,
                "| {arm} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                number(100.0 * outcome("good"), 1),
                number(100.0 * outcome("fine"), 1),
                number(100.0 * outcome("bad"), 1),
                number(time("p50"), 1),
                number(time("p99"), 1),
                number(time("p99_9"), 1),
                number(outcome("per_second"), 1),
                errors(of_arm()),
                number(memory / f64::from(1 << 20), 1),
            );
        }
    }
}

/// A figure for each load, of the first size, by file name.
pub fn figures(results: &Value) -> Vec<(String, String)> {
    let cells = &results["load"];
    let first = &results["sizes"][0]["name"];
    let conditions = conditions(cells);
    let mut loads: Vec<&Value> = conditions.iter().map(|condition| condition.2).collect();
    loads.sort_by(|a, b| float(a).total_cmp(&float(b)));
    loads.dedup();
    let figure = |load: &Value| {
        let here = conditions.iter().filter(|c| c.0 == first && c.2 == load);
        let groups = here.map(|(size, servers, load)| Group {
            name: match servers.as_u64() {
                Some(1) => "1 server".to_owned(),
                _ => format!("{servers} servers"),
            },
            bars: bars(cells, (size, servers, load)),
        });
        let title = format!(
            "Answers at {load} % of the native capacity, {} documents, 70 % GET, 30 % POST",
            string(first)
        );
        let svg = figure::stacked(&title, &groups.collect::<Vec<_>>());
        (format!("load-{load}.svg"), svg)
    };
    loads.into_iter().map(figure).collect()
}

fn bars(cells: &Value, (size, servers, load): (&Value, &Value, &Value)) -> Vec<Bar> {
    let bar = |arm: &str| {
        let is_here = |cell: &&Value| {
            let here = (&cell["size"], &cell["servers"], &cell["load"]);
            here == (size, servers, load) && cell["arm"] == arm
        };
        let share = |name: &str| {
            let cells = each(cells).filter(is_here);
            median(cells.map(|cell| float(&cell["outcome"][name])))
        };
        Bar {
            name: arm.to_owned(),
            shares: ["good", "fine", "bad"].map(share),
        }
    };
    arms_of(cells).into_iter().map(bar).collect()
}

/// Size, number of servers and load of all cells, in order.
fn conditions(cells: &Value) -> Vec<(&Value, &Value, &Value)> {
    let mut conditions = Vec::new();
    for cell in each(cells) {
        let condition = (&cell["size"], &cell["servers"], &cell["load"]);
        if !conditions.contains(&condition) {
            conditions.push(condition);
        }
    }
    conditions
}

fn arms_of(cells: &Value) -> Vec<&str> {
    let mut arms = Vec::new();
    for cell in each(cells) {
        let arm = string(&cell["arm"]);
        if !arms.contains(&arm) {
            arms.push(arm);
        }
    }
    arms
}

/// In which sessions cells were measured.
fn sessions<'a>(cells: impl Iterator<Item = &'a Value>) -> String {
    let numbers: BTreeSet<u64> = cells.filter_map(|cell| cell["session"].as_u64()).collect();
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    format!("session {}", numbers.join(", "))
}

/// Of all runs together.
fn errors<'a>(cells: impl Iterator<Item = &'a Value>) -> String {
    let mut errors: Vec<(&str, u64)> = Vec::new();
    let kinds = cells.filter_map(|cell| cell["outcome"]["errors"].as_object());
    for (kind, count) in kinds.flatten() {
        let count = count.as_u64().unwrap_or(0);
        match errors.iter_mut().find(|error| error.0 == kind) {
            Some(error) => error.1 += count,
            None => errors.push((kind, count)),
        }
    }
    if errors.is_empty() {
        return "–".to_owned();
    }
    let errors = errors.iter().map(|(kind, count)| format!("{count} {kind}"));
    errors.collect::<Vec<_>>().join(", ")
}

/// Puts tables where those of the last run are.
pub fn replace_tables(document: &Path, tables: &str) -> Result<()> {
    let text = fs::read_to_string(document).at(document)?;
    let prose = text.split(MARKER).next().unwrap_or_default();
    fs::write(document, format!("{prose}{MARKER}\n{tables}")).at(document)
}

/// The day, in UTC.
pub fn today() -> Result<String> {
    let date = process::output(Command::new("date").args(["--utc", "+%-d %B %Y, %H:%M UTC"]))?;
    Ok(date.trim().to_owned())
}

/// A dash where there was nothing to measure.
fn number(value: f64, digits: usize) -> String {
    match value.is_finite() {
        true => format!("{value:.digits$}"),
        false => "–".to_owned(),
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn float(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}
