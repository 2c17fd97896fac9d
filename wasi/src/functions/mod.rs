//! The functions of preview1, as a guest calls them: numbers in, an error code
//! out, everything else in guest memory.
//!
//! [`preview1!`] is the one list of them. Registration in a linker
//! (`linker.rs`) and the public [`FUNCTIONS`](crate::FUNCTIONS) derive from it;
//! the functions themselves stand in one file for each group. Names, parameters
//! and their order are those of `wasi_snapshot_preview1.witx`, where a string
//! or an array is a pointer and a length, and a result is a pointer.
//!
//! Each function checks all guest pointers before it does anything, so that
//! `fault` has no partial effect.

mod args;
mod clock;
mod fd;
mod fd_io;
mod path;
mod poll;
mod process;
mod random;
mod sock;
#[cfg(test)]
mod tests;

pub(crate) use args::*;
pub(crate) use clock::*;
pub(crate) use fd::*;
pub(crate) use fd_io::*;
pub(crate) use path::*;
pub(crate) use poll::*;
pub(crate) use process::*;
pub(crate) use random::*;
pub(crate) use sock::*;

use crate::abi::Snapshot;
use crate::ctx::State;
use crate::memory::GuestMemory;

/// One call of a guest.
pub(crate) struct Call<'a> {
    pub(crate) ctx: &'a mut State,
    pub(crate) memory: GuestMemory<'a>,
    /// The ABI that the guest imported the function from.
    pub(crate) snapshot: Snapshot,
}

/// Calls the macro `$visit` with all functions:
/// - `quick`: return as soon as the host's call does;
/// - `long`: may take any time, and look whether the guest is to stop;
/// - `recent`: the same, but not in `wasi_unstable`.
macro_rules! preview1 {
    ($visit:ident) => {
        $visit! {
            quick {
                /// Read command-line argument data.
                args_get(argv: u32, argv_buf: u32) -> errno;
                /// Return command-line argument data sizes.
                args_sizes_get(argc: u32, argv_buf_size: u32) -> errno;
                /// Read environment variable data.
                environ_get(environ: u32, environ_buf: u32) -> errno;
                /// Return environment variable data sizes.
                environ_sizes_get(environc: u32, environ_buf_size: u32) -> errno;
                /// Return the resolution of a clock.
                clock_res_get(id: u32, resolution: u32) -> errno;
                /// Return the time value of a clock.
                clock_time_get(id: u32, precision: u64, time: u32) -> errno;
                /// Provide file advisory information on a file descriptor.
                fd_advise(fd: u32, offset: u64, len: u64, advice: u32) -> errno;
                /// Force the allocation of space in a file.
                fd_allocate(fd: u32, offset: u64, len: u64) -> errno;
                /// Close a file descriptor.
                fd_close(fd: u32) -> errno;
                /// Synchronize the data of a file to disk.
                fd_datasync(fd: u32) -> errno;
                /// Get the attributes of a file descriptor.
                fd_fdstat_get(fd: u32, stat: u32) -> errno;
                /// Adjust the flags associated with a file descriptor.
                fd_fdstat_set_flags(fd: u32, flags: u32) -> errno;
                /// Adjust the rights associated with a file descriptor.
                fd_fdstat_set_rights(fd: u32, fs_rights_base: u64, fs_rights_inheriting: u64) -> errno;
                /// Return the attributes of an open file.
                fd_filestat_get(fd: u32, buf: u32) -> errno;
                /// Adjust the size of an open file.
                fd_filestat_set_size(fd: u32, size: u64) -> errno;
                /// Adjust the timestamps of an open file or directory.
                fd_filestat_set_times(fd: u32, atim: u64, mtim: u64, fst_flags: u32) -> errno;
                /// Return a description of the given preopened file descriptor.
                fd_prestat_get(fd: u32, buf: u32) -> errno;
                /// Return the name of the given preopened file descriptor.
                fd_prestat_dir_name(fd: u32, path: u32, path_len: u32) -> errno;
                /// Read directory entries from a directory.
                fd_readdir(fd: u32, buf: u32, buf_len: u32, cookie: u64, bufused: u32) -> errno;
                /// Atomically replace a file descriptor by renumbering another one.
                fd_renumber(fd: u32, to: u32) -> errno;
                /// Move the offset of a file descriptor.
                fd_seek(fd: u32, offset: i64, whence: u32, newoffset: u32) -> errno;
                /// Synchronize the data and metadata of a file to disk.
                fd_sync(fd: u32) -> errno;
                /// Return the current offset of a file descriptor.
                fd_tell(fd: u32, offset: u32) -> errno;
                /// Create a directory.
                path_create_directory(fd: u32, path: u32, path_len: u32) -> errno;
                /// Return the attributes of a file or directory.
                path_filestat_get(fd: u32, flags: u32, path: u32, path_len: u32, buf: u32) -> errno;
                /// Adjust the timestamps of a file or directory.
                path_filestat_set_times(
                    fd: u32, flags: u32, path: u32, path_len: u32, atim: u64, mtim: u64, fst_flags: u32
                ) -> errno;
                /// Create a hard link.
                path_link(
                    old_fd: u32, old_flags: u32, old_path: u32, old_path_len: u32,
                    new_fd: u32, new_path: u32, new_path_len: u32
                ) -> errno;
                /// Open a file or directory.
                path_open(
                    fd: u32, dirflags: u32, path: u32, path_len: u32, oflags: u32,
                    fs_rights_base: u64, fs_rights_inheriting: u64, fdflags: u32, opened_fd: u32
                ) -> errno;
                /// Read the contents of a symbolic link.
                path_readlink(
                    fd: u32, path: u32, path_len: u32, buf: u32, buf_len: u32, bufused: u32
                ) -> errno;
                /// Remove a directory.
                path_remove_directory(fd: u32, path: u32, path_len: u32) -> errno;
                /// Rename a file or directory.
                path_rename(
                    fd: u32, old_path: u32, old_path_len: u32,
                    new_fd: u32, new_path: u32, new_path_len: u32
                ) -> errno;
                /// Create a symbolic link.
                path_symlink(
                    old_path: u32, old_path_len: u32, fd: u32, new_path: u32, new_path_len: u32
                ) -> errno;
                /// Unlink a file.
                path_unlink_file(fd: u32, path: u32, path_len: u32) -> errno;
                /// Terminate the process normally.
                proc_exit(rval: u32) -> noreturn;
                /// Send a signal to the process of the calling thread.
                proc_raise(sig: u32) -> errno;
                /// Temporarily yield execution of the calling thread.
                sched_yield() -> errno;
                /// Shut down socket send and receive channels.
                sock_shutdown(fd: u32, how: u32) -> errno;
            }
            long {
                /// Read from a file descriptor, without using and updating its offset.
                fd_pread(fd: u32, iovs: u32, iovs_len: u32, offset: u64, nread: u32) -> errno;
                /// Write to a file descriptor, without using and updating its offset.
                fd_pwrite(fd: u32, iovs: u32, iovs_len: u32, offset: u64, nwritten: u32) -> errno;
                /// Read from a file descriptor.
                fd_read(fd: u32, iovs: u32, iovs_len: u32, nread: u32) -> errno;
                /// Write to a file descriptor.
                fd_write(fd: u32, iovs: u32, iovs_len: u32, nwritten: u32) -> errno;
                /// Concurrently poll for the occurrence of a set of events.
                poll_oneoff(in_: u32, out: u32, nsubscriptions: u32, nevents: u32) -> errno;
                /// Write high-quality random data into a buffer.
                random_get(buf: u32, buf_len: u32) -> errno;
                /// Receive a message from a socket.
                sock_recv(
                    fd: u32, ri_data: u32, ri_data_len: u32, ri_flags: u32,
                    ro_datalen: u32, ro_flags: u32
                ) -> errno;
                /// Send a message on a socket.
                sock_send(
                    fd: u32, si_data: u32, si_data_len: u32, si_flags: u32, so_datalen: u32
                ) -> errno;
            }
            recent {
                /// Accept a new incoming connection.
                sock_accept(fd: u32, flags: u32, connection: u32) -> errno;
            }
        }
    };
}
pub(crate) use preview1;
