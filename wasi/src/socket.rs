//! Sockets: accepting, receiving, sending, shutting down.
//!
//! A guest cannot make sockets. It is given listeners that are open already, and
//! accepts connections from them. No call on a socket ever waits in the kernel
//! (`MSG_DONTWAIT`); where the guest waits, it does so in `poll`, and can be
//! interrupted.

use crate::abi::{FdFlags, RiFlags, SdFlags};
use crate::descriptor::HostFile;
use crate::errno::Errno;
use crate::host_io::complete;
use crate::interruption::{Interruption, Stop};
use crate::io::scatter_once;
use crate::iovec::{self, Iovec};
use crate::memory::{self, GuestMemory};
use rustix::event::PollFlags;
use rustix::fs::fstat;
use rustix::net::{
    RecvAncillaryBuffer, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendFlags, Shutdown,
    SocketFlags, accept_with, recv, recvmsg, sendmsg,
};
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::OwnedFd;

/// Accepts a connection, with `flags` for the guest.
pub(crate) fn accept(
    listener: &HostFile,
    flags: FdFlags,
    interruption: &Interruption<'_>,
) -> Result<HostFile, Stop> {
    let accepted = listener.patiently(PollFlags::IN, interruption, || {
        // A listener that was given as the standard input may be one that
        // waits in the kernel.
        listener.require_ready(PollFlags::IN)?;
        complete(|| accept_with(&listener.fd, SocketFlags::CLOEXEC))
    })?;
    let stat = fstat(&accepted).map_err(Errno::from)?;
    Ok(HostFile::socket(accepted, &stat, flags))
}

/// A connection that was accepted for the guest.
pub(crate) fn only_connection(connection: OwnedFd, flags: FdFlags) -> Result<HostFile, Errno> {
    let stat = fstat(&connection)?;
    let mut connection = HostFile::socket(connection, &stat, flags);
    connection.only_connection = true;
    Ok(connection)
}

/// What `sock_recv` has received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) bytes: u32,
    /// Whether a datagram was longer than the buffers.
    pub(crate) truncated: bool,
}

/// Receives what is there, or with WAITALL all that the buffers hold. PEEK wins
/// over WAITALL, as POSIX allows.
pub(crate) fn receive(
    socket: &HostFile,
    memory: &mut GuestMemory<'_>,
    iovecs: &[Iovec],
    flags: RiFlags,
    interruption: &Interruption<'_>,
) -> Result<Received, Stop> {
    match memory {
        GuestMemory::Own(bytes) => receive_into(socket, bytes, iovecs, flags, interruption),
        GuestMemory::Shared(shared) => {
            let mut bytes = memory::room(iovecs);
            let whole = [Iovec::whole(&bytes)];
            let whole = &whole[..iovecs.len().min(1)];
            let received = receive_into(socket, &mut bytes, whole, flags, interruption)?;
            memory::scatter(shared, iovecs, &bytes[..received.bytes as usize])?;
            Ok(received)
        }
    }
}

fn receive_into(
    socket: &HostFile,
    memory: &mut [u8],
    iovecs: &[Iovec],
    flags: RiFlags,
    interruption: &Interruption<'_>,
) -> Result<Received, Stop> {
    if flags == RiFlags::RECV_WAITALL {
        let bytes = receive_all(socket, memory, iovecs, interruption)?;
        return Ok(Received {
            bytes,
            truncated: false,
        });
    }
    if iovecs.is_empty() {
        return Ok(Received {
            bytes: 0,
            truncated: false,
        });
    }
    let mut host_flags = RecvFlags::DONTWAIT;
    host_flags.set(RecvFlags::PEEK, flags.contains(RiFlags::RECV_PEEK));
    let mut truncated = false;
    let bytes = scatter_once(memory, iovecs, |slices| {
        socket.patiently(PollFlags::IN, interruption, || {
            let (bytes, returned) = receive_message(socket, slices, host_flags)?;
            truncated = returned.contains(ReturnFlags::TRUNC);
            Ok(bytes)
        })
    })?;
    // A list of buffers has less than 2 GiB.
    Ok(Received {
        bytes: bytes as u32,
        truncated,
    })
}

/// Fills one buffer after the other, until the other side has nothing more.
fn receive_all(
    socket: &HostFile,
    memory: &mut [u8],
    iovecs: &[Iovec],
    interruption: &Interruption<'_>,
) -> Result<u32, Stop> {
    let mut received = 0;
    for iovec in iovecs {
        let bytes = iovec::bytes_mut(memory, *iovec);
        let mut filled = 0;
        while filled < bytes.len() {
            let result = socket.patiently(PollFlags::IN, interruption, || {
                complete(|| recv(&socket.fd, &mut bytes[filled..], RecvFlags::DONTWAIT))
            });
            match result {
                Ok((0, _)) => return Ok(received),
                Ok((count, _)) => {
                    filled += count;
                    received += count as u32;
                }
                Err(Stop::Errno(_) | Stop::Later) if received > 0 => return Ok(received),
                Err(stop) => return Err(stop),
            }
        }
    }
    Ok(received)
}

/// Receives what is there; `again` if nothing is.
pub(crate) fn receive_now(
    socket: &HostFile,
    slices: &mut [IoSliceMut<'_>],
) -> Result<usize, Errno> {
    Ok(receive_message(socket, slices, RecvFlags::DONTWAIT)?.0)
}

fn receive_message(
    socket: &HostFile,
    slices: &mut [IoSliceMut<'_>],
    flags: RecvFlags,
) -> Result<(usize, ReturnFlags), Errno> {
    // Without room for them, file descriptors that come along are closed.
    let mut control = RecvAncillaryBuffer::default();
    let message = complete(|| recvmsg(&socket.fd, slices, &mut control, flags))?;
    Ok((message.bytes, message.flags))
}

/// Sends what fits; `again` if nothing does.
pub(crate) fn send_now(socket: &HostFile, slices: &[IoSlice<'_>]) -> Result<usize, Errno> {
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    complete(|| {
        sendmsg(
            &socket.fd,
            slices,
            &mut SendAncillaryBuffer::default(),
            flags,
        )
    })
}

pub(crate) fn shutdown(socket: &HostFile, how: SdFlags) -> Result<(), Errno> {
    let how = match (how.contains(SdFlags::RD), how.contains(SdFlags::WR)) {
        (true, true) => Shutdown::Both,
        (true, false) => Shutdown::Read,
        (false, true) => Shutdown::Write,
        (false, false) => return Err(Errno::Inval),
    };
    Ok(rustix::net::shutdown(&socket.fd, how)?)
}
