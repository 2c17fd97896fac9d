//! System calls that read and write a file of the host: which of them wait, and
//! how.
//!
//! Files with a position never wait. Everything else is a stream, and whether a
//! stream waits is said by the guest's NONBLOCK flag, which need not be that of
//! the open file ([`Blocking`]). Where the guest waits to read, it waits in
//! `poll`, so that it can be interrupted. A write to a pipe or terminal waits in
//! the kernel: only there is a large write whole. But where threads share their
//! descriptors, none waits with them, and a write is as much as fits.

use crate::abi::{FdFlags, FileType};
use crate::descriptor::{Blocking, HostFile};
use crate::errno::Errno;
use crate::interruption::{Awaited, Interruption, Stop};
use crate::io::{At, at_cursor, retry};
use crate::socket;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno as HostErrno, ReadWriteFlags, fcntl_dupfd_cloexec};
use std::io::{IoSlice, IoSliceMut};

/// Bytes that a pipe takes without blocking once it says that it is writable
/// (`PIPE_BUF`).
const PIPE_ROOM: usize = 4096;

/// What stands for the position of the file in `preadv2` and `pwritev2`.
const CURSOR: u64 = u64::MAX;

impl HostFile {
    /// Reads a file with a position.
    #[inline(always)]
    pub(crate) fn read_at(&self, bytes: &mut [u8], at: At) -> Result<usize, Errno> {
        complete(|| match at {
            At::Cursor => rustix::io::read(&self.fd, &mut *bytes),
            At::Offset(offset) => rustix::io::pread(&self.fd, &mut *bytes, offset),
        })
    }

    /// Writes to one.
    #[inline(always)]
    pub(crate) fn write_at(&self, bytes: &[u8], at: At) -> Result<usize, Errno> {
        complete(|| match at {
            At::Cursor => rustix::io::write(&self.fd, bytes),
            At::Offset(offset) => rustix::io::pwrite(&self.fd, bytes, offset),
        })
    }

    pub(crate) fn readv(
        &self,
        slices: &mut [IoSliceMut<'_>],
        at: At,
        interruption: &Interruption<'_>,
    ) -> Result<usize, Stop> {
        if self.seekable {
            return Ok(complete(|| match at {
                At::Cursor => rustix::io::readv(&self.fd, slices),
                At::Offset(offset) => rustix::io::preadv(&self.fd, slices, offset),
            })?);
        }
        at_cursor(at)?;
        self.patiently(PollFlags::IN, interruption, || {
            if self.is_socket() {
                socket::receive_now(self, slices)
            } else {
                self.read_now(slices)
            }
        })
    }

    /// `slices` are used up as they are written.
    pub(crate) fn writev(
        &self,
        mut slices: &mut [IoSlice<'_>],
        at: At,
        interruption: &Interruption<'_>,
    ) -> Result<usize, Stop> {
        if self.seekable {
            return Ok(complete(|| match at {
                At::Cursor => rustix::io::writev(&self.fd, slices),
                At::Offset(offset) => rustix::io::pwritev(&self.fd, slices, offset),
            })?);
        }
        at_cursor(at)?;
        if !self.is_socket() {
            return self.patiently(PollFlags::OUT, interruption, || {
                if self.waits() && !interruption.postpones() {
                    complete(|| rustix::io::writev(&self.fd, slices))
                } else {
                    self.write_now(slices)
                }
            });
        }
        // A socket never waits here, so that what it does not take at once is
        // sent bit by bit.
        let mut sent = 0;
        loop {
            let result = self.patiently(PollFlags::OUT, interruption, || {
                socket::send_now(self, slices)
            });
            match result {
                Ok(bytes) => {
                    sent += bytes;
                    IoSlice::advance_slices(&mut slices, bytes);
                    if slices.is_empty() || !self.waits() {
                        return Ok(sent);
                    }
                }
                Err(Stop::Errno(_) | Stop::Later) if sent > 0 => return Ok(sent),
                Err(stop) => return Err(stop),
            }
        }
    }

    /// Whether reads and writes of the guest wait.
    pub(crate) fn waits(&self) -> bool {
        !self.flags.contains(FdFlags::NONBLOCK)
    }

    pub(crate) fn is_socket(&self) -> bool {
        matches!(
            self.file_type,
            FileType::SocketDgram | FileType::SocketStream
        )
    }

    /// Calls what does not wait, and waits for the guest if the guest does.
    pub(crate) fn patiently<R>(
        &self,
        direction: PollFlags,
        interruption: &Interruption<'_>,
        mut call: impl FnMut() -> Result<R, Errno>,
    ) -> Result<R, Stop> {
        loop {
            match call() {
                Err(Errno::Again) if self.waits() => self.wait(direction, interruption)?,
                result => return Ok(result?),
            }
        }
    }

    /// Waits until the next read or write would not.
    pub(crate) fn wait(
        &self,
        direction: PollFlags,
        interruption: &Interruption<'_>,
    ) -> Result<(), Stop> {
        if interruption.postpones() {
            let file = fcntl_dupfd_cloexec(&self.fd, 0).map_err(Errno::from)?;
            return Err(interruption.later(Awaited {
                files: vec![(file, direction)],
                until: None,
            }));
        }
        interruption.observed(|| {
            loop {
                interruption.check()?;
                if self.poll(direction, interruption.slice().as_ref())? > 0 {
                    return Ok(());
                }
            }
        })
    }

    /// Reads what is there; `again` if nothing is.
    fn read_now(&self, slices: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
        if self.blocking == Blocking::OpenFile && !self.waits() {
            return complete(|| rustix::io::readv(&self.fd, slices));
        }
        if self.nowait.get() {
            let now = ReadWriteFlags::NOWAIT;
            match complete(|| rustix::io::preadv2(&self.fd, slices, CURSOR, now)) {
                Err(Errno::Notsup | Errno::Nosys) => self.nowait.set(false),
                result => return result,
            }
        }
        // Terminals cannot, nor pipes before Linux 6.4.
        self.require_ready(PollFlags::IN)?;
        complete(|| rustix::io::readv(&self.fd, slices))
    }

    /// Writes what fits; `again` if nothing does.
    fn write_now(&self, slices: &[IoSlice<'_>]) -> Result<usize, Errno> {
        if self.blocking == Blocking::OpenFile && !self.waits() {
            return complete(|| rustix::io::writev(&self.fd, slices));
        }
        if self.nowait.get() {
            let now = ReadWriteFlags::NOWAIT;
            match complete(|| rustix::io::pwritev2(&self.fd, slices, CURSOR, now)) {
                Err(Errno::Notsup | Errno::Nosys) => self.nowait.set(false),
                result => return result,
            }
        }
        self.require_ready(PollFlags::OUT)?;
        if self.file_type == FileType::CharacterDevice {
            return complete(|| rustix::io::writev(&self.fd, slices));
        }
        let Some(slice) = slices.iter().find(|slice| !slice.is_empty()) else {
            return Ok(0);
        };
        let bytes = &slice[..slice.len().min(PIPE_ROOM)];
        complete(|| rustix::io::write(&self.fd, bytes))
    }

    /// `again` if the next read or write would block.
    pub(crate) fn require_ready(&self, direction: PollFlags) -> Result<(), Errno> {
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        match self.poll(direction, Some(&at_once))? {
            0 => Err(Errno::Again),
            _ => Ok(()),
        }
    }

    fn poll(&self, direction: PollFlags, timeout: Option<&Timespec>) -> Result<usize, Errno> {
        retry(|| {
            let mut fds = [PollFd::new(&self.fd, direction)];
            Ok(poll(&mut fds, timeout)?)
        })
    }
}

/// Calls until no signal interrupts it.
#[inline(always)]
pub(crate) fn complete<R>(mut call: impl FnMut() -> rustix::io::Result<R>) -> Result<R, Errno> {
    loop {
        match call() {
            Ok(value) => return Ok(value),
            Err(HostErrno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
