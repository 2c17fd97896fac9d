//! Rights: what a file descriptor may be used for.
//!
//! Programs meet them in four ways, and all must work:
//! - wasi-libc reads the inheriting rights of a directory, and asks for those
//!   minus what the access mode excludes;
//! - Go asks for a fixed mask of up to 32 bits, with bits that do not fit the
//!   kind of file, or are not defined at all;
//! - Zig asks for directories that hand on nothing but the rights of directories,
//!   and opens files in them;
//! - the sandbox test programs drop rights and expect `notcapable` afterwards.
//!
//! So a request is cut down to what fits the file and what the directory hands
//! on; only reading and writing, which the caller would miss, are refused
//! outright (`paths::open`). A directory hands on what it was handed itself; a
//! guest that wants less drops it (`fd_fdstat_set_rights`). Rights restrict a guest by its own will; what the
//! embedder forbids (read-only directories) does not rest on them.

use crate::abi::FileType;
use crate::errno::Errno;
use bitflags::bitflags;

bitflags! {
    /// `$rights` of `typenames.witx`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Rights: u64 {
        const FD_DATASYNC = 1 << 0;
        const FD_READ = 1 << 1;
        const FD_SEEK = 1 << 2;
        const FD_FDSTAT_SET_FLAGS = 1 << 3;
        const FD_SYNC = 1 << 4;
        const FD_TELL = 1 << 5;
        const FD_WRITE = 1 << 6;
        const FD_ADVISE = 1 << 7;
        const FD_ALLOCATE = 1 << 8;
        const PATH_CREATE_DIRECTORY = 1 << 9;
        const PATH_CREATE_FILE = 1 << 10;
        const PATH_LINK_SOURCE = 1 << 11;
        const PATH_LINK_TARGET = 1 << 12;
        const PATH_OPEN = 1 << 13;
        const FD_READDIR = 1 << 14;
        const PATH_READLINK = 1 << 15;
        const PATH_RENAME_SOURCE = 1 << 16;
        const PATH_RENAME_TARGET = 1 << 17;
        const PATH_FILESTAT_GET = 1 << 18;
        const PATH_FILESTAT_SET_SIZE = 1 << 19;
        const PATH_FILESTAT_SET_TIMES = 1 << 20;
        const FD_FILESTAT_GET = 1 << 21;
        const FD_FILESTAT_SET_SIZE = 1 << 22;
        const FD_FILESTAT_SET_TIMES = 1 << 23;
        const PATH_SYMLINK = 1 << 24;
        const PATH_REMOVE_DIRECTORY = 1 << 25;
        const PATH_UNLINK_FILE = 1 << 26;
        const POLL_FD_READWRITE = 1 << 27;
        const SOCK_SHUTDOWN = 1 << 28;
        const SOCK_ACCEPT = 1 << 29;
    }
}

impl Rights {
    /// Everything that can be done with a stream of bytes.
    const STREAM: Rights = Rights::FD_READ
        .union(Rights::FD_WRITE)
        .union(Rights::FD_FDSTAT_SET_FLAGS)
        .union(Rights::FD_FILESTAT_GET)
        .union(Rights::POLL_FD_READWRITE);

    const SEEKABLE: Rights = Rights::STREAM
        .union(Rights::FD_SEEK)
        .union(Rights::FD_TELL)
        .union(Rights::FD_SYNC)
        .union(Rights::FD_DATASYNC)
        .union(Rights::FD_ADVISE)
        .union(Rights::FD_FILESTAT_SET_TIMES);

    const REGULAR_FILE: Rights = Rights::SEEKABLE
        .union(Rights::FD_ALLOCATE)
        .union(Rights::FD_FILESTAT_SET_SIZE);

    const SOCKET: Rights = Rights::CONNECTION.union(Rights::SOCK_ACCEPT);

    /// What can be done with a connection, and what a listener hands on to it.
    pub(crate) const CONNECTION: Rights = Rights::STREAM.union(Rights::SOCK_SHUTDOWN);

    /// What can be done with a listener. That it can be read from means that
    /// `poll_oneoff` tells when a connection is there.
    pub(crate) const LISTENER: Rights = Rights::SOCKET.difference(Rights::FD_WRITE);

    /// What can be done with a directory itself and with the paths in it.
    pub(crate) const DIRECTORY: Rights = Rights::FD_FDSTAT_SET_FLAGS
        .union(Rights::FD_SYNC)
        .union(Rights::FD_DATASYNC)
        .union(Rights::FD_READDIR)
        .union(Rights::FD_FILESTAT_GET)
        .union(Rights::FD_FILESTAT_SET_TIMES)
        .union(Rights::PATH_CREATE_DIRECTORY)
        .union(Rights::PATH_CREATE_FILE)
        .union(Rights::PATH_LINK_SOURCE)
        .union(Rights::PATH_LINK_TARGET)
        .union(Rights::PATH_OPEN)
        .union(Rights::PATH_READLINK)
        .union(Rights::PATH_RENAME_SOURCE)
        .union(Rights::PATH_RENAME_TARGET)
        .union(Rights::PATH_FILESTAT_GET)
        .union(Rights::PATH_FILESTAT_SET_SIZE)
        .union(Rights::PATH_FILESTAT_SET_TIMES)
        .union(Rights::PATH_SYMLINK)
        .union(Rights::PATH_REMOVE_DIRECTORY)
        .union(Rights::PATH_UNLINK_FILE);

    /// What a preopened directory hands on: to files and to directories.
    pub(crate) const INHERITING: Rights = Rights::DIRECTORY.union(Rights::REGULAR_FILE);

    /// What makes sense for this type of file. A terminal is a character
    /// device without SEEK and TELL: that is how wasi-libc and Go tell it from
    /// `/dev/null` (WR#6857), so `seekable` counts, not the type alone.
    pub(crate) fn applicable(file_type: FileType, seekable: bool) -> Rights {
        match file_type {
            FileType::Directory => Rights::DIRECTORY,
            FileType::RegularFile => Rights::REGULAR_FILE,
            FileType::SocketDgram | FileType::SocketStream => Rights::SOCKET,
            _ if seekable => Rights::SEEKABLE,
            _ => Rights::STREAM,
        }
    }

    /// An error unless all of `needed` are here.
    #[inline]
    pub(crate) fn require(self, needed: Rights) -> Result<(), Errno> {
        if self.contains(needed) {
            Ok(())
        } else {
            Err(Errno::Notcapable)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_cannot_be_mistaken_for_a_file() {
        let seek = Rights::FD_SEEK | Rights::FD_TELL;
        assert!(!Rights::applicable(FileType::CharacterDevice, false).intersects(seek));
        assert!(Rights::applicable(FileType::CharacterDevice, true).contains(seek));
        assert!(!Rights::applicable(FileType::Directory, true).intersects(seek));
    }

    #[test]
    fn directories_have_no_rights_of_files() {
        let of_files = Rights::FD_READ | Rights::FD_WRITE | Rights::FD_FILESTAT_SET_SIZE;
        assert!(!Rights::DIRECTORY.intersects(of_files));
        assert!(Rights::INHERITING.contains(of_files));
    }
}
