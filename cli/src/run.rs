//! `rwasm run`: a module, from its file to its exit code.

use std::fmt::Write;
use std::mem;
use std::time::{Duration, Instant};

use rwasm::{Engine, Limits, Linker, Module, Store, Trap, Val, Validation};
use rwasm_wasi::{Threads, starts_threads};

use crate::args::{Optimization, RunArgs, Tier, Validate};
use crate::background::Background;
use crate::entry::Entry;
use crate::failure::{Failure, Result};
use crate::grants::{self, Guest};
use crate::source::{self, Source};
use crate::stats::Stats;
use crate::watchdog::Watchdog;
use crate::{exit, invoke, output, sentences};

/// In modules of more bytes, functions are validated when they are first
/// called, and all of them in the background. Validating all of this many takes
/// about 0.25 ms, and the thread for the background less (docs/RATIONALE.md).
const LAZY_ABOVE: u64 = 32 << 10;

/// The threads that a guest may start, at a time.
const MAX_THREADS: u32 = 256;

/// The bounds of a run that are told when the guest has reached them.
pub struct Bounds {
    /// `--timeout`.
    pub timeout: Option<Duration>,
    /// `--fuel`.
    pub fuel: Option<u64>,
}

/// Runs a module. The result is the exit code of the process.
pub fn run(args: &RunArgs) -> Result<u8> {
    let clock = Clock::start(args.verbose);
    let mut stats = Stats::start(args.stats);
    let (word, guest_args) = args
        .module_and_args
        .split_first()
        .expect("clap asks for one");
    let name = source::display_name(word);
    let bounds = Bounds {
        timeout: args.timeout,
        fuel: args.fuel,
    };
    let watchdog = match bounds.timeout {
        Some(limit) => Some(Watchdog::start(limit, &name)?),
        None => None,
    };

    let source = Source::open(word)?;
    let engine = engine(args, source.size())?;
    let module = source.load(&engine)?;
    let entry = match &args.invoke {
        Some(func) => Entry::of_invoke(&name, &module, func, guest_args)?,
        None => Entry::of_program(&name, &module, guest_args)?,
    };
    clock.note(|| format!("loaded {name} ({} bytes)", source.size()));
    if args.fuel.is_some() && starts_threads(&module) {
        let message = format!("{name} starts threads, which --fuel cannot count; give --timeout");
        return Err(Failure::new(exit::USAGE, message));
    }

    let mut store = Store::new(&engine, grants::guest(args, word, guest_args)?);
    store
        .limits(limits(args))
        .map_err(|error| sentences::stopped(&name, &bounds, &error))?;
    if let Some(fuel) = bounds.fuel {
        store
            .set_fuel(fuel)
            .expect("the engine was told to count it");
    }
    if let Some(watchdog) = &watchdog {
        watchdog.interrupts(store.interrupt_handle());
    }
    let background = (validation(args, source.size()) == Validation::Lazy)
        .then(|| Background::start(&module, &name, store.interrupt_handle()));
    let mut linker = Linker::new(&engine);
    let ended = grants::link(&mut linker, &module).and_then(|()| {
        if !starts_threads(&module) {
            return call(&mut store, &linker, &module, &entry, &mut stats);
        }
        let threads = threads(args, &engine, &module, &mut linker)?;
        threads.run(&mut store, |store| {
            call(store, &linker, &module, &entry, &mut stats)
        })
    });
    clock.note(|| {
        let mut note = format!("ran {name}");
        if let (Some(fuel), Ok(left)) = (bounds.fuel, store.get_fuel()) {
            let _ = write!(
                note,
                ", which used {} of {fuel} fuel",
                fuel.saturating_sub(left)
            );
        }
        note
    });
    stats.print(&module);
    match module.remember() {
        Ok(true) => clock.note(|| format!("remembered what {name} needs")),
        Ok(false) => {}
        Err(error) => clock.note(|| error.to_string()),
    }
    // The process ends here, which frees everything at once. Piece by piece it
    // took 0.05 ms, a twentieth of a small program's run.
    mem::forget((store, linker, module, engine));
    if let Err(error) = &ended
        && error.trap() == Some(Trap::Interrupted)
        && let Some(invalid) = background.as_ref().and_then(Background::failure)
    {
        return Err(invalid.clone());
    }
    match ended {
        Ok(results) => print_results(&results).map(|()| 0),
        Err(error) => match error.exit_code() {
            Some(code) => Ok(exit::of_guest(code)),
            None => Err(sentences::stopped(&name, &bounds, &error)),
        },
    }
}

/// What starts the threads of the module, each with a store like the first.
fn threads(
    args: &RunArgs,
    engine: &Engine,
    module: &Module,
    linker: &mut Linker<Guest>,
) -> rwasm::Result<Threads<Guest>> {
    let (engine, limits) = (engine.clone(), limits(args));
    Threads::new(module, linker, MAX_THREADS, move |guest: &mut Guest| {
        let mut store = Store::new(&engine, guest.share());
        store.limits(limits).expect("the first thread has them too");
        store
    })
}

/// Instantiates the module and calls what `entry` names.
fn call(
    store: &mut Store<Guest>,
    linker: &Linker<Guest>,
    module: &Module,
    entry: &Entry,
    stats: &mut Stats,
) -> rwasm::Result<Vec<Val>> {
    stats.guest_starts();
    let instance = linker.instantiate(&mut *store, module)?;
    match entry {
        Entry::Nothing => Ok(Vec::new()),
        Entry::Program(name) => {
            instance
                .get_typed_func::<(), ()>(&mut *store, name)?
                .call(store, ())?;
            Ok(Vec::new())
        }
        Entry::Invoke {
            initialize,
            name,
            args,
            results,
        } => {
            if let Some(name) = initialize {
                instance
                    .get_typed_func::<(), ()>(&mut *store, name)?
                    .call(&mut *store, ())?;
            }
            let func = instance
                .get_func(&mut *store, name)
                .expect("the entry was checked");
            let mut values = vec![Val::I32(0); *results];
            func.call(store, args, &mut values)?;
            Ok(values)
        }
    }
}

fn engine(args: &RunArgs, size: u64) -> Result<Engine> {
    let mut config = args.guest.config();
    for setting in &args.optimize {
        match *setting {
            Optimization::Budget(budget) => config.tier_up_budget(Some(budget)),
            Optimization::Threads(threads) => config.compile_threads(Some(threads)),
        };
    }
    config.consume_fuel(args.fuel.is_some());
    // A guest of several threads ends as a whole.
    config.interruption(args.timeout.is_some() || args.guest.proposals.threads());
    config.validation(validation(args, size));
    config.allow_precompiled(args.allow_precompiled);
    Engine::new(&config).map_err(|error| Failure::new(exit::USAGE, error.to_string()))
}

/// When the functions of a module of `size` bytes are validated.
fn validation(args: &RunArgs, size: u64) -> Validation {
    match args.validate {
        Some(Validate::Eager) => Validation::Eager,
        Some(Validate::Lazy) => Validation::Lazy,
        None => validation_of(size),
    }
}

/// When functions of a module of so many bytes are validated, if nothing else is
/// asked for.
pub fn validation_of(size: u64) -> Validation {
    if size > LAZY_ABOVE {
        Validation::Lazy
    } else {
        Validation::Eager
    }
}

impl From<Tier> for rwasm::Tier {
    fn from(tier: Tier) -> rwasm::Tier {
        match tier {
            Tier::Interp => rwasm::Tier::Interp,
            Tier::Jit => rwasm::Tier::Jit,
            Tier::Auto => rwasm::Tier::Auto,
        }
    }
}

fn limits(args: &RunArgs) -> Limits {
    let mut limits = Limits::default();
    if let Some(bytes) = args.guest.max_memory {
        limits = limits.memory_bytes(bytes).gc_heap_bytes(bytes);
    }
    if let Some(elements) = args.max_table {
        limits = limits.table_elements(elements);
    }
    if let Some(bytes) = args.guest.max_stack {
        limits = limits.stack_bytes(usize::try_from(bytes).unwrap_or(usize::MAX));
    }
    limits
}

fn print_results(results: &[Val]) -> Result<()> {
    if results.is_empty() {
        return Ok(());
    }
    let mut text = String::new();
    for value in results {
        text += &invoke::format(value);
        text.push('\n');
    }
    output::print(&text)
}

/// `-v`: what was done, and when.
struct Clock(Option<Instant>);

impl Clock {
    fn start(on: bool) -> Clock {
        Clock(on.then(Instant::now))
    }

    fn note(&self, what: impl FnOnce() -> String) {
        if let Some(start) = self.0 {
            let ms = start.elapsed().as_secs_f64() * 1e3;
            output::note(&format!("[{ms:.1} ms] {}", what()));
        }
    }
}
