//! Where the thread that runs a store sleeps, and what wakes it: a request to
//! stop, a notification, or time.
//!
//! One store has one such place. At most one thread sleeps there, the one that
//! uses the store, so that the place needs one condition variable; whoever has
//! something to say changes the state first and wakes then.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The request to stop, and the place to sleep.
#[derive(Debug, Default)]
pub struct Interrupt {
    /// Non-zero: stop. Guest code reads it, too.
    flag: AtomicU32,
    lock: Mutex<()>,
    wake: Condvar,
}

/// What ended a sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// What was waited for is there.
    Ready,
    /// Somebody wants the guest to stop.
    Interrupted,
    /// The deadline has passed.
    TimedOut,
}

impl Interrupt {
    /// Asks the guest to stop, and wakes it if it sleeps. The request stays
    /// until it is cleared.
    pub fn request(&self) {
        self.flag.store(1, Ordering::Release);
        self.wake();
    }

    /// Takes the request back.
    pub fn clear(&self) {
        self.flag.store(0, Ordering::Release);
    }

    /// Whether the guest is to stop.
    pub fn is_requested(&self) -> bool {
        self.flag.load(Ordering::Acquire) != 0
    }

    /// The request as code reads it: not zero if there is one.
    pub(crate) fn flag(&self) -> *const AtomicU32 {
        &raw const self.flag
    }

    /// Has who sleeps here look again.
    pub fn wake(&self) {
        // Taken and released, so that a sleeper is either before its look at
        // the state, which was changed before this call, or already asleep.
        drop(self.locked());
        self.wake.notify_all();
    }

    /// Sleeps until `ready` holds, the guest is to stop, or `deadline` has come
    /// (`None`: never); the first of these that holds is returned.
    ///
    /// Who makes `ready` hold calls [`Interrupt::wake`] afterwards.
    pub fn sleep_until(&self, deadline: Option<Instant>, ready: impl Fn() -> bool) -> Woken {
        let mut guard = self.locked();
        loop {
            if ready() {
                return Woken::Ready;
            }
            if self.is_requested() {
                return Woken::Interrupted;
            }
            guard = match deadline {
                None => self
                    .wake
                    .wait(guard)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Woken::TimedOut;
                    }
                    let wait = self.wake.wait_timeout(guard, left);
                    wait.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// The lock guards no data, so a panic under it broke nothing.
    fn locked(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn each_reason_ends_a_sleep() {
        let never = || false;
        let place = Interrupt::default();
        assert_eq!(place.sleep_until(None, || true), Woken::Ready);
        let soon = Instant::now() + Duration::from_millis(1);
        assert_eq!(place.sleep_until(Some(soon), never), Woken::TimedOut);

        let told = AtomicBool::new(false);
        thread::scope(|threads| {
            threads.spawn(|| {
                told.store(true, Ordering::Release);
                place.wake();
            });
            let told = || told.load(Ordering::Acquire);
            assert_eq!(place.sleep_until(None, told), Woken::Ready);
            threads.spawn(|| place.request());
            assert_eq!(place.sleep_until(None, never), Woken::Interrupted);
        });
        // The request stays, but what was waited for goes first.
        assert_eq!(place.sleep_until(None, never), Woken::Interrupted);
        assert_eq!(place.sleep_until(None, || true), Woken::Ready);
        place.clear();
        assert_eq!(place.sleep_until(Some(soon), never), Woken::TimedOut);
    }
}
