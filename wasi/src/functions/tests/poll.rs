//! `poll_oneoff`.

use super::guest::RESULT;
use super::*;
use crate::functions;
use crate::interruption::{Stop, WaitObserver};
use crate::stdio::{Input, Output};
use rustix::time::{ClockId, clock_gettime};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Where subscriptions lie.
const IN: u32 = 16 << 10;
/// Where events go.
const OUT: u32 = 96 << 10;

const MILLISECOND: u64 = 1_000_000;

/// What to wait for.
#[derive(Clone, Copy)]
pub(super) enum Sub {
    Relative(u32, u64),
    Absolute(u32, u64),
    Read(u32),
    Write(u32),
}

/// userdata, error, type, bytes, flags
pub(super) type Event = (u64, u16, u8, u64, u16);

fn encode(sub: Sub, userdata: u64) -> [u8; 48] {
    let mut bytes = [0; 48];
    bytes[..8].copy_from_slice(&userdata.to_le_bytes());
    match sub {
        Sub::Relative(id, timeout) | Sub::Absolute(id, timeout) => {
            bytes[16..20].copy_from_slice(&id.to_le_bytes());
            bytes[24..32].copy_from_slice(&timeout.to_le_bytes());
            bytes[40] = matches!(sub, Sub::Absolute(..)).into();
        }
        Sub::Read(fd) | Sub::Write(fd) => {
            bytes[8] = if matches!(sub, Sub::Read(_)) { 1 } else { 2 };
            bytes[16..20].copy_from_slice(&fd.to_le_bytes());
        }
    }
    bytes
}

pub(super) fn poll_at(
    guest: &mut Guest,
    subs: &[Sub],
    input: u32,
    out: u32,
) -> Result<Vec<Event>, Stop> {
    poll_by(&Interruption::never(), guest, subs, input, out)
}

fn poll_by(
    interruption: &Interruption<'_>,
    guest: &mut Guest,
    subs: &[Sub],
    input: u32,
    out: u32,
) -> Result<Vec<Event>, Stop> {
    for (index, sub) in subs.iter().enumerate() {
        guest.put(input + 48 * index as u32, &encode(*sub, 100 + index as u64));
    }
    let count = subs.len() as u32;
    functions::poll_oneoff(&mut guest.call(), interruption, input, out, count, RESULT)?;
    let events = 0..guest.u32(RESULT);
    Ok(events
        .map(|index| {
            let at = out + 32 * index;
            let event_type = guest.memory[at as usize + 10];
            let (bytes, flags) = (guest.u64(at + 16), guest.u16(at + 24));
            (guest.u64(at), guest.u16(at + 8), event_type, bytes, flags)
        })
        .collect())
}

pub(super) fn poll(guest: &mut Guest, subs: &[Sub]) -> Vec<Event> {
    poll_at(guest, subs, IN, OUT).unwrap()
}

fn piped() -> (Guest, io::PipeWriter, io::PipeReader) {
    let (stdin, writer) = io::pipe().unwrap();
    let (reader, stdout) = io::pipe().unwrap();
    let guest = Guest::with(|builder| {
        builder
            .stdin(Input::file(File::from(OwnedFd::from(stdin))))
            .stdout(Output::file(File::from(OwnedFd::from(stdout))));
    });
    (guest, writer, reader)
}

const CLOCK: u8 = EventType::Clock as u8;
const READ: u8 = EventType::FdRead as u8;
const WRITE: u8 = EventType::FdWrite as u8;

#[test]
fn nothing_to_wait_for_is_invalid() {
    let mut guest = Guest::new();
    let result = poll_at(&mut guest, &[], IN, OUT);
    assert_eq!(result, Err(Stop::Errno(Errno::Inval)));
}

#[test]
fn clocks_wait_as_long_as_they_should() {
    let mut guest = Guest::new();
    let mut now = |id| {
        functions::clock_time_get(&mut guest.call(), id, 0, RESULT).unwrap();
        guest.u64(RESULT)
    };
    let (wall, monotonic) = (now(0), now(1));
    for (sub, least) in [
        (Sub::Relative(1, 0), 0),
        (Sub::Relative(0, 30 * MILLISECOND), 30),
        (Sub::Relative(1, 30 * MILLISECOND), 30),
        (Sub::Absolute(1, monotonic), 0),
        (Sub::Absolute(0, 5), 0),
    ] {
        let start = Instant::now();
        assert_eq!(poll(&mut guest, &[sub]), [(100, 0, CLOCK, 0, 0)]);
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(least), "{took:?}");
        assert!(took < Duration::from_millis(least + 2000), "{took:?}");
    }
    for id in [0, 1] {
        let mut now = |id| {
            functions::clock_time_get(&mut guest.call(), id, 0, RESULT).unwrap();
            guest.u64(RESULT)
        };
        let until = now(id) + 40 * MILLISECOND;
        poll(&mut guest, &[Sub::Absolute(id, until)]);
        let mut now = |id| {
            functions::clock_time_get(&mut guest.call(), id, 0, RESULT).unwrap();
            guest.u64(RESULT)
        };
        assert!(now(id) >= until, "clock {id}");
    }
    assert!(wall > 0);
}

#[test]
fn the_nearest_clock_ends_the_wait() {
    let mut guest = Guest::new();
    let subs = [
        Sub::Relative(1, u64::MAX),
        Sub::Relative(1, 20 * MILLISECOND),
        Sub::Relative(0, 3600 * 1000 * MILLISECOND),
        Sub::Absolute(0, u64::MAX),
    ];
    assert_eq!(poll(&mut guest, &subs), [(101, 0, CLOCK, 0, 0)]);
}

#[test]
fn bad_subscriptions_are_events() {
    let mut guest = Guest::new();
    let subs = [
        Sub::Relative(9, 0),
        Sub::Relative(2, 0),
        Sub::Relative(1, u64::MAX),
        Sub::Read(42),
        Sub::Write(u32::MAX),
        Sub::Read(1),
        Sub::Read(PREOPEN),
    ];
    let errors: Vec<_> = poll(&mut guest, &subs)
        .into_iter()
        .map(|(userdata, error, event_type, ..)| (userdata, error, event_type))
        .collect();
    assert_eq!(
        errors,
        [
            (100, Errno::Inval as u16, CLOCK),
            (101, Errno::Notsup as u16, CLOCK),
            (103, Errno::Badf as u16, READ),
            (104, Errno::Badf as u16, WRITE),
            (105, Errno::Notcapable as u16, READ),
            (106, Errno::Notcapable as u16, READ),
        ]
    );
}

/// WE#2717 and WT#2753: it hung.
#[test]
fn pipes_become_ready() {
    let (mut guest, writer, reader) = piped();
    let timeout = Sub::Relative(1, 20 * MILLISECOND);
    assert_eq!(
        poll(&mut guest, &[Sub::Read(0), timeout]),
        [(101, 0, CLOCK, 0, 0)]
    );
    assert_eq!(
        poll(&mut guest, &[Sub::Read(0), Sub::Write(1)]),
        [(101, 0, WRITE, 1, 0)]
    );
    let write = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        rustix::io::write(&writer, b"hello").unwrap();
        writer
    });
    assert_eq!(poll(&mut guest, &[Sub::Read(0)]), [(100, 0, READ, 5, 0)]);
    drop(write.join().unwrap());
    assert_eq!(guest.read(0, 9), Ok(b"hello".to_vec()));
    // The other ends are gone.
    assert_eq!(poll(&mut guest, &[Sub::Read(0)]), [(100, 0, READ, 0, 1)]);
    assert_eq!(guest.read(0, 9), Ok(vec![]));
    drop(reader);
    let broken = Errno::Pipe as u16;
    assert_eq!(
        poll(&mut guest, &[Sub::Write(1)]),
        [(100, broken, WRITE, 0, 0)]
    );
}

#[test]
fn files_and_memory_are_always_ready() {
    let mut guest = Guest::new();
    let fd = guest.create("file");
    guest.write(fd, b"0123456789").unwrap();
    guest.seek(fd, 4, 0).unwrap();
    let subs = [Sub::Read(fd), Sub::Write(fd), Sub::Read(0), Sub::Write(2)];
    assert_eq!(
        poll(&mut guest, &subs),
        [
            (100, 0, READ, 6, 0),
            (101, 0, WRITE, 1, 0),
            (102, 0, READ, 1, 0),
            (103, 0, WRITE, 1, 0)
        ]
    );
}

#[test]
fn thousands_of_subscriptions() {
    const COUNT: usize = 20_000;
    let (mut guest, _writer, _reader) = piped();
    guest.memory.resize(4 << 20, 0);
    let subs: Vec<Sub> = (0..COUNT)
        .map(|index| match index % 4 {
            0 => Sub::Read(0),
            1 => Sub::Write(1),
            2 => Sub::Relative(1, 3600 * 1000 * MILLISECOND),
            _ => Sub::Write(77),
        })
        .collect();
    let events = poll_at(&mut guest, &subs, 1 << 20, 3 << 20).unwrap();
    assert_eq!(events.len(), COUNT / 2);
    assert!(events.iter().all(|event| event.2 == WRITE));
}

/// CVE-2026-54914 of WAMR: events were written beyond the array.
#[test]
fn events_may_be_written_over_the_subscriptions() {
    let (mut guest, _writer, _reader) = piped();
    let subs = [
        Sub::Write(1),
        Sub::Read(9),
        Sub::Write(1),
        Sub::Relative(1, 0),
    ];
    let expected = poll(&mut guest, &subs);
    assert_eq!(expected.len(), 4);
    for out in [IN, IN + 8, IN - 16] {
        assert_eq!(poll_at(&mut guest, &subs, IN, out).unwrap(), expected);
    }
    let end = guest.memory.len() as u32;
    let out = end - 4 * 32;
    assert_eq!(poll_at(&mut guest, &subs, IN, out).unwrap(), expected);
    let result = poll_at(&mut guest, &subs, IN, out + 1);
    assert_eq!(result, Err(Stop::Errno(Errno::Fault)));
}

#[test]
fn waiting_costs_no_time_of_the_processor() {
    let (mut guest, _writer, _reader) = piped();
    let busy = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    };
    for subs in [
        &[Sub::Relative(1, 300 * MILLISECOND)][..],
        &[Sub::Relative(1, 300 * MILLISECOND), Sub::Read(0)][..],
    ] {
        let before = busy();
        poll(&mut guest, subs);
        let used = busy() - before;
        assert!(used < Duration::from_millis(30), "{used:?}");
    }
}

#[test]
fn overridden_clocks_say_how_long() {
    let mut guest = Guest::with(|builder| {
        builder.wall_clock(|| 5_000).monotonic_clock(|| 1_000);
    });
    functions::clock_time_get(&mut guest.call(), 0, 0, RESULT).unwrap();
    assert_eq!(guest.u64(RESULT), 5_000);
    // In the past for both clocks; the second would wait for ever.
    let subs = [Sub::Absolute(1, 1_000), Sub::Absolute(0, u64::MAX)];
    assert_eq!(poll(&mut guest, &subs), [(100, 0, CLOCK, 0, 0)]);
}

/// The embedder is told of waits, and of nothing that is none.
#[test]
fn waits_are_observed() {
    let (mut guest, writer, _reader) = piped();
    let waits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&waits);
    let writes = Mutex::new(writer.try_clone().unwrap());
    let observer: WaitObserver = Arc::new(move |wait| {
        counted.fetch_add(1, Ordering::Relaxed);
        writes.lock().unwrap().write_all(b"a").unwrap();
        wait();
    });
    let observed = || {
        let observed = Interruption::never();
        observed.observe_by(&observer);
        observed
    };
    let mut poll = |sub: Sub| {
        poll_by(&observed(), &mut guest, &[sub], IN, OUT)
            .unwrap()
            .len()
    };
    for (sub, expected) in [
        (Sub::Relative(1, 0), 0),
        (Sub::Relative(1, MILLISECOND), 1),
        (Sub::Write(1), 1),
        (Sub::Read(77), 1),
        (Sub::Read(0), 1),
    ] {
        assert_eq!(poll(sub), 1);
        assert_eq!(waits.load(Ordering::Relaxed), expected);
    }
    let mut read = || {
        let (list, len) = guest.iovecs(&[(OUT, 1)]);
        functions::fd_read(&mut guest.call(), &observed(), 0, list, len, RESULT).unwrap();
    };
    read();
    assert_eq!(waits.load(Ordering::Relaxed), 1);
    read();
    assert_eq!(waits.load(Ordering::Relaxed), 2);
}
