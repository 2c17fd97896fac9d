//! What an engine is asked to do, before it exists.

use crate::cache::Cache;
use crate::error::ConfigError;
use crate::tiers::stress::TierStress;
use rwasm_runtime::tunables;
use std::fmt;
use std::num::NonZero;
use std::str::FromStr;

/// Settings of an [`Engine`](crate::Engine).
///
/// ```
/// use rwasm::{Config, Engine};
///
/// let engine = Engine::new(Config::new().consume_fuel(true).max_stack(4 << 20))?;
/// # Ok::<(), rwasm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) tier: Tier,
    pub(crate) consume_fuel: bool,
    pub(crate) interruption: bool,
    pub(crate) validation: Validation,
    pub(crate) max_stack: usize,
    pub(crate) guarded_memories: Option<bool>,
    pub(crate) threads: bool,
    pub(crate) custom_page_sizes: bool,
    pub(crate) wide_arithmetic: bool,
    pub(crate) legacy_exceptions: bool,
    pub(crate) tier_up_budget: Option<u32>,
    pub(crate) compile_threads: Option<NonZero<usize>>,
    pub(crate) mixed_tiers: Option<u64>,
    pub(crate) stress: Option<TierStress>,
    pub(crate) collect_at_every_allocation: bool,
    pub(crate) cache: Option<Cache>,
    pub(crate) allow_precompiled: bool,
}

impl Config {
    /// The defaults: whatever runs fastest, no fuel, no interruption, eager
    /// validation, everything that WebAssembly 3.0 has and, beyond it, the legacy
    /// form of exceptions alone.
    pub fn new() -> Self {
        Config {
            tier: Tier::Auto,
            consume_fuel: false,
            interruption: false,
            validation: Validation::Eager,
            max_stack: tunables::DEFAULT_MAX_STACK,
            guarded_memories: None,
            threads: false,
            custom_page_sizes: false,
            wide_arithmetic: false,
            legacy_exceptions: true,
            tier_up_budget: None,
            compile_threads: None,
            mixed_tiers: None,
            stress: None,
            collect_at_every_allocation: false,
            cache: None,
            allow_precompiled: false,
        }
    }

    /// How guest code is run. [`Tier::Jit`] is refused by `Engine::new` on a
    /// machine that it makes no code for.
    pub fn tier(&mut self, tier: Tier) -> &mut Self {
        self.tier = tier;
        self
    }

    /// With [`Tier::Auto`], the calls and loop iterations after which a function is
    /// compiled; 0 is at its first call. `None`, the default: by its size, since
    /// that is what compiling costs.
    pub fn tier_up_budget(&mut self, budget: Option<u32>) -> &mut Self {
        self.tier_up_budget = budget;
        self
    }

    /// Threads that compile. `None`, the default: one for each core before the
    /// program starts ([`Tier::Jit`]), one less, but at least one, beside it
    /// ([`Tier::Auto`]).
    pub fn compile_threads(&mut self, threads: Option<NonZero<usize>>) -> &mut Self {
        self.compile_threads = threads;
        self
    }

    /// Charges fuel for guest code; see [`Store::set_fuel`](crate::Store::set_fuel).
    /// A store starts without fuel.
    pub fn consume_fuel(&mut self, on: bool) -> &mut Self {
        self.consume_fuel = on;
        self
    }

    /// Lets other threads stop a running guest; see
    /// [`InterruptHandle`](crate::InterruptHandle).
    pub fn interruption(&mut self, on: bool) -> &mut Self {
        self.interruption = on;
        self
    }

    /// When function bodies are validated.
    pub fn validation(&mut self, validation: Validation) -> &mut Self {
        self.validation = validation;
        self
    }

    /// Bytes of stack that the guest code of a store may use, until the store is
    /// given [`Limits`](crate::Limits) of its own.
    pub fn max_stack(&mut self, bytes: usize) -> &mut Self {
        self.max_stack = bytes;
        self
    }

    /// Whether 32-bit memories are 4 GiB reservations of address space with a
    /// guard behind them, which makes accesses cheaper. `None`, the default:
    /// wherever the process may reserve that much.
    pub fn guarded_memories(&mut self, on: Option<bool>) -> &mut Self {
        self.guarded_memories = on;
        self
    }

    /// Accepts the threads proposal: shared memories and atomic operations. See
    /// [`SharedMemory`](crate::SharedMemory).
    pub fn threads(&mut self, on: bool) -> &mut Self {
        self.threads = on;
        self
    }

    /// Remembers machine code from run to run, under [`Tier::Auto`]: a module that
    /// is made starts with what [`Module::remember`](crate::Module::remember)
    /// wrote for it. `None`, the default: nothing is read or written.
    pub fn cache(&mut self, cache: Option<Cache>) -> &mut Self {
        self.cache = cache;
        self
    }

    /// Lets [`Module::new`](crate::Module::new) and its like take modules with
    /// machine code ([`Module::precompiled`](crate::Module::precompiled)). Whoever made such a file can make this process do anything, as with
    /// a native program: allow it for files that you trust.
    pub fn allow_precompiled(&mut self, on: bool) -> &mut Self {
        self.allow_precompiled = on;
        self
    }

    /// Accepts the custom-page-sizes proposal.
    pub fn custom_page_sizes(&mut self, on: bool) -> &mut Self {
        self.custom_page_sizes = on;
        self
    }

    /// Accepts the wide-arithmetic proposal.
    pub fn wide_arithmetic(&mut self, on: bool) -> &mut Self {
        self.wide_arithmetic = on;
        self
    }

    /// Collects garbage at every allocation, which is slow: a test that passes so
    /// has no reference that the collector does not find.
    pub fn collect_at_every_allocation(&mut self, on: bool) -> &mut Self {
        self.collect_at_every_allocation = on;
        self
    }

    /// Accepts the exception handling of before WebAssembly 3.0 (`try`, `catch`,
    /// `rethrow`, `delegate`), which LLVM and Emscripten make unless told
    /// otherwise. On by default.
    pub fn legacy_exceptions(&mut self, on: bool) -> &mut Self {
        self.legacy_exceptions = on;
        self
    }

    /// With [`Tier::Jit`], interprets some functions nevertheless, which ones
    /// the seed decides. For tests of calls between tiers.
    #[doc(hidden)]
    pub fn mixed_tiers(&mut self, seed: Option<u64>) -> &mut Self {
        self.mixed_tiers = seed;
        self
    }
}

impl Config {
    /// With [`Tier::Auto`], makes tiering go wrong. For tests.
    #[doc(hidden)]
    pub fn tier_stress(&mut self, stress: Option<TierStress>) -> &mut Self {
        self.stress = stress;
        self
    }
}

impl Default for Config {
    fn default() -> Self {
        Config::new()
    }
}

/// How guest code is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tier {
    /// By the interpreter alone.
    Interp,
    /// As machine code alone, compiled before it first runs.
    Jit,
    /// By the interpreter first, and as machine code where that pays.
    #[default]
    Auto,
}

impl Tier {
    /// All of them, also those that this build does not have.
    pub const ALL: [Tier; 3] = [Tier::Interp, Tier::Jit, Tier::Auto];
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tier::Interp => "interp",
            Tier::Jit => "jit",
            Tier::Auto => "auto",
        })
    }
}

impl FromStr for Tier {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, ConfigError> {
        match name {
            "interp" => Ok(Tier::Interp),
            "jit" => Ok(Tier::Jit),
            "auto" => Ok(Tier::Auto),
            _ => Err(ConfigError::UnknownTier(name.to_owned())),
        }
    }
}

/// When function bodies are validated. Everything else in a module always is
/// when the module is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Validation {
    /// All of them, when the module is made.
    #[default]
    Eager,
    /// Each when it is first called, as the specification's appendix allows
    /// (implementation limitations, validation). A call of an invalid body is
    /// an [`Error::Parse`](crate::Error::Parse). [`Module::validate_all`](crate::Module::validate_all)
    /// makes up for the rest.
    Lazy,
}
