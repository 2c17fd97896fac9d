//! One test for each published advisory, of any runtime, that could apply to
//! the functions: named by its number, or by the report where it has none.
//!
//! What an advisory is an example of is tested at length elsewhere (`sandbox`,
//! `read_only`, `faults`, `poll`); these are the attacks as they were published.
//! Those that need a running guest are in `tests/advisories.rs` of this crate.

use super::guest::{BYTES, RESULT};
use super::poll::{Sub, poll_at};
use super::*;
use crate::builder::{Access, WasiCtxBuilder};
use crate::functions::{self, Call};
use crate::interruption::Stop;
use crate::limits::Limits;
use crate::stdio::Output;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};
use tempfile::TempDir;

/// A folder next to the guest's.
fn secret() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "secret").unwrap();
    folder
}

fn assert_untouched(secret: &TempDir) {
    assert_eq!(fs::read(secret.path().join("file")).unwrap(), b"secret");
    assert_eq!(fs::read_dir(secret).unwrap().count(), 1);
}

const NO_FLAGS: FdFlags = FdFlags::empty();

/// cap-std (GHSA-vqjp-4c8c-hfgg of wasmtime): a path that ends in a slash was followed out of the directory if
/// its last part was a symbolic link, or became one.
#[test]
fn rustsec_2026_0269_trailing_slash() {
    let secret = secret();
    let mut guest = Guest::new();
    symlink(secret.path(), guest.host("link")).unwrap();
    for path in ["link/", "link//", "link/.", "./link/"] {
        for lookup in [FOLLOW, NOFOLLOW] {
            for oflags in [OFlags::empty(), OFlags::DIRECTORY, OFlags::CREAT] {
                let rights = Rights::all() - Rights::FD_WRITE;
                let fd = guest.path_open(PREOPEN, lookup, path, oflags, rights, NO_FLAGS);
                assert!(fd.is_err(), "{path} {lookup} {oflags:?}");
            }
            assert!(guest.stat(lookup, path).is_err(), "{path} {lookup}");
            let times = guest.set_times(lookup, path, (1, 1), 5);
            assert!(times.is_err(), "{path} {lookup}");
        }
        assert!(guest.readlink(path, 64).is_err(), "{path}");
        assert!(guest.rmdir(path).is_err(), "{path}");
        let renamed = guest.rename((PREOPEN, path), (PREOPEN, "moved"));
        assert!(renamed.is_err(), "{path}");
    }

    // The same while somebody else turns the directory into the link and back.
    fs::create_dir(guest.host("dir")).unwrap();
    let (dir, link, spare) = (guest.host("dir"), guest.host("link"), guest.host("spare"));
    let outside = fs::metadata(secret.path()).unwrap().ino();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                fs::rename(&dir, &spare).unwrap();
                fs::rename(&link, &dir).unwrap();
                fs::rename(&dir, &link).unwrap();
                fs::rename(&spare, &dir).unwrap();
            }
        });
        for _ in 0..2_000 {
            if let Ok(fd) = guest.open("dir/", OFlags::DIRECTORY, false) {
                assert_ne!(guest.filestat(fd).unwrap().ino, outside);
                guest.close(fd).unwrap();
            }
            if let Ok(stat) = guest.stat(FOLLOW, "dir/") {
                assert_ne!(stat.ino, outside);
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_untouched(&secret);
}

/// wasmer (GHSA-4mq4-7rw3-vm5j): the paths of the host could be opened without any
/// preopen.
#[test]
fn cve_2023_51661_no_preopens() {
    let secret = secret();
    let mut guest = Guest::new();
    guest.ctx = crate::WasiCtx::builder().build().unwrap();
    let path = secret.path().join("file");
    let path = path.to_str().unwrap();
    for fd in (0..16).chain([u32::MAX]) {
        for path in [path, ".", "/", "Cargo.toml"] {
            let opened =
                guest.path_open(fd, FOLLOW, path, OFlags::empty(), Rights::FD_READ, NO_FLAGS);
            assert!(
                matches!(opened, Err(Errno::Badf | Errno::Notdir)),
                "{fd} {path}: {opened:?}"
            );
        }
    }
}

/// wasmer (GHSA-55f3-3qvg-8pv5): a symbolic link that leads out was followed if the
/// file was to be created and written; and one that the guest had made itself was a panic.
#[test]
fn cve_2024_38358_links_and_creation() {
    let secret = secret();
    let mut guest = Guest::new();
    symlink(secret.path(), guest.host("dir")).unwrap();
    symlink(secret.path().join("file"), guest.host("file")).unwrap();
    symlink(secret.path().join("new"), guest.host("new")).unwrap();
    guest.symlink("../new", "own").unwrap();
    for path in ["dir/file", "dir/new", "file", "new", "own"] {
        for oflags in [
            OFlags::CREAT,
            OFlags::CREAT | OFlags::TRUNC,
            OFlags::CREAT | OFlags::EXCL,
        ] {
            let rights = Rights::FD_READ | Rights::FD_WRITE;
            let opened = guest.path_open(PREOPEN, FOLLOW, path, oflags, rights, NO_FLAGS);
            assert!(
                matches!(opened, Err(Errno::Notcapable | Errno::Exist | Errno::Loop)),
                "{path} {oflags:?}: {opened:?}"
            );
        }
    }
    assert_untouched(&secret);
}

/// wazero#2321: a guest made a symbolic link that leads out, and followed it.
#[test]
fn wazero_2321_links_of_the_guest() {
    let mut guest = Guest::new();
    let up = "../".repeat(20) + "etc/passwd";
    guest.symlink(&up, "a").unwrap();
    assert_eq!(
        guest.open("a", OFlags::empty(), false),
        Err(Errno::Notcapable)
    );
    assert_eq!(guest.stat(FOLLOW, "a"), Err(Errno::Notcapable));
    assert_eq!(guest.symlink("/etc/passwd", "b"), Err(Errno::Notcapable));
}

/// WAMR: a link that the guest had made itself was followed out of the directory
/// if there was nothing yet, and the file was to be created.
#[test]
fn cve_2025_43853_creation_through_own_links() {
    let secret = secret();
    let mut guest = Guest::new();
    let outside = secret.path().file_name().unwrap().to_str().unwrap();
    guest.mkdir("dir").unwrap();
    for (target, name) in [
        (format!("../{outside}/new"), "link"),
        (format!("../../{outside}/new"), "dir/link"),
        (format!("dir/../../{outside}/new"), "crooked"),
    ] {
        guest.symlink(&target, name).unwrap();
        for lookup in [FOLLOW, NOFOLLOW] {
            for oflags in [OFlags::CREAT, OFlags::CREAT | OFlags::TRUNC] {
                let rights = Rights::FD_READ | Rights::FD_WRITE;
                let opened = guest.path_open(PREOPEN, lookup, name, oflags, rights, NO_FLAGS);
                assert!(
                    matches!(opened, Err(Errno::Notcapable | Errno::Loop)),
                    "{name} {lookup} {oflags:?}: {opened:?}"
                );
            }
        }
    }
    assert_untouched(&secret);
}

/// uvwasi#299: the target of a link was not checked as other paths are.
#[test]
fn uvwasi_299_targets_are_checked() {
    let secret = secret();
    let mut guest = Guest::new();
    let absolute = secret.path().join("file");
    for target in [absolute.to_str().unwrap(), "/", "//etc/passwd", "/."] {
        assert_eq!(
            guest.symlink(target, "link"),
            Err(Errno::Notcapable),
            "{target}"
        );
    }
    assert_eq!(guest.symlink("", "link"), Err(Errno::Noent));
    assert_eq!(guest.symlink("fi\0le", "link"), Err(Errno::Inval));
    assert_eq!(guest.names(PREOPEN), Ok(vec![]));
    // Text that leads out may be stored; it leads nowhere.
    guest.symlink("../file", "link").unwrap();
    assert_eq!(guest.stat(FOLLOW, "link"), Err(Errno::Notcapable));
}

/// uvwasi#226 and #224: targets are relative to where the link is, and none may
/// leave the directory in between, even to come back.
#[test]
fn uvwasi_226_targets_of_links() {
    let mut guest = Guest::new();
    guest.file("file", b"text");
    guest.mkdir("dir").unwrap();
    let root = guest.folder().to_owned();
    let name = root.file_name().unwrap().to_str().unwrap();
    let absolute = root.join("file");
    for (target, link, expected) in [
        ("./file", "near", Ok(())),
        ("../file", "dir/up", Ok(())),
        ("../file", "out", Err(Errno::Notcapable)),
        (&format!("../{name}/file"), "back", Err(Errno::Notcapable)),
        (absolute.to_str().unwrap(), "whole", Err(Errno::Notcapable)),
        // Resolved as text, these would count as two directories deep.
        (".", "loop", Ok(())),
        ("../outside", "loop/loop/deep", Err(Errno::Notcapable)),
    ] {
        symlink(target, guest.host(link)).unwrap();
        assert_eq!(guest.stat(FOLLOW, link).map(drop), expected, "{link}");
    }
    let inside = guest.stat(FOLLOW, "loop/loop/file").map(drop);
    assert_eq!(inside, Ok(()));
}

/// wasmer#1759: what was renamed at the top of the directory ended up beside the
/// directory.
#[test]
fn wr_1759_renamed_files_stay_inside() {
    let mut guest = Guest::new();
    guest.file("foo", b"text");
    assert_eq!(guest.rename((PREOPEN, "foo"), (PREOPEN, "bar")), Ok(()));
    assert_eq!(guest.read_file("bar"), b"text");
    assert_eq!(fs::read_dir(guest.folder()).unwrap().count(), 1);
}

fn twice(folder: &std::path::Path) -> WasiCtxBuilder {
    let mut builder = crate::WasiCtx::builder();
    builder
        .preopened_dir(folder, "/ro", Access::ReadOnly)
        .unwrap();
    builder
        .preopened_dir(folder, "/rw", Access::ReadWrite)
        .unwrap();
    builder
}

/// wasmtime (RUSTSEC-2026-0149, CVE-2026-47261): a file that could only be read
/// could be cut when it was opened.
#[test]
fn ghsa_2r75_truncation_through_read_only() {
    let mut guest = Guest::with_access(Access::ReadOnly, |_| {});
    guest.file("file", b"text");
    for rights in [Rights::empty(), Rights::FD_READ, Rights::all()] {
        for oflags in [OFlags::TRUNC, OFlags::TRUNC | OFlags::CREAT] {
            let opened = guest.path_open(PREOPEN, FOLLOW, "file", oflags, rights, NO_FLAGS);
            assert_eq!(opened, Err(Errno::Rofs), "{rights:?} {oflags:?}");
        }
    }
    let fd = guest.open("file", OFlags::empty(), false).unwrap();
    let call = &mut guest.call();
    assert!(functions::fd_filestat_set_size(call, fd, 0).is_err());
    assert!(functions::fd_allocate(call, fd, 0, 100).is_err());
    assert_eq!(guest.read_file("file"), b"text");
}

/// wasmtime (RUSTSEC-2026-0188, CVE-2026-58494): a file of a read-only directory was
/// linked or moved into a writable one, and written there.
#[test]
fn ghsa_4ch3_links_and_renames_out_of_read_only() {
    let mut guest = Guest::new();
    guest.file("file", b"text");
    let folder = guest.folder().to_owned();
    guest.ctx = twice(&folder).build().unwrap();
    let (ro, rw) = (PREOPEN, PREOPEN + 1);
    assert_eq!(guest.link((ro, "file"), (rw, "new")), Err(Errno::Rofs));
    assert_eq!(guest.rename((ro, "file"), (rw, "new")), Err(Errno::Rofs));
    assert_eq!(guest.link((rw, "file"), (ro, "new")), Err(Errno::Rofs));
    assert_eq!(guest.rename((rw, "file"), (ro, "new")), Err(Errno::Rofs));
    // Nor through a directory that was opened below it.
    let below = guest.open(".", OFlags::DIRECTORY, false).unwrap();
    assert_eq!(guest.link((below, "file"), (rw, "new")), Err(Errno::Rofs));
    assert!(!guest.host("new").exists());
}

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

/// WasmEdge: the size of an array was a product of 32 bits, and too small.
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
