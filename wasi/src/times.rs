//! Time stamps of files.

use crate::abi::FstFlags;
use crate::errno::Errno;
use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};

/// What the flags say: each time is set, set to now, or left.
pub(crate) fn to_set(flags: FstFlags, atim: u64, mtim: u64) -> Result<Timestamps, Errno> {
    let time = |nanoseconds: u64, set: FstFlags, now: FstFlags| {
        match (flags.contains(set), flags.contains(now)) {
            (true, true) => Err(Errno::Inval),
            (true, false) => Ok(Timespec {
                // 2^64 nanoseconds are less than 2^63 seconds.
                tv_sec: (nanoseconds / 1_000_000_000) as _,
                tv_nsec: (nanoseconds % 1_000_000_000) as _,
            }),
            (false, true) => Ok(Timespec {
                tv_sec: 0,
                tv_nsec: UTIME_NOW as _,
            }),
            (false, false) => Ok(Timespec {
                tv_sec: 0,
                tv_nsec: UTIME_OMIT as _,
            }),
        }
    };
    Ok(Timestamps {
        last_access: time(atim, FstFlags::ATIM, FstFlags::ATIM_NOW)?,
        last_modification: time(mtim, FstFlags::MTIM, FstFlags::MTIM_NOW)?,
    })
}
