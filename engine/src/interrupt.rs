//! Stopping a guest from another thread.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Stops the guest of one store from any thread.
///
/// The engine must be made with
/// [`Config::interruption`](crate::Config::interruption); otherwise the guest
/// never looks. A request stays until a call ends with
/// [`Trap::Interrupted`](crate::Trap::Interrupted) because of it, so one that
/// comes before the guest has started stops the next call.
///
/// A time limit is a thread that waits, then interrupts.
#[derive(Clone)]
pub struct InterruptHandle(pub(crate) Arc<Interrupt>);

/// The request, and what wakes host functions that wait.
pub(crate) struct Interrupt {
    /// Non-zero: stop. Guest code reads it, too.
    flag: Arc<AtomicU32>,
    lock: Mutex<()>,
    wake: Condvar,
}

impl InterruptHandle {
    /// Asks the guest to stop, and wakes who waits in [`Self::wait_timeout`].
    pub fn interrupt(&self) {
        self.0.flag.store(1, Ordering::Release);
        // Taken and released, so that a waiter is either before its check of
        // the flag or already asleep.
        drop(self.0.lock.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.wake.notify_all();
    }

    /// Takes a request back that no guest has seen yet.
    pub fn clear(&self) {
        self.0.clear();
    }

    /// Whether a request is pending. Host functions that run long should ask,
    /// and return [`Trap::Interrupted`](crate::Trap::Interrupted) as an error.
    pub fn is_interrupted(&self) -> bool {
        self.0.flag.load(Ordering::Acquire) != 0
    }

    /// Sleeps for `timeout`, or until the guest is asked to stop; returns
    /// whether it was. For host functions that wait on the guest's behalf.
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        // A deadline beyond what `Instant` can hold is never reached.
        let deadline = Instant::now().checked_add(timeout);
        let mut guard = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        while !self.is_interrupted() {
            let left = match deadline {
                Some(deadline) => deadline.saturating_duration_since(Instant::now()),
                None => Duration::MAX,
            };
            if left.is_zero() {
                return false;
            }
            let wait = self.0.wake.wait_timeout(guard, left);
            guard = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Interrupt {
    /// The request that guest code sees by `flag`.
    pub(crate) fn new(flag: Arc<AtomicU32>) -> Self {
        Interrupt {
            flag,
            lock: Mutex::new(()),
            wake: Condvar::new(),
        }
    }

    /// Takes the request back.
    pub(crate) fn clear(&self) {
        self.flag.store(0, Ordering::Release);
    }
}

impl fmt::Debug for InterruptHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InterruptHandle")
            .field("is_interrupted", &self.is_interrupted())
            .finish()
    }
}
