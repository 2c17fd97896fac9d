//! The chores of this repository: `cargo xtask COMMAND`.
//!
//! A chore is what a contributor or CI does over and over and what cargo has no
//! command for. Nothing here is part of the runtime, and no crate of the runtime
//! may need it: `cargo build` and `cargo test` work without a guest toolchain.

#![forbid(unsafe_code)]

mod compare;
mod error;
mod guests;
mod machine;
mod order;
mod paths;
mod payload;
mod process;
mod real_programs;
mod rwasm;
mod toolchain;

use std::{env, process::ExitCode};

use error::{Error, Result};
use paths::Paths;
use toolchain::Toolchain;

const USAGE: &str = "\
usage: cargo xtask COMMAND

commands:
  toolchain                             set up what builds guests (Debian packages, npm, PyPI)
  guests                                build the programs of guests/ into target/guests/
  guests --commit                       build those that benches run into guests/modules/
  guests --check [NAME]…                compare those that benches run (or the ones named)
                                        with the modules in guests/modules/
  compare [--rwasm PATH] [--rounds N] [--size N] [PROGRAM]…
                                        run the modules of guests/modules/ under rwasm and the
                                        peers on PATH; tables and charts in target/compare/
  compare --goals [--rwasm PATH] [--rounds N]
                                        measure each figure that a start is to reach, beside
                                        wasmtime and wasm3 if they are on PATH (5 minutes)
  order                                 write down which functions a start of the command calls
                                        (cli/start.order); needs valgrind
  payload [--rwasm PATH | --no-build] [--quick] [--check] [--docs] [--servers N,…]
          [--loads PERCENT,…] [--arms NAME,…] [--runs N] [--seconds N] [--warm-up N]
          [--processors SERVERS,LOAD] [--continue] [--minutes N]
                                        build one API for every peer, compare the answers, and
                                        measure it under load (hours; --quick: 15 minutes;
                                        --check: compare only); results in target/payload/,
                                        with --docs in docs/; --continue: what is missing
                                        in them, --minutes: begin nothing after so many
  real-programs [--rwasm PATH] [NAME]…  run real and hostile programs under `rwasm run`, and
                                        compare what they do with what they must do

Downloads and toolchains stay in target/real-programs/, or in the folder that the
variable RWASM_GUEST_CACHE names.";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    match run(&args) {
        Ok(code) => code,
        Err(Error::Usage) => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<ExitCode> {
    let Some((command, args)) = args.split_first() else {
        return Err(Error::Usage);
    };
    let paths = Paths::new();
    match (command.as_str(), args) {
        ("toolchain", []) => {
            let toolchain = Toolchain::set_up(&paths)?;
            println!("{toolchain}");
            Ok(ExitCode::SUCCESS)
        }
        ("guests", []) => {
            let toolchain = Toolchain::set_up(&paths)?;
            for module in guests::build_all(&paths, &toolchain)? {
                println!("{}", module.display());
            }
            Ok(ExitCode::SUCCESS)
        }
        ("guests", [flag]) if flag == "--commit" => {
            let toolchain = Toolchain::set_up(&paths)?;
            guests::programs::commit(&paths, &toolchain)?;
            Ok(ExitCode::SUCCESS)
        }
        ("guests", [flag, names @ ..]) if flag == "--check" => {
            let toolchain = Toolchain::set_up(&paths)?;
            guests::programs::check(&paths, &toolchain, names)?;
            Ok(ExitCode::SUCCESS)
        }
        ("compare", args) => compare::run(&paths, args),
        ("order", []) => order::run(&paths),
        ("payload", args) => payload::run(&paths, args),
        ("real-programs", args) => real_programs::run(&paths, args),
        _ => Err(Error::Usage),
    }
}
