//! `rwasm serve`: HTTP in front of programs.

mod failed;
mod file;

use std::io::{self, IsTerminal};
use std::path::Path;

use rwasm_serve::{
    Folder, Mode, Mount, Program, RequestLimits, Server, Settings, Snapshot, signalled,
};
use rwasm_wasi::Access;
use tracing::level_filters::LevelFilter;

use crate::args::{self, LogLevel, ProgramArgs, ServeArgs};
use crate::failure::{Failure, Result};
use crate::{exit, output, run};

/// The file that is read if nothing else is named.
const FILE: &str = "rwasm.toml";

/// Where to listen if nothing else is said: this machine alone.
const ADDR: &str = "127.0.0.1:8080";

/// Serves until it is told to stop.
pub fn serve(args: ServeArgs) -> Result<u8> {
    let settings = settings(&args)?;
    log(args.log);
    let server = Server::bind(settings).map_err(|error| failed::failure(&error))?;
    output::note(&format!("serving on http://{}", server.addr()));
    if let Some(addr) = server.metrics_addr() {
        output::note(&format!("metrics on http://{addr}/metrics"));
    }
    server
        .run(signalled())
        .map_err(|error| failed::failure(&error))?;
    Ok(0)
}

fn settings(args: &ServeArgs) -> Result<Settings> {
    let mut settings = match &args.config {
        Some(path) => file::read(path, &args.program)?,
        None if args.module.is_none() && args.mounts.is_empty() => {
            if !Path::new(FILE).exists() {
                let message = "there is nothing to serve; `rwasm serve app.wasm` serves a program, \
                               and an rwasm.toml can name more";
                return Err(Failure::new(exit::USAGE, message));
            }
            file::read(Path::new(FILE), &args.program)?
        }
        None => {
            let mut settings = Settings::new(ADDR);
            let everywhere = args.module.iter().map(|module| ("/", module));
            let mounts = args.mounts.iter();
            let mounts = mounts.map(|mount| (&*mount.path, &mount.module));
            for (path, module) in everywhere.chain(mounts) {
                let path = path.to_owned();
                settings.mounts.push(mount(path, module, &args.program)?);
            }
            settings
        }
    };
    if let Some(addr) = &args.addr {
        settings.addr.clone_from(&addr.0);
    }
    if let Some(addr) = &args.metrics_addr {
        settings.metrics_addr = Some(addr.0.clone());
    }
    settings.concurrency = args.concurrency.or(settings.concurrency);
    if let Some(queue) = args.queue {
        settings.queue = queue;
    }
    if let Some(bytes) = args.max_head {
        settings.max_head = size(bytes);
    }
    if let Some(grace) = args.grace {
        settings.grace = grace;
    }
    Ok(settings)
}

/// A module at a path, with what flags say of all.
fn mount(path: String, module: &Path, args: &ProgramArgs) -> Result<Mount> {
    let workers = args.workers;
    let mode = match (args.mode, args.snapshot) {
        (args::Mode::Cgi, at) => Mode::Cgi {
            snapshot: at.map(|at| match at {
                args::SnapshotAt::Request => Snapshot::Request,
                args::SnapshotAt::Input => Snapshot::Input,
            }),
        },
        (args::Mode::Listen, None) => Mode::Listen { workers },
        (args::Mode::Isolate, _) => Mode::Isolate,
        (args::Mode::Listen, Some(_)) => {
            let message = "--snapshot is not for the mode listen, whose instances live on; leave \
                           it out, or serve in the mode isolate";
            return Err(Failure::new(exit::USAGE, message));
        }
    };
    Ok(Mount {
        path,
        mode,
        program: program(module, args),
    })
}

/// The program of a module, with what flags say of all.
fn program(module: &Path, args: &ProgramArgs) -> Program {
    let mut config = args.guest.config();
    // That there is no such file is found out where it is read.
    let bytes = std::fs::metadata(module).map_or(0, |metadata| metadata.len());
    config.validation(run::validation_of(bytes));
    let mut program = Program::new(module);
    program.config = config;
    program.folders = args.guest.dirs.iter().map(folder).collect();
    program.env = args.guest.variables().collect();
    program.scratch.clone_from(&args.scratch);
    let defaults = RequestLimits::default();
    program.limits = RequestLimits {
        timeout: args.timeout.unwrap_or(defaults.timeout),
        memory: args.guest.max_memory.unwrap_or(defaults.memory),
        stack: args.guest.max_stack.map_or(defaults.stack, size),
        fuel: args.fuel,
        output: args.max_output.unwrap_or(defaults.output),
        body: args.max_body.unwrap_or(defaults.body),
    };
    program
}

fn folder(grant: &args::DirGrant) -> Folder {
    Folder {
        host: grant.host.clone(),
        guest: grant.guest.clone(),
        access: if grant.read_only {
            Access::ReadOnly
        } else {
            Access::ReadWrite
        },
    }
}

fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

fn log(level: LogLevel) {
    let level = match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
    };
    // It fails where RWASM_LOG has said already what to log.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .try_init();
}
