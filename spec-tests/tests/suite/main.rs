//! The official test suite: every script in a process of its own, so that a
//! crash or an endless loop is one script's failure and nobody else's.
//!
//! `cargo test -p rwasm-spec-tests` runs all of it; `-- FILTER` the scripts
//! whose path contains `FILTER`; `-- --help` shows the rest.
#![forbid(unsafe_code)]

mod options;
mod pool;
mod scripts;
mod worker;

use options::Options;
use rwasm_spec_tests::{Report, Summary};
use scripts::Scripts;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What libtest exits with when a test failed.
const FAILED: u8 = 101;

fn main() -> ExitCode {
    let options = Options::from_args();
    let scripts = match Scripts::find(options.bundled) {
        Ok(scripts) => scripts,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(FAILED);
        }
    };
    if let Some(path) = &options.worker {
        return worker::main(&scripts, path, &options);
    }
    let paths = scripts.paths(|path| options.selects(path));
    if options.list {
        paths.iter().for_each(|path| println!("{path}: test"));
        return ExitCode::SUCCESS;
    }
    let mut ok = true;
    for tiers in options.tiers() {
        let start = Instant::now();
        let filtered = scripts.len() - paths.len();
        if !options.json {
            let (selected, all) = (paths.len(), scripts.len());
            println!(
                "\nrunning {selected} of {all} scripts from {}, tier {tiers}",
                scripts.origin()
            );
        }
        let summary = Summary::new(pool::run(&paths, tiers, &options));
        if options.json {
            print_json(&summary);
        } else {
            print_text(&summary, &options, filtered, start.elapsed());
        }
        ok &= is_ok(&summary, &options);
    }
    if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    }
}

/// Whether nothing failed, and no more was skipped than the table lists.
fn is_ok(summary: &Summary, options: &Options) -> bool {
    let wrong = summary.wrong_gaps(options.gaps());
    summary.totals().failed == 0 && !wrong.iter().any(|wrong| wrong.is_regression())
}

/// One line for each script, and the totals in the last.
fn print_json(summary: &Summary) {
    let line = |json: serde_json::Result<String>| {
        println!("{}", json.expect("reports are plain data"));
    };
    for report in &summary.reports {
        line(serde_json::to_string(report));
    }
    line(serde_json::to_string(&summary.totals()));
}

fn print_text(summary: &Summary, options: &Options, filtered: usize, took: Duration) {
    for report in &summary.reports {
        print_failures(report, options.max_failures);
    }
    println!("\n{summary}");
    print_gaps(summary, options);
    let totals = summary.totals();
    println!(
        "{} directives ({} of them assertions) in {} scripts",
        totals.directives, totals.assertions, totals.files
    );
    println!(
        "\ntest result: {}. {} passed; {} failed; {} ignored; 0 measured; {filtered} scripts \
         filtered out; finished in {:.2}s\n",
        if is_ok(summary, options) {
            "ok"
        } else {
            "FAILED"
        },
        totals.passed,
        totals.failed,
        totals.skipped,
        took.as_secs_f64()
    );
}

fn print_failures(report: &Report, most: usize) {
    for failure in report.failures.iter().take(most) {
        println!("{failure}");
    }
    if report.failures.len() > most {
        println!(
            "{}: {} more failures",
            report.path,
            report.failures.len() - most
        );
    }
}

/// What was skipped and why, and where the table is wrong.
fn print_gaps(summary: &Summary, options: &Options) {
    let gaps = options.gaps();
    let selected = gaps.iter().filter(|gap| {
        let mut reports = summary.reports.iter();
        reports.any(|report| gap.covers(&report.path))
    });
    for gap in selected {
        println!(
            "not covered: {:>6} of {}: {}",
            gap.directives, gap.path, gap.reason
        );
    }
    for wrong in summary.wrong_gaps(gaps) {
        println!("{wrong}");
    }
}
