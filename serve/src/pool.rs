//! The threads that run guests, a queue before them, and whose turn it is.
//!
//! There are up to a number of threads, started when they are first needed; each
//! that has a job has a guest. Of these, only as many run at a time as there are
//! processors. Whoever began first is done first, where guests that share a
//! processor would all be done last. A guest that waits for its client or for
//! anything else gives its turn away, and stands in line for another afterwards
//! ([`Turn::rest`]).
//!
//! ```text
//!            a thread is free, and a turn             rest
//!  submit ─► waiting ────────────────────────► running ──────► resting
//!  (or Full)                                   │  ▲ │             │
//!                                    short turn│  │ └─ the end    │ what it waited
//!                  while others are in line    ▼  │  a turn       ▼ for has come
//!                                       without one  ◄──────── returning
//! ```
//!
//! A turn is never taken away from a guest, for a guest cannot be stopped and go
//! on. But one that has had its turn for long does not count any more when others
//! are in line: it goes on beside the next, as the system shares the processors. So
//! nobody waits for a guest that has no end.

use crate::error::ServeError;
use crate::timer::{Timer, Watch};
use crate::tunables::MOST_PASSED;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What a thread is to do, and the turn by which it does it.
pub(crate) type Job = Box<dyn FnOnce(&Arc<Turn>) + Send>;

/// The threads; they end when this is dropped and the queue is empty.
#[derive(Debug)]
pub(crate) struct Pool(Arc<Shared>);

/// The queue is full.
#[derive(Debug)]
pub(crate) struct Full;

/// How many of what there are at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) threads: usize,
    /// Jobs that wait for a thread.
    pub(crate) queue: usize,
    /// Jobs that run at a time.
    pub(crate) processors: usize,
    /// How long a turn counts when others are in line.
    pub(crate) short_turn: Duration,
}

/// What the threads and the timer have of the pool. Who has the lock may take the
/// timer's, not the other way round.
pub(crate) struct Shared {
    state: Mutex<State>,
    work: Condvar,
    bounds: Bounds,
    stack_bytes: usize,
    timer: Arc<Timer>,
}

/// A thread's place among those that have a job.
pub(crate) struct Turn {
    pool: Arc<Shared>,
    /// It has got its turn.
    granted: Condvar,
}

#[derive(Default)]
struct State {
    /// Jobs without a thread.
    waiting: VecDeque<Job>,
    /// Threads whose guests have rested and are to go on.
    returning: VecDeque<Arc<Turn>>,
    /// Those whose turn it is, and since when; the longest first.
    running: VecDeque<(Arc<Turn>, Instant)>,
    threads: usize,
    /// Threads with a job.
    busy: usize,
    /// Threads that wait for a job.
    idle: usize,
    /// How often in a row somebody who returned went before jobs that wait.
    passed: usize,
    /// Until when it is looked whether a turn has lasted too long.
    watch: Option<Watch>,
    ended: bool,
}

impl Pool {
    /// The first thread is started here, so that there is always one.
    pub(crate) fn new(
        bounds: Bounds,
        stack_bytes: usize,
        timer: &Arc<Timer>,
    ) -> Result<Pool, ServeError> {
        let pool = Pool(Arc::new(Shared {
            state: Mutex::default(),
            work: Condvar::new(),
            bounds,
            stack_bytes,
            timer: Arc::clone(timer),
        }));
        pool.0.state().threads = 1;
        pool.0.start_thread().map_err(ServeError::Threading)?;
        Ok(pool)
    }

    /// Has a job done as soon as a thread is free and it is its turn.
    pub(crate) fn submit(&self, job: Job) -> Result<(), Full> {
        let Bounds { threads, queue, .. } = self.0.bounds;
        let mut state = self.0.state();
        if state.waiting.len() + state.busy >= threads + queue {
            return Err(Full);
        }
        state.waiting.push_back(job);
        self.0.hand_on(state);
        Ok(())
    }

    /// Jobs that wait, and threads that are at work.
    pub(crate) fn load(&self) -> (usize, usize) {
        let state = self.0.state();
        (state.waiting.len(), state.busy)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.ended = true;
        state.watch = None;
        drop(state);
        self.0.work.notify_all();
    }
}

impl Turn {
    /// Waits by `wait` for something else than a processor, and then for a turn to
    /// go on.
    pub(crate) fn rest<R>(self: &Arc<Turn>, wait: impl FnOnce() -> R) -> R {
        let mut state = self.pool.state();
        state.end_turn(self);
        self.pool.hand_on(state);
        let result = wait();
        let mut state = self.pool.state();
        state.returning.push_back(Arc::clone(self));
        self.pool.hand_on(state);
        let mut state = self.pool.state();
        while state.returning.iter().any(|turn| Arc::ptr_eq(turn, self)) {
            let woken = self.granted.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
        result
    }
}

impl State {
    /// It is the turn of this thread, which is not in line any more.
    fn begin_turn(&mut self, turn: &Arc<Turn>) {
        self.running.push_back((Arc::clone(turn), Instant::now()));
    }

    /// Ends a turn, unless that was done already because it had lasted too long.
    fn end_turn(&mut self, turn: &Arc<Turn>) {
        self.running
            .retain(|(running, _)| !Arc::ptr_eq(running, turn));
    }

    /// Jobs that a thread could begin, were it their turn.
    fn ready(&self, bounds: Bounds) -> usize {
        self.waiting.len().min(bounds.threads - self.busy)
    }

    /// How many turns there are to be given away.
    fn free(&self, bounds: Bounds) -> usize {
        bounds.processors.saturating_sub(self.running.len())
    }

    /// Lets those go on who wait for it, but for the turns that jobs are to have.
    fn grant(&mut self, bounds: Bounds) {
        while self.free(bounds) > 0 && !self.returning.is_empty() {
            let ready = self.ready(bounds);
            if ready > 0 && self.passed >= MOST_PASSED {
                return;
            }
            let Some(turn) = self.returning.pop_front() else {
                return;
            };
            self.passed = if ready > 0 { self.passed + 1 } else { 0 };
            self.begin_turn(&turn);
            turn.granted.notify_one();
        }
    }
}

impl Shared {
    /// Gives away the turns that there are, to threads that return or that are to
    /// take a job.
    fn hand_on(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        state.grant(self.bounds);
        let wanted = state.free(self.bounds).min(state.ready(self.bounds));
        // Each thread that takes a job hands on, in case that one of these was
        // woken already.
        let wake = wanted.min(state.idle);
        let start = (wanted - wake).min(self.bounds.threads - state.threads);
        state.threads += start;
        self.watch(&mut state);
        drop(state);
        for _ in 0..wake {
            self.work.notify_one();
        }
        for _ in 0..start {
            if self.start_thread().is_err() {
                // There is one thread at least; it takes longer.
                let mut state = self.state();
                state.threads -= 1;
                state.passed = 0;
                state.grant(self.bounds);
                self.work.notify_one();
            }
        }
    }

    /// If somebody is in line, looks again when the longest turn is not short any
    /// more.
    fn watch(self: &Arc<Self>, state: &mut State) {
        if state.watch.is_some() || state.returning.len() + state.ready(self.bounds) == 0 {
            return;
        }
        if let Some((_, since)) = state.running.front() {
            let end = *since + self.bounds.short_turn;
            state.watch = Some(self.timer.watch_turns(Arc::downgrade(self), end));
        }
    }

    /// Ends as many turns that have lasted long as others are in line.
    pub(crate) fn end_long_turns(self: &Arc<Self>) {
        let mut state = self.state();
        state.watch = None;
        let now = Instant::now();
        let in_line = state.returning.len() + state.ready(self.bounds);
        for _ in 0..in_line {
            let long = |(_, since): &(_, Instant)| now >= *since + self.bounds.short_turn;
            if !state.running.front().is_some_and(long) {
                break;
            }
            state.running.pop_front();
        }
        self.hand_on(state);
    }

    fn start_thread(self: &Arc<Self>) -> io::Result<()> {
        let turn = Arc::new(Turn {
            pool: Arc::clone(self),
            granted: Condvar::new(),
        });
        thread::Builder::new()
            .name("guest".into())
            .stack_size(self.stack_bytes)
            .spawn(move || turn.pool.work(&turn))?;
        Ok(())
    }

    /// What a thread does.
    fn work(self: &Arc<Self>, turn: &Arc<Turn>) {
        let mut state = self.state();
        loop {
            state.grant(self.bounds);
            if state.free(self.bounds) > 0
                && let Some(job) = state.waiting.pop_front()
            {
                state.passed = 0;
                state.busy += 1;
                state.begin_turn(turn);
                self.hand_on(state);
                // A job that panics has told who waits for it when it was
                // unwound; the thread is as good as before.
                let _ = catch_unwind(AssertUnwindSafe(|| job(turn)));
                state = self.state();
                state.end_turn(turn);
                state.busy -= 1;
            } else if state.ended && state.waiting.is_empty() {
                state.threads -= 1;
                return;
            } else {
                self.watch(&mut state);
                state.idle += 1;
                let woken = self.work.wait(state);
                state = woken.unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Jobs run without the lock; nothing under it panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
