//! Which tier runs which function.

use crate::config::Tier;
use crate::engine::Engine;
use crate::error::{Error, Result};
use rwasm_jit::Options;
use rwasm_parser::LocalFuncIndex;
use rwasm_runtime::code::ModuleCode;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::num::NonZero;
use std::thread;

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
            compile(code, &select)
        }
    }
}

fn compile(code: &ModuleCode, select: &(dyn Fn(LocalFuncIndex) -> bool + Sync)) -> Result<()> {
    let options = Options {
        threads: thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN),
        select,
        interp_entry: rwasm_interp::host_entries(rwasm_interp::ENTRIES.array).interp,
    };
    match rwasm_jit::compile_module(code, &options) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::Unsupported(Box::new(error))),
    }
}

/// Every other function, at random.
fn is_compiled(seed: u64, func: LocalFuncIndex) -> bool {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    hasher.hash_one((seed, func.as_u32())) % 2 == 0
}
