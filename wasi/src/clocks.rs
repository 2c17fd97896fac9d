//! The four clocks.

use crate::abi::ClockId;
use crate::errno::Errno;
use rustix::time::{ClockId as HostClock, Timespec, clock_getres, clock_gettime};

/// A clock that an embedder puts in place of the host's, for tests and for
/// reproducible runs. Any `Fn() -> u64` is one, with a resolution of 1 ns.
pub trait Clock: Send {
    /// Nanoseconds: since 1970 for a wall clock, since any point in time for a
    /// monotonic clock, which must never go back.
    fn now(&self) -> u64;

    /// Nanoseconds between two different values; not zero.
    fn resolution(&self) -> u64 {
        1
    }
}

impl<F: Fn() -> u64 + Send> Clock for F {
    fn now(&self) -> u64 {
        self()
    }
}

/// The clocks of one guest.
#[derive(Default)]
pub(crate) struct Clocks {
    wall: Option<Box<dyn Clock>>,
    monotonic: Option<Box<dyn Clock>>,
    /// What the host's monotonic clock showed at the start: the guest's begins
    /// at zero, so that it does not tell how long the host has been up.
    origin: u64,
}

impl Clocks {
    pub(crate) fn new(wall: Option<Box<dyn Clock>>, monotonic: Option<Box<dyn Clock>>) -> Clocks {
        Clocks {
            wall,
            monotonic,
            origin: nanoseconds(clock_gettime(HostClock::Monotonic)),
        }
    }

    /// When the monotonic clock began, as the host's has it.
    pub(crate) fn began(&self) -> u64 {
        self.origin
    }

    /// Has it begun at that time.
    pub(crate) fn began_at(&mut self, origin: u64) {
        self.origin = origin;
    }

    /// Nanoseconds that the clock shows.
    #[inline]
    pub(crate) fn now(&self, id: ClockId) -> u64 {
        match (id, &self.wall, &self.monotonic) {
            (ClockId::Realtime, Some(clock), _) => clock.now(),
            (ClockId::Monotonic, _, Some(clock)) => clock.now(),
            (ClockId::Monotonic, _, None) => {
                nanoseconds(clock_gettime(HostClock::Monotonic)).saturating_sub(self.origin)
            }
            (id, ..) => nanoseconds(clock_gettime(host_clock(id))),
        }
    }

    /// Nanoseconds between two different values of the clock, at least 1.
    pub(crate) fn resolution(&self, id: ClockId) -> u64 {
        let resolution = match (id, &self.wall, &self.monotonic) {
            (ClockId::Realtime, Some(clock), _) => clock.resolution(),
            (ClockId::Monotonic, _, Some(clock)) => clock.resolution(),
            (id, ..) => nanoseconds(clock_getres(host_clock(id))),
        };
        resolution.max(1)
    }

    /// Nanoseconds from now until a time-out. Only the clocks that run while
    /// the guest sleeps can be waited for.
    pub(crate) fn until(&self, id: u32, timeout: u64, absolute: bool) -> Result<u64, Errno> {
        match ClockId::try_from(id)? {
            ClockId::ProcessCputime | ClockId::ThreadCputime => Err(Errno::Notsup),
            id if absolute => Ok(timeout.saturating_sub(self.now(id))),
            _ => Ok(timeout),
        }
    }
}

fn host_clock(id: ClockId) -> HostClock {
    match id {
        ClockId::Realtime => HostClock::Realtime,
        ClockId::Monotonic => HostClock::Monotonic,
        ClockId::ProcessCputime => HostClock::ProcessCPUTime,
        ClockId::ThreadCputime => HostClock::ThreadCPUTime,
    }
}

/// As `$timestamp`, which has no room for what lies before 1970 and after 2554.
pub(crate) fn nanoseconds(time: Timespec) -> u64 {
    let Ok(seconds) = u64::try_from(time.tv_sec) else {
        return 0;
    };
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(time.tv_nsec as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_clocks_run() {
        let clocks = Clocks::new(None, None);
        let first = clocks.now(ClockId::Monotonic);
        assert!(first < 1_000_000_000, "starts near zero: {first}");
        assert!(clocks.now(ClockId::Monotonic) >= first);
        let year_2020 = 1_577_836_800_000_000_000;
        assert!(clocks.now(ClockId::Realtime) > year_2020);
        for id in 0..4 {
            let id = ClockId::try_from(id).unwrap();
            assert!(clocks.resolution(id) > 0, "{id:?}");
        }
    }

    #[test]
    fn overridden_clocks_are_believed() {
        struct Coarse;
        impl Clock for Coarse {
            fn now(&self) -> u64 {
                5_000
            }
            fn resolution(&self) -> u64 {
                1_000
            }
        }
        let clocks = Clocks::new(Some(Box::new(|| 77)), Some(Box::new(Coarse)));
        assert_eq!(clocks.now(ClockId::Realtime), 77);
        assert_eq!(clocks.resolution(ClockId::Realtime), 1);
        assert_eq!(clocks.now(ClockId::Monotonic), 5_000);
        assert_eq!(clocks.resolution(ClockId::Monotonic), 1_000);
        assert_eq!(clocks.until(1, 6_000, true), Ok(1_000));
        assert_eq!(clocks.until(1, 4_000, true), Ok(0));
        assert_eq!(clocks.until(1, 4_000, false), Ok(4_000));
        assert_eq!(clocks.until(3, 4_000, false), Err(Errno::Notsup));
        assert_eq!(clocks.until(4, 4_000, false), Err(Errno::Inval));
    }

    #[test]
    fn times_beyond_the_range_saturate() {
        let at = |tv_sec, tv_nsec| nanoseconds(Timespec { tv_sec, tv_nsec });
        assert_eq!(at(-5, 1), 0);
        assert_eq!(at(1, 5), 1_000_000_005);
        assert_eq!(at(i64::MAX, 999_999_999), u64::MAX);
    }
}
