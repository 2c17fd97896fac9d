//! `rwasm wast`: scripts of the official test suite.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rwasm_spec_tests::{Failure as Mismatch, Options, Report, Summary, Totals, run_file};
use serde::Serialize;

use crate::args::WastArgs;
use crate::failure::Result;
use crate::{exit, output};

/// Runs scripts side by side; says what failed, and the totals.
pub fn wast(args: WastArgs) -> Result<u8> {
    let options = Options {
        tier: args.tier.into(),
        ..Options::default()
    };
    let summary = Summary::new(side_by_side(&args.files, |file: &PathBuf| {
        run(file, &options)
    }));
    let totals = summary.totals();
    if args.json {
        let mut text = String::new();
        summary
            .reports
            .iter()
            .for_each(|report| push_json(&mut text, report));
        push_json(&mut text, &totals);
        output::print(&text)?;
    } else {
        let failures: String = summary
            .failures()
            .map(|failure| format!("{failure}\n"))
            .collect();
        output::print(&output::printable(&format!("{failures}{summary}")))?;
    }
    Ok(if totals.failed > 0 { exit::FAILED } else { 0 })
}

/// The report of one script. One that cannot be run at all has failed as a
/// whole.
fn run(file: &Path, options: &Options) -> Report {
    run_file(file, options).unwrap_or_else(|error| {
        let path = file.to_string_lossy().into_owned();
        let mismatch = Mismatch {
            path: path.clone(),
            line: 1,
            source: String::new(),
            expected: "a script that can be run".into(),
            got: error.to_string(),
        };
        let totals = Totals {
            files: 1,
            directives: 1,
            failed: 1,
            ..Totals::default()
        };
        Report {
            path,
            totals,
            failures: vec![mismatch],
        }
    })
}

/// What `work` makes of each item, in any order, on as many threads as there
/// are processors.
fn side_by_side<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(items.len());
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(items.len()));
    let take = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            let result = work(item);
            results
                .lock()
                .expect("no thread panics with it")
                .push(result);
        }
    };
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(take))));
    results.into_inner().expect("no thread panics with it")
}

fn push_json(text: &mut String, value: &impl Serialize) {
    *text += &serde_json::to_string(value).expect("strings and numbers alone");
    text.push('\n');
}
