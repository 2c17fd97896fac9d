//! Descriptors: preopens, standard streams, flags, renumbering, attributes.

use super::*;
use crate::functions;
use crate::limits::Limits;
use crate::stdio::Input;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;

fn prestat(guest: &mut Guest, fd: u32) -> Result<(u32, u32), Errno> {
    functions::fd_prestat_get(&mut guest.call(), fd, 0)?;
    Ok((guest.u32(0), guest.u32(4)))
}

fn dir_name(guest: &mut Guest, fd: u32, len: u32) -> Result<Vec<u8>, Errno> {
    guest.put(0, &[b'#'; 64]);
    functions::fd_prestat_dir_name(&mut guest.call(), fd, 0, len)?;
    Ok(guest.bytes(0, 64).to_vec())
}

#[test]
fn preopens_are_found_from_3_on() {
    let other = tempfile::tempdir().unwrap();
    let mut guest = Guest::with(|builder| {
        let access = crate::Access::ReadWrite;
        builder
            .preopened_dir(other.path(), "/other", access)
            .unwrap();
    });
    assert_eq!(prestat(&mut guest, 3), Ok((0, 1)));
    assert_eq!(prestat(&mut guest, 4), Ok((0, 6)));
    for fd in [0, 1, 2, 5, u32::MAX] {
        assert_eq!(prestat(&mut guest, fd), Err(Errno::Badf), "{fd}");
    }
    assert!(dir_name(&mut guest, 4, 6).unwrap().starts_with(b"/other#"));
    assert!(dir_name(&mut guest, 4, 60).unwrap().starts_with(b"/other#"));
    assert_eq!(dir_name(&mut guest, 4, 5), Err(Errno::Nametoolong));
    assert_eq!(dir_name(&mut guest, 4, 0), Err(Errno::Nametoolong));
    assert_eq!(dir_name(&mut guest, 2, 60), Err(Errno::Badf));
    // What the guest opens itself is none.
    let fd = guest.open(".", OFlags::DIRECTORY, false).unwrap();
    assert_eq!(prestat(&mut guest, fd), Err(Errno::Badf));
}

/// What programs do at their start: they ask for one number after the other until
/// one is not open. Everything before it is a success, also what no directory is.
#[test]
fn the_scan_for_preopens_ends_at_the_first_free_number() {
    const COUNT: u32 = 5;
    let folders = [(); COUNT as usize].map(|()| tempfile::tempdir().unwrap());
    let mut guest = Guest::with(|builder| {
        for (index, folder) in folders.iter().enumerate() {
            let access = [crate::Access::ReadOnly, crate::Access::ReadWrite][index % 2];
            let name = format!("/folder-{index}");
            builder.preopened_dir(folder.path(), name, access).unwrap();
        }
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        builder.listener(listener);
    });
    let mut found = Vec::new();
    let end = (PREOPEN..)
        .find(|fd| match prestat(&mut guest, *fd) {
            Ok((0, len)) => {
                let name = dir_name(&mut guest, *fd, len).unwrap();
                found.push(String::from_utf8(name[..len as usize].to_vec()).unwrap());
                false
            }
            Ok((_, len)) => {
                found.push(format!("a listener, {len}"));
                false
            }
            Err(errno) => {
                assert_eq!(errno, Errno::Badf);
                true
            }
        })
        .unwrap();
    assert_eq!(end, PREOPEN + 1 + COUNT + 1);
    let expected = [
        "/",
        "/folder-0",
        "/folder-1",
        "/folder-2",
        "/folder-3",
        "/folder-4",
        "a listener, 0",
    ];
    assert_eq!(found, expected);
}

/// WR#6857: that is how `isatty` works in wasi-libc and in Go.
#[test]
fn a_terminal_has_no_position() {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let terminal = OpenOptions::new()
        .read(true)
        .write(true)
        .open(guest::os(name.to_bytes()))
        .unwrap();
    let null = File::open("/dev/null").unwrap();
    let mut guest = Guest::with(|builder| {
        builder
            .stdin(Input::file(terminal))
            .stderr(crate::Output::file(null));
    });
    let fdstat = guest.fdstat(0).unwrap();
    assert!(fdstat.is(FileType::CharacterDevice));
    assert!(!fdstat.has(Rights::FD_SEEK) && !fdstat.has(Rights::FD_TELL));
    assert_eq!(guest.seek(0, 0, 1), Err(Errno::Spipe));
    let fdstat = guest.fdstat(2).unwrap();
    assert!(fdstat.is(FileType::CharacterDevice));
    assert!(
        fdstat.has(Rights::FD_SEEK | Rights::FD_TELL),
        "/dev/null is no terminal"
    );
}

#[test]
fn streams_report_what_they_are() {
    let (reader, _writer) = std::io::pipe().unwrap();
    let (socket, _peer) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut guest = Guest::with(|builder| {
        builder
            .stdin(Input::file(File::from(OwnedFd::from(reader))))
            .stdout(crate::Output::file(File::from(OwnedFd::from(socket))));
    });
    assert!(guest.fdstat(0).unwrap().is(FileType::Unknown));
    assert!(guest.fdstat(1).unwrap().is(FileType::SocketStream));
    assert!(guest.fdstat(2).unwrap().is(FileType::Unknown));
    for fd in 0..3 {
        assert_eq!(guest.seek(fd, 0, 0), Err(Errno::Spipe), "{fd}");
        assert_eq!(guest.tell(fd), Err(Errno::Spipe), "{fd}");
        assert!(guest.filestat(fd).is_ok(), "{fd}");
    }
    assert_eq!(guest.pread(0, 1, 0), Err(Errno::Spipe));
    assert_eq!(guest.pwrite(1, b"x", 0), Err(Errno::Spipe));
}

#[test]
fn the_next_number_is_the_lowest_free_one() {
    let mut guest = Guest::new();
    guest.close(0).unwrap();
    assert_eq!(guest.close(0), Err(Errno::Badf));
    assert_eq!(guest.create("file"), 0);
    assert_eq!(guest.create("file"), 4);
}

/// GHSA-852m of wasmtime: a guest must not use up the host's descriptors.
#[test]
fn open_files_are_limited() {
    let limits = Limits {
        open_files: 6,
        ..Limits::default()
    };
    let mut guest = Guest::with(|builder| {
        builder.limits(limits);
    });
    assert_eq!(guest.create("a"), 4);
    assert_eq!(guest.create("b"), 5);
    assert_eq!(guest.open("c", OFlags::CREAT, true), Err(Errno::Mfile));
    assert!(!guest.host("c").exists(), "nothing is created in vain");
    guest.close(4).unwrap();
    assert_eq!(guest.create("c"), 4);
}

#[test]
fn renumbering_moves_anything_over_anything_that_is_open() {
    let mut guest = Guest::new();
    let fd = guest.create("file");
    let renumber =
        |guest: &mut Guest, from, to| functions::fd_renumber(&mut guest.call(), from, to);
    assert_eq!(renumber(&mut guest, fd, 99), Err(Errno::Badf));
    assert_eq!(renumber(&mut guest, 99, fd), Err(Errno::Badf));
    assert_eq!(renumber(&mut guest, fd, fd), Ok(()));
    assert_eq!(guest.write(fd, b"to the file"), Ok(11));
    // Over a standard stream, and over the preopen itself.
    assert_eq!(renumber(&mut guest, fd, 1), Ok(()));
    assert_eq!(guest.write(fd, b"?"), Err(Errno::Badf));
    assert_eq!(guest.write(1, b", again"), Ok(7));
    assert_eq!(guest.read_file("file"), b"to the file, again");
    let dir = guest.open(".", OFlags::DIRECTORY, false).unwrap();
    assert_eq!(renumber(&mut guest, dir, PREOPEN), Ok(()));
    assert_eq!(prestat(&mut guest, PREOPEN), Err(Errno::Badf));
    assert!(guest.stat(FOLLOW, "file").is_ok(), "it is the same folder");
    assert_eq!(renumber(&mut guest, PREOPEN, 2), Ok(()));
    assert!(guest.fdstat(2).unwrap().is(FileType::Directory));
}

#[test]
fn flags_are_those_of_the_open_file() {
    let mut guest = Guest::new();
    let flags = FdFlags::APPEND | FdFlags::SYNC;
    let fd = guest.path_open(PREOPEN, FOLLOW, "log", OFlags::CREAT, Rights::all(), flags);
    let fd = fd.unwrap();
    assert_eq!(guest.fdstat(fd).unwrap().flags, flags.bits());
    let set = |guest: &mut Guest, flags: FdFlags| {
        functions::fd_fdstat_set_flags(&mut guest.call(), fd, flags.bits().into())
    };
    guest.write(fd, b"ab").unwrap();
    guest.seek(fd, 0, 0).unwrap();
    guest.write(fd, b"cd").unwrap();
    assert_eq!(guest.read_file("log"), b"abcd");
    // SYNC cannot change, as on Linux; what stays is no change.
    assert_eq!(set(&mut guest, FdFlags::empty()), Err(Errno::Notsup));
    assert_eq!(set(&mut guest, FdFlags::SYNC), Ok(()));
    guest.seek(fd, 0, 0).unwrap();
    guest.write(fd, b"XY").unwrap();
    assert_eq!(guest.read_file("log"), b"XYcd");
    assert_eq!(
        set(
            &mut guest,
            FdFlags::SYNC | FdFlags::NONBLOCK | FdFlags::APPEND
        ),
        Ok(())
    );
    guest.write(fd, b"!").unwrap();
    assert_eq!(guest.read_file("log"), b"XYcd!");
    assert_eq!(
        functions::fd_fdstat_set_flags(&mut guest.call(), fd, 1 << 5),
        Err(Errno::Inval)
    );
}

/// Go sets NONBLOCK on 0, 1 and 2 at start. Whoever shares the open file, such
/// as the shell that started us, must not notice.
#[test]
fn nonblock_on_a_standard_stream_stays_with_the_guest() {
    let (reader, writer) = std::io::pipe().unwrap();
    let shared = reader.try_clone().unwrap();
    let mut guest = Guest::with(|builder| {
        builder.stdin(Input::file(File::from(OwnedFd::from(reader))));
    });
    let nonblock = u32::from(FdFlags::NONBLOCK.bits());
    for fd in 0..3 {
        assert_eq!(
            functions::fd_fdstat_set_flags(&mut guest.call(), fd, nonblock),
            Ok(())
        );
    }
    assert_eq!(guest.fdstat(0).unwrap().flags, FdFlags::NONBLOCK.bits());
    let status = rustix::fs::fcntl_getfl(&shared).unwrap();
    assert!(!status.contains(rustix::fs::OFlags::NONBLOCK));

    assert_eq!(guest.read(0, 9), Err(Errno::Again));
    rustix::io::write(&writer, b"abc").unwrap();
    assert_eq!(guest.readv(0, &[(0, 1), (8, 9)]), Ok(3));
    assert_eq!(guest.read(0, 9), Err(Errno::Again));
    drop(writer);
    assert_eq!(guest.read(0, 9), Ok(vec![]));
}

/// And the other way round: another program in the same terminal has set it.
#[test]
fn nonblock_set_by_others_does_not_reach_the_guest() {
    let (reader, writer) = std::io::pipe().unwrap();
    let status = rustix::fs::fcntl_getfl(&reader).unwrap();
    rustix::fs::fcntl_setfl(&reader, status | rustix::fs::OFlags::NONBLOCK).unwrap();
    let mut guest = Guest::with(|builder| {
        builder.stdin(Input::file(File::from(OwnedFd::from(reader))));
    });
    assert_eq!(guest.fdstat(0).unwrap().flags, 0);
    let write = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(30));
        rustix::io::write(&writer, b"late").unwrap();
    });
    assert_eq!(guest.read(0, 9), Ok(b"late".to_vec()));
    write.join().unwrap();
}

#[test]
fn sizes_and_times() {
    let mut guest = Guest::new();
    let fd = guest.create("file");
    guest.write(fd, b"0123456789").unwrap();
    functions::fd_filestat_set_size(&mut guest.call(), fd, 4).unwrap();
    assert_eq!(guest.filestat(fd).unwrap().size, 4);
    functions::fd_filestat_set_size(&mut guest.call(), fd, 6).unwrap();
    assert_eq!(guest.read_file("file"), b"0123\0\0");
    for size in [1 << 63, u64::MAX] {
        let result = functions::fd_filestat_set_size(&mut guest.call(), fd, size);
        assert_eq!(result, Err(Errno::Inval));
    }

    let (atim, mtim) = (FstFlags::ATIM, FstFlags::MTIM);
    let set = |guest: &mut Guest, flags: FstFlags| {
        let call = &mut guest.call();
        functions::fd_filestat_set_times(call, fd, 1_000_000_123, 5, flags.bits().into())
    };
    set(&mut guest, atim | mtim).unwrap();
    let stat = guest.filestat(fd).unwrap();
    assert_eq!((stat.atim, stat.mtim), (1_000_000_123, 5));
    set(&mut guest, FstFlags::MTIM_NOW).unwrap();
    let stat = guest.filestat(fd).unwrap();
    assert_eq!(stat.atim, 1_000_000_123);
    assert!(stat.mtim > 1_500_000_000_000_000_000);
    for flags in [atim | FstFlags::ATIM_NOW, mtim | FstFlags::MTIM_NOW] {
        assert_eq!(set(&mut guest, flags), Err(Errno::Inval));
    }
}

#[test]
fn space_and_advice() {
    let mut guest = Guest::new();
    let fd = guest.create("file");
    let call = &mut guest.call();
    match functions::fd_allocate(call, fd, 10, 90) {
        Ok(()) => {}
        Err(Errno::Notsup) => return,
        Err(errno) => panic!("{errno}"),
    }
    assert_eq!(functions::fd_allocate(call, fd, 0, 0), Err(Errno::Inval));
    assert_eq!(
        functions::fd_allocate(call, fd, u64::MAX, 1),
        Err(Errno::Inval)
    );
    assert_eq!(
        functions::fd_allocate(call, fd, 0, 1 << 63),
        Err(Errno::Inval)
    );
    for advice in 0..6 {
        assert_eq!(
            functions::fd_advise(call, fd, 0, 0, advice),
            Ok(()),
            "{advice}"
        );
    }
    assert_eq!(functions::fd_advise(call, fd, 0, 0, 6), Err(Errno::Inval));
    assert_eq!(
        functions::fd_advise(call, fd, u64::MAX, u64::MAX, 0),
        Err(Errno::Inval)
    );
    assert_eq!(functions::fd_advise(call, 1, 0, 0, 0), Err(Errno::Spipe));
    assert_eq!(
        functions::fd_advise(call, PREOPEN, 0, 0, 0),
        Err(Errno::Isdir)
    );
    assert_eq!(functions::fd_sync(call, fd), Ok(()));
    assert_eq!(functions::fd_datasync(call, fd), Ok(()));
    assert_eq!(functions::fd_sync(call, PREOPEN), Ok(()));
    assert_eq!(functions::fd_sync(call, 1), Err(Errno::Inval));
    assert_eq!(guest.filestat(fd).unwrap().size, 100);
}

#[test]
fn what_is_no_socket_says_so() {
    let mut guest = Guest::new();
    let call = &mut guest.call();
    for (fd, expected) in [
        (1, Errno::Notsock),
        (PREOPEN, Errno::Notsock),
        (9, Errno::Badf),
    ] {
        assert_eq!(uninterrupted::sock_accept(call, fd, 0, 0), Err(expected));
        assert_eq!(
            uninterrupted::sock_recv(call, fd, 0, 0, 0, 0, 0),
            Err(expected)
        );
        assert_eq!(
            uninterrupted::sock_send(call, fd, 0, 0, 0, 0),
            Err(expected)
        );
        assert_eq!(functions::sock_shutdown(call, fd, 0), Err(expected));
    }
}

#[test]
fn exit_codes_are_handed_on_as_they_are() {
    let mut guest = Guest::new();
    for (code, expected) in [(0, 0), (255, 255), (126, 126), (u32::MAX, -1)] {
        assert_eq!(functions::proc_exit(&mut guest.call(), code).0, expected);
    }
    assert_eq!(
        functions::proc_raise(&mut guest.call(), 9),
        Err(Errno::Nosys)
    );
    assert_eq!(
        functions::proc_raise(&mut guest.call(), 99),
        Err(Errno::Inval)
    );
    assert_eq!(functions::sched_yield(&mut guest.call()), Ok(()));
}
