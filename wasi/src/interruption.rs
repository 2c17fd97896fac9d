//! Waiting on the guest's behalf, and being told to stop meanwhile.
//!
//! Functions that may take long (sleeping, polling, gigabytes of random bytes)
//! ask here between bounded pieces of work.
//!
//! Where threads share a state, none of them may wait while it has the state. So
//! there, a function that would wait leaves here what for ([`Awaited`]), ends
//! with [`Stop::Later`] without having done anything, and is called again
//! afterwards.

use crate::errno::Errno;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rwasm::InterruptHandle;
use std::cell::{Cell, OnceCell, RefCell};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Why a function ends without success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// With a code that the guest sees.
    Errno(Errno),
    /// With a trap, because somebody interrupted the guest.
    Interrupted,
    /// To be called again when the guest goes on, which is suspended now.
    Suspended,
    /// To be called again when what is awaited has come.
    Later,
}

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Stop {
        Stop::Errno(errno)
    }
}

/// Whoever is told when a guest waits. It gets the wait, to be called once.
pub(crate) type WaitObserver = Arc<dyn Fn(&mut dyn FnMut()) + Send + Sync>;

/// The embedder's way to stop the calling guest, during one call.
pub(crate) struct Interruption<'a> {
    handle: Option<&'a InterruptHandle>,
    observer: OnceCell<WaitObserver>,
    /// Whether the call must not wait itself.
    postpones: Cell<bool>,
    awaited: RefCell<Option<Awaited>>,
    /// When the call first looked at the time.
    start: Cell<Option<Instant>>,
}

/// What a call waits for: one of the files, or the time.
#[derive(Debug)]
pub(crate) struct Awaited {
    pub(crate) files: Vec<(OwnedFd, PollFlags)>,
    pub(crate) until: Option<Instant>,
}

impl<'a> Interruption<'a> {
    /// How long one poll of file descriptors may take: what wakes a waiter of
    /// `InterruptHandle` does not wake the kernel's.
    pub(crate) const SLICE: Duration = Duration::from_millis(50);

    #[inline]
    pub(crate) fn new(handle: &'a InterruptHandle) -> Self {
        Interruption::by(Some(handle))
    }

    /// Nobody can interrupt.
    #[cfg(test)]
    pub(crate) fn never() -> Self {
        Interruption::by(None)
    }

    #[inline]
    fn by(handle: Option<&'a InterruptHandle>) -> Self {
        Interruption {
            handle,
            observer: OnceCell::new(),
            postpones: Cell::new(false),
            awaited: RefCell::new(None),
            start: Cell::new(None),
        }
    }

    /// Has all waits of the call observed.
    #[inline]
    pub(crate) fn observe_by(&self, observer: &WaitObserver) {
        self.observer.get_or_init(|| Arc::clone(observer));
    }

    pub(crate) fn is_observed(&self) -> bool {
        self.observer.get().is_some()
    }

    /// Waits by `wait`, of which the embedder is told.
    pub(crate) fn observed(&self, wait: impl FnOnce() -> Result<(), Stop>) -> Result<(), Stop> {
        let Some(observer) = self.observer.get() else {
            return wait();
        };
        let (mut wait, mut result) = (Some(wait), Ok(()));
        observer(&mut || {
            if let Some(wait) = wait.take() {
                result = wait();
            }
        });
        result
    }

    /// Forbids the call to wait itself.
    pub(crate) fn postpone(&self) {
        self.postpones.set(true);
    }

    pub(crate) fn postpones(&self) -> bool {
        self.postpones.get()
    }

    /// When the call began, also if it is called again.
    pub(crate) fn start(&self) -> Instant {
        match self.start.get() {
            Some(start) => start,
            None => {
                let start = Instant::now();
                self.start.set(Some(start));
                start
            }
        }
    }

    /// Leaves what is awaited, and how to end.
    pub(crate) fn later(&self, awaited: Awaited) -> Stop {
        self.awaited.replace(Some(awaited));
        Stop::Later
    }

    /// Waits for what was left.
    pub(crate) fn wait(&self) -> Result<(), Stop> {
        match self.awaited.take() {
            Some(awaited) => self.observed(|| self.wait_for(&awaited)),
            None => self.check(),
        }
    }

    fn wait_for(&self, awaited: &Awaited) -> Result<(), Stop> {
        loop {
            self.check()?;
            let now = Instant::now();
            let left = awaited
                .until
                .map(|until| until.saturating_duration_since(now));
            if awaited.files.is_empty() {
                return self.sleep(left.unwrap_or(Duration::MAX));
            }
            let slice = left.map_or(Interruption::SLICE, |left| left.min(Interruption::SLICE));
            let mut fds: Vec<PollFd<'_>> = awaited
                .files
                .iter()
                .map(|(fd, flags)| PollFd::from_borrowed_fd(fd.as_fd(), *flags))
                .collect();
            match poll(&mut fds, Some(&timespec(slice))) {
                Ok(0) if left == Some(slice) => return Ok(()),
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(Errno::from(error).into()),
            }
        }
    }

    /// The longest time for one poll of file descriptors; none is for ever.
    pub(crate) fn slice(&self) -> Option<Timespec> {
        self.handle.map(|_| timespec(Interruption::SLICE))
    }

    /// An error if the guest is to stop.
    pub(crate) fn check(&self) -> Result<(), Stop> {
        match self.handle {
            Some(handle) if handle.is_interrupted() => Err(Stop::Interrupted),
            _ => Ok(()),
        }
    }

    /// Sleeps, but not beyond an interruption.
    pub(crate) fn sleep(&self, time: Duration) -> Result<(), Stop> {
        match self.handle {
            Some(handle) if handle.wait_timeout(time) => Err(Stop::Interrupted),
            Some(_) => Ok(()),
            None => {
                thread::sleep(time);
                Ok(())
            }
        }
    }
}

pub(crate) fn timespec(time: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    }
}
