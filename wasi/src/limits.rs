//! What a guest may use of the host, with defaults.

/// Limits on what one guest may use of the host. Reaching one is an error code
/// for the guest, never a failure of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Open file descriptors, stdio and preopens included. The error is
    /// `mfile`.
    pub open_files: u32,
    /// Bytes of a path, and of the contents of a symbolic link. The error is
    /// `nametoolong`.
    pub path_bytes: u32,
    /// Buffers of one vectored read or write. The error is `inval`.
    pub iovecs: u32,
    /// Subscriptions of one `poll_oneoff`. The error is `inval`.
    pub subscriptions: u32,
    /// Directories that are in the middle of being listed; each holds up to
    /// 64 KiB. The error is `nfile`.
    pub listings: u32,
}

impl Default for Limits {
    /// 1,024 open files (what most systems grant a process), 4,096 bytes of
    /// path (Linux's own limit), 65,536 buffers and subscriptions, and 256
    /// listings.
    fn default() -> Limits {
        Limits {
            open_files: 1024,
            path_bytes: 4096,
            iovecs: 65536,
            subscriptions: 65536,
            listings: 256,
        }
    }
}
