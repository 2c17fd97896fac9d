//! Where the thread that runs a store sleeps, and what wakes it: a request to
//! stop, a notification, or time.
//!
//! One store has one such place. At most one thread sleeps there, the one that
//! uses the store, so that the place needs one condition variable; whoever has
//! something to say changes the state first and wakes then.

use crate::memory::PollPage;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, io, mem};

/// The request to stop, and the place to sleep.
#[derive(Debug, Default)]
pub struct Interrupt {
    /// Non-zero: stop. Guest code reads it, too, where it has no page to read.
    flag: AtomicU32,
    /// Pages that machine code reads. Under this lock, they are closed whenever the
    /// flag is set.
    pages: Mutex<Vec<Arc<PollPage>>>,
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
        let pages = self.locked();
        self.flag.store(1, Ordering::Release);
        for page in &*pages {
            // It cannot fail: what becomes inaccessible needs no memory, and a page
            // that is an area of its own needs no new one.
            let closed = page.close();
            debug_assert!(closed.is_ok(), "{closed:?}");
        }
        // Released first, so that a sleeper is either before its look at the flag or
        // asleep.
        drop(pages);
        self.wake.notify_all();
    }

    /// Takes the request back. If the system refuses, it stays.
    pub fn clear(&self) -> io::Result<()> {
        self.open(&self.locked())?;
        self.flag.store(0, Ordering::Release);
        Ok(())
    }

    /// Opens its pages, which the caller has locked, if they are closed.
    fn open(&self, pages: &[Arc<PollPage>]) -> io::Result<()> {
        match self.is_requested() {
            true => pages.iter().try_for_each(|page| page.open()),
            false => Ok(()),
        }
    }

    /// Adds a page that code reads, which is open.
    pub(crate) fn add_page(&self, page: &Arc<PollPage>) -> io::Result<()> {
        let mut pages = self.locked();
        if self.is_requested() {
            page.close()?;
        }
        pages.push(page.clone());
        Ok(())
    }

    /// Another one without a request, which has the pages from now on.
    pub(crate) fn successor(&self) -> io::Result<Self> {
        let mut pages = self.locked();
        self.open(&pages)?;
        Ok(Interrupt {
            pages: Mutex::new(mem::take(&mut pages)),
            ..Self::default()
        })
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

    /// No panic under the lock leaves the pages half changed.
    fn locked(&self) -> MutexGuard<'_, Vec<Arc<PollPage>>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stops the guest of one store from any thread.
///
/// The engine must be made with `Config::interruption`; otherwise the guest looks
/// only where it waits (`memory.atomic.wait`). A request stays until a call ends
/// with [`Trap::Interrupted`](crate::trap::Trap::Interrupted) because of it, so one that comes before the guest
/// has started stops the next call.
///
/// A time limit is a thread that waits, then interrupts.
#[derive(Clone, Default)]
pub struct InterruptHandle(pub(crate) Arc<Interrupt>);

impl InterruptHandle {
    /// Asks the guest to stop, and wakes who waits in [`Self::wait_timeout`].
    pub fn interrupt(&self) {
        self.0.request();
    }

    /// Takes a request back that no guest has seen yet.
    ///
    /// If the system refuses to make a page accessible again, the request stays.
    pub fn clear(&self) {
        let _ = self.0.clear();
    }

    /// Whether a request is pending. Host functions that run long should ask,
    /// and return [`Trap::Interrupted`](crate::trap::Trap::Interrupted) as an error.
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::thread;

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
        place.clear().unwrap();
        assert_eq!(place.sleep_until(Some(soon), never), Woken::TimedOut);
    }
}
