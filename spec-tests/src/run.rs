//! Running one script: every directive in turn, whatever the others did.

use crate::coverage::{GAPS, Gap, How, gap_of};
use crate::features::ScriptFeatures;
use crate::mismatch::{Cause, Check, Mismatch};
use crate::report::{Failure, Report, Totals};
use crate::script::Script;
use rwasm::{Tier, TierStress};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::{fs, io, thread};
use thiserror::Error;
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::{Wast, WastDirective};

/// How a script is run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The tier that runs the guest code.
    pub tier: Tier,
    /// With [`Tier::Jit`]: interprets functions that this seed decides.
    pub mixed_tiers: Option<u64>,
    /// With [`Tier::Auto`]: how tiering is made to go wrong.
    pub tier_stress: Option<TierStress>,
    /// What the script's modules are validated with; by default what
    /// [`ScriptFeatures::of_path`] says.
    pub features: Option<ScriptFeatures>,
    /// Whether garbage is collected at every allocation.
    pub gc_stress: bool,
    /// What may be skipped, by the script's path; [`GAPS`] by default.
    pub gaps: &'static [Gap],
    /// Called before each directive.
    pub progress: Option<fn(Progress)>,
}

/// How far a script has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The line of the directive that comes next, from 1.
    pub line: u32,
    /// Directives of the script.
    pub directives: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            tier: Tier::default(),
            mixed_tiers: None,
            tier_stress: None,
            features: None,
            gc_stress: false,
            gaps: GAPS,
            progress: None,
        }
    }
}

/// Why a script cannot be run at all.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// Its file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not well-formed; the message shows where.
    #[error("{0}")]
    Parse(Box<wast::Error>),
    /// The engine refuses the configuration.
    #[error(transparent)]
    Engine(#[from] rwasm::Error),
}

/// Runs the script in a file.
///
/// # Errors
/// If it cannot be read, is not well-formed, or the engine refuses the options.
/// What its directives do is in the report.
pub fn run_file(path: &Path, options: &Options) -> Result<Report, ScriptError> {
    let source = fs::read_to_string(path).map_err(|source| ScriptError::Read {
        path: path.to_owned(),
        source,
    })?;
    run_source(&path.to_string_lossy(), &source, options)
}

/// Runs a script that was read already; `path` is its name in the report.
///
/// # Errors
/// If it is not well-formed, or the engine refuses the options.
pub fn run_source(path: &str, source: &str, options: &Options) -> Result<Report, ScriptError> {
    let parse_error = |mut error: wast::Error| {
        error.set_path(Path::new(path));
        error.set_text(source);
        ScriptError::Parse(Box::new(error))
    };
    let mut lexer = Lexer::new(source);
    // The suite tests identifiers that look like others on purpose.
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).map_err(parse_error)?;
    let wast: Wast = parser::parse(&buffer).map_err(parse_error)?;

    let features = options
        .features
        .unwrap_or_else(|| ScriptFeatures::of_path(path));
    let mut recorder = Recorder::new(path, source, wast.directives.len(), options);
    if let Some(Gap {
        how: How::Count, ..
    }) = recorder.gap
    {
        for directive in &wast.directives {
            recorder.skip(directive);
        }
        return Ok(recorder.report);
    }
    thread::scope(|threads| {
        let mut script = Script::new(threads, features, options)?;
        for directive in wast.directives {
            recorder.begin(&directive);
            let at = directive.span().offset();
            // A panic may leave the store in any state that safe code allows,
            // which is good enough to run the rest of the script.
            let unwind = AssertUnwindSafe(|| script.directive(directive));
            let check = catch_unwind(unwind).unwrap_or_else(|panic| Err(caught(&*panic)));
            recorder.end(at, check);
        }
        Ok(recorder.report)
    })
}

/// A panic of the engine as a mismatch.
pub(crate) fn caught(panic: &(dyn Any + Send)) -> Mismatch {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Mismatch::panic(
        "no panic",
        message.unwrap_or("with a value that is no text"),
    )
}

/// Fills the report.
struct Recorder<'a> {
    report: Report,
    source: &'a str,
    /// Offsets of the lines' first bytes.
    lines: Vec<usize>,
    progress: Option<fn(Progress)>,
    /// Directives of the script.
    directives: usize,
    gap: Option<&'static Gap>,
    /// Whether something in a script with gaps was not supported, so that
    /// later failures may be a consequence.
    incomplete: bool,
}

impl<'a> Recorder<'a> {
    fn new(path: &str, source: &'a str, directives: usize, options: &Options) -> Self {
        let ends = source.match_indices('\n').map(|(end, _)| end + 1);
        Recorder {
            report: Report {
                path: path.to_owned(),
                totals: Totals {
                    files: 1,
                    ..Totals::default()
                },
                failures: Vec::new(),
            },
            source,
            lines: [0].into_iter().chain(ends).collect(),
            progress: options.progress,
            directives,
            gap: gap_of(options.gaps, path),
            incomplete: false,
        }
    }

    fn begin(&mut self, directive: &WastDirective) {
        self.report.totals.directives += 1;
        if is_assertion(directive) {
            self.report.totals.assertions += 1;
        }
        if let Some(progress) = self.progress {
            progress(Progress {
                line: self.line(directive.span().offset()),
                directives: self.directives,
            });
        }
    }

    fn skip(&mut self, directive: &WastDirective) {
        self.begin(directive);
        self.report.totals.skipped += 1;
    }

    fn end(&mut self, offset: usize, check: Check) {
        let totals = &mut self.report.totals;
        let mismatch = match check {
            Ok(()) => {
                totals.passed += 1;
                return;
            }
            Err(mismatch) => mismatch,
        };
        if self.gap.is_some() {
            self.incomplete |= mismatch.cause == Cause::Unsupported;
            if self.incomplete && mismatch.cause != Cause::Panic {
                totals.skipped += 1;
                return;
            }
        }
        totals.failed += 1;
        let line = self.line(offset);
        self.report.failures.push(Failure {
            path: self.report.path.clone(),
            line,
            source: self.line_text(line).to_owned(),
            expected: mismatch.expected,
            got: mismatch.got,
        });
    }

    /// The line of a byte offset, from 1.
    fn line(&self, offset: usize) -> u32 {
        let line = self.lines.partition_point(|start| *start <= offset);
        u32::try_from(line).unwrap_or(u32::MAX)
    }

    fn line_text(&self, line: u32) -> &'a str {
        let index = line.saturating_sub(1) as usize;
        let start = self.lines.get(index).copied().unwrap_or(0);
        self.source[start..].lines().next().unwrap_or("").trim()
    }
}

/// Whether a directive is one of the `assert_…`.
fn is_assertion(directive: &WastDirective) -> bool {
    match directive {
        WastDirective::AssertMalformed { .. }
        | WastDirective::AssertInvalid { .. }
        | WastDirective::AssertMalformedCustom { .. }
        | WastDirective::AssertInvalidCustom { .. }
        | WastDirective::AssertUnlinkable { .. }
        | WastDirective::AssertTrap { .. }
        | WastDirective::AssertReturn { .. }
        | WastDirective::AssertExhaustion { .. }
        | WastDirective::AssertException { .. }
        | WastDirective::AssertSuspension { .. } => true,
        WastDirective::Module(_)
        | WastDirective::ModuleDefinition(_)
        | WastDirective::ModuleInstance { .. }
        | WastDirective::Register { .. }
        | WastDirective::Invoke(_)
        | WastDirective::Thread(_)
        | WastDirective::Wait { .. } => false,
    }
}
