//! Waiting on the guest's behalf, and being told to stop meanwhile.
//!
//! Functions that may take long (sleeping, polling, gigabytes of random bytes)
//! ask here between bounded pieces of work.

use crate::errno::Errno;
use rustix::event::Timespec;
use rwasm::InterruptHandle;
use std::thread;
use std::time::Duration;

/// Why a function ends without success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// With a code that the guest sees.
    Errno(Errno),
    /// With a trap, because somebody interrupted the guest.
    Interrupted,
}

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Stop {
        Stop::Errno(errno)
    }
}

/// The embedder's way to stop the calling guest.
#[derive(Debug)]
pub(crate) struct Interruption(Option<InterruptHandle>);

impl Interruption {
    /// How long one poll of file descriptors may take: what wakes a waiter of
    /// `InterruptHandle` does not wake the kernel's.
    pub(crate) const SLICE: Duration = Duration::from_millis(50);

    pub(crate) fn new(handle: InterruptHandle) -> Interruption {
        Interruption(Some(handle))
    }

    /// The longest time for one poll of file descriptors; none is for ever.
    pub(crate) fn slice(&self) -> Option<Timespec> {
        self.0.as_ref().map(|_| Timespec {
            tv_sec: 0,
            tv_nsec: Interruption::SLICE.subsec_nanos().into(),
        })
    }

    /// Nobody can interrupt.
    #[cfg(test)]
    pub(crate) fn never() -> Interruption {
        Interruption(None)
    }

    /// An error if the guest is to stop.
    pub(crate) fn check(&self) -> Result<(), Stop> {
        match &self.0 {
            Some(handle) if handle.is_interrupted() => Err(Stop::Interrupted),
            _ => Ok(()),
        }
    }

    /// Sleeps, but not beyond an interruption.
    pub(crate) fn sleep(&self, time: Duration) -> Result<(), Stop> {
        match &self.0 {
            Some(handle) if handle.wait_timeout(time) => Err(Stop::Interrupted),
            Some(_) => Ok(()),
            None => {
                thread::sleep(time);
                Ok(())
            }
        }
    }
}
