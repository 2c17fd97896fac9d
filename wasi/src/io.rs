//! Reading and writing: one system call straight on the guest's memory.
//!
//! Nothing is buffered here, partial transfers are reported as such, and a
//! broken pipe is an error code (Rust ignores SIGPIPE from the start).

use crate::abi::{FdFlags, FileType};
use crate::descriptor::{HostFile, Object};
use crate::errno::Errno;
use crate::iovec::{self, INLINE, Iovec};
use crate::memory::GuestMemory;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno as HostErrno, ReadWriteFlags};
use std::io::{IoSlice, IoSliceMut};

/// Buffers that the kernel takes at once (`IOV_MAX`).
const BATCH: usize = 1024;

/// Bytes that a pipe takes without blocking once it says that it is writable
/// (`PIPE_BUF`).
const PIPE_ROOM: usize = 4096;

/// Where in a file to read or write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// At the file's own position, which moves.
    Cursor,
    /// At this offset; the position stays.
    Offset(u64),
}

impl At {
    fn after(self, bytes: usize) -> At {
        match self {
            At::Cursor => At::Cursor,
            At::Offset(offset) => At::Offset(offset.saturating_add(bytes as u64)),
        }
    }
}

// The path of one buffer is inlined as a whole: after a system call, the
// processor does not know where to return to, and each level costs about 10 ns.

/// Reads into the buffers, in their order.
#[inline]
pub(crate) fn read(
    object: &mut Object,
    memory: &mut GuestMemory<'_>,
    iovecs: &[Iovec],
    at: At,
) -> Result<u32, Errno> {
    let memory = memory.all_mut();
    match object {
        Object::File(file) => match iovecs {
            [] => Ok(0),
            [one] => Ok(file.read(iovec::bytes_mut(memory, *one), at)? as u32),
            _ => transfer(
                iovecs,
                at,
                file.file_type == FileType::RegularFile,
                |batch, at| file.read_batch(memory, batch, at),
            ),
        },
        Object::Reader(reader) => {
            at_cursor(at)?;
            let Some(first) = iovecs.first() else {
                return Ok(0);
            };
            // The first buffer: less than asked for is always allowed.
            let read = retry(|| Ok(reader.read(iovec::bytes_mut(memory, *first))?))?;
            // What a broken reader claims to have read must not mislead.
            Ok(u32::try_from(read).unwrap_or(u32::MAX).min(first.len))
        }
        Object::Directory(_) => Err(Errno::Isdir),
        Object::Writer(_) => Err(Errno::Badf),
    }
}

/// Writes the buffers, in their order.
#[inline]
pub(crate) fn write(
    object: &mut Object,
    memory: &GuestMemory<'_>,
    iovecs: &[Iovec],
    at: At,
) -> Result<u32, Errno> {
    let memory = memory.all();
    match object {
        Object::File(file) => match iovecs {
            [] => Ok(0),
            [one] => Ok(file.write(iovec::bytes(memory, *one), at)? as u32),
            _ => transfer(iovecs, at, true, |batch, at| {
                Ok(Moved {
                    buffers: batch.len(),
                    tried: iovec::total(batch),
                    bytes: file.write_batch(memory, batch, at)?,
                })
            }),
        },
        Object::Writer(writer) => {
            at_cursor(at)?;
            transfer(iovecs, at, true, |batch, _| {
                let bytes = iovec::bytes(memory, batch[0]);
                let written = retry(|| Ok(writer.write(bytes)?))?;
                writer.flush()?;
                Ok(Moved {
                    buffers: 1,
                    tried: bytes.len(),
                    bytes: written.min(bytes.len()),
                })
            })
        }
        Object::Directory(_) => Err(Errno::Isdir),
        Object::Reader(_) => Err(Errno::Badf),
    }
}

/// A stream has no positions.
fn at_cursor(at: At) -> Result<(), Errno> {
    match at {
        At::Cursor => Ok(()),
        At::Offset(_) => Err(Errno::Spipe),
    }
}

/// What one system call did with a batch of buffers.
struct Moved {
    /// The buffers that it tried, from the first on.
    buffers: usize,
    /// The bytes that these have.
    tried: usize,
    /// The bytes that it moved.
    bytes: usize,
}

/// Moves batches of buffers until all are done, one is not moved as a whole, or
/// one fails. A failure after some success is a partial success: the next call
/// meets it again.
///
/// Without `repeat` there is one batch: a read that has brought something must
/// not wait for more.
fn transfer(
    mut iovecs: &[Iovec],
    mut at: At,
    repeat: bool,
    mut step: impl FnMut(&[Iovec], At) -> Result<Moved, Errno>,
) -> Result<u32, Errno> {
    let mut done = 0;
    while !iovecs.is_empty() {
        let batch = &iovecs[..iovecs.len().min(BATCH)];
        let moved = match step(batch, at) {
            Ok(moved) => moved,
            Err(_) if done > 0 => break,
            Err(errno) => return Err(errno),
        };
        done += moved.bytes;
        if moved.bytes < moved.tried || !repeat {
            break;
        }
        iovecs = &iovecs[moved.buffers..];
        at = at.after(moved.bytes);
    }
    // The list was cut to less than 2 GiB when it was decoded.
    Ok(done as u32)
}

fn retry<R>(mut call: impl FnMut() -> Result<R, Errno>) -> Result<R, Errno> {
    loop {
        match call() {
            Err(Errno::Intr) => {}
            result => return result,
        }
    }
}

impl HostFile {
    /// Whether NONBLOCK is set, but only in our books.
    #[inline]
    fn emulates_nonblock(&self) -> bool {
        self.shared && self.flags.contains(FdFlags::NONBLOCK) && !self.seekable
    }

    #[inline]
    fn read(&self, bytes: &mut [u8], at: At) -> Result<usize, Errno> {
        if self.emulates_nonblock() {
            return self.readv(&mut [IoSliceMut::new(bytes)], at);
        }
        self.complete(PollFlags::IN, || match at {
            At::Cursor => rustix::io::read(&self.fd, &mut *bytes),
            At::Offset(offset) => rustix::io::pread(&self.fd, &mut *bytes, offset),
        })
    }

    #[inline]
    fn write(&self, bytes: &[u8], at: At) -> Result<usize, Errno> {
        if self.emulates_nonblock() {
            return self.writev(&[IoSlice::new(bytes)], at);
        }
        self.complete(PollFlags::OUT, || match at {
            At::Cursor => rustix::io::write(&self.fd, bytes),
            At::Offset(offset) => rustix::io::pwrite(&self.fd, bytes, offset),
        })
    }

    /// Reads into as many leading buffers as are disjoint.
    fn read_batch(&self, memory: &mut [u8], batch: &[Iovec], at: At) -> Result<Moved, Errno> {
        let batch = iovec::carvable(batch);
        let mut inline: [IoSliceMut<'_>; INLINE];
        let mut spilled: Vec<IoSliceMut<'_>>;
        let slices = if batch.len() <= INLINE {
            inline = std::array::from_fn(|_| IoSliceMut::new(&mut []));
            &mut inline[..batch.len()]
        } else {
            spilled = batch.iter().map(|_| IoSliceMut::new(&mut [])).collect();
            &mut spilled[..]
        };
        let buffers = iovec::carve(memory, batch, slices);
        Ok(Moved {
            buffers,
            tried: iovec::total(&batch[..buffers]),
            bytes: self.readv(&mut slices[..buffers], at)?,
        })
    }

    fn write_batch(&self, memory: &[u8], batch: &[Iovec], at: At) -> Result<usize, Errno> {
        if batch.len() <= INLINE {
            let mut slices = [IoSlice::new(&[]); INLINE];
            iovec::gather(memory, batch, &mut slices);
            self.writev(&slices[..batch.len()], at)
        } else {
            let mut slices = vec![IoSlice::new(&[]); batch.len()];
            iovec::gather(memory, batch, &mut slices);
            self.writev(&slices, at)
        }
    }

    fn readv(&self, slices: &mut [IoSliceMut<'_>], at: At) -> Result<usize, Errno> {
        if self.emulates_nonblock() {
            at_cursor(at)?;
            // `u64::MAX` stands for the position of the file.
            let now = ReadWriteFlags::NOWAIT;
            match rustix::io::preadv2(&self.fd, slices, u64::MAX, now) {
                Err(HostErrno::OPNOTSUPP | HostErrno::NOSYS) => {
                    self.require_ready(PollFlags::IN)?;
                }
                result => return Ok(result?),
            }
        }
        self.complete(PollFlags::IN, || match at {
            At::Cursor => rustix::io::readv(&self.fd, slices),
            At::Offset(offset) => rustix::io::preadv(&self.fd, slices, offset),
        })
    }

    fn writev(&self, slices: &[IoSlice<'_>], at: At) -> Result<usize, Errno> {
        if self.emulates_nonblock() {
            at_cursor(at)?;
            let now = ReadWriteFlags::NOWAIT;
            match rustix::io::pwritev2(&self.fd, slices, u64::MAX, now) {
                Err(HostErrno::OPNOTSUPP | HostErrno::NOSYS) => {
                    self.require_ready(PollFlags::OUT)?;
                    if self.file_type != FileType::CharacterDevice {
                        return self.write_what_fits(slices);
                    }
                }
                result => return Ok(result?),
            }
        }
        self.complete(PollFlags::OUT, || match at {
            At::Cursor => rustix::io::writev(&self.fd, slices),
            At::Offset(offset) => rustix::io::pwritev(&self.fd, slices, offset),
        })
    }

    /// Writes no more than a pipe takes that has said to be ready.
    fn write_what_fits(&self, slices: &[IoSlice<'_>]) -> Result<usize, Errno> {
        let filled = slices.iter().find(|slice| !slice.is_empty());
        let Some(slice) = filled else {
            return Ok(0);
        };
        let bytes = &slice[..slice.len().min(PIPE_ROOM)];
        self.complete(PollFlags::OUT, || rustix::io::write(&self.fd, bytes))
    }

    /// Calls until the call is not interrupted, and until it does not block
    /// only because somebody else said so.
    #[inline]
    fn complete(
        &self,
        direction: PollFlags,
        mut call: impl FnMut() -> rustix::io::Result<usize>,
    ) -> Result<usize, Errno> {
        loop {
            match call() {
                Ok(count) => return Ok(count),
                Err(HostErrno::INTR) => {}
                Err(HostErrno::AGAIN) if self.shared && !self.flags.contains(FdFlags::NONBLOCK) => {
                    self.poll(direction, None)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// `again` if the next read or write would block.
    fn require_ready(&self, direction: PollFlags) -> Result<(), Errno> {
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
