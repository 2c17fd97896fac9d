//! `rwasm compile`: machine code ahead of time, in a file.

use std::fs;

use rwasm::{Config, Engine, Tier, Validation};

use crate::args::CompileArgs;
use crate::exit;
use crate::failure::{Failure, Result};
use crate::source::Source;

/// Compiles all functions of a module and writes them to a file. What cannot be
/// compiled is interpreted when it is run.
pub fn compile(args: &CompileArgs) -> Result<u8> {
    let mut config = Config::new();
    config
        .tier(Tier::Jit)
        .validation(Validation::Eager)
        .consume_fuel(args.metered)
        // As a run has it.
        .interruption(args.interruptible || args.proposals.threads());
    args.proposals.apply(&mut config);
    let failed = |message: String| Failure::new(exit::FAILED, message);
    let engine = Engine::new(&config).map_err(|error| failed(error.to_string()))?;
    let module = Source::open(args.file.as_os_str())?.load(&engine)?;
    let output = args.output.display();
    fs::write(&args.output, module.precompiled())
        .map_err(|error| failed(format!("{output} cannot be written: {error}")))?;
    Ok(0)
}
