//! Reading and writing.

use super::guest::{BYTES, RESULT};
use super::*;
use crate::functions;
use crate::limits::Limits;
use crate::stdio::{Capture, Input, Output};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

fn file(fd: impl Into<OwnedFd>) -> File {
    File::from(fd.into())
}

#[test]
fn positions_move_with_reads_and_writes() {
    let mut guest = Guest::new();
    let fd = guest.create("file");
    assert_eq!(guest.write(fd, b"0123456789"), Ok(10));
    assert_eq!(guest.tell(fd), Ok(10));
    assert_eq!(guest.seek(fd, -8, 1), Ok(2));
    assert_eq!(guest.read(fd, 3), Ok(b"234".to_vec()));
    assert_eq!(guest.pread(fd, 3, 7), Ok(b"789".to_vec()));
    assert_eq!(guest.pwrite(fd, b"ab", 0), Ok(2));
    assert_eq!(guest.tell(fd), Ok(5));
    assert_eq!(guest.seek(fd, 5, 2), Ok(15));
    assert_eq!(guest.read(fd, 3), Ok(vec![]));
    assert_eq!(guest.seek(fd, -16, 1), Err(Errno::Inval));
    assert_eq!(guest.seek(fd, -1, 0), Err(Errno::Inval));
    assert_eq!(guest.seek(fd, 0, 3), Err(Errno::Inval));
    assert_eq!(guest.tell(fd), Ok(15));
    assert_eq!(guest.read_file("file"), b"ab23456789");
}

#[test]
fn snapshot_0_counts_whence_otherwise() {
    let mut guest = Guest::new();
    let fd = guest.create("file");
    guest.write(fd, b"0123456789").unwrap();
    guest.snapshot = Snapshot::Zero;
    assert_eq!(guest.seek(fd, 3, 2), Ok(3));
    assert_eq!(guest.seek(fd, 3, 0), Ok(6));
    assert_eq!(guest.seek(fd, -3, 1), Ok(7));
    functions::fd_filestat_get(&mut guest.call(), fd, RESULT).unwrap();
    assert_eq!(guest.u64(RESULT + 24), 10, "the size is elsewhere too");
}

/// Linux does, POSIX says otherwise; programs are tested on Linux.
#[test]
fn pwrite_appends_to_files_that_append() {
    let mut guest = Guest::new();
    let flags = (OFlags::CREAT, FdFlags::APPEND);
    let fd = guest.path_open(PREOPEN, FOLLOW, "log", flags.0, Rights::all(), flags.1);
    let fd = fd.unwrap();
    guest.write(fd, b"abc").unwrap();
    assert_eq!(guest.pwrite(fd, b"de", 0), Ok(2));
    assert_eq!(guest.read_file("log"), b"abcde");
}

#[test]
fn offsets_beyond_63_bits_are_invalid() {
    let mut guest = Guest::new();
    let fd = guest.create("file");
    for offset in [1 << 63, u64::MAX] {
        assert_eq!(guest.pread(fd, 1, offset), Err(Errno::Inval));
        assert_eq!(guest.pread(fd, 0, offset), Err(Errno::Inval));
        assert_eq!(guest.pwrite(fd, b"x", offset), Err(Errno::Inval));
    }
    let beyond = guest.pwrite(fd, b"xy", i64::MAX as u64);
    assert!(matches!(beyond, Err(Errno::Fbig | Errno::Inval)));
}

#[test]
fn ten_thousand_buffers() {
    const COUNT: u32 = 10_000;
    let mut guest = Guest::new();
    guest.memory.resize(4 << 20, 0);
    let list = 1 << 20;
    // Each buffer has 1 to 3 bytes, some are empty.
    let (mut at, mut total): (u32, u32) = (2 << 20, 0);
    for index in 0..COUNT {
        let len = index % 4;
        guest.put(list + 8 * index, &at.to_le_bytes());
        guest.put(list + 8 * index + 4, &len.to_le_bytes());
        guest.put(at, &[index as u8; 3][..len as usize]);
        at += len + 1;
        total += len;
    }
    let fd = guest.create("file");
    uninterrupted::fd_write(&mut guest.call(), fd, list, COUNT, RESULT).unwrap();
    assert_eq!(guest.u32(RESULT), total);
    let written = guest.memory.clone();
    let contents = guest.read_file("file");
    assert_eq!(contents.len(), total as usize);

    guest.memory[2 << 20..].fill(0);
    guest.seek(fd, 0, 0).unwrap();
    uninterrupted::fd_read(&mut guest.call(), fd, list, COUNT, RESULT).unwrap();
    assert_eq!(guest.u32(RESULT), total);
    assert!(guest.memory[2 << 20..] == written[2 << 20..]);

    guest.memory[2 << 20..].fill(0);
    let call = &mut guest.call();
    uninterrupted::fd_pread(call, fd, list, COUNT, 0, RESULT).unwrap();
    assert_eq!(guest.u32(RESULT), total);
    assert!(guest.memory[2 << 20..] == written[2 << 20..]);
}

#[test]
fn buffers_may_overlap_and_come_in_any_order() {
    let mut guest = Guest::new();
    guest.file("file", b"abcdefgh");
    /// A list of buffers, and what lies at `BYTES` afterwards.
    type Case<'a> = (&'a [(u32, u32)], &'a [u8]);
    let cases: &[Case<'_>] = &[
        (&[(4, 4), (0, 4)], b"efghabcd"),
        (&[(6, 2), (0, 1), (3, 3), (1, 2)], b"cghdefab"),
        // The later buffer wins where two overlap.
        (&[(0, 4), (2, 4)], b"abefgh\0\0"),
        (&[(0, 4), (0, 4)], b"efgh\0\0\0\0"),
        (&[(2, 4), (0, 4)], b"efghcd\0\0"),
        (&[(0, 0), (0, 8), (5, 0)], b"abcdefgh"),
    ];
    for (buffers, expected) in cases {
        guest.memory[BYTES as usize..][..8].fill(0);
        let fd = guest.open("file", OFlags::empty(), false).unwrap();
        let placed: Vec<_> = buffers.iter().map(|(at, len)| (BYTES + at, *len)).collect();
        let total: u32 = buffers.iter().map(|(_, len)| len).sum();
        assert_eq!(guest.readv(fd, &placed), Ok(total), "{buffers:?}");
        assert_eq!(guest.bytes(BYTES, 8), *expected, "{buffers:?}");
        guest.close(fd).unwrap();
    }
    // Writing the same bytes several times.
    let fd = guest.create("copy");
    guest.put(BYTES, b"xyz");
    assert_eq!(
        guest.writev(fd, &[(BYTES, 3), (BYTES, 3), (BYTES + 1, 2)]),
        Ok(8)
    );
    assert_eq!(guest.read_file("copy"), b"xyzxyzyz");
}

#[test]
fn a_read_over_its_own_list_of_buffers() {
    let mut guest = Guest::new();
    guest.file("file", &[0xff; 4096]);
    let fd = guest.open("file", OFlags::empty(), false).unwrap();
    let (list, count) = guest.iovecs(&[(1024, 1000), (BYTES, 100), (1024, 8)]);
    uninterrupted::fd_read(&mut guest.call(), fd, list, count, RESULT).unwrap();
    assert_eq!(guest.u32(RESULT), 1108);
}

#[test]
fn nothing_to_do_is_done() {
    let mut guest = Guest::new();
    let fd = guest.create("file");
    assert_eq!(guest.writev(fd, &[]), Ok(0));
    assert_eq!(guest.writev(fd, &[(0, 0), (u32::MAX, 0)]), Ok(0));
    assert_eq!(guest.readv(fd, &[]), Ok(0));
    assert_eq!(guest.readv(1, &[]), Err(Errno::Notcapable));
}

#[test]
fn too_many_buffers_are_invalid() {
    let limits = Limits {
        iovecs: 2,
        ..Limits::default()
    };
    let mut guest = Guest::with(|builder| {
        builder.limits(limits);
    });
    assert_eq!(guest.writev(1, &[(0, 1), (0, 1)]), Ok(2));
    assert_eq!(
        guest.writev(1, &[(0, 1), (0, 1), (0, 1)]),
        Err(Errno::Inval)
    );
    // A list that cannot even be in the memory is a fault.
    let result = uninterrupted::fd_write(&mut guest.call(), 1, 0, u32::MAX, RESULT);
    assert_eq!(result, Err(Errno::Fault));
}

#[test]
fn directories_have_no_bytes() {
    let mut guest = Guest::new();
    assert_eq!(guest.read(PREOPEN, 1), Err(Errno::Isdir));
    assert_eq!(guest.pread(PREOPEN, 1, 0), Err(Errno::Isdir));
    assert_eq!(guest.write(PREOPEN, b"x"), Err(Errno::Isdir));
    assert_eq!(guest.pwrite(PREOPEN, b"x", 0), Err(Errno::Isdir));
    assert_eq!(guest.seek(PREOPEN, 0, 1), Err(Errno::Isdir));
    assert_eq!(guest.tell(PREOPEN), Err(Errno::Isdir));
}

/// WR#6279: a panic.
#[test]
fn a_broken_pipe_is_an_error_code() {
    let (reader, writer) = io::pipe().unwrap();
    let mut guest = Guest::with(|builder| {
        builder.stdout(Output::file(file(writer)));
    });
    assert_eq!(guest.write(1, b"abc"), Ok(3));
    drop(reader);
    assert_eq!(guest.write(1, b"abc"), Err(Errno::Pipe));
    assert_eq!(guest.writev(1, &[(0, 1), (8, 1)]), Err(Errno::Pipe));
}

/// WT#255 and WR#363: what was written is there, without any flush.
#[test]
fn output_is_not_held_back() {
    let (mut reader, writer) = io::pipe().unwrap();
    let mut guest = Guest::with(|builder| {
        builder.stdout(Output::file(file(writer)));
    });
    guest.write(1, b"prompt> ").unwrap();
    let mut bytes = [0; 8];
    reader.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"prompt> ");
}

#[test]
fn a_full_pipe_takes_a_part() {
    let (reader, writer) = io::pipe().unwrap();
    let mut guest = Guest::with(|builder| {
        builder.stdout(Output::file(file(writer)));
    });
    guest.memory.resize(2 << 20, b'x');
    let nonblock = FdFlags::NONBLOCK.bits().into();
    functions::fd_fdstat_set_flags(&mut guest.call(), 1, nonblock).unwrap();
    let written = guest.writev(1, &[(BYTES, 1 << 20)]).unwrap();
    assert!((1..1 << 20).contains(&written), "{written}");
    assert_eq!(guest.writev(1, &[(BYTES, 1 << 20)]), Err(Errno::Again));
    assert_eq!(
        guest.writev(1, &[(BYTES, 5), (BYTES, 1 << 19)]),
        Err(Errno::Again)
    );
    let mut reader = file(reader);
    let mut bytes = vec![0; 1 << 17];
    let read = reader.read(&mut bytes).unwrap();
    assert!(read > 0);
    assert!(guest.writev(1, &[(BYTES, 5), (BYTES, 1 << 20)]).unwrap() > 0);
}

#[test]
fn a_read_returns_what_is_there() {
    let (reader, writer) = io::pipe().unwrap();
    let mut guest = Guest::with(|builder| {
        builder.stdin(Input::file(file(reader)));
    });
    let mut writer = file(writer);
    writer.write_all(b"one").unwrap();
    // Overlapping buffers take two reads, of which the second would block.
    assert_eq!(guest.readv(0, &[(BYTES, 2), (BYTES, 8)]), Ok(2));
    assert_eq!(guest.readv(0, &[(BYTES + 9, 9), (BYTES, 9)]), Ok(1));
    assert_eq!(guest.bytes(BYTES + 9, 1), b"e");
}

#[test]
fn streams_of_the_embedder() {
    let capture = Capture::new(10);
    let mut guest = Guest::with(|builder| {
        builder
            .stdin(Input::bytes("some input"))
            .stdout(Output::capture(&capture));
    });
    assert_eq!(guest.readv(0, &[(BYTES, 4), (BYTES + 4, 9)]), Ok(4));
    assert_eq!(guest.read(0, 100), Ok(b" input".to_vec()));
    assert_eq!(guest.read(0, 100), Ok(vec![]));
    guest.put(BYTES, b"hello, world");
    assert_eq!(guest.writev(1, &[(BYTES, 5), (BYTES + 5, 2)]), Ok(7));
    assert_eq!(guest.writev(1, &[(BYTES + 7, 5)]), Ok(3));
    assert_eq!(guest.write(1, b"!"), Err(Errno::Nospc));
    assert_eq!(capture.text(), "hello, wor");
    assert_eq!(guest.read(1, 1), Err(Errno::Notcapable));
    assert_eq!(guest.write(0, b"x"), Err(Errno::Notcapable));
}

/// A reader that lies about how much it has read.
#[test]
fn an_embedder_that_lies_harms_nobody() {
    struct Liar;
    impl Read for Liar {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Ok(usize::MAX)
        }
    }
    impl Write for Liar {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Ok(usize::MAX)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut guest = Guest::with(|builder| {
        builder
            .stdin(Input::reader(Liar))
            .stdout(Output::writer(Liar));
    });
    assert_eq!(guest.readv(0, &[(BYTES, 4)]), Ok(4));
    assert_eq!(guest.writev(1, &[(BYTES, 4), (BYTES, 4)]), Ok(8));
}
