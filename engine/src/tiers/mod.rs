//! Which tier runs which function, and when that changes.
//!
//! ```text
//!  interpreter ─ budget spent ─► policy ─ request ─► queue ─► worker: compile,
//!       ▲                          │ (loop: heir)              publish, relink
//!       └── goes on, or hands over ┘                              │
//!  cells ◄────────────────────────────────────────────────────────┘
//! ```
//! The interpreter counts calls and iterations ([`rwasm_runtime::code::TierUp`]);
//! `policy` decides, with the numbers of `tunables`; `queue` orders what is to be
//! compiled and does it on threads of its own. A guest never waits for them.

mod pending;
mod policy;
mod queue;
mod stats;
pub(crate) mod stress;
mod tunables;

pub use stats::TierStats;

pub(crate) use queue::Queue;
pub(crate) use stats::Counters;

use crate::config::{Config, Tier};
use crate::engine::Engine;
use crate::error::{Error, Result};
use policy::Policy;
use rwasm_jit::Options;
use rwasm_parser::LocalFuncIndex;
use rwasm_runtime::code::{Entries, ModuleCode, TierUp};
use stats::add;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::num::NonZero;
use std::ptr;
use std::sync::{self, Arc};
use std::thread;
use std::time::Instant;
use tracing::debug;

/// Whether code gets hot in engines of this configuration.
pub(crate) fn tiers_up(config: &Config) -> bool {
    config.tier == Tier::Auto && rwasm_jit::is_supported()
}

/// The entries that functions of modules begin with.
pub(crate) fn entries(config: &Config) -> Entries {
    let native = match config.tier {
        Tier::Interp => ptr::null(),
        Tier::Jit | Tier::Auto => rwasm_jit::native_entry(),
    };
    Entries {
        native,
        ..rwasm_interp::ENTRIES
    }
}

/// The instruction of the interpreter that calls a cell by its array entry.
pub(crate) fn call_by_array() -> *const u64 {
    rwasm_interp::host_entries(rwasm_interp::ENTRIES.array).interp
}

/// Who decides about a new module's code, if anybody does.
pub(crate) fn policy(engine: &Engine) -> Option<Arc<dyn TierUp>> {
    let queue = engine.queue()?;
    Some(Arc::new(Policy::new(queue.clone(), engine.config())))
}

/// Gives the functions of a new module the code that they start with.
pub(crate) fn prepare(engine: &Engine, code: &ModuleCode) -> Result<()> {
    let config = engine.config();
    match config.tier {
        // Every function is lowered when it is first called.
        Tier::Interp | Tier::Auto => Ok(()),
        Tier::Jit => {
            let select = |func| {
                config
                    .mixed_tiers
                    .is_none_or(|seed| is_compiled(seed, func))
            };
            compile(config, engine.counters(), code, &select)
        }
    }
}

fn compile(
    config: &Config,
    counters: &Counters,
    code: &ModuleCode,
    select: &(dyn Fn(LocalFuncIndex) -> bool + Sync),
) -> Result<()> {
    let options = Options {
        threads: config.compile_threads.unwrap_or_else(cores),
        select,
        interp_entry: call_by_array(),
    };
    let begun = Instant::now();
    let summary = rwasm_jit::compile_module(code, &options)
        .map_err(|error| Error::Unsupported(Box::new(error)))?;
    let took = begun.elapsed();
    for (func, error) in &summary.left {
        let index = code.module.func_index(*func).as_u32();
        debug!(target: "tiering", func = index, %error, "stays interpreted");
    }
    debug!(
        target: "tiering", functions = summary.compiled, left = summary.left.len(),
        bytes = summary.code_bytes, ?took, "compiled a module"
    );
    add(&counters.compiled, summary.compiled as u64);
    add(&counters.failed, summary.left.len() as u64);
    add(&counters.code_bytes, summary.code_bytes as u64);
    add(&counters.compile_nanos, took.as_nanos() as u64);
    Ok(())
}

/// How many threads run at the same time.
fn cores() -> NonZero<usize> {
    thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

/// Every other function, at random.
fn is_compiled(seed: u64, func: LocalFuncIndex) -> bool {
    random(seed, func).is_multiple_of(2)
}

/// A number that depends on a seed and a function alone.
fn random(seed: u64, func: LocalFuncIndex) -> u64 {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    hasher.hash_one((seed, func.as_u32()))
}
