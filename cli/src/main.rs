//! The command `rwasm`: runs, checks and explores WebAssembly modules.
//!
//! A command is parsed (`args`), does its work with the crates below, and ends
//! in an exit code or in a [`failure::Failure`], which is one sentence and an
//! exit code. Nothing here knows how code is executed: what the command line
//! asks for is handed to the crates `rwasm` and `rwasm-wasi` as it is.
//!
//! `rwasm run` is held to reach the guest in well under a millisecond, so
//! nothing on its way starts a thread or prepares what the guest may never ask
//! for.

#![forbid(unsafe_code)]

mod args;
mod background;
mod cache;
mod compile;
mod entry;
mod exit;
mod explore;
mod failure;
mod grants;
mod invoke;
mod log;
mod output;
mod run;
mod sentences;
mod serve;
mod source;
mod stats;
mod suggest;
mod validate;
mod wast;
mod watchdog;

use std::process::ExitCode;

use args::Command;

fn main() -> ExitCode {
    let parsed = log::start().and_then(|()| args::parse(std::env::args_os()));
    let done = parsed.and_then(|command| match command {
        Command::Run(args) => run::run(&args),
        Command::Serve(args) => serve::serve(*args),
        Command::Validate(args) => validate::validate(args),
        Command::Wast(args) => wast::wast(args),
        Command::Explore(args) => explore::explore(args),
        Command::Compile(args) => compile::compile(&args),
        Command::Cache(args) => cache::cache(&args),
    });
    let code = match done {
        Ok(code) => code,
        Err(failure) => {
            output::complain(&failure);
            failure.exit_code
        }
    };
    ExitCode::from(code)
}
