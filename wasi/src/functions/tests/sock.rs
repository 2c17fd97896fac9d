//! Sockets: listeners, and the connections that they accept.

use super::guest::{BYTES, RESULT};
use super::poll::{Sub, poll};
use super::*;
use crate::functions;
use crate::stdio::Input;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::thread;
use std::time::Duration;

/// The listener, behind the preopened directory.
const LISTENER: u32 = PREOPEN + 1;

const PEEK: u32 = 1;
const WAITALL: u32 = 2;

/// A guest with a listener, and what connects to it.
fn served() -> (Guest, impl Fn() -> TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let guest = Guest::with(|builder| {
        builder.listener(listener);
    });
    (guest, move || TcpStream::connect(address).unwrap())
}

/// A guest and one connection of it: its number, and the other side.
fn connected() -> (Guest, u32, TcpStream) {
    let (mut guest, connect) = served();
    let peer = connect();
    let fd = accept(&mut guest, FdFlags::empty()).unwrap();
    (guest, fd, peer)
}

fn accept(guest: &mut Guest, flags: FdFlags) -> Result<u32, Errno> {
    uninterrupted::sock_accept(&mut guest.call(), LISTENER, flags.bits().into(), RESULT)?;
    Ok(guest.u32(RESULT))
}

fn recv(guest: &mut Guest, fd: u32, len: u32, flags: u32) -> Result<Vec<u8>, Errno> {
    recv_into(guest, fd, &[(BYTES, len)], flags).map(|(bytes, _)| bytes)
}

/// What arrived at `BYTES`, and the flags.
fn recv_into(
    guest: &mut Guest,
    fd: u32,
    buffers: &[(u32, u32)],
    flags: u32,
) -> Result<(Vec<u8>, u16), Errno> {
    let (list, count) = guest.iovecs(buffers);
    uninterrupted::sock_recv(
        &mut guest.call(),
        fd,
        list,
        count,
        flags,
        RESULT,
        RESULT + 4,
    )?;
    let received = guest.u32(RESULT);
    Ok((guest.bytes(BYTES, received).to_vec(), guest.u16(RESULT + 4)))
}

fn send(guest: &mut Guest, fd: u32, bytes: &[u8]) -> Result<u32, Errno> {
    guest.put(BYTES, bytes);
    let (list, count) = guest.iovecs(&[(BYTES, bytes.len() as u32)]);
    uninterrupted::sock_send(&mut guest.call(), fd, list, count, 0, RESULT)?;
    Ok(guest.u32(RESULT))
}

fn nonblock(guest: &mut Guest, fd: u32, on: bool) {
    let flags = if on { FdFlags::NONBLOCK.bits() } else { 0 };
    functions::fd_fdstat_set_flags(&mut guest.call(), fd, flags.into()).unwrap();
}

#[test]
fn listeners_come_after_directories() {
    let other = tempfile::tempdir().unwrap();
    let mut guest = Guest::with(|builder| {
        let access = crate::Access::ReadWrite;
        builder
            .listener(TcpListener::bind("127.0.0.1:0").unwrap())
            .preopened_dir(other.path(), "/other", access)
            .unwrap();
    });
    let mut prestat = |fd| {
        functions::fd_prestat_get(&mut guest.call(), fd, RESULT)?;
        Ok((guest.u32(RESULT), guest.u32(RESULT + 4)))
    };
    assert_eq!(prestat(4), Ok((0, 6)));
    // Another tag, so that the search for directories goes on behind it.
    assert_eq!(prestat(5), Ok((1, 0)));
    assert_eq!(prestat(6), Err(Errno::Badf));
    let fdstat = guest.fdstat(5).unwrap();
    assert!(fdstat.is(FileType::SocketStream));
    assert!(fdstat.has(Rights::SOCK_ACCEPT | Rights::POLL_FD_READWRITE));
    let name = functions::fd_prestat_dir_name(&mut guest.call(), 5, 0, 0);
    assert_eq!(name, Ok(()));
}

#[test]
fn a_connection_is_accepted_answered_and_shut_down() {
    let (mut guest, fd, mut peer) = connected();
    let fdstat = guest.fdstat(fd).unwrap();
    assert!(fdstat.is(FileType::SocketStream));
    assert!(!fdstat.has(Rights::SOCK_ACCEPT));
    assert_eq!(guest.filestat(fd).unwrap().file_type, fdstat.file_type);

    peer.write_all(b"hello").unwrap();
    assert_eq!(recv(&mut guest, fd, 3, PEEK), Ok(b"hel".to_vec()));
    assert_eq!(recv(&mut guest, fd, 3, 0), Ok(b"hel".to_vec()));
    assert_eq!(guest.read(fd, 9), Ok(b"lo".to_vec()));

    assert_eq!(send(&mut guest, fd, b"one"), Ok(3));
    assert_eq!(guest.writev(fd, &[(BYTES, 1), (BYTES, 3)]), Ok(4));
    let (rd, wr) = (1, 2);
    let shutdown = |guest: &mut Guest, how| functions::sock_shutdown(&mut guest.call(), fd, how);
    assert_eq!(shutdown(&mut guest, wr), Ok(()));
    let mut answer = String::new();
    peer.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "oneoone");
    assert_eq!(send(&mut guest, fd, b"x"), Err(Errno::Pipe));
    assert_eq!(guest.write(fd, b"x"), Err(Errno::Pipe));

    peer.write_all(b"late").unwrap();
    assert_eq!(recv(&mut guest, fd, 9, 0), Ok(b"late".to_vec()));
    assert_eq!(shutdown(&mut guest, rd), Ok(()));
    assert_eq!(recv(&mut guest, fd, 9, 0), Ok(vec![]));
    for bad in [0, 4, 7, 1 << 8, u32::MAX] {
        assert_eq!(shutdown(&mut guest, bad), Err(Errno::Inval), "{bad}");
    }
    guest.close(fd).unwrap();
    assert_eq!(recv(&mut guest, fd, 9, 0), Err(Errno::Badf));
}

#[test]
fn waitall_fills_all_buffers() {
    let (mut guest, fd, mut peer) = connected();
    let writer = thread::spawn(move || {
        for part in [&b"ab"[..], b"cde", b"fgh", b"rest"] {
            peer.write_all(part).unwrap();
            thread::sleep(Duration::from_millis(10));
        }
        peer.shutdown(Shutdown::Write).unwrap();
        peer
    });
    let buffers = [(BYTES, 3), (BYTES + 3, 0), (BYTES + 3, 5)];
    let received = recv_into(&mut guest, fd, &buffers, WAITALL);
    assert_eq!(received, Ok((b"abcdefgh".to_vec(), 0)));
    // The end of the stream ends the wait.
    assert_eq!(recv(&mut guest, fd, 100, WAITALL), Ok(b"rest".to_vec()));
    assert_eq!(recv(&mut guest, fd, 100, WAITALL), Ok(vec![]));
    drop(writer.join().unwrap());
}

#[test]
fn without_blocking_nothing_waits() {
    let (mut guest, connect) = served();
    nonblock(&mut guest, LISTENER, true);
    assert_eq!(accept(&mut guest, FdFlags::empty()), Err(Errno::Again));
    let mut peer = connect();
    assert_eq!(
        poll(&mut guest, &[Sub::Read(LISTENER)])[0].1,
        0,
        "a connection makes the listener ready"
    );
    let fd = accept(&mut guest, FdFlags::NONBLOCK).unwrap();
    assert_eq!(guest.fdstat(fd).unwrap().flags, FdFlags::NONBLOCK.bits());
    for flags in [0, PEEK, WAITALL, PEEK | WAITALL] {
        assert_eq!(recv(&mut guest, fd, 9, flags), Err(Errno::Again), "{flags}");
    }
    assert_eq!(guest.read(fd, 9), Err(Errno::Again));
    peer.write_all(b"abc").unwrap();
    poll(&mut guest, &[Sub::Read(fd)]);
    assert_eq!(recv(&mut guest, fd, 9, WAITALL), Ok(b"abc".to_vec()));

    // What does not fit is left, and nothing waits for the other side.
    guest.memory.resize(8 << 20, b'x');
    let (list, count) = guest.iovecs(&[(BYTES, 1 << 20); 7]);
    let mut sent = 0;
    let errno = loop {
        let call = &mut guest.call();
        match uninterrupted::sock_send(call, fd, list, count, 0, RESULT) {
            Ok(()) => sent += u64::from(guest.u32(RESULT)),
            Err(errno) => break errno,
        }
    };
    assert_eq!(errno, Errno::Again);
    assert!(sent > 0);
    guest.close(fd).unwrap();
    let mut rest = Vec::new();
    peer.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.len() as u64, sent);
}

/// Go never says of a listener that it shall not wait, but of its standard
/// streams, when it starts.
#[test]
fn a_guest_with_nonblocking_input_has_nonblocking_listeners() {
    let (mut guest, connect) = served();
    nonblock(&mut guest, 1, true);
    assert_eq!(guest.fdstat(LISTENER).unwrap().flags, 0);
    nonblock(&mut guest, 0, true);
    let flags = guest.fdstat(LISTENER).unwrap().flags;
    assert_eq!(flags, FdFlags::NONBLOCK.bits());
    assert_eq!(accept(&mut guest, FdFlags::empty()), Err(Errno::Again));
    let _peer = connect();
    poll(&mut guest, &[Sub::Read(LISTENER)]);
    let fd = accept(&mut guest, FdFlags::empty()).unwrap();
    assert_eq!(
        guest.fdstat(fd).unwrap().flags,
        0,
        "connections say it themselves"
    );
    nonblock(&mut guest, LISTENER, false);
    assert_eq!(guest.fdstat(LISTENER).unwrap().flags, 0);
}

#[test]
fn blocking_calls_wait() {
    let (mut guest, connect) = served();
    let client = thread::spawn(move || {
        thread::sleep(Duration::from_millis(30));
        let mut peer = connect();
        thread::sleep(Duration::from_millis(30));
        peer.write_all(b"late").unwrap();
        thread::sleep(Duration::from_millis(30));
        let mut all = Vec::new();
        peer.read_to_end(&mut all).unwrap();
        all.len()
    });
    let fd = accept(&mut guest, FdFlags::empty()).unwrap();
    assert_eq!(guest.read(fd, 9), Ok(b"late".to_vec()));
    // A large write is whole, as on Linux.
    guest.memory.resize(16 << 20, b'x');
    assert_eq!(guest.writev(fd, &[(BYTES, 8 << 20)]), Ok(8 << 20));
    let (list, count) = guest.iovecs(&[(BYTES, 3 << 20), (BYTES, 4 << 20)]);
    uninterrupted::sock_send(&mut guest.call(), fd, list, count, 0, RESULT).unwrap();
    assert_eq!(guest.u32(RESULT), 7 << 20);
    guest.close(fd).unwrap();
    assert_eq!(client.join().unwrap(), 15 << 20);
}

#[test]
fn sockets_can_be_waited_for() {
    const READ: u8 = EventType::FdRead as u8;
    const WRITE: u8 = EventType::FdWrite as u8;
    const CLOCK: u8 = EventType::Clock as u8;
    let (mut guest, fd, mut peer) = connected();
    let soon = Sub::Relative(1, 20_000_000);
    let waits = [Sub::Read(LISTENER), Sub::Read(fd), soon];
    assert_eq!(poll(&mut guest, &waits), [(102, 0, CLOCK, 0, 0)]);
    let both = [Sub::Read(fd), Sub::Write(fd)];
    assert_eq!(poll(&mut guest, &both), [(101, 0, WRITE, 1, 0)]);
    peer.write_all(b"abc").unwrap();
    assert_eq!(poll(&mut guest, &waits[..2]), [(101, 0, READ, 3, 0)]);
    drop(peer);
    guest.read(fd, 9).unwrap();
    let events = poll(&mut guest, &[Sub::Read(fd)]);
    assert_eq!((events[0].1, events[0].3), (0, 0), "the end can be read");
    assert_eq!(guest.read(fd, 9), Ok(vec![]));
}

/// WZ#1493 and WT#8526: panics, and errors that were not of the witx.
#[test]
fn wz_1493_what_cannot_be_accepted() {
    let (mut guest, _connect) = served();
    nonblock(&mut guest, LISTENER, true);
    let mut accept = |fd, flags| uninterrupted::sock_accept(&mut guest.call(), fd, flags, RESULT);
    assert_eq!(accept(LISTENER, 0), Err(Errno::Again));
    // APPEND and the like are nothing for a socket.
    for flags in [1, 2, 8, 16, 32, 5, u32::MAX] {
        assert_eq!(accept(LISTENER, flags), Err(Errno::Inval), "{flags}");
    }
    assert_eq!(accept(PREOPEN, 0), Err(Errno::Notsock));
    assert_eq!(accept(1, 0), Err(Errno::Notsock));
    assert_eq!(accept(99, 0), Err(Errno::Badf));
    let call = &mut guest.call();
    let wild = uninterrupted::sock_accept(call, LISTENER, 0, u32::MAX);
    assert_eq!(wild, Err(Errno::Fault));

    let (mut guest, fd, _peer) = connected();
    let call = &mut guest.call();
    let again = uninterrupted::sock_accept(call, fd, 0, RESULT);
    assert_eq!(again, Err(Errno::Notcapable), "a connection is no listener");
    assert_eq!(guest.read(LISTENER, 1), Err(Errno::Notconn));
    assert_eq!(guest.write(LISTENER, b"x"), Err(Errno::Notcapable));
    assert_eq!(guest.seek(fd, 0, 0), Err(Errno::Spipe));
    assert_eq!(guest.pread(fd, 1, 0), Err(Errno::Spipe));
}

#[test]
fn a_full_table_accepts_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let limits = crate::Limits {
        open_files: 5,
        ..crate::Limits::default()
    };
    let mut guest = Guest::with(|builder| {
        builder.listener(listener).limits(limits);
    });
    let _peer = TcpStream::connect(address).unwrap();
    assert_eq!(accept(&mut guest, FdFlags::empty()), Err(Errno::Mfile));
    guest.close(0).unwrap();
    assert_eq!(accept(&mut guest, FdFlags::empty()), Ok(0), "it waited");
}

#[test]
fn dropped_rights_of_a_listener_are_not_handed_on() {
    let (mut guest, connect) = served();
    let _peer = connect();
    let fdstat = guest.fdstat(LISTENER).unwrap();
    let inheriting = fdstat.inheriting & !Rights::FD_WRITE.bits();
    let call = &mut guest.call();
    functions::fd_fdstat_set_rights(call, LISTENER, fdstat.base, inheriting).unwrap();
    let fd = accept(&mut guest, FdFlags::empty()).unwrap();
    assert_eq!(send(&mut guest, fd, b"x"), Err(Errno::Notcapable));
    functions::fd_fdstat_set_rights(&mut guest.call(), LISTENER, 0, 0).unwrap();
    let refused = accept(&mut guest, FdFlags::empty());
    assert_eq!(refused, Err(Errno::Notcapable));
}

#[test]
fn wild_numbers_have_no_effect() {
    let (mut guest, fd, mut peer) = connected();
    peer.write_all(b"abc").unwrap();
    let (list, count) = guest.iovecs(&[(BYTES, 3)]);
    let wild = [u32::MAX, u32::MAX - 1, (128 << 10) - 1];
    for wild in wild {
        let call = &mut guest.call();
        let results = [
            uninterrupted::sock_recv(call, fd, wild, count, 0, RESULT, RESULT),
            uninterrupted::sock_recv(call, fd, list, count, 0, wild, RESULT),
            uninterrupted::sock_recv(call, fd, list, count, 0, RESULT, wild),
            uninterrupted::sock_recv(call, fd, list, u32::MAX, 0, RESULT, RESULT),
            uninterrupted::sock_send(call, fd, wild, count, 0, RESULT),
            uninterrupted::sock_send(call, fd, list, count, 0, wild),
        ];
        assert_eq!(results, [Err(Errno::Fault); 6], "{wild:#x}");
    }
    let call = &mut guest.call();
    for flags in [4, 1 << 16, u32::MAX] {
        let received = uninterrupted::sock_recv(call, fd, list, count, flags, RESULT, RESULT);
        assert_eq!(received, Err(Errno::Inval), "{flags}");
    }
    let sent = uninterrupted::sock_send(call, fd, list, count, 1, RESULT);
    assert_eq!(sent, Err(Errno::Inval));
    assert_eq!(recv(&mut guest, fd, 9, 0), Ok(b"abc".to_vec()));
}

#[test]
fn local_listeners_do_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let mut guest = Guest::with(|builder| {
        builder.listener(listener);
    });
    let mut peer = UnixStream::connect(&path).unwrap();
    let fd = accept(&mut guest, FdFlags::empty()).unwrap();
    peer.write_all(b"abc").unwrap();
    assert_eq!(guest.read(fd, 9), Ok(b"abc".to_vec()));
}

/// As inetd does it.
#[test]
fn a_socket_may_be_a_standard_stream() {
    let (ours, peer) = UnixDatagram::pair().unwrap();
    let mut guest = Guest::with(|builder| {
        builder.stdin(Input::file(File::from(OwnedFd::from(ours))));
    });
    assert!(guest.fdstat(0).unwrap().is(FileType::SocketDgram));
    peer.send(b"a datagram").unwrap();
    peer.send(b"another").unwrap();
    let truncated = recv_into(&mut guest, 0, &[(BYTES, 4)], 0);
    assert_eq!(truncated, Ok((b"a da".to_vec(), 1)));
    let whole = recv_into(&mut guest, 0, &[(BYTES, 4), (BYTES + 4, 9)], 0);
    assert_eq!(whole, Ok((b"another".to_vec(), 0)));
    assert_eq!(send(&mut guest, 0, b"x"), Err(Errno::Notcapable));
}
