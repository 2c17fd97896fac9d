//! Several scripts at a time, each in a worker process.

use crate::options::{Options, Tiers};
use crate::worker;
use rwasm_spec_tests::Report;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Runs the scripts; the reports come in any order.
pub(crate) fn run(paths: &[&str], tiers: Tiers, options: &Options) -> Vec<Report> {
    let next = AtomicUsize::new(0);
    let reports = Mutex::new(Vec::with_capacity(paths.len()));
    thread::scope(|scope| {
        for _ in 0..options.threads() {
            scope.spawn(|| {
                while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let report = worker::run(path, tiers, options);
                    reports.lock().expect("no thread panics here").push(report);
                }
            });
        }
    });
    reports.into_inner().expect("no thread panics here")
}
