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

mod policy;
mod queue;
mod stats;
pub(crate) mod stress;
mod tunables;

pub use stats::TierStats;

pub(crate) use queue::Queue;

use crate::config::{Config, Tier};
use crate::engine::Engine;
use crate::error::{Error, Result};
use policy::Policy;
use rwasm_jit::Options;
use rwasm_parser::LocalFuncIndex;
use rwasm_runtime::code::{Entries, ModuleCode, TierUp};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::num::NonZero;
use std::ptr;
use std::sync::Arc;
use std::thread;

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
            compile(config, code, &select)
        }
    }
}

fn compile(
    config: &Config,
    code: &ModuleCode,
    select: &(dyn Fn(LocalFuncIndex) -> bool + Sync),
) -> Result<()> {
    let options = Options {
        threads: config.compile_threads.unwrap_or_else(cores),
        select,
        interp_entry: call_by_array(),
    };
    match rwasm_jit::compile_module(code, &options) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::Unsupported(Box::new(error))),
    }
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
