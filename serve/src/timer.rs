//! The one source of time: a thread that stops what is late, and ends turns that
//! have lasted long.
//!
//! It sleeps until the nearest deadline that it knew when it fell asleep, and is
//! woken only for an earlier one. Requests of one limit come in the order of
//! their deadlines and most end long before them, so that a request costs two
//! short locks and no switch of threads.

use crate::error::ServeError;
use crate::exchange::{Exchange, Stop};
use crate::pool;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// The timer's thread needs next to no stack.
const STACK_BYTES: usize = 128 << 10;

/// What is to be done, and when.
#[derive(Debug)]
pub(crate) struct Timer {
    state: Mutex<State>,
    earlier: Condvar,
}

/// The timer, whose thread ends when this is dropped.
#[derive(Debug)]
pub(crate) struct TimerThread(Arc<Timer>);

#[derive(Debug, Default)]
struct State {
    watched: BTreeMap<(Instant, u64), Watched>,
    last: u64,
    /// When the thread wakes; `None` while it waits for a first deadline.
    wakes: Option<Instant>,
    ended: bool,
}

/// Something that is watched until this is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    timer: Arc<Timer>,
    key: (Instant, u64),
}

#[derive(Clone, Debug)]
enum Watched {
    /// Stopped at its deadline.
    Request(Arc<Exchange>),
    /// The turns of these threads.
    Turns(Weak<pool::Shared>),
}

/// So much later than that; what `Instant` cannot hold is as good as never.
pub(crate) fn later(begin: Instant, time: Duration) -> Instant {
    let far = || begin + Duration::from_secs(u32::MAX.into());
    begin.checked_add(time).unwrap_or_else(far)
}

impl Timer {
    pub(crate) fn start() -> Result<TimerThread, ServeError> {
        let timer = Arc::new(Timer {
            state: Mutex::default(),
            earlier: Condvar::new(),
        });
        let of_thread = Arc::clone(&timer);
        thread::Builder::new()
            .name("timer".into())
            .stack_size(STACK_BYTES)
            .spawn(move || of_thread.run())
            .map_err(ServeError::Threading)?;
        Ok(TimerThread(timer))
    }

    /// Stops `exchange` at the deadline.
    pub(crate) fn watch(self: &Arc<Timer>, exchange: Arc<Exchange>, deadline: Instant) -> Watch {
        self.add(Watched::Request(exchange), deadline)
    }

    /// Looks at that time whether a turn has lasted long.
    pub(crate) fn watch_turns(self: &Arc<Timer>, of: Weak<pool::Shared>, at: Instant) -> Watch {
        self.add(Watched::Turns(of), at)
    }

    fn add(self: &Arc<Timer>, watched: Watched, deadline: Instant) -> Watch {
        let mut state = self.state();
        state.last += 1;
        let key = (deadline, state.last);
        state.watched.insert(key, watched);
        let wake = state.wakes.is_none_or(|wakes| deadline < wakes);
        drop(state);
        if wake {
            self.earlier.notify_one();
        }
        let timer = Arc::clone(self);
        Watch { timer, key }
    }

    /// Stops all requests.
    pub(crate) fn stop_all(&self, why: Stop) {
        let all: Vec<_> = self.state().watched.values().cloned().collect();
        for watched in all {
            if let Watched::Request(exchange) = watched {
                exchange.stop(why);
            }
        }
    }

    /// Ends the thread.
    pub(crate) fn end(&self) {
        self.state().ended = true;
        self.earlier.notify_one();
    }

    fn run(&self) {
        let mut state = self.state();
        while !state.ended {
            let now = Instant::now();
            let next = state.watched.first_key_value().map(|((at, _), _)| *at);
            match next {
                Some(at) if at <= now => {
                    let late = state.watched.pop_first();
                    drop(state);
                    match late {
                        Some((_, Watched::Request(exchange))) => exchange.stop(Stop::TimeOver),
                        Some((_, Watched::Turns(of))) => {
                            if let Some(pool) = of.upgrade() {
                                pool.end_long_turns();
                            }
                        }
                        None => {}
                    }
                    state = self.state();
                }
                Some(at) => {
                    state.wakes = Some(at);
                    let slept = self.earlier.wait_timeout(state, at - now);
                    state = slept.unwrap_or_else(PoisonError::into_inner).0;
                }
                None => {
                    state.wakes = None;
                    let slept = self.earlier.wait(state);
                    state = slept.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing below panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for TimerThread {
    type Target = Arc<Timer>;

    fn deref(&self) -> &Arc<Timer> {
        &self.0
    }
}

impl Drop for TimerThread {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let watched = self.timer.state().watched.remove(&self.key);
        // Outside of the lock, in case it is the last.
        drop(watched);
    }
}
