//! What a run found: one [`Report`] for a script, one [`Summary`] for many.

use crate::coverage::Gap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What one script's directives did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The script, as the runner was given it.
    pub path: String,
    /// Directives in it, and of these `passed`, `failed` and `skipped`.
    #[serde(flatten)]
    pub totals: Totals,
    /// Those that failed.
    pub failures: Vec<Failure>,
}

/// A directive that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The script.
    pub path: String,
    /// The line that the directive begins on, from 1.
    pub line: u32,
    /// That line.
    pub source: String,
    /// What the directive states.
    pub expected: String,
    /// What came instead.
    pub got: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure {
            path,
            line,
            source,
            expected,
            got,
        } = self;
        write!(
            f,
            "{path}:{line}: {source}\n  expected: {expected}\n  got:      {got}"
        )
    }
}

/// Counts of directives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Scripts.
    pub files: usize,
    /// Directives in them.
    pub directives: usize,
    /// Directives of which an `assert_…` is made.
    pub assertions: usize,
    /// Directives that did what they state.
    pub passed: usize,
    /// Directives that did not.
    pub failed: usize,
    /// Directives that this build does not cover yet.
    pub skipped: usize,
}

impl Totals {
    fn add(&mut self, other: &Totals) {
        self.files += other.files;
        self.directives += other.directives;
        self.assertions += other.assertions;
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// What a run over many scripts found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// One report for each script, by path.
    pub reports: Vec<Report>,
}

/// A row of the table that a summary prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderRow {
    /// The folder.
    pub folder: String,
    /// What the scripts right in it did.
    #[serde(flatten)]
    pub totals: Totals,
}

/// A row of the coverage table whose count is not what was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongGap {
    /// The row.
    pub gap: Gap,
    /// Directives that were skipped because of it.
    pub skipped: usize,
}

impl WrongGap {
    /// Whether less is covered than the row says.
    pub fn is_regression(&self) -> bool {
        self.skipped > self.gap.directives
    }
}

impl fmt::Display for WrongGap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WrongGap { gap, skipped } = self;
        write!(
            f,
            "coverage.rs lists {} directives of {} as not covered, but {skipped} were skipped{}",
            gap.directives,
            gap.path,
            match skipped {
                0 => ": remove the row",
                _ if self.is_regression() => "",
                _ => ": lower the count",
            }
        )
    }
}

impl Summary {
    /// A summary of these reports.
    pub fn new(mut reports: Vec<Report>) -> Self {
        reports.sort_by(|a, b| a.path.cmp(&b.path));
        Summary { reports }
    }

    /// All of them together.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for report in &self.reports {
            totals.add(&report.totals);
        }
        totals
    }

    /// One row for each folder, by name.
    pub fn folders(&self) -> Vec<FolderRow> {
        let mut folders = BTreeMap::<&str, Totals>::new();
        for report in &self.reports {
            let folder = report
                .path
                .rsplit_once('/')
                .map_or(".", |(folder, _)| folder);
            folders.entry(folder).or_default().add(&report.totals);
        }
        let rows = folders.into_iter();
        rows.map(|(folder, totals)| FolderRow {
            folder: folder.to_owned(),
            totals,
        })
        .collect()
    }

    /// All failures, by path and line.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.reports.iter().flat_map(|report| &report.failures)
    }

    /// Rows of `gaps` whose count is not what was skipped. Rows whose scripts
    /// were not run are left out.
    pub fn wrong_gaps(&self, gaps: &[Gap]) -> Vec<WrongGap> {
        let wrong = |gap: &Gap| {
            let mut reports = self
                .reports
                .iter()
                .filter(|report| gap.covers(&report.path))
                .peekable();
            reports.peek()?;
            let skipped = reports.map(|report| report.totals.skipped).sum();
            (skipped != gap.directives).then_some(WrongGap { gap: *gap, skipped })
        };
        gaps.iter().filter_map(wrong).collect()
    }
}

impl fmt::Display for Summary {
    /// The table: a row for each folder, and the totals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = FolderRow {
            folder: "total".to_owned(),
            totals: self.totals(),
        };
        let rows: Vec<FolderRow> = self.folders().into_iter().chain([total]).collect();
        let width = rows.iter().map(|row| row.folder.len()).max().unwrap_or(0);
        writeln!(
            f,
            "{:width$} {:>6} {:>11} {:>8} {:>8} {:>8}",
            "folder", "files", "directives", "passed", "failed", "skipped"
        )?;
        for FolderRow { folder, totals } in rows {
            let Totals {
                files,
                directives,
                passed,
                failed,
                skipped,
                ..
            } = totals;
            writeln!(
                f,
                "{folder:width$} {files:>6} {directives:>11} {passed:>8} {failed:>8} {skipped:>8}"
            )?;
        }
        Ok(())
    }
}
