//! Differential fuzzing: random modules run in every tier of rwasm and in
//! wasmtime, and what they do is compared: results, traps, calls of the host,
//! memories, tables and globals.
//!
//! ```text
//! cargo run -p rwasm-fuzz --release -- --seed 1 --count 1000
//! ```
//! A seed is one module and the calls made of it, the same on every machine.
//! Seeds run in worker processes, so that a crash or an endless loop is found
//! and told like any other difference. Where two runtimes differ, wasmi is
//! asked who is right, as far as it can run the module.
//!
//! This is an ordinary program, outside the default members of the workspace,
//! because it compiles the peers.
#![forbid(unsafe_code)]

mod case;
mod host;
mod pool;
mod record;
mod rwasm;
mod wasmi;
mod wasmtime;
mod worker;

use clap::Parser;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

/// Runs random modules in rwasm and in wasmtime, and tells where they differ.
#[derive(Parser, Debug, Clone)]
struct Options {
    /// The first seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds
    #[arg(long, default_value_t = 1000)]
    count: u64,
    /// The tiers that run the modules; all that this build has, if left out
    #[arg(long = "tier")]
    tiers: Vec<::rwasm::Tier>,
    /// Compare the tiers with each other only
    #[arg(long)]
    no_peers: bool,
    /// Worker processes
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
    /// Seconds that one seed may take
    #[arg(long, default_value_t = 30)]
    timeout: u64,
    /// Write the modules of seeds with differences to this folder
    #[arg(long)]
    save: Option<PathBuf>,
    /// Run the seeds in this process, for the process that started it
    #[arg(long, hide = true)]
    worker: bool,
}

impl Options {
    fn jobs(&self) -> usize {
        let available = || thread::available_parallelism().ok();
        self.jobs.or_else(available).map_or(1, NonZeroUsize::get)
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let result = if options.worker {
        worker::run(&options).map(|()| true)
    } else {
        pool::run(&options)
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("rwasm-fuzz: {error}");
            ExitCode::FAILURE
        }
    }
}
