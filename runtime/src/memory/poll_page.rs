//! The page by which machine code learns that it is to stop.
//!
//! ```text
//!  MEMORY_FRONT ├──── inaccessible ────┤ poll page ├ base of a guarded memory
//!                                            ▲ POLL_DISPLACEMENT
//! ```
//! Code that may be interrupted reads a word of it at loop headers and function
//! entries, one instruction that needs no register of its own, because the base is
//! in one anyway. Whoever interrupts takes the page away, and the read faults, which
//! is a trap site like any other.

use crate::sys::mmap::{Mapping, page_size};
use crate::tunables::MEMORY_FRONT;
use std::io;
use std::ops::Range;

/// The page before one memory.
#[derive(Debug)]
pub(crate) struct PollPage {
    /// What is in front of the memory; the page is its last.
    front: Mapping,
}

impl PollPage {
    /// Takes the front of what was reserved for it and a memory; the rest is the
    /// memory's. It can be read.
    pub(super) fn split_off(reserved: Mapping) -> io::Result<(Self, Mapping)> {
        let (front, rest) = reserved.split(MEMORY_FRONT);
        let page = PollPage { front };
        page.open()?;
        Ok((page, rest))
    }

    /// Lets code read it.
    pub(crate) fn open(&self) -> io::Result<()> {
        self.front.make_read_only(self.place())
    }

    /// Has the next read of it fault.
    pub(crate) fn close(&self) -> io::Result<()> {
        self.front.guard(self.place())
    }

    /// Its addresses.
    pub(crate) fn addresses(&self) -> Range<usize> {
        let end = self.front.addresses().end;
        end - page_size()..end
    }

    /// Where in the front it is.
    fn place(&self) -> Range<usize> {
        let end = self.front.len();
        end - page_size()..end
    }
}
