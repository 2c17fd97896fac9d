//! The error codes of preview1, and where they come from.
//!
//! Every host error becomes one of these; nothing a guest does with files ends
//! in a trap or a panic.

use std::fmt;
use std::io;

macro_rules! errnos {
    ($($(#[doc = $doc:literal])* $variant:ident = $code:literal, $name:literal, [$($host:ident)?];)*) => {
        /// An error code of `wasi_snapshot_preview1` (`$errno` in
        /// `typenames.witx`, which is where numbers and names are from).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        #[non_exhaustive]
        pub enum Errno {
            $($(#[doc = $doc])* $variant = $code,)*
        }

        impl Errno {
            /// All of them, by number, from 1.
            pub const ALL: &[Errno] = &[$(Errno::$variant),*];

            /// The name in the witx, such as `noent`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Errno::$variant => $name,)*
                }
            }
        }

        impl From<rustix::io::Errno> for Errno {
            fn from(errno: rustix::io::Errno) -> Errno {
                match errno {
                    $($(rustix::io::Errno::$host => Errno::$variant,)?)*
                    // A code that only this host knows.
                    _ => Errno::Io,
                }
            }
        }
    };
}

// Code, name in the witx, and the host's code that becomes it.
errnos! {
    /// Argument list too long.
    TooBig = 1, "2big", [TOOBIG];
    /// Permission denied.
    Acces = 2, "acces", [ACCESS];
    /// Address in use.
    Addrinuse = 3, "addrinuse", [ADDRINUSE];
    /// Address not available.
    Addrnotavail = 4, "addrnotavail", [ADDRNOTAVAIL];
    /// Address family not supported.
    Afnosupport = 5, "afnosupport", [AFNOSUPPORT];
    /// Resource unavailable, or operation would block.
    Again = 6, "again", [AGAIN];
    /// Connection already in progress.
    Already = 7, "already", [ALREADY];
    /// Bad file descriptor.
    Badf = 8, "badf", [BADF];
    /// Bad message.
    Badmsg = 9, "badmsg", [BADMSG];
    /// Device or resource busy.
    Busy = 10, "busy", [BUSY];
    /// Operation canceled.
    Canceled = 11, "canceled", [CANCELED];
    /// No child processes.
    Child = 12, "child", [CHILD];
    /// Connection aborted.
    Connaborted = 13, "connaborted", [CONNABORTED];
    /// Connection refused.
    Connrefused = 14, "connrefused", [CONNREFUSED];
    /// Connection reset.
    Connreset = 15, "connreset", [CONNRESET];
    /// Resource deadlock would occur.
    Deadlk = 16, "deadlk", [DEADLK];
    /// Destination address required.
    Destaddrreq = 17, "destaddrreq", [DESTADDRREQ];
    /// Mathematics argument out of domain of function.
    Dom = 18, "dom", [DOM];
    /// Disk quota exceeded.
    Dquot = 19, "dquot", [DQUOT];
    /// File exists.
    Exist = 20, "exist", [EXIST];
    /// Bad address.
    Fault = 21, "fault", [FAULT];
    /// File too large.
    Fbig = 22, "fbig", [FBIG];
    /// Host is unreachable.
    Hostunreach = 23, "hostunreach", [HOSTUNREACH];
    /// Identifier removed.
    Idrm = 24, "idrm", [IDRM];
    /// Illegal byte sequence.
    Ilseq = 25, "ilseq", [ILSEQ];
    /// Operation in progress.
    Inprogress = 26, "inprogress", [INPROGRESS];
    /// Interrupted function.
    Intr = 27, "intr", [INTR];
    /// Invalid argument.
    Inval = 28, "inval", [INVAL];
    /// I/O error.
    Io = 29, "io", [IO];
    /// Socket is connected.
    Isconn = 30, "isconn", [ISCONN];
    /// Is a directory.
    Isdir = 31, "isdir", [ISDIR];
    /// Too many levels of symbolic links.
    Loop = 32, "loop", [LOOP];
    /// File descriptor value too large.
    Mfile = 33, "mfile", [MFILE];
    /// Too many links.
    Mlink = 34, "mlink", [MLINK];
    /// Message too large.
    Msgsize = 35, "msgsize", [MSGSIZE];
    /// Reserved.
    Multihop = 36, "multihop", [MULTIHOP];
    /// Filename too long.
    Nametoolong = 37, "nametoolong", [NAMETOOLONG];
    /// Network is down.
    Netdown = 38, "netdown", [NETDOWN];
    /// Connection aborted by network.
    Netreset = 39, "netreset", [NETRESET];
    /// Network unreachable.
    Netunreach = 40, "netunreach", [NETUNREACH];
    /// Too many files open in system.
    Nfile = 41, "nfile", [NFILE];
    /// No buffer space available.
    Nobufs = 42, "nobufs", [NOBUFS];
    /// No such device.
    Nodev = 43, "nodev", [NODEV];
    /// No such file or directory.
    Noent = 44, "noent", [NOENT];
    /// Executable file format error.
    Noexec = 45, "noexec", [NOEXEC];
    /// No locks available.
    Nolck = 46, "nolck", [NOLCK];
    /// Reserved.
    Nolink = 47, "nolink", [NOLINK];
    /// Not enough space.
    Nomem = 48, "nomem", [NOMEM];
    /// No message of the desired type.
    Nomsg = 49, "nomsg", [NOMSG];
    /// Protocol not available.
    Noprotoopt = 50, "noprotoopt", [NOPROTOOPT];
    /// No space left on device.
    Nospc = 51, "nospc", [NOSPC];
    /// Function not supported.
    Nosys = 52, "nosys", [NOSYS];
    /// The socket is not connected.
    Notconn = 53, "notconn", [NOTCONN];
    /// Not a directory or a symbolic link to a directory.
    Notdir = 54, "notdir", [NOTDIR];
    /// Directory not empty.
    Notempty = 55, "notempty", [NOTEMPTY];
    /// State not recoverable.
    Notrecoverable = 56, "notrecoverable", [NOTRECOVERABLE];
    /// Not a socket.
    Notsock = 57, "notsock", [NOTSOCK];
    /// Not supported, or operation not supported on socket.
    Notsup = 58, "notsup", [OPNOTSUPP];
    /// Inappropriate I/O control operation.
    Notty = 59, "notty", [NOTTY];
    /// No such device or address.
    Nxio = 60, "nxio", [NXIO];
    /// Value too large to be stored in data type.
    Overflow = 61, "overflow", [OVERFLOW];
    /// Previous owner died.
    Ownerdead = 62, "ownerdead", [OWNERDEAD];
    /// Operation not permitted.
    Perm = 63, "perm", [PERM];
    /// Broken pipe.
    Pipe = 64, "pipe", [PIPE];
    /// Protocol error.
    Proto = 65, "proto", [PROTO];
    /// Protocol not supported.
    Protonosupport = 66, "protonosupport", [PROTONOSUPPORT];
    /// Protocol wrong type for socket.
    Prototype = 67, "prototype", [PROTOTYPE];
    /// Result too large.
    Range = 68, "range", [RANGE];
    /// Read-only file system.
    Rofs = 69, "rofs", [ROFS];
    /// Invalid seek.
    Spipe = 70, "spipe", [SPIPE];
    /// No such process.
    Srch = 71, "srch", [SRCH];
    /// Stale file handle.
    Stale = 72, "stale", [STALE];
    /// Connection timed out.
    Timedout = 73, "timedout", [TIMEDOUT];
    /// Text file busy.
    Txtbsy = 74, "txtbsy", [TXTBSY];
    /// Cross-device link.
    Xdev = 75, "xdev", [XDEV];
    /// Extension: capabilities insufficient.
    Notcapable = 76, "notcapable", [];
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<io::Error> for Errno {
    fn from(error: io::Error) -> Errno {
        if let Some(errno) = rustix::io::Errno::from_io_error(&error) {
            return errno.into();
        }
        match error.kind() {
            // What cap-std says of a path that leads out of its directory. The
            // kernel's own refusals carry a code and were handled above.
            io::ErrorKind::PermissionDenied => Errno::Notcapable,
            io::ErrorKind::InvalidInput => Errno::Inval,
            io::ErrorKind::Interrupted => Errno::Intr,
            io::ErrorKind::WouldBlock => Errno::Again,
            io::ErrorKind::BrokenPipe => Errno::Pipe,
            io::ErrorKind::StorageFull => Errno::Nospc,
            io::ErrorKind::NotFound => Errno::Noent,
            io::ErrorKind::AlreadyExists => Errno::Exist,
            io::ErrorKind::Unsupported => Errno::Notsup,
            _ => Errno::Io,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_dense() {
        for (index, errno) in Errno::ALL.iter().enumerate() {
            assert_eq!(*errno as usize, index + 1, "{errno}");
        }
        assert_eq!(Errno::ALL.len(), 76);
    }

    #[test]
    fn host_errors_keep_their_meaning() {
        let cases = [
            (io::Error::from_raw_os_error(2), Errno::Noent),
            (io::Error::from_raw_os_error(32), Errno::Pipe),
            (io::Error::from_raw_os_error(13), Errno::Acces),
            (io::Error::from_raw_os_error(1), Errno::Perm),
            (io::Error::from_raw_os_error(30), Errno::Rofs),
            (io::Error::from_raw_os_error(9999), Errno::Io),
            (
                io::Error::new(io::ErrorKind::PermissionDenied, "led outside"),
                Errno::Notcapable,
            ),
            (io::ErrorKind::InvalidInput.into(), Errno::Inval),
        ];
        for (error, expected) in cases {
            let message = error.to_string();
            assert_eq!(Errno::from(error), expected, "{message}");
        }
    }
}
