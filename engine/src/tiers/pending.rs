//! Requests that wait, those who do them, and those who wait for that.
//!
//! ```text
//!  push ─► waiting ──┐ hottest first
//!                    ├─► take ─► (a worker) ─► finish ─► nothing left: idle
//!  push_unhurried ───┘ when nothing else waits
//! ```
//! `models/` compiles this file with loom's lock in place of the standard
//! library's, and tries all orders of what threads do with it; so its parent says
//! which it is.

use super::sync::{Condvar, Mutex, MutexGuard};
use std::io;
use std::sync::PoisonError;

/// What is taken the sooner the hotter it is at that time.
pub(super) trait Hot {
    fn heat(&self) -> u32;
}

/// All of them.
#[derive(Debug)]
pub(super) struct Pending<R> {
    state: Mutex<State<R>>,
    /// Something is to be done, or nothing ever again.
    work: Condvar,
    /// Nothing is to be done.
    idle: Condvar,
    /// Requests of each kind that wait at most.
    limit: usize,
}

#[derive(Debug)]
struct State<R> {
    waiting: Vec<R>,
    /// What is done once nothing waits, the last first.
    unhurried: Vec<R>,
    started: bool,
    /// Requests that were taken and are not finished.
    busy: usize,
    /// Nothing is done any more, or nothing can be.
    closed: bool,
}

impl<R> State<R> {
    fn has_work(&self) -> bool {
        !self.waiting.is_empty() || !self.unhurried.is_empty()
    }
}

impl<R: Hot> Pending<R> {
    pub(super) fn new(limit: usize) -> Self {
        Pending {
            state: Mutex::new(State {
                waiting: Vec::new(),
                unhurried: Vec::new(),
                started: false,
                busy: 0,
                closed: false,
            }),
            work: Condvar::new(),
            idle: Condvar::new(),
            limit,
        }
    }

    /// Takes a request, unless there are too many; `start` starts the workers when
    /// there is first something to do, and closes all this if it cannot.
    pub(super) fn push(
        &self,
        request: R,
        start: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<bool> {
        let mut state = self.lock();
        if state.closed {
            // Not to be asked again.
            return Ok(true);
        }
        if state.waiting.len() >= self.limit {
            return Ok(false);
        }
        state.waiting.push(request);
        self.work.notify_one();
        if !state.started {
            if let Err(error) = start() {
                self.close_locked(&mut state);
                return Err(error);
            }
            state.started = true;
        }
        Ok(true)
    }

    /// Takes a request of a worker's, which is done when there is time; none if
    /// there are too many.
    pub(super) fn push_unhurried(&self, request: R) {
        let mut state = self.lock();
        if !state.closed && state.unhurried.len() < self.limit {
            // Whoever asks takes it himself, or another worker before.
            state.unhurried.push(request);
        }
    }

    /// The hottest request, and whether it was the last; `None` at the end.
    pub(super) fn take(&self) -> Option<(R, bool)> {
        let mut state = self.lock();
        while !state.closed && !state.has_work() {
            let waited = self.work.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
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

    /// One that was taken is done.
    pub(super) fn finish(&self) {
        let mut state = self.lock();
        state.busy -= 1;
        if state.busy == 0 && !state.has_work() {
            self.idle.notify_all();
        }
    }

    /// Waits until everything that was pushed is done.
    pub(super) fn wait_until_idle(&self) {
        let mut state = self.lock();
        while !state.closed && (state.has_work() || state.busy > 0) {
            let waited = self.idle.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Forgets what waits, and ends the workers after what they are at.
    pub(super) fn close(&self) {
        self.close_locked(&mut self.lock());
    }

    fn close_locked(&self, state: &mut State<R>) {
        state.closed = true;
        state.waiting = Vec::new();
        state.unhurried = Vec::new();
        self.work.notify_all();
        self.idle.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
