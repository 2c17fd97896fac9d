//! Reading, writing and positions.

use super::Call;
use crate::abi::Whence;
use crate::descriptor::{Descriptor, Object};
use crate::errno::Errno;
use crate::interruption::{Interruption, Stop};
use crate::io::{self, At};
use crate::iovec::Iovecs;
use crate::rights::Rights;
use rustix::fs::{SeekFrom, seek, tell};

#[inline(always)]
pub(crate) fn fd_read(
    call: &mut Call<'_>,
    interruption: &Interruption<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    nread: u32,
) -> Result<(), Stop> {
    read(call, interruption, fd, iovs, iovs_len, At::Cursor, nread)
}

pub(crate) fn fd_pread(
    call: &mut Call<'_>,
    interruption: &Interruption<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    offset: u64,
    nread: u32,
) -> Result<(), Stop> {
    read(
        call,
        interruption,
        fd,
        iovs,
        iovs_len,
        At::Offset(offset),
        nread,
    )
}

#[inline(always)]
pub(crate) fn fd_write(
    call: &mut Call<'_>,
    interruption: &Interruption<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    nwritten: u32,
) -> Result<(), Stop> {
    write(call, interruption, fd, iovs, iovs_len, At::Cursor, nwritten)
}

pub(crate) fn fd_pwrite(
    call: &mut Call<'_>,
    interruption: &Interruption<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    offset: u64,
    nwritten: u32,
) -> Result<(), Stop> {
    write(
        call,
        interruption,
        fd,
        iovs,
        iovs_len,
        At::Offset(offset),
        nwritten,
    )
}

#[inline(always)]
fn read(
    call: &mut Call<'_>,
    interruption: &Interruption<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    at: At,
    nread: u32,
) -> Result<(), Stop> {
    let descriptor = call.ctx.table.get_mut(fd)?;
    call.ctx.turn.transfer(descriptor)?;
    require_transfer(descriptor, Rights::FD_READ, at)?;
    call.memory.range(nread, 4)?;
    let mut iovecs = Iovecs::default();
    let iovecs = iovecs.decode(&call.memory, iovs, iovs_len, call.ctx.limits.iovecs)?;
    let count = io::read(
        &mut descriptor.object,
        &mut call.memory,
        iovecs,
        at,
        interruption,
    )?;
    Ok(call.memory.write_u32(nread, count)?)
}

#[inline(always)]
fn write(
    call: &mut Call<'_>,
    interruption: &Interruption<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    at: At,
    nwritten: u32,
) -> Result<(), Stop> {
    let descriptor = call.ctx.table.get_mut(fd)?;
    call.ctx.turn.transfer(descriptor)?;
    require_transfer(descriptor, Rights::FD_WRITE, at)?;
    call.memory.range(nwritten, 4)?;
    let mut iovecs = Iovecs::default();
    let iovecs = iovecs.decode(&call.memory, iovs, iovs_len, call.ctx.limits.iovecs)?;
    let count = io::write(
        &mut descriptor.object,
        &call.memory,
        iovecs,
        at,
        interruption,
    )?;
    Ok(call.memory.write_u32(nwritten, count)?)
}

/// An error unless bytes can be moved there. What an object cannot do at all is
/// said before what the guest may not.
fn require_transfer(descriptor: &Descriptor, direction: Rights, at: At) -> Result<(), Errno> {
    if matches!(descriptor.object, Object::Directory(_)) {
        return Err(Errno::Isdir);
    }
    let At::Offset(offset) = at else {
        return descriptor.rights.require(direction);
    };
    descriptor.object.seekable_file()?;
    descriptor.rights.require(direction | Rights::FD_SEEK)?;
    // Also where nothing is to be moved, and the kernel is not asked.
    i64::try_from(offset).map_err(|_| Errno::Inval)?;
    Ok(())
}

pub(crate) fn fd_seek(
    call: &mut Call<'_>,
    fd: u32,
    offset: i64,
    whence: u32,
    newoffset: u32,
) -> Result<(), Errno> {
    let descriptor = call.ctx.table.get(fd)?;
    let file = descriptor.object.seekable_file()?;
    let whence = Whence::decode(call.snapshot, whence)?;
    // Asking where one is needs less.
    let needed = match (whence, offset) {
        (Whence::Cur, 0) if !descriptor.rights.contains(Rights::FD_SEEK) => Rights::FD_TELL,
        _ => Rights::FD_SEEK,
    };
    descriptor.rights.require(needed)?;
    call.memory.range(newoffset, 8)?;
    let to = match whence {
        Whence::Set => SeekFrom::Start(u64::try_from(offset).map_err(|_| Errno::Inval)?),
        Whence::Cur => SeekFrom::Current(offset),
        Whence::End => SeekFrom::End(offset),
    };
    let position = seek(&file.fd, to)?;
    call.memory.write_u64(newoffset, position)
}

pub(crate) fn fd_tell(call: &mut Call<'_>, fd: u32, offset: u32) -> Result<(), Errno> {
    let descriptor = call.ctx.table.get(fd)?;
    let file = descriptor.object.seekable_file()?;
    descriptor.rights.require(Rights::FD_TELL)?;
    call.memory.write_u64(offset, tell(&file.fd)?)
}
