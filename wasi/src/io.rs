//! Reading and writing: one system call straight on the guest's memory.
//!
//! Nothing is buffered here, partial transfers are reported as such, and a
//! broken pipe is an error code (Rust ignores SIGPIPE from the start). This
//! file knows lists of buffers; `host_io` knows the system calls.

use crate::abi::FileType;
use crate::descriptor::Object;
use crate::errno::Errno;
use crate::interruption::{Interruption, Stop};
use crate::iovec::{self, INLINE, Iovec};
use crate::memory::{self, GuestMemory};
use rwasm::SharedMemory;
use std::io::{IoSlice, IoSliceMut};

/// Buffers that the kernel takes at once (`IOV_MAX`).
pub(crate) const BATCH: usize = 1024;

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

// The path of one buffer to or from a file is inlined as a whole, into the entry of
// the host function: after a system call, the processor does not know where to
// return to, and each level costs about 10 ns.

/// Reads into the buffers, in their order.
#[inline(always)]
pub(crate) fn read(
    object: &mut Object,
    memory: &mut GuestMemory<'_>,
    iovecs: &[Iovec],
    at: At,
    interruption: &Interruption<'_>,
) -> Result<u32, Stop> {
    if let (Object::File(file), GuestMemory::Own(own), [one]) = (&*object, &mut *memory, iovecs)
        && file.seekable
    {
        return Ok(file.read_at(iovec::bytes_mut(own, *one), at)? as u32);
    }
    read_any(object, memory, iovecs, at, interruption)
}

#[inline(never)]
fn read_any(
    object: &mut Object,
    memory: &mut GuestMemory<'_>,
    iovecs: &[Iovec],
    at: At,
    interruption: &Interruption<'_>,
) -> Result<u32, Stop> {
    let memory = match memory {
        GuestMemory::Own(bytes) => &mut **bytes,
        GuestMemory::Shared(shared) => {
            let shared = *shared;
            return read_shared(object, shared, iovecs, at, interruption);
        }
    };
    match object {
        Object::File(file) => match iovecs {
            [] => Ok(0),
            _ => transfer(
                iovecs,
                at,
                file.file_type == FileType::RegularFile,
                |batch, at| scatter(memory, batch, |slices| file.readv(slices, at, interruption)),
            ),
        },
        Object::Reader(reader) => {
            at_cursor(at)?;
            let Some(first) = iovecs.first() else {
                return Ok(0);
            };
            // The first buffer: less than asked for is always allowed.
            let bytes = iovec::bytes_mut(memory, *first);
            let read = unless_stopped(interruption, || Ok(reader.read(bytes)?))?;
            // What a broken reader claims to have read must not mislead.
            Ok(u32::try_from(read).unwrap_or(u32::MAX).min(first.len))
        }
        Object::Directory(_) => Err(Errno::Isdir.into()),
        Object::Writer(_) => Err(Errno::Badf.into()),
    }
}

/// Writes the buffers, in their order.
#[inline(always)]
pub(crate) fn write(
    object: &mut Object,
    memory: &GuestMemory<'_>,
    iovecs: &[Iovec],
    at: At,
    interruption: &Interruption<'_>,
) -> Result<u32, Stop> {
    if let (Object::File(file), GuestMemory::Own(own), [one]) = (&*object, memory, iovecs)
        && file.seekable
    {
        return Ok(file.write_at(iovec::bytes(own, *one), at)? as u32);
    }
    write_any(object, memory, iovecs, at, interruption)
}

#[inline(never)]
fn write_any(
    object: &mut Object,
    memory: &GuestMemory<'_>,
    iovecs: &[Iovec],
    at: At,
    interruption: &Interruption<'_>,
) -> Result<u32, Stop> {
    let memory = match memory {
        GuestMemory::Own(bytes) => &**bytes,
        GuestMemory::Shared(shared) => {
            return write_shared(object, shared, iovecs, at, interruption);
        }
    };
    match object {
        Object::File(file) => match iovecs {
            [] => Ok(0),
            _ => transfer(iovecs, at, true, |batch, at| {
                gather(memory, batch, |slices| {
                    file.writev(slices, at, interruption)
                })
            }),
        },
        Object::Writer(writer) => {
            at_cursor(at)?;
            let written = transfer(iovecs, at, true, |batch, _| {
                let bytes = iovec::bytes(memory, batch[0]);
                let written = unless_stopped(interruption, || Ok(writer.write(bytes)?))?;
                Ok(Moved {
                    buffers: 1,
                    tried: bytes.len(),
                    bytes: written.min(bytes.len()),
                })
            })?;
            if written > 0 {
                unless_stopped(interruption, || Ok(writer.flush()?))?;
            }
            Ok(written)
        }
        Object::Directory(_) => Err(Errno::Isdir.into()),
        Object::Reader(_) => Err(Errno::Badf.into()),
    }
}

#[cold]
fn read_shared(
    object: &mut Object,
    shared: &SharedMemory,
    iovecs: &[Iovec],
    at: At,
    interruption: &Interruption<'_>,
) -> Result<u32, Stop> {
    let mut bytes = memory::room(iovecs);
    let whole = [Iovec::whole(&bytes)];
    let own = &mut GuestMemory::new(&mut bytes);
    let count = read(object, own, &whole[..iovecs.len().min(1)], at, interruption)?;
    memory::scatter(shared, iovecs, &bytes[..count as usize])?;
    Ok(count)
}

#[cold]
fn write_shared(
    object: &mut Object,
    shared: &SharedMemory,
    iovecs: &[Iovec],
    at: At,
    interruption: &Interruption<'_>,
) -> Result<u32, Stop> {
    let mut bytes = memory::gather(shared, iovecs)?;
    let whole = [Iovec::whole(&bytes)];
    let own = &GuestMemory::new(&mut bytes);
    write(object, own, &whole[..iovecs.len().min(1)], at, interruption)
}

/// A stream has no positions.
pub(crate) fn at_cursor(at: At) -> Result<(), Errno> {
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

/// Reads by `read` into as many leading buffers as are disjoint.
fn scatter(
    memory: &mut [u8],
    batch: &[Iovec],
    read: impl FnOnce(&mut [IoSliceMut<'_>]) -> Result<usize, Stop>,
) -> Result<Moved, Stop> {
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
        bytes: read(&mut slices[..buffers])?,
    })
}

/// The same without a position, and once: what one message of a socket brings.
pub(crate) fn scatter_once(
    memory: &mut [u8],
    iovecs: &[Iovec],
    read: impl FnOnce(&mut [IoSliceMut<'_>]) -> Result<usize, Stop>,
) -> Result<usize, Stop> {
    let batch = &iovecs[..iovecs.len().min(BATCH)];
    Ok(scatter(memory, batch, read)?.bytes)
}

/// Writes a batch by `write`.
fn gather(
    memory: &[u8],
    batch: &[Iovec],
    write: impl FnOnce(&mut [IoSlice<'_>]) -> Result<usize, Stop>,
) -> Result<Moved, Stop> {
    let mut inline: [IoSlice<'_>; INLINE];
    let mut spilled: Vec<IoSlice<'_>>;
    let slices = if batch.len() <= INLINE {
        inline = [IoSlice::new(&[]); INLINE];
        &mut inline[..batch.len()]
    } else {
        spilled = vec![IoSlice::new(&[]); batch.len()];
        &mut spilled[..]
    };
    iovec::gather(memory, batch, slices);
    Ok(Moved {
        buffers: batch.len(),
        tried: iovec::total(batch),
        bytes: write(slices)?,
    })
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
    mut step: impl FnMut(&[Iovec], At) -> Result<Moved, Stop>,
) -> Result<u32, Stop> {
    let mut done = 0;
    while !iovecs.is_empty() {
        let batch = &iovecs[..iovecs.len().min(BATCH)];
        let moved = match step(batch, at) {
            Ok(moved) => moved,
            Err(Stop::Errno(_) | Stop::Later) if done > 0 => break,
            Err(stop) => return Err(stop),
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

/// Calls an embedder's source or sink until it is not interrupted, unless that is
/// because the guest is to stop.
fn unless_stopped<R>(
    interruption: &Interruption<'_>,
    mut call: impl FnMut() -> Result<R, Errno>,
) -> Result<R, Stop> {
    loop {
        match call() {
            Err(Errno::Intr) => interruption.check()?,
            result => return Ok(result?),
        }
    }
}

/// Calls until the call is not interrupted by a signal.
pub(crate) fn retry<R>(mut call: impl FnMut() -> Result<R, Errno>) -> Result<R, Errno> {
    loop {
        match call() {
            Err(Errno::Intr) => {}
            result => return result,
        }
    }
}
