//! Guests that are suspended at the first call that has to do with a request, and
//! go on from there.

use super::guest::{BYTES, RESULT};
use super::poll::{Sub, poll_at};
use super::*;
use crate::builder::{BuildError, WasiCtxBuilder};
use crate::ctx::WasiCtx;
use crate::functions;
use crate::interruption::Stop;
use crate::snapshot::SuspendAt;
use crate::stdio::{Capture, Input, Output};
use std::io::Write;
use std::net::{TcpListener, TcpStream};

/// The listener, behind the preopened directory.
const LISTENER: u32 = PREOPEN + 1;

const NONBLOCK: u32 = FdFlags::NONBLOCK.bits() as u32;

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// A guest with a listener that it cannot have a connection of but this one, and the
/// other side of that.
fn with_connection() -> (Guest, TcpStream) {
    let listener = listener();
    let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (connection, _) = listener.accept().unwrap();
    let guest = Guest::with(|builder| {
        builder.listener(listener).connection(connection);
    });
    (guest, peer)
}

fn accept(guest: &mut Guest, flags: u32) -> Result<u32, Stop> {
    let never = Interruption::never();
    functions::sock_accept(&mut guest.call(), &never, LISTENER, flags, RESULT)?;
    Ok(guest.u32(RESULT))
}

fn poll(guest: &mut Guest, subs: &[Sub]) -> Result<Vec<u64>, Stop> {
    let events = poll_at(guest, subs, 16 << 10, 96 << 10)?;
    Ok(events.into_iter().map(|(userdata, ..)| userdata).collect())
}

fn read(guest: &mut Guest, fd: u32) -> Result<(), Stop> {
    let (list, count) = guest.iovecs(&[(BYTES, 16)]);
    let never = Interruption::never();
    functions::fd_read(&mut guest.call(), &never, fd, list, count, RESULT)
}

fn write(guest: &mut Guest, fd: u32) -> Result<(), Stop> {
    let (list, count) = guest.iovecs(&[(BYTES, 1)]);
    let never = Interruption::never();
    functions::fd_write(&mut guest.call(), &never, fd, list, count, RESULT)
}

#[test]
fn what_touches_a_request_suspends() {
    suspends_at_streams(SuspendAt::Request, Err(Stop::Suspended));
}

#[test]
fn the_environment_may_be_that_of_the_start() {
    suspends_at_streams(SuspendAt::Input, Ok(()));
}

fn suspends_at_streams(at: SuspendAt, environment: Result<(), Stop>) {
    let mut guest = Guest::with(|builder| {
        builder.suspend_at(at).env("A", "b");
    });
    let suspended = Err(Stop::Suspended);
    assert_eq!(
        functions::environ_sizes_get(&mut guest.call(), RESULT, RESULT + 4),
        environment
    );
    assert_eq!(
        functions::environ_get(&mut guest.call(), BYTES, BYTES + 64),
        environment
    );
    assert_eq!(read(&mut guest, 0), suspended);
    assert_eq!(write(&mut guest, 1), suspended);
    for sub in [Sub::Read(0), Sub::Write(1)] {
        let both = [Sub::Relative(1, 0), sub];
        assert_eq!(poll(&mut guest, &both), Err(Stop::Suspended));
    }
    // All else is as always.
    assert_eq!(write(&mut guest, 2), Ok(()));
    assert_eq!(
        poll(&mut guest, &[Sub::Write(2), Sub::Relative(1, 1 << 40)]),
        Ok(vec![100])
    );
    assert!(guest.fdstat(0).is_ok());
    guest.file("file", b"contents");
    let fd = guest.open("file", OFlags::empty(), false).unwrap();
    assert_eq!(read(&mut guest, fd), Ok(()));
    // A standard stream is the same under another number.
    functions::fd_renumber(&mut guest.call(), 1, fd).unwrap();
    assert_eq!(write(&mut guest, fd), suspended);
}

#[test]
fn what_awaits_a_connection_suspends() {
    let mut guest = Guest::with(|builder| {
        builder
            .suspend_at(SuspendAt::Connection)
            .listener(listener());
    });
    assert_eq!(accept(&mut guest, 0), Err(Stop::Suspended));
    assert_eq!(accept(&mut guest, NONBLOCK), Err(Stop::Suspended));
    let both = [Sub::Relative(1, 0), Sub::Read(LISTENER)];
    assert_eq!(poll(&mut guest, &both), Err(Stop::Suspended));
    assert_eq!(poll(&mut guest, &both[..1]), Ok(vec![100]));
    assert_eq!(write(&mut guest, 1), Ok(()));
    assert_eq!(read(&mut guest, 0), Ok(()));
}

#[test]
fn one_connection_is_all_there_is() {
    let (mut guest, mut peer) = with_connection();
    let listens = [Sub::Read(LISTENER)];
    assert_eq!(poll(&mut guest, &listens), Ok(vec![100]));
    assert_eq!(
        poll(&mut guest, &listens),
        Ok(vec![100]),
        "until it is accepted"
    );
    let fd = accept(&mut guest, 0).unwrap();
    peer.write_all(b"x").unwrap();
    assert_eq!(guest.read(fd, 9), Ok(b"x".to_vec()));
    // A listener that waits would wait for ever.
    assert_eq!(accept(&mut guest, 0), Err(Stop::Suspended));
}

#[test]
fn an_event_loop_ends_when_it_has_closed_its_connection() {
    let (mut guest, mut peer) = with_connection();
    functions::fd_fdstat_set_flags(&mut guest.call(), LISTENER, NONBLOCK).unwrap();
    let fd = accept(&mut guest, NONBLOCK).unwrap();
    assert_eq!(accept(&mut guest, NONBLOCK), Err(Errno::Again.into()));
    // As long as the connection is open, the listener has nothing to tell.
    let all = [
        Sub::Read(LISTENER),
        Sub::Read(fd),
        Sub::Relative(1, 1_000_000),
    ];
    assert_eq!(poll(&mut guest, &all), Ok(vec![102]));
    peer.write_all(b"x").unwrap();
    assert_eq!(poll(&mut guest, &all), Ok(vec![101]));
    guest.close(fd).unwrap();
    assert_eq!(poll(&mut guest, &all[2..]), Ok(vec![100]));
    assert_eq!(poll(&mut guest, &all), Err(Stop::Suspended));
    assert_eq!(accept(&mut guest, NONBLOCK), Err(Stop::Suspended));
}

#[test]
fn descriptors_are_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let builder = |capture: &Capture| {
        let mut builder = WasiCtxBuilder::new();
        builder
            .preopened_dir(folder.path(), "/", crate::Access::ReadWrite)
            .unwrap();
        builder.stdin(Input::bytes("in"));
        builder
            .stdout(Output::capture(capture))
            .listener(listener());
        builder
    };
    let capture = Capture::new(100);
    let mut guest = Guest::new();
    guest.ctx = builder(&capture).build().unwrap();
    let began = guest.ctx.alone().clocks.began();
    // 0 is closed, 1 is 2, the folder lost a right, the listener does not wait.
    guest.close(0).unwrap();
    functions::fd_renumber(&mut guest.call(), 1, 2).unwrap();
    let rights = Rights::PATH_OPEN | Rights::PATH_FILESTAT_GET;
    functions::fd_fdstat_set_rights(&mut guest.call(), PREOPEN, rights.bits(), 0).unwrap();
    functions::fd_fdstat_set_flags(&mut guest.call(), LISTENER, NONBLOCK).unwrap();
    let expected: Vec<_> = (0..6).map(|fd| guest.fdstat(fd)).collect();
    let snapshot = guest.ctx.snapshot().unwrap();

    let other = Capture::new(100);
    guest.ctx = builder(&other).go_on_from(&snapshot).build().unwrap();
    assert_eq!(guest.ctx.alone().clocks.began(), began);
    let found: Vec<_> = (0..6).map(|fd| guest.fdstat(fd)).collect();
    assert_eq!(found, expected);
    assert_eq!(guest.write(2, b"new"), Ok(3));
    assert_eq!(
        (capture.text().as_str(), other.text().as_str()),
        ("", "new")
    );
    assert_eq!(guest.mkdir("d"), Err(Errno::Notcapable));

    // What it has opened itself cannot be had again.
    let mut ctx: WasiCtx = builder(&capture).build().unwrap();
    std::mem::swap(&mut guest.ctx, &mut ctx);
    let fd = guest.create("file");
    let error = guest.ctx.snapshot().unwrap_err();
    assert_eq!(error.fd, fd);
    guest.close(fd).unwrap();
    let snapshot = guest.ctx.snapshot().unwrap();
    // Nor what is not given any more.
    let error = WasiCtxBuilder::new()
        .go_on_from(&snapshot)
        .build()
        .unwrap_err();
    assert!(matches!(error, BuildError::Snapshot(_)), "{error}");
}
