//! The command line: what can be asked for, and how it is parsed.
//!
//! The structs are clap's; the help texts are their documentation. One thing
//! clap does not do is done in [`order`]: the command word may be left out or
//! stand after the flags.

mod guest;
mod order;
mod proposals;
mod serve;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::exit;
use crate::failure::{Failure, Result};
use crate::output;

pub use guest::GuestArgs;
pub use proposals::{Proposals, hint as proposal_hint};
pub use serve::{LogLevel, Mode, ProgramArgs, ServeArgs, SnapshotAt};
pub use values::{DirGrant, EnvGrant, ListenGrant, MountGrant, Optimization, Stream, byte_size};

/// Parses the arguments of the process, its name first.
///
/// Ends the process where only a text was asked for (`--help`, `--version`).
pub fn parse(argv: impl Iterator<Item = OsString>) -> Result<Command> {
    let mut argv: Vec<OsString> = argv.collect();
    if let Some(module) = module_of_plain_run(&argv) {
        let module_and_args = argv.split_off(module);
        return Ok(Command::Run(Box::new(RunArgs {
            module_and_args,
            ..RunArgs::default()
        })));
    }
    let mut cli = Cli::command();
    let argv = order::command_first(&cli, argv);
    let parsed = cli
        .try_get_matches_from_mut(argv)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => Ok(cli.command),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                output::print(&error.render().to_string())?;
                std::process::exit(0)
            }
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Err(Failure::new(
                exit::USAGE,
                "there is nothing to do; `rwasm MODULE` runs a module, `rwasm --help` says more",
            )),
            _ => Err(usage_failure(&error)),
        },
    }
}

/// Where the module stands in `rwasm [run] MODULE [ARGS]…`, if that is it.
///
/// Without a flag there is nothing to parse, and clap need not be paged in:
/// that took 0.15 ms, as long as all the rest of a small program's start.
fn module_of_plain_run(argv: &[OsString]) -> Option<usize> {
    let is_run = argv.get(1)? == "run";
    let at = if is_run { 2 } else { 1 };
    let word = argv.get(at)?.as_encoded_bytes();
    let is_flag = word.len() != 1 && word.starts_with(b"-");
    let is_command = !is_run && COMMANDS.iter().any(|name| name.as_bytes() == word);
    (!is_flag && !is_command && !word.is_empty()).then_some(at)
}

/// The words that name a command.
pub const COMMANDS: [&str; 8] = [
    "run", "serve", "validate", "wast", "explore", "compile", "cache", "help",
];

/// clap's error as ours: its text begins with a prefix of its own.
fn usage_failure(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    Failure::new(exit::USAGE, text.trim_end())
}

/// Runs WebAssembly modules: at once, within limits, and with access to
/// nothing that you did not name.
///
/// The options of `rwasm MODULE` are those of `rwasm run` (see `rwasm run
/// --help`). Options may stand before the command or behind it, but before the
/// module: what follows the module belongs to the guest.
#[derive(Debug, Parser)]
#[command(
    name = "rwasm",
    version,
    override_usage = "rwasm [OPTIONS] MODULE [ARGS]...\n       rwasm [COMMAND] --help",
    after_help = exit::HELP,
    arg_required_else_help = true,
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a module; `rwasm MODULE` is short for it
    Run(Box<RunArgs>),
    /// Answer HTTP requests by programs
    Serve(Box<ServeArgs>),
    /// Check that files are valid modules
    Validate(ValidateArgs),
    /// Run scripts of the official test suite (.wast)
    Wast(WastArgs),
    /// Show what is in a module
    Explore(ExploreArgs),
    /// Compile a module to machine code, ahead of time
    Compile(CompileArgs),
    /// Look at, or empty, the cache of machine code
    Cache(CacheArgs),
}

/// `rwasm run`.
#[derive(Debug, Default, PartialEq, Args)]
#[command(
    override_usage = "rwasm run [OPTIONS] MODULE [ARGS]...",
    after_help = exit::HELP,
)]
pub struct RunArgs {
    /// The module (.wasm, .wat, or `-` for standard input); all that follows
    /// it belongs to the guest
    #[arg(
        value_names = ["MODULE", "ARGS"],
        required = true,
        num_args = 1..,
        trailing_var_arg = true,
        value_parser = OsStringValueParser::new(),
    )]
    pub module_and_args: Vec<OsString>,

    #[command(flatten)]
    pub guest: GuestArgs,

    /// Let the guest accept TCP connections at this address of the host
    /// (`127.0.0.1:8080`; port 0 is any free one, which -v tells). Its
    /// descriptor comes after those of the folders: 3 if there is none
    #[arg(
        long,
        aliases = ["tcplisten", "tcp-listen"],
        value_name = "HOST:PORT",
        value_parser = ListenGrant::parse,
    )]
    pub listen: Vec<ListenGrant>,

    /// What the guest sees as its own name, in place of MODULE
    #[arg(long, value_name = "NAME")]
    pub argv0: Option<OsString>,

    /// What the guest reads as its standard input
    #[arg(
        long,
        value_name = "FILE|null|inherit",
        default_value = "inherit",
        value_parser = OsStringValueParser::new().map(Stream::from),
    )]
    pub stdin: Stream,

    /// Where the guest's standard output goes; a FILE is made or emptied
    #[arg(
        long,
        value_name = "FILE|null|inherit",
        default_value = "inherit",
        value_parser = OsStringValueParser::new().map(Stream::from),
    )]
    pub stdout: Stream,

    /// Where the guest's standard error goes; a FILE is made or emptied
    #[arg(
        long,
        value_name = "FILE|null|inherit",
        default_value = "inherit",
        value_parser = OsStringValueParser::new().map(Stream::from),
    )]
    pub stderr: Stream,

    /// Call this function in place of `_start`, with ARGS read by its types,
    /// and print its results
    #[arg(long, value_name = "FUNC")]
    pub invoke: Option<String>,

    /// Stop after about so many instructions
    #[arg(long, value_name = "N")]
    pub fuel: Option<u64>,

    /// Stop after this time (`500ms`, `2s`, `1m 30s`), loading included
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub timeout: Option<Duration>,

    /// The most elements that one table may have
    #[arg(long, value_name = "N")]
    pub max_table: Option<u64>,

    /// How code is compiled: `budget=N`, with `--tier auto` the calls and loop
    /// iterations after which a function is (0: at its first call; left out, by
    /// its size); `threads=N`, the threads that compile
    #[arg(short = 'O', value_name = "KEY=N", value_parser = Optimization::parse)]
    pub optimize: Vec<Optimization>,

    /// When functions are validated: all before the first runs, or each when
    /// it is first called. Left out, it is by the size of the module
    #[arg(long, value_enum, value_name = "WHEN")]
    pub validate: Option<Validate>,

    /// Run machine code from a file of `rwasm compile`. It can do whatever a
    /// native program can: give this for files that you trust
    #[arg(long)]
    pub allow_precompiled: bool,

    /// Say on standard error, at the end, what became of the functions
    #[arg(long)]
    pub stats: bool,

    /// Say on standard error what is done, and how long it took
    #[arg(long, short)]
    pub verbose: bool,
}

/// Where machine code is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct CacheFolder {
    /// Where machine code is remembered from run to run. The default is the
    /// variable RWASM_CACHE_DIR, or else `rwasm` in the user's folder for caches
    #[arg(long, value_name = "FOLDER")]
    pub cache_dir: Option<PathBuf>,
}

/// `rwasm compile`.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub struct CompileArgs {
    /// The module (.wasm, .wat, or `-` for standard input)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Where it goes, to be run with `rwasm run --allow-precompiled`
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,

    /// For runs with --timeout
    #[arg(long)]
    pub interruptible: bool,

    /// For runs with --fuel
    #[arg(long)]
    pub metered: bool,

    #[command(flatten)]
    pub proposals: Proposals,
}

/// `rwasm cache`.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub struct CacheArgs {
    /// What to do with it
    #[arg(value_enum, value_name = "WHAT")]
    pub action: CacheAction,

    #[command(flatten)]
    pub cache: CacheFolder,
}

/// What is done with the cache.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum CacheAction {
    /// Say where it is and what is in it
    Info,
    /// Remove everything in it
    Clear,
}

/// How code is executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, ValueEnum)]
pub enum Tier {
    /// Interpreted
    Interp,
    /// Compiled to machine code before it runs
    Jit,
    /// What suits the module
    #[default]
    Auto,
}

/// When function bodies are validated.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Validate {
    /// All before the first runs
    Eager,
    /// Each when it is first called, the others meanwhile
    Lazy,
}

/// `rwasm validate`.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub struct ValidateArgs {
    /// Modules (.wasm, .wat, or `-` for standard input)
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    #[command(flatten)]
    pub proposals: Proposals,
}

/// `rwasm wast`.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub struct WastArgs {
    /// Scripts
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    /// How code is executed
    #[arg(long, value_enum, default_value_t = Tier::default())]
    pub tier: Tier,

    /// Print JSON objects, one a line; the last one holds the totals
    #[arg(long)]
    pub json: bool,
}

/// `rwasm explore`.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub struct ExploreArgs {
    /// The module (.wasm, .wat, or `-` for standard input)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,

    /// Print the code that the interpreter makes of the functions
    #[arg(long, conflicts_with = "json")]
    pub interp: bool,

    /// Print only the function of this index, or those of this name
    #[arg(long, value_name = "N|NAME", requires = "interp")]
    pub func: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn all_commands_are_named() {
        let mut cli = Cli::command();
        cli.build();
        let names: Vec<&str> = cli
            .get_subcommands()
            .map(|command| command.get_name())
            .collect();
        assert_eq!(names, COMMANDS);
    }

    #[test]
    fn a_plain_run_is_what_clap_makes_of_it() {
        let words =
            |text: &str| -> Vec<OsString> { text.split_whitespace().map(OsString::from).collect() };
        for plain in [
            "rwasm a.wasm",
            "rwasm run a.wasm -x --dir .",
            "rwasm - run",
            "rwasm run run",
        ] {
            let argv = words(plain);
            let module = module_of_plain_run(&argv).expect(plain);
            let ours = RunArgs {
                module_and_args: argv[module..].to_vec(),
                ..RunArgs::default()
            };
            let cli = Cli::command();
            let argv = order::command_first(&cli, argv);
            match Cli::from_arg_matches(&cli.get_matches_from(argv))
                .unwrap()
                .command
            {
                Command::Run(theirs) => assert_eq!(ours, *theirs, "{plain}"),
                other => panic!("{plain}: {other:?}"),
            }
        }
        for other in [
            "rwasm",
            "rwasm run",
            "rwasm -v a.wasm",
            "rwasm explore a.wasm",
            "rwasm run --",
        ] {
            assert_eq!(module_of_plain_run(&words(other)), None, "{other}");
        }
    }
}
