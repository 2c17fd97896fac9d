//! The functions, called as a guest calls them, but without one: the semantics
//! that implementations get wrong, row by row.

mod advisories;
mod faults;
mod fds;
mod guest;
mod io;
mod paths;
mod poll;
mod read_only;
mod readdir;
mod rights;
mod sandbox;
mod sock;
mod turn;
mod uninterrupted;

use crate::abi::{EventType, FdFlags, FileType, FstFlags, OFlags, Snapshot};
use crate::errno::Errno;
use crate::interruption::Interruption;
use crate::rights::Rights;
use guest::{FOLLOW, Guest, NOFOLLOW, PREOPEN};
