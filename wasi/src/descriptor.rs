//! What a file descriptor of a guest stands for.

use crate::abi::{FdFlags, FileType, Filestat};
use crate::clocks::nanoseconds;
use crate::errno::Errno;
use crate::listing::Listing;
use crate::rights::Rights;
use cap_std::fs::Dir;
use rustix::fs::{OFlags, Stat, Timespec, fcntl_getfl, fcntl_setfl, fstat};
use rustix::net::SocketType;
use rustix::net::sockopt::socket_type;
use rustix::termios::isatty;
use std::cell::Cell;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;

/// An open file descriptor.
pub(crate) struct Descriptor {
    pub(crate) object: Object,
    /// What it may be used for.
    pub(crate) rights: Rights,
    /// What the files opened through it may be used for.
    pub(crate) inheriting: Rights,
    /// Its number at the start, if it was given then.
    pub(crate) origin: Option<u32>,
}

/// The thing behind a file descriptor.
pub(crate) enum Object {
    /// A file descriptor of the host, other than a directory.
    File(HostFile),
    Directory(Directory),
    /// An embedder's source or sink.
    Reader(Box<dyn Read + Send>),
    Writer(Box<dyn Write + Send>),
}

impl Object {
    pub(crate) fn file_type(&self) -> FileType {
        match self {
            Object::File(file) => file.file_type,
            Object::Directory(_) => FileType::Directory,
            Object::Reader(_) | Object::Writer(_) => FileType::Unknown,
        }
    }

    pub(crate) fn seekable(&self) -> bool {
        matches!(self, Object::File(file) if file.seekable)
    }

    pub(crate) fn flags(&self) -> FdFlags {
        match self {
            Object::File(file) => file.flags,
            Object::Directory(directory) => directory.flags,
            Object::Reader(_) | Object::Writer(_) => FdFlags::empty(),
        }
    }

    /// Changes APPEND and NONBLOCK; the others are fixed when a file is opened,
    /// as on Linux.
    pub(crate) fn set_flags(&mut self, flags: FdFlags) -> Result<(), Errno> {
        let changed = flags ^ self.flags();
        if changed.intersects(FdFlags::DSYNC | FdFlags::RSYNC | FdFlags::SYNC) {
            return Err(Errno::Notsup);
        }
        match self {
            Object::File(file) => file.set_flags(flags),
            Object::Directory(directory) => {
                directory.flags = flags;
                Ok(())
            }
            // Never in the way of a reader that does not block.
            Object::Reader(_) | Object::Writer(_) if changed == FdFlags::NONBLOCK => Ok(()),
            Object::Reader(_) | Object::Writer(_) if changed.is_empty() => Ok(()),
            Object::Reader(_) | Object::Writer(_) => Err(Errno::Notsup),
        }
    }

    pub(crate) fn stat(&self) -> Result<Filestat, Errno> {
        match self {
            Object::File(file) => Ok(filestat(&fstat(&file.fd)?)),
            Object::Directory(directory) => Ok(filestat(&fstat(&directory.dir)?)),
            Object::Reader(_) | Object::Writer(_) => Ok(Filestat::of_stream(self.file_type())),
        }
    }

    /// The file, for what needs a position in it.
    pub(crate) fn seekable_file(&self) -> Result<&HostFile, Errno> {
        match self {
            Object::File(file) if file.seekable => Ok(file),
            Object::Directory(_) => Err(Errno::Isdir),
            Object::File(_) | Object::Reader(_) | Object::Writer(_) => Err(Errno::Spipe),
        }
    }

    /// An error if times must not change.
    pub(crate) fn require_writable(&self) -> Result<(), Errno> {
        match self {
            Object::File(file) if file.read_only => Err(Errno::Rofs),
            Object::Directory(directory) => directory.require_writable(),
            _ => Ok(()),
        }
    }
}

/// A file, device, pipe, terminal or socket of the host.
pub(crate) struct HostFile {
    pub(crate) fd: OwnedFd,
    pub(crate) file_type: FileType,
    /// Whether it has a position: not so pipes, sockets and terminals.
    pub(crate) seekable: bool,
    pub(crate) flags: FdFlags,
    pub(crate) blocking: Blocking,
    /// Whether the kernel may be asked for reads and writes of this stream that
    /// do not wait. Cleared when it says that it has none.
    pub(crate) nowait: Cell<bool>,
    /// Whether it is a listener that the guest was given at its start.
    pub(crate) listener: bool,
    /// Whether it is the one connection that all listeners of the guest yield.
    pub(crate) only_connection: bool,
    /// Whether it was reached through a read-only directory.
    pub(crate) read_only: bool,
}

/// Where NONBLOCK of a stream is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blocking {
    /// In the open file, which nobody else has.
    OpenFile,
    /// In our books alone. Other processes may hold the same open file, as a
    /// shell does for a terminal: setting it there would make the reads of the
    /// others fail, also after we are gone, and what they set must not make ours
    /// fail. Sockets can be asked call by call.
    Books,
}

impl HostFile {
    /// One that the host opened.
    pub(crate) fn from_host(fd: OwnedFd) -> rustix::io::Result<HostFile> {
        let stat = fstat(&fd)?;
        let mut file = HostFile::classify(fd, &stat, FdFlags::empty());
        let status = fcntl_getfl(&file.fd)?;
        file.flags
            .set(FdFlags::APPEND, status.contains(OFlags::APPEND));
        file.blocking = Blocking::Books;
        Ok(file)
    }

    /// A socket that accepts connections, for the guest from now on.
    pub(crate) fn listener(fd: OwnedFd) -> rustix::io::Result<HostFile> {
        let stat = fstat(&fd)?;
        let mut file = HostFile::socket(fd, &stat, FdFlags::empty());
        file.listener = true;
        Ok(file)
    }

    /// A socket of the guest's own.
    pub(crate) fn socket(fd: OwnedFd, stat: &Stat, flags: FdFlags) -> HostFile {
        let mut file = HostFile::classify(fd, stat, flags);
        file.blocking = Blocking::Books;
        file
    }

    /// One that was opened with `flags` for the guest alone.
    pub(crate) fn classify(fd: OwnedFd, stat: &Stat, flags: FdFlags) -> HostFile {
        let file_type = match file_type_of(stat) {
            FileType::SocketStream if socket_type(&fd) == Ok(SocketType::DGRAM) => {
                FileType::SocketDgram
            }
            file_type => file_type,
        };
        let seekable = match file_type {
            FileType::RegularFile | FileType::BlockDevice => true,
            FileType::CharacterDevice => !isatty(&fd),
            _ => false,
        };
        HostFile {
            fd,
            file_type,
            seekable,
            flags,
            blocking: Blocking::OpenFile,
            nowait: Cell::new(true),
            listener: false,
            only_connection: false,
            read_only: false,
        }
    }

    fn set_flags(&mut self, flags: FdFlags) -> Result<(), Errno> {
        if self.blocking == Blocking::Books {
            if (self.flags ^ flags).contains(FdFlags::APPEND) {
                return Err(Errno::Notsup);
            }
        } else {
            let mut status = fcntl_getfl(&self.fd)?;
            status.set(OFlags::APPEND, flags.contains(FdFlags::APPEND));
            status.set(OFlags::NONBLOCK, flags.contains(FdFlags::NONBLOCK));
            fcntl_setfl(&self.fd, status)?;
        }
        self.flags = flags;
        Ok(())
    }
}

/// A directory that the guest can reach paths through.
pub(crate) struct Directory {
    pub(crate) dir: Dir,
    pub(crate) flags: FdFlags,
    /// Whether nothing below may change. Handed on to what is opened through it.
    pub(crate) read_only: bool,
    /// The guest's name for it, if it was preopened.
    pub(crate) preopen: Option<Box<[u8]>>,
    /// Where `fd_readdir` is.
    pub(crate) listing: Option<Box<Listing>>,
}

impl Directory {
    pub(crate) fn new(dir: Dir, read_only: bool) -> Directory {
        Directory {
            dir,
            flags: FdFlags::empty(),
            read_only,
            preopen: None,
            listing: None,
        }
    }

    /// An error if nothing below may change.
    pub(crate) fn require_writable(&self) -> Result<(), Errno> {
        if self.read_only {
            return Err(Errno::Rofs);
        }
        Ok(())
    }
}

/// The file type of a `stat`.
pub(crate) fn file_type_of(stat: &Stat) -> FileType {
    rustix::fs::FileType::from_raw_mode(stat.st_mode).into()
}

/// A `stat` as guests see it.
pub(crate) fn filestat(stat: &Stat) -> Filestat {
    let time = |tv_sec: i64, nanoseconds_part: u64| {
        nanoseconds(Timespec {
            tv_sec,
            tv_nsec: nanoseconds_part as _,
        })
    };
    #[allow(clippy::useless_conversion, reason = "it has 32 bits on aarch64")]
    let nlink = stat.st_nlink.into();
    Filestat {
        dev: stat.st_dev,
        ino: stat.st_ino,
        file_type: file_type_of(stat),
        nlink,
        size: stat.st_size as u64,
        atim: time(stat.st_atime, stat.st_atime_nsec),
        mtim: time(stat.st_mtime, stat.st_mtime_nsec),
        ctim: time(stat.st_ctime, stat.st_ctime_nsec),
    }
}
