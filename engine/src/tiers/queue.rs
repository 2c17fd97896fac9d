//! What waits to be compiled, hottest first (`pending`), and the threads that do it.
//!
//! Threads are started when there is first something to do, the first one by the guest
//! and the others by that one: one less than there are cores, but one at least. They
//! hold modules weakly: nothing is compiled for a module that is gone, and its code
//! goes with it. The queue belongs to an engine; when that is dropped, they end after
//! what they are at.

use super::pending::{Hot, Pending};
use super::stats::{Counters, add};
use super::tunables::QUEUE;
use super::{call_by_array, cores};
use crate::config::Config;
use rwasm_jit::{Compiler, Entry};
use rwasm_parser::LocalFuncIndex;
use rwasm_runtime::code::ModuleCode;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use std::{io, mem, thread};
use tracing::{debug, warn};

/// One function to compile.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) module: Weak<ModuleCode>,
    pub(super) func: LocalFuncIndex,
    pub(super) entry: Entry,
    /// To be set if it cannot be compiled.
    pub(super) failed: Arc<AtomicBool>,
}

impl Hot for Request {
    /// How often its budget was spent by now.
    fn heat(&self) -> u32 {
        let module = self.module.upgrade();
        module.map_or(0, |code| {
            code.cells[self.func.index()].heat.load(Ordering::Relaxed)
        })
    }
}

/// The queue of an engine.
#[derive(Debug)]
pub(crate) struct Queue {
    pending: Pending<Request>,
    counters: Arc<Counters>,
    /// How many threads there are to be, if that is not by the number of cores:
    /// the system is asked for that when the first one starts.
    threads: Option<NonZero<usize>>,
    /// The longest that a worker sleeps first.
    delay: Duration,
}

impl Queue {
    pub(crate) fn new(config: &Config, counters: Arc<Counters>) -> Arc<Self> {
        let stress = config.stress;
        Arc::new(Queue {
            pending: Pending::new(stress.map_or(QUEUE, |stress| stress.queue)),
            counters,
            threads: config.compile_threads,
            delay: stress.map_or(Duration::ZERO, |stress| stress.delay),
        })
    }

    /// Takes a request, unless the queue is full.
    pub(super) fn push(self: &Arc<Self>, request: Request) -> bool {
        let pushed = self.pending.push(request, || self.start());
        pushed.unwrap_or_else(|error| {
            warn!(target: "tiering", %error, "no thread to compile on: all stays interpreted");
            // Not to be asked again.
            true
        })
    }

    /// Waits until everything that was asked for has been tried.
    pub(super) fn wait_until_idle(&self) {
        self.pending.wait_until_idle();
    }

    /// Ends the threads.
    pub(crate) fn close(&self) {
        self.pending.close();
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Starts the first thread; an error if there can be none.
    fn start(self: &Arc<Self>) -> io::Result<()> {
        self.spawn(true)
    }

    /// Starts the others. Not by the guest: to ask for the number of cores is 15 system
    /// calls.
    fn start_others(self: &Arc<Self>) {
        // The guest has one core.
        let threads = self
            .threads
            .map_or_else(|| (cores().get() - 1).max(1), NonZero::get);
        for _ in 1..threads {
            if self.spawn(false).is_err() {
                // Those that there are do its share.
                break;
            }
        }
    }

    fn spawn(self: &Arc<Self>, is_first: bool) -> io::Result<()> {
        let queue = self.clone();
        let thread = thread::Builder::new()
            .name("rwasm-compile".to_owned())
            .stack_size(rwasm_jit::COMPILE_STACK);
        thread.spawn(move || queue.work(is_first)).map(drop)
    }

    /// What a thread does.
    fn work(self: Arc<Self>, mut is_first: bool) {
        let compiler = match rwasm_jit::init() {
            true => Compiler::new().map_err(|error| error.to_string()),
            false => Err("machine code cannot be run here".to_owned()),
        };
        let mut compiler = match compiler {
            Ok(compiler) => compiler,
            Err(error) => {
                warn!(target: "tiering", error, "all stays interpreted");
                self.close();
                return;
            }
        };
        let mut random = 0;
        while let Some((request, last)) = self.pending.take() {
            if !self.delay.is_zero() {
                random = super::random(random, request.func);
                thread::sleep(self.delay.mul_f64((random % 100) as f64 / 100.0));
            }
            let done = || self.serve(&mut compiler, &request, last);
            // The adapters that publishing needs are Cranelift's work, too.
            if catch_unwind(AssertUnwindSafe(done)).is_err() {
                self.note_failure(&request);
            }
            self.pending.finish();
            if mem::take(&mut is_first) {
                self.start_others();
            }
        }
    }

    fn note_failure(&self, request: &Request) {
        request.failed.store(true, Ordering::Relaxed);
        add(&self.counters.failed, 1);
    }

    /// A function whose loop was compiled is compiled as a whole when there is
    /// time: for its next call, and for the next run, which finds functions in the
    /// cache but no loops.
    fn ask_for_whole(&self, request: &Request) {
        self.pending.push_unhurried(Request {
            entry: Entry::Function,
            module: request.module.clone(),
            func: request.func,
            failed: Arc::default(),
        });
    }

    /// Compiles and publishes what was asked for; then, if nothing else waits,
    /// links what the module has.
    fn serve(&self, compiler: &mut Compiler, request: &Request, last: bool) {
        let Some(code) = request.module.upgrade() else {
            return;
        };
        let begun = Instant::now();
        let (func, entry) = (request.func, request.entry);
        if entry == Entry::Function && rwasm_jit::is_published(&code, func) {
            return;
        }
        let index = code.module.func_index(func).as_u32();
        let published = compiler
            .compile(&code, func, entry)
            .map_err(|error| error.to_string())
            .and_then(|compiled| {
                // Where it fails, the first call says so.
                let _ = rwasm_jit::prepare_calls(&code, &compiled);
                rwasm_jit::publish(&code, vec![compiled], call_by_array())
                    .map_err(|error| error.to_string())
            });
        let took = begun.elapsed();
        add(&self.counters.compile_nanos, took.as_nanos() as u64);
        match published {
            Ok(bytes) => {
                let counter = match entry {
                    Entry::Function => &self.counters.compiled,
                    Entry::Loop(_) => &self.counters.loops,
                };
                add(counter, 1);
                if entry != Entry::Function {
                    self.ask_for_whole(request);
                }
                add(&self.counters.code_bytes, bytes as u64);
                debug!(
                    target: "tiering", func = index, ?entry, heat = request.heat(), bytes, ?took,
                    "compiled"
                );
            }
            Err(error) => {
                self.note_failure(request);
                debug!(target: "tiering", func = index, ?entry, error, "stays interpreted");
            }
        }
        if last {
            match rwasm_jit::relink(&code) {
                Ok(true) => debug!(target: "tiering", "linked anew"),
                Ok(false) => {}
                Err(error) => debug!(target: "tiering", %error, "not linked anew"),
            }
        }
    }
}
