//! The arguments of `rwasm serve`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};
use serde::Deserialize;

use super::{GuestArgs, ListenGrant, MountGrant, byte_size};
use crate::exit;

/// `rwasm serve`.
#[derive(Debug, Args)]
#[command(
    override_usage = "rwasm serve [OPTIONS] MODULE\n       rwasm serve [OPTIONS] --mount PATH=MODULE...\n       rwasm serve [OPTIONS] [--config FILE]",
    after_help = exit::HELP,
)]
pub struct ServeArgs {
    /// The program that answers all requests, a command for WASI preview1. Left
    /// out, there are those of --mount, or of rwasm.toml
    #[arg(value_name = "MODULE")]
    pub module: Option<PathBuf>,

    /// Have a program answer requests to PATH and all below it (`/a=a.wasm`);
    /// of two that fit, the longer path counts
    #[arg(
        long = "mount",
        value_name = "PATH=MODULE",
        value_parser = OsStringValueParser::new().try_map(|text| MountGrant::parse(&text)),
    )]
    pub mounts: Vec<MountGrant>,

    /// Read what to serve from this file. What it says of a program stands before
    /// what flags say of all; what flags say of the server stands before it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["module", "mounts"])]
    pub config: Option<PathBuf>,

    /// Where to listen; port 0 is any free one, which is told. Left out, it is
    /// 127.0.0.1:8080
    #[arg(long, value_name = "HOST:PORT", value_parser = ListenGrant::parse)]
    pub addr: Option<ListenGrant>,

    /// Answer /healthz and /metrics (for Prometheus) at this address
    #[arg(long, value_name = "HOST:PORT", value_parser = ListenGrant::parse)]
    pub metrics_addr: Option<ListenGrant>,

    #[command(flatten)]
    pub program: ProgramArgs,

    /// The most requests (with --mode isolate, connections) that are worked on at a
    /// time, those that wait for their clients included. Each has a thread; no more
    /// run than there are processors
    #[arg(long, value_name = "N")]
    pub concurrency: Option<usize>,

    /// The most requests that wait beyond these; the answer to one more is 503
    #[arg(long, value_name = "N")]
    pub queue: Option<usize>,

    /// The most bytes of a request's head (`64KiB`)
    #[arg(long, value_name = "SIZE", value_parser = byte_size)]
    pub max_head: Option<u64>,

    /// How long requests may go on after SIGTERM or SIGINT
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub grace: Option<Duration>,

    /// What is logged, on standard error: requests are `info`, what goes wrong
    /// with them `warn`
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = LogLevel::Info)]
    pub log: LogLevel,
}

/// What may be said of each program.
#[derive(Clone, Debug, Args)]
pub struct ProgramArgs {
    /// How the program meets HTTP
    #[arg(long, value_enum, default_value_t = Mode::default())]
    pub mode: Mode,

    /// Start the program once, before the first request, and have each request go on
    /// from there: after `wizer.initialize` if the module exports it, else where this
    /// says. For --mode cgi; --mode isolate does so by itself
    #[arg(
        long,
        value_enum,
        value_name = "WHERE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "request"
    )]
    pub snapshot: Option<SnapshotAt>,

    /// With --mode listen: instances of the program that share the listener
    #[arg(long, value_name = "K", default_value_t = 1)]
    pub workers: usize,

    #[command(flatten)]
    pub guest: GuestArgs,

    /// Give each request a folder of its own under this name, which is empty at
    /// first and removed afterwards; all requests share those of --dir
    #[arg(long, value_name = "GUEST")]
    pub scratch: Option<OsString>,

    /// The most time for a request, waiting included; afterwards the answer is 504
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub timeout: Option<Duration>,

    /// Stop a request after about so many instructions
    #[arg(long, value_name = "N")]
    pub fuel: Option<u64>,

    /// The most bytes of a response
    #[arg(long, value_name = "SIZE", value_parser = byte_size)]
    pub max_output: Option<u64>,

    /// The most bytes of a request's body; the answer to more is 413
    #[arg(long, value_name = "SIZE", value_parser = byte_size)]
    pub max_body: Option<u64>,
}

/// How a program meets HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// By the Common Gateway Interface (RFC 3875), with a fresh instance for each
    /// request
    #[default]
    Cgi,
    /// As a server of its own, which is given the listener and lives on
    Listen,
    /// As such a server, with a fresh instance for each connection: the program is
    /// started once, until it first accepts one
    Isolate,
}

/// Where the requests of a program begin that is started once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum SnapshotAt {
    /// Where it first reads its environment or standard input, or writes to its
    /// standard output
    Request,
    /// The same, but it may have read its environment: it sees the bodies of
    /// requests, and not their variables
    Input,
}

/// What is logged.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogLevel {
    /// Nothing
    Off,
    /// Failures of the server
    Error,
    /// Failures of programs too, and what they write to standard error
    Warn,
    /// All requests
    Info,
}
