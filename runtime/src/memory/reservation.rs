//! Address space for guarded memories.

use super::poll_page::PollPage;
use crate::sys::mmap::Mapping;
use crate::sys::signals;
use crate::tunables::{MEMORY_FRONT, MEMORY_GUARD, MEMORY_RESERVATION};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What was reserved in order to find out whether it can be, for the next memory:
/// to give it back and ask again takes as long as forty other system calls.
static SPARE: Mutex<Option<Mapping>> = Mutex::new(None);

/// Whether guarded memories can be had in this process: the platform supports
/// them, and the address space is large enough for one (`ulimit -v` and small
/// machines forbid it). Costs a system call, and keeps what a memory takes; ask once.
pub fn guarded_memories_available() -> bool {
    signals::guarded_memories_supported()
        && reserve().is_ok_and(|mapping| {
            *spare() = Some(mapping);
            true
        })
}

/// As much as a guarded memory may grow to, and what is behind.
pub(super) fn reserve() -> io::Result<Mapping> {
    match spare().take() {
        Some(mapping) => Ok(mapping),
        None => Mapping::reserve(MEMORY_RESERVATION + MEMORY_GUARD),
    }
}

/// The same, behind a page that tells code when it is to stop.
pub(super) fn reserve_polled() -> io::Result<(PollPage, Mapping)> {
    let reserve = || Mapping::reserve(MEMORY_FRONT + MEMORY_RESERVATION + MEMORY_GUARD);
    let reserved = reserve().or_else(|error| match spare().take() {
        Some(in_the_way) => {
            drop(in_the_way);
            reserve()
        }
        None => Err(error),
    });
    PollPage::split_off(reserved?)
}

fn spare() -> MutexGuard<'static, Option<Mapping>> {
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}
