//! The end of the program, signals, and giving way.

use super::Call;
use crate::errno::Errno;
use std::thread;

/// The guest ends with this code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(pub(crate) i32);

/// All 32 bits are handed on; a process shows the low 8 of them.
pub(crate) fn proc_exit(_call: &mut Call<'_>, rval: u32) -> Exit {
    Exit(rval as i32)
}

/// Not supported: wasi-libc raises signals inside the guest, and a guest must
/// not signal the host's process. Numbers that are no signals are invalid.
pub(crate) fn proc_raise(_call: &mut Call<'_>, sig: u32) -> Result<(), Errno> {
    /// `$sys`, the last of `$signal`.
    const LAST: u32 = 30;
    match sig {
        0..=LAST => Err(Errno::Nosys),
        _ => Err(Errno::Inval),
    }
}

pub(crate) fn sched_yield(_call: &mut Call<'_>) -> Result<(), Errno> {
    thread::yield_now();
    Ok(())
}
