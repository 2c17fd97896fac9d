//! Waiting for clocks and files: `poll_oneoff`.
//!
//! One `poll` of the host waits for all files and for the nearest time-out. It
//! sleeps until something happens; it looks up from time to time only to see
//! whether the guest is to stop.

use crate::abi::{Event, EventRwFlags, EventType, FileType, Subscribed, Subscription};
use crate::clocks::Clocks;
use crate::descriptor::{HostFile, Object};
use crate::errno::Errno;
use crate::host_io::complete;
use crate::interruption::{Awaited, Interruption, Stop, timespec};
use crate::rights::Rights;
use crate::snapshot::Listening;
use crate::table::Table;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{fcntl_dupfd_cloexec, ioctl_fionread};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Waits until at least one of `subscriptions` has something to tell, and
/// passes all events that there are to `emit`, in the order of their
/// subscriptions.
pub(crate) fn wait(
    table: &Table,
    listening: Listening,
    clocks: &Clocks,
    interruption: &Interruption<'_>,
    subscriptions: &[Subscription],
    mut emit: impl FnMut(Event) -> Result<(), Errno>,
) -> Result<(), Stop> {
    let mut waits = Waits::new(interruption.start(), listening);
    let pending: Vec<Pending<'_>> = subscriptions
        .iter()
        .map(|subscription| waits.add(table, clocks, subscription.to))
        .collect();
    waits.wait(interruption)?;

    let now = Instant::now();
    for (subscription, pending) in subscriptions.iter().zip(pending) {
        let outcome = match pending {
            Pending::Failed(errno) => Some(Err(errno)),
            Pending::Ready => Some(Ok(Ready::of_stream())),
            Pending::Until(deadline) => {
                let due = deadline.is_some_and(|deadline| deadline <= now);
                due.then_some(Ok(Ready::default()))
            }
            Pending::File { file, index } => {
                let reads = matches!(subscription.to, Subscribed::Read(_));
                readiness(file, reads, waits.fds[index].revents())
            }
        };
        if let Some(outcome) = outcome {
            emit(event(subscription, outcome))?;
        }
    }
    Ok(())
}

/// What one subscription waits for.
enum Pending<'t> {
    Failed(Errno),
    /// Never blocks.
    Ready,
    /// A point in time, unless it is too far away to come.
    Until(Option<Instant>),
    /// A file, which is at `index` of the polled ones.
    File {
        file: &'t HostFile,
        index: usize,
    },
}

/// Everything to wait for.
struct Waits<'t> {
    start: Instant,
    listening: Listening,
    /// Each file once, however often it was subscribed to: there are limits on
    /// the number that one `poll` takes.
    fds: Vec<PollFd<'t>>,
    indices: HashMap<u32, (usize, PollFlags)>,
    nearest: Option<Instant>,
    /// Something is there to tell already.
    at_once: bool,
}

impl<'t> Waits<'t> {
    fn new(start: Instant, listening: Listening) -> Waits<'t> {
        Waits {
            start,
            listening,
            fds: Vec::new(),
            indices: HashMap::new(),
            nearest: None,
            at_once: false,
        }
    }

    fn add(&mut self, table: &'t Table, clocks: &Clocks, to: Subscribed) -> Pending<'t> {
        let pending = match to {
            Subscribed::Clock {
                id,
                timeout,
                absolute,
            } => {
                // What is called again still counts from its first call.
                let from = if absolute { Instant::now() } else { self.start };
                self.add_clock(from, clocks.until(id, timeout, absolute))
            }
            Subscribed::Read(fd) => self.add_file(table, fd, Rights::FD_READ, PollFlags::IN),
            Subscribed::Write(fd) => self.add_file(table, fd, Rights::FD_WRITE, PollFlags::OUT),
        };
        pending.unwrap_or_else(|errno| {
            self.at_once = true;
            Pending::Failed(errno)
        })
    }

    fn add_clock(
        &mut self,
        from: Instant,
        remaining: Result<u64, Errno>,
    ) -> Result<Pending<'t>, Errno> {
        let deadline = from.checked_add(Duration::from_nanos(remaining?));
        self.nearest = match (self.nearest, deadline) {
            (Some(nearest), Some(deadline)) => Some(nearest.min(deadline)),
            (nearest, deadline) => nearest.or(deadline),
        };
        Ok(Pending::Until(deadline))
    }

    fn add_file(
        &mut self,
        table: &'t Table,
        fd: u32,
        direction: Rights,
        flags: PollFlags,
    ) -> Result<Pending<'t>, Errno> {
        let descriptor = table.get(fd)?;
        descriptor
            .rights
            .require(direction | Rights::POLL_FD_READWRITE)?;
        let Object::File(file) = &descriptor.object else {
            self.at_once = true;
            return Ok(Pending::Ready);
        };
        match self.listening {
            Listening::Ready if file.listener => {
                self.at_once = true;
                return Ok(Pending::Ready);
            }
            Listening::Never if file.listener => return Ok(Pending::Until(None)),
            _ => {}
        }
        let next = self.fds.len();
        let (index, polled) = self.indices.entry(fd).or_insert((next, PollFlags::empty()));
        *polled |= flags;
        let poll_fd = PollFd::new(&file.fd, *polled);
        if *index == next {
            self.fds.push(poll_fd);
        } else {
            self.fds[*index] = poll_fd;
        }
        Ok(Pending::File {
            file,
            index: *index,
        })
    }

    /// Returns when there is an event, or when time is over.
    fn wait(&mut self, interruption: &Interruption<'_>) -> Result<(), Stop> {
        if interruption.postpones() {
            return self.look(interruption);
        }
        // Who is told of waits is not told of those that are none.
        if !interruption.is_observed() || self.at_once || self.is_over() || self.poll_now()? > 0 {
            return self.wait_here(interruption);
        }
        interruption.observed(|| self.wait_here(interruption))
    }

    fn wait_here(&mut self, interruption: &Interruption<'_>) -> Result<(), Stop> {
        loop {
            let remaining = if self.at_once {
                Some(Duration::ZERO)
            } else {
                let now = Instant::now();
                self.nearest
                    .map(|nearest| nearest.saturating_duration_since(now))
            };
            if self.fds.is_empty() {
                // Without any time-out left, only an interruption ends this.
                return interruption.sleep(remaining.unwrap_or(Duration::MAX));
            }
            let slice = remaining.map_or(Interruption::SLICE, |remaining| {
                remaining.min(Interruption::SLICE)
            });
            match poll(&mut self.fds, Some(&timespec(slice))) {
                Ok(0) if remaining == Some(slice) => return Ok(()),
                Ok(0) | Err(rustix::io::Errno::INTR) => interruption.check()?,
                Ok(_) => return Ok(()),
                Err(error) => return Err(Errno::from(error).into()),
            }
        }
    }

    /// Whether the nearest point in time has come.
    fn is_over(&self) -> bool {
        self.nearest
            .is_some_and(|nearest| nearest <= Instant::now())
    }

    /// How many files have something to tell.
    fn poll_now(&mut self) -> Result<usize, Errno> {
        complete(|| poll(&mut self.fds, Some(&timespec(Duration::ZERO))))
    }

    /// The same without waiting: if there is no event yet, all that is waited for
    /// is left to be awaited.
    fn look(&mut self, interruption: &Interruption<'_>) -> Result<(), Stop> {
        if self.poll_now()? > 0 || self.at_once || self.is_over() {
            return Ok(());
        }
        let polled = self.indices.values();
        let files: rustix::io::Result<Vec<_>> = polled
            .map(|(index, flags)| Ok((fcntl_dupfd_cloexec(&self.fds[*index], 0)?, *flags)))
            .collect();
        Err(interruption.later(Awaited {
            files: files.map_err(Errno::from)?,
            until: self.nearest,
        }))
    }
}

/// What an event tells about a file.
#[derive(Clone, Copy)]
struct Ready {
    nbytes: u64,
    flags: EventRwFlags,
}

impl Default for Ready {
    fn default() -> Ready {
        Ready {
            nbytes: 0,
            flags: EventRwFlags::empty(),
        }
    }
}

impl Ready {
    /// Of a stream that cannot tell how many bytes, but takes or gives some.
    fn of_stream() -> Ready {
        Ready {
            nbytes: 1,
            ..Ready::default()
        }
    }
}

/// The event of a file, if it has one.
fn readiness(file: &HostFile, reads: bool, found: PollFlags) -> Option<Result<Ready, Errno>> {
    let wanted = if reads { PollFlags::IN } else { PollFlags::OUT };
    let ended = PollFlags::HUP | PollFlags::ERR;
    if found.contains(PollFlags::NVAL) {
        return Some(Err(Errno::Badf));
    }
    if !found.intersects(wanted | ended) {
        return None;
    }
    // wasi-libc turns this code into POLLHUP.
    if !reads && found.contains(PollFlags::ERR) && file.file_type == FileType::Unknown {
        return Some(Err(Errno::Pipe));
    }
    let mut ready = Ready::of_stream();
    if reads {
        ready.nbytes = ioctl_fionread(&file.fd).unwrap_or(ready.nbytes);
    }
    if found.intersects(ended) {
        ready.flags |= EventRwFlags::FD_READWRITE_HANGUP;
    }
    Some(Ok(ready))
}

fn event(subscription: &Subscription, outcome: Result<Ready, Errno>) -> Event {
    let event_type = match subscription.to {
        Subscribed::Clock { .. } => EventType::Clock,
        Subscribed::Read(_) => EventType::FdRead,
        Subscribed::Write(_) => EventType::FdWrite,
    };
    let ready = outcome.unwrap_or_default();
    Event {
        userdata: subscription.userdata,
        error: outcome.err(),
        event_type,
        nbytes: ready.nbytes,
        flags: ready.flags,
    }
}
