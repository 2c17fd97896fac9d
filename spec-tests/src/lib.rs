//! Runner of WebAssembly scripts (`.wast`), the form of the official test
//! suite.
//!
//! [`run_file`] and [`run_source`] run one script against the public API of
//! `rwasm` and return a [`Report`]: how many directives passed, and for each
//! that did not, where it stands, what was expected and what came. A script
//! never stops early: a directive that fails, or that makes the engine panic,
//! is counted, and the next one runs.
//!
//! The runner is strict. Trap and link messages must begin as the script
//! states, NaN patterns are told apart, results are compared bit by bit. A
//! directive is skipped only where [`GAPS`] says that this build does not cover
//! it yet.
//!
//! It must never know how code is executed: all it sees is what an embedder
//! sees, so that every tier runs the same scripts.
#![forbid(unsafe_code)]

mod coverage;
mod features;
mod mismatch;
mod report;
mod run;
mod script;
mod spectest;
mod value;

pub use coverage::{GAPS, Gap, How};
pub use features::ScriptFeatures;
pub use report::{Failure, FolderRow, Report, Summary, Totals, WrongGap};
pub use run::{Options, Progress, ScriptError, run_file, run_source};
