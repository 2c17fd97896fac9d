//! What is known of file descriptors, and what is changed about them.

use super::Call;
use crate::abi::{FdFlags, Fdstat, FstFlags};
use crate::descriptor::{Descriptor, HostFile, Object};
use crate::errno::Errno;
use crate::listing::Listing;
use crate::rights::Rights;
use crate::times;
use rustix::fs::{
    Advice, FallocateFlags, fadvise, fallocate, fdatasync, fsync, ftruncate, futimens,
};
use std::num::NonZeroU64;
use std::os::fd::{AsFd, BorrowedFd};

pub(crate) fn fd_advise(
    call: &mut Call<'_>,
    fd: u32,
    offset: u64,
    len: u64,
    advice: u32,
) -> Result<(), Errno> {
    let advice = match advice {
        0 => Advice::Normal,
        1 => Advice::Sequential,
        2 => Advice::Random,
        3 => Advice::WillNeed,
        4 => Advice::DontNeed,
        5 => Advice::NoReuse,
        _ => return Err(Errno::Inval),
    };
    let file = seekable(call.ctx.table.get(fd)?, Rights::FD_ADVISE)?;
    extent(offset, len)?;
    Ok(fadvise(&file.fd, offset, NonZeroU64::new(len), advice)?)
}

/// Gives the file space on disk, and makes it longer if the range ends behind
/// its end. Not all file systems can (`notsup`).
pub(crate) fn fd_allocate(
    call: &mut Call<'_>,
    fd: u32,
    offset: u64,
    len: u64,
) -> Result<(), Errno> {
    let file = seekable(call.ctx.table.get(fd)?, Rights::FD_ALLOCATE)?;
    extent(offset, len)?;
    if len == 0 {
        return Err(Errno::Inval);
    }
    Ok(fallocate(&file.fd, FallocateFlags::empty(), offset, len)?)
}

pub(crate) fn fd_close(call: &mut Call<'_>, fd: u32) -> Result<(), Errno> {
    call.ctx.table.remove(fd)?;
    Ok(())
}

pub(crate) fn fd_datasync(call: &mut Call<'_>, fd: u32) -> Result<(), Errno> {
    Ok(fdatasync(host(
        call.ctx.table.get(fd)?,
        Rights::FD_DATASYNC,
    )?)?)
}

pub(crate) fn fd_sync(call: &mut Call<'_>, fd: u32) -> Result<(), Errno> {
    Ok(fsync(host(call.ctx.table.get(fd)?, Rights::FD_SYNC)?)?)
}

/// Needs no right: this is how the rights are found out.
pub(crate) fn fd_fdstat_get(call: &mut Call<'_>, fd: u32, stat: u32) -> Result<(), Errno> {
    let descriptor = call.ctx.table.get(fd)?;
    let fdstat = Fdstat {
        file_type: descriptor.object.file_type(),
        flags: descriptor.object.flags(),
        rights_base: descriptor.rights.bits(),
        rights_inheriting: descriptor.inheriting.bits(),
    };
    call.memory.write(stat, &fdstat.encode())
}

/// A program that makes its standard input nonblocking gets nonblocking
/// listeners, too. Go does the first when it starts, and relies on the second
/// without asking for it: one `accept` that waits would stop all goroutines.
/// Other programs expect a listener that waits.
pub(crate) fn fd_fdstat_set_flags(call: &mut Call<'_>, fd: u32, flags: u32) -> Result<(), Errno> {
    const STDIN: u32 = 0;
    let flags = FdFlags::try_from(flags)?;
    let descriptor = call.ctx.table.get_mut(fd)?;
    descriptor.rights.require(Rights::FD_FDSTAT_SET_FLAGS)?;
    descriptor.object.set_flags(flags)?;
    if fd == STDIN && flags.contains(FdFlags::NONBLOCK) {
        for listener in call.ctx.table.listeners() {
            listener.flags |= FdFlags::NONBLOCK;
        }
    }
    Ok(())
}

/// Rights can only be dropped.
pub(crate) fn fd_fdstat_set_rights(
    call: &mut Call<'_>,
    fd: u32,
    fs_rights_base: u64,
    fs_rights_inheriting: u64,
) -> Result<(), Errno> {
    let descriptor = call.ctx.table.get_mut(fd)?;
    let within = |rights: u64, current: Rights| {
        let rights = Rights::from_bits(rights).ok_or(Errno::Notcapable)?;
        current.require(rights)?;
        Ok::<_, Errno>(rights)
    };
    let rights = within(fs_rights_base, descriptor.rights)?;
    let inheriting = within(fs_rights_inheriting, descriptor.inheriting)?;
    descriptor.rights = rights;
    descriptor.inheriting = inheriting;
    Ok(())
}

pub(crate) fn fd_filestat_get(call: &mut Call<'_>, fd: u32, buf: u32) -> Result<(), Errno> {
    let descriptor = call.ctx.table.get(fd)?;
    descriptor.rights.require(Rights::FD_FILESTAT_GET)?;
    let (record, len) = descriptor.object.stat()?.encode(call.snapshot);
    call.memory.write(buf, &record[..len])
}

pub(crate) fn fd_filestat_set_size(call: &mut Call<'_>, fd: u32, size: u64) -> Result<(), Errno> {
    let file = seekable(call.ctx.table.get(fd)?, Rights::FD_FILESTAT_SET_SIZE)?;
    extent(size, 0)?;
    Ok(ftruncate(&file.fd, size)?)
}

pub(crate) fn fd_filestat_set_times(
    call: &mut Call<'_>,
    fd: u32,
    atim: u64,
    mtim: u64,
    fst_flags: u32,
) -> Result<(), Errno> {
    let times = times::to_set(FstFlags::try_from(fst_flags)?, atim, mtim)?;
    let descriptor = call.ctx.table.get(fd)?;
    let file = host(descriptor, Rights::FD_FILESTAT_SET_TIMES)?;
    descriptor.object.require_writable()?;
    Ok(futimens(file, &times)?)
}

/// Everything that was not given at the start is `badf`: that is where programs
/// stop looking for more preopened directories. So a listener must be no error,
/// or those behind it would not be found.
pub(crate) fn fd_prestat_get(call: &mut Call<'_>, fd: u32, buf: u32) -> Result<(), Errno> {
    /// `$preopentype` has directories only. wasi-libc and Go pass over others.
    const DIR: u8 = 0;
    const OTHER: u8 = 1;
    let descriptor = call.ctx.table.get(fd)?;
    let name = preopen_name(descriptor)?;
    let len = u32::try_from(name.len()).map_err(|_| Errno::Overflow)?;
    let tag = match descriptor.object {
        Object::Directory(_) => DIR,
        _ => OTHER,
    };
    // `$prestat`: the tag, and the length of the name.
    let [l0, l1, l2, l3] = len.to_le_bytes();
    call.memory.write(buf, &[tag, 0, 0, 0, l0, l1, l2, l3])
}

/// The name has no NUL at its end. The buffer may be longer than it. A listener
/// has an empty one: Zig asks without a look at the tag, and panics on errors.
pub(crate) fn fd_prestat_dir_name(
    call: &mut Call<'_>,
    fd: u32,
    path: u32,
    path_len: u32,
) -> Result<(), Errno> {
    let name = preopen_name(call.ctx.table.get(fd)?)?;
    call.memory.range(path, path_len)?;
    if name.len() > path_len as usize {
        return Err(Errno::Nametoolong);
    }
    call.memory.write(path, name)
}

pub(crate) fn fd_readdir(
    call: &mut Call<'_>,
    fd: u32,
    buf: u32,
    buf_len: u32,
    cookie: u64,
    bufused: u32,
) -> Result<(), Errno> {
    let listed = call.ctx.table.listings();
    let descriptor = call.ctx.table.get_mut(fd)?;
    let Object::Directory(directory) = &mut descriptor.object else {
        return Err(Errno::Notdir);
    };
    descriptor.rights.require(Rights::FD_READDIR)?;
    call.memory.range(bufused, 4)?;
    call.memory.range(buf, buf_len)?;
    let listing = match &mut directory.listing {
        Some(listing) => listing,
        None if listed >= call.ctx.limits.listings as usize => return Err(Errno::Nfile),
        none => none.insert(Box::new(Listing::open(&directory.dir, cookie)?)),
    };
    let used = call.memory.fill(buf, buf_len, |buffer| {
        listing.read(&directory.dir, cookie, buffer)
    })?;
    if used < buf_len as usize {
        // Nobody asks for more, or only with a cookie that leads back here.
        directory.listing = None;
    }
    call.memory.write_u32(bufused, used as u32)
}

pub(crate) fn fd_renumber(call: &mut Call<'_>, fd: u32, to: u32) -> Result<(), Errno> {
    call.ctx.table.renumber(fd, to)
}

/// The file, for what needs positions in it.
fn seekable(descriptor: &Descriptor, needed: Rights) -> Result<&HostFile, Errno> {
    let file = descriptor.object.seekable_file()?;
    descriptor.rights.require(needed)?;
    Ok(file)
}

/// The host's file descriptor, also of a directory.
fn host(descriptor: &Descriptor, needed: Rights) -> Result<BorrowedFd<'_>, Errno> {
    let fd = match &descriptor.object {
        Object::File(file) => file.fd.as_fd(),
        Object::Directory(directory) => directory.dir.as_fd(),
        // As for a pipe.
        Object::Reader(_) | Object::Writer(_) => return Err(Errno::Inval),
    };
    descriptor.rights.require(needed)?;
    Ok(fd)
}

/// An error unless a file can have all of these bytes.
fn extent(offset: u64, len: u64) -> Result<(), Errno> {
    let end = offset.checked_add(len).ok_or(Errno::Inval)?;
    i64::try_from(end).map_err(|_| Errno::Inval)?;
    Ok(())
}

fn preopen_name(descriptor: &Descriptor) -> Result<&[u8], Errno> {
    match &descriptor.object {
        Object::Directory(directory) => directory.preopen.as_deref().ok_or(Errno::Badf),
        Object::File(file) if file.listener => Ok(&[]),
        _ => Err(Errno::Badf),
    }
}
