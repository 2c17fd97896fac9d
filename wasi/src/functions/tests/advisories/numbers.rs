//! Descriptors, pointers, lengths and times.

use super::super::guest::{BYTES, RESULT};
use super::super::poll::{Sub, poll_at};
use super::super::*;
use crate::functions::{self, Call};
use crate::interruption::Stop;
use crate::limits::Limits;
use crate::stdio::Output;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, UNIX_EPOCH};

/// wasmtime (RUSTSEC-2025-0046, CVE-2025-53901): renumbering over certain
/// descriptors was a panic.
#[test]
fn ghsa_fm79_renumbering_does_not_panic() {
    let mut guest = Guest::new();
    guest.create("file");
    for from in (0..8).chain([u32::MAX]) {
        for to in (0..8).chain([u32::MAX]) {
            let _ = functions::fd_renumber(&mut guest.call(), from, to);
        }
    }
    // All of them were moved onto one another; one is left, whichever.
    let open = (0..8).filter(|fd| guest.fdstat(*fd).is_ok()).count();
    assert_eq!(open, 1);
}

/// wasmtime (RUSTSEC-2026-0182): what a renumbering replaced stayed open.
#[test]
fn ghsa_3p27_renumbering_does_not_leak() {
    let mut guest = Guest::new();
    let host_files = || fs::read_dir("/proc/self/fd").unwrap().count();
    let to = guest.create("file");
    let before = host_files();
    for _ in 0..2_000 {
        let fd = guest.open("file", OFlags::empty(), false).unwrap();
        assert_eq!(functions::fd_renumber(&mut guest.call(), fd, to), Ok(()));
    }
    // Other tests open files, too, but not so many.
    assert!(host_files() < before + 1_000);
}

/// wasmtime (RUSTSEC-2026-0020, CVE-2026-27204): a guest could have the host hold or
/// copy as much as it liked.
#[test]
fn ghsa_852m_exhaustion() {
    let limits = Limits {
        open_files: 16,
        listings: 2,
        ..Limits::default()
    };
    let mut guest = Guest::with(|builder| {
        builder.limits(limits);
    });
    guest.memory.resize(8 << 20, 0);
    // Descriptors and listings.
    let mut directories = Vec::new();
    let full = loop {
        match guest.open(".", OFlags::DIRECTORY, false) {
            Ok(fd) => directories.push(fd),
            Err(errno) => break errno,
        }
    };
    assert_eq!((full, directories.len()), (Errno::Mfile, 12));
    let listed: Vec<_> = directories[..3]
        .iter()
        .map(|fd| functions::fd_readdir(&mut guest.call(), *fd, BYTES, 1, 0, RESULT))
        .collect();
    assert_eq!(listed, [Ok(()), Ok(()), Err(Errno::Nfile)]);
    // Lists: of a length that would fit the memory.
    let call = &mut guest.call();
    let many = limits.iovecs + 1;
    let written = uninterrupted::fd_write(call, 1, BYTES, many, RESULT);
    assert_eq!(written, Err(Errno::Inval));
    let waited = functions::poll_oneoff(
        call,
        &Interruption::never(),
        BYTES,
        BYTES,
        limits.subscriptions + 1,
        RESULT,
    );
    assert_eq!(waited, Err(Stop::Errno(Errno::Inval)));
    // Paths.
    let long = limits.path_bytes + 1;
    guest.memory[BYTES as usize..][..long as usize].fill(b'a');
    let call = &mut guest.call();
    let made = functions::path_create_directory(call, PREOPEN, BYTES, long);
    assert_eq!(made, Err(Errno::Nametoolong));
    let linked = functions::path_symlink(call, BYTES, long, PREOPEN, BYTES, 1);
    assert_eq!(linked, Err(Errno::Nametoolong));
}

/// WAMR: `poll_oneoff` wrote events beyond the array that the guest had given.
#[test]
fn cve_2026_54914_events_stay_in_their_array() {
    const COUNT: usize = 100;
    const EVENT: u32 = 32;
    let mut guest = Guest::new();
    // Each of them fails, so that there are as many events as subscriptions.
    let subs = [Sub::Read(99); COUNT];
    let end = guest.memory.len() as u32;
    let out = end - EVENT * COUNT as u32;
    assert_eq!(poll_at(&mut guest, &subs, BYTES, out).unwrap().len(), COUNT);
    let beyond = poll_at(&mut guest, &subs, BYTES, out + 1);
    assert_eq!(beyond, Err(Stop::Errno(Errno::Fault)));
    // What lies behind the array stays.
    guest.memory[out as usize..].fill(0xee);
    let fewer = COUNT - 1;
    poll_at(&mut guest, &subs[..fewer], BYTES, out).unwrap();
    let behind = &guest.memory[out as usize + fewer * EVENT as usize..];
    assert!(behind.iter().all(|byte| *byte == 0xee));
}

/// wasmtime: what limits `poll_oneoff` did not hold for that of `wasi_unstable`.
#[test]
fn ghsa_j366_polls_of_the_unstable_abi() {
    let limits = Limits {
        subscriptions: 4,
        ..Limits::default()
    };
    let mut guest = Guest::with(|builder| {
        builder.limits(limits);
    });
    for snapshot in [Snapshot::Zero, Snapshot::One] {
        guest.snapshot = snapshot;
        // Zeroes are clocks that are due.
        guest.memory.fill(0);
        for (count, expected) in [
            (4, Ok(())),
            (5, Err(Errno::Inval)),
            (1 << 10, Err(Errno::Inval)),
            (1 << 20, Err(Errno::Fault)),
            (u32::MAX, Err(Errno::Fault)),
        ] {
            let (call, never) = (&mut guest.call(), Interruption::never());
            let polled = functions::poll_oneoff(call, &never, BYTES, 1024, count, RESULT);
            assert_eq!(
                polled,
                expected.map_err(Stop::Errno),
                "{snapshot:?} {count}"
            );
        }
    }
}

/// wasmtime: what a guest without standard streams wrote was held by the host.
#[test]
fn ghsa_gqmc_writes_without_standard_streams() {
    const COUNT: u32 = 16_384;
    let mut guest = Guest::new();
    guest.memory.resize(1 << 20, 0);
    let len = guest.memory.len() as u32;
    // All of the memory, over and over: 16 GiB, of which a call takes 2.
    let list = len - 8 * COUNT;
    for index in 0..COUNT {
        let [ptr, len] = [0, len].map(u32::to_le_bytes);
        guest.put(list + 8 * index, &[ptr, len].concat());
    }
    for fd in [1, 2] {
        let written = uninterrupted::fd_write(&mut guest.call(), fd, list, COUNT, RESULT);
        assert_eq!(written, Ok(()));
        // The list is overwritten by nothing, the result lies below it.
        assert_eq!(guest.u32(RESULT), 0x7fff_f000);
    }
    assert_eq!(guest.read(0, 9), Ok(vec![]));
}

/// wasmtime: writes of nothing made what the host holds grow.
#[test]
fn ghsa_5m8g_writes_of_nothing() {
    struct Never;
    impl std::io::Write for Never {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            panic!("there is nothing to write")
        }
        fn flush(&mut self) -> std::io::Result<()> {
            panic!("there is nothing to write")
        }
    }
    let mut guest = Guest::with(|builder| {
        builder.stdout(Output::writer(Never));
    });
    for buffers in [&[][..], &[(0, 0)], &[(u32::MAX, 0), (0, 0)]] {
        for _ in 0..1_000 {
            assert_eq!(guest.writev(1, buffers), Ok(0));
        }
    }
}

/// wasmtime: the gaps between the fields of an entry of `fd_readdir` had bytes of
/// the host's memory.
#[test]
fn ghsa_96f6_gaps_of_records_are_zero() {
    type Fill = fn(&mut Call<'_>) -> Result<(), Errno>;
    /// What it is, what fills it, its length, and where nothing is.
    type Record = (&'static str, Fill, usize, &'static [(usize, usize)]);
    let records: [Record; 6] = [
        (
            "dirent",
            |call| functions::fd_readdir(call, PREOPEN, BYTES, 25, 0, RESULT),
            25,
            &[(21, 24)],
        ),
        (
            "fdstat",
            |call| functions::fd_fdstat_get(call, PREOPEN, BYTES),
            24,
            &[(1, 2), (4, 8)],
        ),
        (
            "filestat",
            |call| functions::fd_filestat_get(call, PREOPEN, BYTES),
            64,
            &[(17, 24)],
        ),
        (
            "filestat of a stream",
            |call| functions::fd_filestat_get(call, 0, BYTES),
            64,
            &[(17, 24)],
        ),
        (
            "prestat",
            |call| functions::fd_prestat_get(call, PREOPEN, BYTES),
            8,
            &[(1, 4)],
        ),
        (
            "event",
            |call| {
                let never = Interruption::never();
                call.memory.write(1024, &[0; 48])?;
                functions::poll_oneoff(call, &never, 1024, BYTES, 1, RESULT)
                    .map_err(|_| Errno::Intr)
            },
            32,
            &[(11, 16), (26, 32)],
        ),
    ];
    let mut guest = Guest::new();
    for (name, fill, len, gaps) in records {
        guest.memory.fill(0xee);
        fill(&mut guest.call()).unwrap();
        let (record, behind) = guest.memory[BYTES as usize..].split_at(len);
        for &(start, end) in gaps {
            assert!(
                record[start..end].iter().all(|byte| *byte == 0),
                "{name}: {record:?}"
            );
        }
        assert!(behind.iter().all(|byte| *byte == 0xee), "{name}");
    }
}

/// wasmtime: a file from before 1970 was a panic.
#[test]
fn ghsa_mr2v_times_that_no_timestamp_has() {
    let mut guest = Guest::new();
    guest.file("file", b"");
    let file = fs::File::options()
        .write(true)
        .open(guest.host("file"))
        .unwrap();
    let long = Duration::from_secs(1 << 30);
    for (time, expected) in [
        (UNIX_EPOCH - Duration::from_nanos(1), 0),
        (UNIX_EPOCH - long, 0),
        (UNIX_EPOCH, 0),
        (UNIX_EPOCH + long, long.as_nanos() as u64),
    ] {
        file.set_modified(time).unwrap();
        assert_eq!(
            guest.stat(FOLLOW, "file").unwrap().mtim,
            expected,
            "{time:?}"
        );
        let fd = guest.open("file", OFlags::empty(), false).unwrap();
        assert_eq!(guest.filestat(fd).unwrap().mtim, expected, "{time:?}");
        guest.close(fd).unwrap();
    }
    // Those that the guest sets have 64 bits, and a file system fewer.
    for time in [0, 1, u64::MAX / 2, u64::MAX] {
        let set = guest.set_times(FOLLOW, "file", (time, time), 5);
        assert_eq!(set, Ok(()), "{time}");
        assert!(guest.stat(FOLLOW, "file").unwrap().mtim <= time, "{time}");
    }
}

/// WasmEdge before 0.15.1: the size of an array was a product of 32 bits, and too
/// small.
#[test]
fn cve_2025_69261_products_that_wrap() {
    let limits = Limits {
        iovecs: u32::MAX,
        subscriptions: u32::MAX,
        ..Limits::default()
    };
    let mut guest = Guest::with(|builder| {
        builder.limits(limits);
    });
    let fd = guest.create("file");
    // As 32 bits: nothing, and one record.
    for extra in [0, 1] {
        let call = &mut guest.call();
        let buffers = (1 << 29) + extra;
        let written = uninterrupted::fd_write(call, fd, BYTES, buffers, RESULT);
        assert_eq!(written, Err(Errno::Fault));
        let read = uninterrupted::fd_read(call, fd, BYTES, buffers, RESULT);
        assert_eq!(read, Err(Errno::Fault));
        let (never, subs) = (Interruption::never(), (1 << 28) + extra);
        let polled = functions::poll_oneoff(call, &never, BYTES, BYTES, subs, RESULT);
        assert_eq!(polled, Err(Stop::Errno(Errno::Fault)));
    }
}

/// WasmEdge#1165: `poll_oneoff` failed where a file was waited for twice.
#[test]
fn we_1165_a_file_that_is_waited_for_twice() {
    let mut guest = Guest::new();
    let fd = guest.create("file");
    let subs = [Sub::Read(fd), Sub::Write(fd), Sub::Read(fd)];
    let out = BYTES + 4096;
    let events = poll_at(&mut guest, &subs, BYTES, out).unwrap();
    let seen: Vec<_> = events.iter().map(|event| (event.0, event.1)).collect();
    assert_eq!(seen, [(100, 0), (101, 0), (102, 0)]);
}

/// wasm3#323: the buffers of reads and writes were not checked.
#[test]
fn wasm3_323_buffers_are_checked() {
    let mut guest = Guest::new();
    let fd = guest.create("file");
    let end = guest.memory.len() as u32;
    for (ptr, len) in [
        (end - 1, 2),
        (end, 1),
        (end - 8, u32::MAX),
        (u32::MAX, u32::MAX),
        (0x7000, 0x8000_0000),
    ] {
        for buffers in [&[(ptr, len)][..], &[(0, 8), (ptr, len)]] {
            assert_eq!(guest.writev(fd, buffers), Err(Errno::Fault));
            assert_eq!(guest.readv(fd, buffers), Err(Errno::Fault));
        }
    }
    assert_eq!(guest.filestat(fd).unwrap().size, 0);
    // WR#1258: up to the very end is fine.
    assert_eq!(guest.writev(fd, &[(end - 4, 4)]), Ok(4));
}

/// WasmEdge#5089, #5229 and #5263: pointers that are not aligned were taken for aligned
/// ones. All of them are fine here.
#[test]
fn we_5089_pointers_need_no_alignment() {
    let mut guest = Guest::with(|builder| {
        builder.args(["tool", "x"]).env("A", "1");
    });
    let fd = guest.create("file");
    for odd in [1, 2, 3, 5, 7] {
        let (list, out, bytes) = (2048 + odd, 4096 + odd, 8192 + odd);
        let call = &mut guest.call();
        assert_eq!(functions::args_sizes_get(call, out, out + 4), Ok(()));
        assert_eq!(functions::args_get(call, list, bytes), Ok(()));
        assert_eq!(functions::environ_get(call, list + 8, bytes + 64), Ok(()));
        assert_eq!(functions::clock_time_get(call, 0, 0, out + 8), Ok(()));
        assert_eq!(guest.u32(out), 2);
        assert_eq!(guest.u32(list), bytes);
        assert_eq!(guest.bytes(bytes, 7), b"tool\0x\0");
        assert_ne!(guest.u64(out + 8), 0);

        guest.put(list, &bytes.to_le_bytes());
        guest.put(list + 4, &6u32.to_le_bytes());
        let call = &mut guest.call();
        assert_eq!(uninterrupted::fd_pwrite(call, fd, list, 1, 0, out), Ok(()));
        assert_eq!(functions::fd_fdstat_get(call, fd, bytes), Ok(()));
        assert_eq!(functions::fd_filestat_get(call, fd, bytes + 24), Ok(()));
        assert_eq!(functions::fd_prestat_get(call, PREOPEN, bytes + 88), Ok(()));
        assert_eq!(guest.u32(out), 6);
        assert_eq!(guest.u64(bytes + 24 + 32), 6, "the size of the file");
        assert_eq!(guest.read_file("file"), b"tool\0x");

        let events = poll_at(&mut guest, &[Sub::Write(fd)], list, bytes);
        assert_eq!(events.unwrap().len(), 1);
    }
}

/// WasmEdge#4670: NONBLOCK for an accepted connection was set for its listener.
#[test]
fn we_4670_nonblock_for_what_is_accepted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut guest = Guest::with(|builder| {
        builder.listener(listener);
    });
    let (listener, nonblock) = (PREOPEN + 1, FdFlags::NONBLOCK.bits());
    for flags in [nonblock, 0] {
        let _peer = TcpStream::connect(address).unwrap();
        let accepted =
            uninterrupted::sock_accept(&mut guest.call(), listener, flags.into(), RESULT);
        assert_eq!(accepted, Ok(()));
        let connection = guest.u32(RESULT);
        assert_eq!(guest.fdstat(connection).unwrap().flags, flags);
        assert_eq!(guest.fdstat(listener).unwrap().flags, 0);
        let read = (flags != 0).then(|| guest.read(connection, 1));
        assert!(matches!(read, None | Some(Err(Errno::Again))), "{read:?}");
    }
}

/// WAMR#4452: what a guest asked for had no size, and neither had what was allocated.
#[test]
fn wamr_4452_requests_of_no_size() {
    let mut guest = Guest::new();
    let fd = guest.create("file");
    guest.symlink("file", "link").unwrap();
    let end = guest.memory.len() as u32;
    let (path, len) = guest.path("link");
    let call = &mut guest.call();
    assert_eq!(functions::args_get(call, end, end), Ok(()));
    assert_eq!(functions::environ_get(call, end, end), Ok(()));
    assert_eq!(
        functions::random_get(call, &Interruption::never(), end, 0),
        Ok(())
    );
    let read = functions::path_readlink(call, PREOPEN, path, len, end, 0, RESULT);
    assert_eq!(read, Ok(()));
    let listed = functions::fd_readdir(call, PREOPEN, end, 0, 0, RESULT);
    assert_eq!(listed, Ok(()));
    assert_eq!(uninterrupted::fd_write(call, fd, end, 0, RESULT), Ok(()));
    assert_eq!(uninterrupted::fd_read(call, fd, end, 0, RESULT), Ok(()));
    assert_eq!(functions::fd_allocate(call, fd, 0, 0), Err(Errno::Inval));
    for path in [end, 0] {
        let made = functions::path_create_directory(call, PREOPEN, path, 0);
        assert_eq!(made, Err(Errno::Noent));
    }
    assert_eq!(guest.u32(RESULT), 0);
}
