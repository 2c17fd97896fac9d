//! What waits to be compiled, hottest first, and the threads that do it.
//!
//! Threads are started when there is first something to do, one less than there
//! are cores, but one at least. They hold modules weakly: nothing is compiled for
//! a module that is gone, and its code goes with it. The queue belongs to an
//! engine; when that is dropped, they end after what they are at.

use super::stats::{Counters, add};
use super::tunables::{QUEUE, WORKER_STACK};
use super::{call_by_array, cores};
use crate::config::Config;
use rwasm_jit::{Compiler, Entry};
use rwasm_parser::LocalFuncIndex;
use rwasm_runtime::code::ModuleCode;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use std::{io, thread};
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

impl Request {
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
    state: Mutex<State>,
    /// Something is to be done, or nothing ever again.
    work: Condvar,
    /// Nothing is to be done.
    idle: Condvar,
    counters: Arc<Counters>,
    /// How many threads there are to be, if that is not by the number of cores:
    /// the system is asked for that when the first one starts.
    threads: Option<NonZero<usize>>,
    limit: usize,
    /// The longest that a worker sleeps first.
    delay: Duration,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Request>,
    /// What is compiled once nothing waits, the last first.
    unhurried: Vec<Request>,
    /// Threads, and how many of them compile something.
    workers: usize,
    busy: usize,
    /// No thread compiles any more, or none can.
    closed: bool,
}

impl State {
    fn has_work(&self) -> bool {
        !self.waiting.is_empty() || !self.unhurried.is_empty()
    }
}

impl Queue {
    pub(crate) fn new(config: &Config, counters: Arc<Counters>) -> Arc<Self> {
        let stress = config.stress;
        Arc::new(Queue {
            state: Mutex::default(),
            work: Condvar::new(),
            idle: Condvar::new(),
            counters,
            threads: config.compile_threads,
            limit: stress.map_or(QUEUE, |stress| stress.queue),
            delay: stress.map_or(Duration::ZERO, |stress| stress.delay),
        })
    }

    /// Takes a request, unless the queue is full.
    pub(super) fn push(self: &Arc<Self>, request: Request) -> bool {
        let mut state = self.lock();
        if state.closed {
            // Not to be asked again.
            return true;
        }
        if state.waiting.len() >= self.limit {
            return false;
        }
        state.waiting.push(request);
        self.work.notify_one();
        if state.workers == 0
            && let Err(error) = self.start(&mut state)
        {
            warn!(target: "tiering", %error, "no thread to compile on: all stays interpreted");
            self.close_locked(&mut state);
        }
        true
    }

    /// Waits until everything that was asked for has been tried.
    pub(super) fn wait_until_idle(&self) {
        let state = self.lock();
        let busy = |state: &mut State| !state.closed && (state.has_work() || state.busy > 0);
        drop(
            self.idle
                .wait_while(state, busy)
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    /// Ends the threads.
    pub(crate) fn close(&self) {
        self.close_locked(&mut self.lock());
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    fn close_locked(&self, state: &mut State) {
        state.closed = true;
        state.waiting = Vec::new();
        state.unhurried = Vec::new();
        self.work.notify_all();
        self.idle.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        // The guest has one core.
        let threads = self
            .threads
            .map_or_else(|| (cores().get() - 1).max(1), NonZero::get);
        for _ in 0..threads {
            let queue = self.clone();
            let spawned = thread::Builder::new()
                .name("rwasm-compile".to_owned())
                .stack_size(WORKER_STACK)
                .spawn(move || queue.work());
            match spawned {
                Ok(_) => state.workers += 1,
                // The others do its share.
                Err(_) if state.workers > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What a thread does.
    fn work(self: Arc<Self>) {
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
        while let Some((request, last)) = self.take() {
            if !self.delay.is_zero() {
                random = super::random(random, request.func);
                thread::sleep(self.delay.mul_f64((random % 100) as f64 / 100.0));
            }
            let done = || self.serve(&mut compiler, &request, last);
            // The adapters that publishing needs are Cranelift's work, too.
            if catch_unwind(AssertUnwindSafe(done)).is_err() {
                self.note_failure(&request);
            }
            self.finish();
        }
    }

    /// The hottest request, and whether it was the last; `None` at the end.
    fn take(&self) -> Option<(Request, bool)> {
        let state = self.lock();
        let nothing = |state: &mut State| !state.closed && !state.has_work();
        let waited = self.work.wait_while(state, nothing);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        let requests = state.waiting.iter().enumerate();
        // Of equally hot ones the oldest.
        let hottest = requests.rev().max_by_key(|(_, request)| request.heat());
        let request = match hottest.map(|(at, _)| at) {
            Some(at) => state.waiting.remove(at),
            None => state.unhurried.pop()?,
        };
        state.busy += 1;
        Some((request, !state.has_work()))
    }

    fn finish(&self) {
        let mut state = self.lock();
        state.busy -= 1;
        if state.busy == 0 && !state.has_work() {
            self.idle.notify_all();
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
        let mut state = self.lock();
        if !state.closed && state.unhurried.len() < self.limit {
            state.unhurried.push(Request {
                entry: Entry::Function,
                module: request.module.clone(),
                func: request.func,
                failed: Arc::default(),
            });
        }
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
                if entry == Entry::Function {
                    // Where it fails, the first call says so.
                    let _ = rwasm_jit::prepare_calls(&code, &compiled);
                }
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
