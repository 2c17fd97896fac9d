//! Stopping a guest from another thread.

use rwasm_runtime::interrupt::{Interrupt, Woken};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Stops the guest of one store from any thread.
///
/// The engine must be made with
/// [`Config::interruption`](crate::Config::interruption); otherwise the guest
/// looks only where it waits (`memory.atomic.wait`). A request stays until a
/// call ends with [`Trap::Interrupted`](crate::Trap::Interrupted) because of it,
/// so one that comes before the guest has started stops the next call.
///
/// A time limit is a thread that waits, then interrupts.
#[derive(Clone)]
pub struct InterruptHandle(pub(crate) Arc<Interrupt>);

impl InterruptHandle {
    /// Asks the guest to stop, and wakes who waits in [`Self::wait_timeout`].
    pub fn interrupt(&self) {
        self.0.request();
    }

    /// Takes a request back that no guest has seen yet.
    pub fn clear(&self) {
        self.0.clear();
    }

    /// Whether a request is pending. Host functions that run long should ask,
    /// and return [`Trap::Interrupted`](crate::Trap::Interrupted) as an error.
    pub fn is_interrupted(&self) -> bool {
        self.0.is_requested()
    }

    /// Sleeps for `timeout`, or until the guest is asked to stop; returns
    /// whether it was. For host functions that wait on the guest's behalf.
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        // A deadline beyond what `Instant` can hold is never reached.
        let deadline = Instant::now().checked_add(timeout);
        self.0.sleep_until(deadline, || false) == Woken::Interrupted
    }
}

impl fmt::Debug for InterruptHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InterruptHandle")
            .field("is_interrupted", &self.is_interrupted())
            .finish()
    }
}
