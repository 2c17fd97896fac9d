//! The threads that run guests: up to a number, started when they are first
//! needed, with a queue of bounded length before them.

use crate::error::ServeError;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What a thread is to do.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// The threads; they end when this is dropped and the queue is empty.
#[derive(Debug)]
pub(crate) struct Pool(Arc<Shared>);

/// The queue is full.
#[derive(Debug)]
pub(crate) struct Full;

struct Shared {
    state: Mutex<State>,
    work: Condvar,
    most_threads: usize,
    most_waiting: usize,
    stack_bytes: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    threads: usize,
    running: usize,
    ended: bool,
}

impl Pool {
    /// Up to `threads` threads and `queue` jobs that wait for one. The first
    /// thread is started here, so that there is always one.
    pub(crate) fn new(
        threads: usize,
        queue: usize,
        stack_bytes: usize,
    ) -> Result<Pool, ServeError> {
        let pool = Pool(Arc::new(Shared {
            state: Mutex::default(),
            work: Condvar::new(),
            most_threads: threads,
            most_waiting: queue,
            stack_bytes,
        }));
        pool.0.state().threads = 1;
        start(&pool.0).map_err(ServeError::Threading)?;
        Ok(pool)
    }

    /// Has a job done as soon as a thread is free.
    pub(crate) fn submit(&self, job: Job) -> Result<(), Full> {
        let shared = &self.0;
        let mut state = shared.state();
        if state.waiting.len() + state.running >= shared.most_threads + shared.most_waiting {
            return Err(Full);
        }
        // Idle, or just started.
        let free = state.threads - state.running;
        let grows = state.waiting.len() >= free && state.threads < shared.most_threads;
        state.waiting.push_back(job);
        state.threads += usize::from(grows);
        drop(state);
        if !grows {
            shared.work.notify_one();
        } else if start(shared).is_err() {
            // There is one thread at least; it takes longer.
            shared.state().threads -= 1;
            shared.work.notify_one();
        }
        Ok(())
    }

    /// Jobs that wait, and threads that are at work.
    pub(crate) fn load(&self) -> (usize, usize) {
        let state = self.0.state();
        (state.waiting.len(), state.running)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.0.state().ended = true;
        self.0.work.notify_all();
    }
}

fn start(shared: &Arc<Shared>) -> std::io::Result<()> {
    let of_thread = Arc::clone(shared);
    thread::Builder::new()
        .name("guest".into())
        .stack_size(shared.stack_bytes)
        .spawn(move || of_thread.work())?;
    Ok(())
}

impl Shared {
    /// What a thread does.
    fn work(&self) {
        let mut state = self.state();
        loop {
            if let Some(job) = state.waiting.pop_front() {
                state.running += 1;
                drop(state);
                // A job that panics has told who waits for it when it was
                // unwound; the thread is as good as before.
                let _ = catch_unwind(AssertUnwindSafe(job));
                state = self.state();
                state.running -= 1;
            } else if state.ended {
                state.threads -= 1;
                return;
            } else {
                let woken = self.work.wait(state);
                state = woken.unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Jobs run without the lock; nothing under it panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("most_threads", &self.most_threads)
            .field("most_waiting", &self.most_waiting)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn threads_and_queue_are_bounded() {
        let pool = Pool::new(2, 3, 64 << 10).unwrap();
        let (release, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let (done, all) = mpsc::channel();
        let mut accepted = 0;
        for _ in 0..20 {
            let (gate, done) = (Arc::clone(&gate), done.clone());
            let job = move || {
                let _ = gate.lock().unwrap().recv();
                done.send(()).unwrap();
            };
            accepted += usize::from(pool.submit(Box::new(job)).is_ok());
        }
        assert_eq!(accepted, 2 + 3);
        drop(release);
        for _ in 0..accepted {
            all.recv().unwrap();
        }
    }

    #[test]
    fn a_job_that_panics_costs_no_thread() {
        let pool = Pool::new(1, 10, 64 << 10).unwrap();
        let (done, all) = mpsc::channel();
        pool.submit(Box::new(|| std::panic::resume_unwind(Box::new(()))))
            .unwrap();
        pool.submit(Box::new(move || done.send(()).unwrap()))
            .unwrap();
        all.recv().unwrap();
    }
}
