//! The types of preview1 as they lie in guest memory.
//!
//! Names, numbers and layouts are those of `typenames.witx` and
//! `wasi_snapshot_preview1.witx` (repository WebAssembly/WASI, branch
//! `wasi-0.1`, folders `preview0/witx` and `preview1/witx`). Everything is
//! little-endian. This file knows bytes and nothing of files.

use crate::errno::Errno;
use bitflags::bitflags;

/// Which of the two published ABIs a module was built for. They share all
/// functions but `sock_accept`, and differ in four places: the order of
/// `$whence`, and the layouts of `$filestat` and `$subscription`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Snapshot {
    /// `wasi_unstable`, of 2019.
    Zero,
    /// `wasi_snapshot_preview1`.
    One,
}

/// `$filetype`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum FileType {
    Unknown = 0,
    BlockDevice = 1,
    CharacterDevice = 2,
    Directory = 3,
    RegularFile = 4,
    SocketDgram = 5,
    SocketStream = 6,
    SymbolicLink = 7,
}

impl From<rustix::fs::FileType> for FileType {
    fn from(file_type: rustix::fs::FileType) -> FileType {
        match file_type {
            rustix::fs::FileType::RegularFile => FileType::RegularFile,
            rustix::fs::FileType::Directory => FileType::Directory,
            rustix::fs::FileType::Symlink => FileType::SymbolicLink,
            rustix::fs::FileType::CharacterDevice => FileType::CharacterDevice,
            rustix::fs::FileType::BlockDevice => FileType::BlockDevice,
            rustix::fs::FileType::Socket => FileType::SocketStream,
            // The witx has no type for pipes.
            rustix::fs::FileType::Fifo | rustix::fs::FileType::Unknown => FileType::Unknown,
        }
    }
}

bitflags! {
    /// `$fdflags`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct FdFlags: u16 {
        const APPEND = 1 << 0;
        const DSYNC = 1 << 1;
        const NONBLOCK = 1 << 2;
        const RSYNC = 1 << 3;
        const SYNC = 1 << 4;
    }

    /// `$oflags`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct OFlags: u16 {
        const CREAT = 1 << 0;
        const DIRECTORY = 1 << 1;
        const EXCL = 1 << 2;
        const TRUNC = 1 << 3;
    }

    /// `$lookupflags`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct LookupFlags: u32 {
        const SYMLINK_FOLLOW = 1 << 0;
    }

    /// `$fstflags`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct FstFlags: u16 {
        const ATIM = 1 << 0;
        const ATIM_NOW = 1 << 1;
        const MTIM = 1 << 2;
        const MTIM_NOW = 1 << 3;
    }

    /// `$riflags`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct RiFlags: u16 {
        const RECV_PEEK = 1 << 0;
        const RECV_WAITALL = 1 << 1;
    }

    /// `$roflags`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct RoFlags: u16 {
        const RECV_DATA_TRUNCATED = 1 << 0;
    }

    /// `$sdflags`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct SdFlags: u8 {
        const RD = 1 << 0;
        const WR = 1 << 1;
    }

    /// `$eventrwflags`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct EventRwFlags: u16 {
        const FD_READWRITE_HANGUP = 1 << 0;
    }
}

macro_rules! from_parameter {
    ($($flags:ident: $bits:ty),*) => {
        $(impl TryFrom<u32> for $flags {
            type Error = Errno;

            /// The flags in a parameter. Bits that the witx does not define
            /// are refused, also those above the type's width.
            fn try_from(parameter: u32) -> Result<$flags, Errno> {
                let bits = <$bits>::try_from(parameter).map_err(|_| Errno::Inval)?;
                $flags::from_bits(bits).ok_or(Errno::Inval)
            }
        })*
    };
}

from_parameter!(
    FdFlags: u16, OFlags: u16, LookupFlags: u32, FstFlags: u16, RiFlags: u16, SdFlags: u8
);

/// `$whence`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whence {
    Set,
    Cur,
    End,
}

impl Whence {
    pub(crate) fn decode(snapshot: Snapshot, parameter: u32) -> Result<Whence, Errno> {
        match (snapshot, parameter) {
            (Snapshot::One, 0) | (Snapshot::Zero, 2) => Ok(Whence::Set),
            (Snapshot::One, 1) | (Snapshot::Zero, 0) => Ok(Whence::Cur),
            (Snapshot::One, 2) | (Snapshot::Zero, 1) => Ok(Whence::End),
            _ => Err(Errno::Inval),
        }
    }
}

/// `$clockid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockId {
    Realtime,
    Monotonic,
    ProcessCputime,
    ThreadCputime,
}

impl TryFrom<u32> for ClockId {
    type Error = Errno;

    fn try_from(id: u32) -> Result<ClockId, Errno> {
        match id {
            0 => Ok(ClockId::Realtime),
            1 => Ok(ClockId::Monotonic),
            2 => Ok(ClockId::ProcessCputime),
            3 => Ok(ClockId::ThreadCputime),
            _ => Err(Errno::Inval),
        }
    }
}

/// Writes fields at offsets of a record that is zero where nothing is written.
struct Record<const N: usize>([u8; N]);

impl<const N: usize> Record<N> {
    fn put<const M: usize>(&mut self, offset: usize, bytes: [u8; M]) {
        self.0[offset..offset + M].copy_from_slice(&bytes);
    }
}

/// `$fdstat`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fdstat {
    pub(crate) file_type: FileType,
    pub(crate) flags: FdFlags,
    pub(crate) rights_base: u64,
    pub(crate) rights_inheriting: u64,
}

impl Fdstat {
    pub(crate) fn encode(&self) -> [u8; 24] {
        let mut record = Record([0; 24]);
        record.put(0, [self.file_type as u8]);
        record.put(2, self.flags.bits().to_le_bytes());
        record.put(8, self.rights_base.to_le_bytes());
        record.put(16, self.rights_inheriting.to_le_bytes());
        record.0
    }
}

/// `$filestat`. Times are nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Filestat {
    pub(crate) dev: u64,
    pub(crate) ino: u64,
    pub(crate) file_type: FileType,
    pub(crate) nlink: u64,
    pub(crate) size: u64,
    pub(crate) atim: u64,
    pub(crate) mtim: u64,
    pub(crate) ctim: u64,
}

impl Filestat {
    /// What is known of a stream that is no file.
    pub(crate) fn of_stream(file_type: FileType) -> Filestat {
        Filestat {
            dev: 0,
            ino: 0,
            file_type,
            nlink: 1,
            size: 0,
            atim: 0,
            mtim: 0,
            ctim: 0,
        }
    }

    /// The record: 64 bytes, or 56 in snapshot 0, where `nlink` has 32 bits.
    pub(crate) fn encode(&self, snapshot: Snapshot) -> ([u8; 64], usize) {
        let mut record = Record([0; 64]);
        record.put(0, self.dev.to_le_bytes());
        record.put(8, self.ino.to_le_bytes());
        record.put(16, [self.file_type as u8]);
        let rest = match snapshot {
            Snapshot::One => {
                record.put(24, self.nlink.to_le_bytes());
                32
            }
            Snapshot::Zero => {
                let nlink = u32::try_from(self.nlink).unwrap_or(u32::MAX);
                record.put(20, nlink.to_le_bytes());
                24
            }
        };
        let fields = [self.size, self.atim, self.mtim, self.ctim];
        for (index, field) in fields.into_iter().enumerate() {
            record.put(rest + 8 * index, field.to_le_bytes());
        }
        (record.0, rest + 32)
    }
}

/// The bytes of `$dirent`, before the name.
pub(crate) const DIRENT_BYTES: usize = 24;

/// `$dirent`.
pub(crate) fn encode_dirent(
    next: u64,
    ino: u64,
    name_len: u32,
    file_type: FileType,
) -> [u8; DIRENT_BYTES] {
    let mut record = Record([0; DIRENT_BYTES]);
    record.put(0, next.to_le_bytes());
    record.put(8, ino.to_le_bytes());
    record.put(16, name_len.to_le_bytes());
    record.put(20, [file_type as u8]);
    record.0
}

/// The cookie and the length of the name in an encoded `$dirent`.
pub(crate) fn decode_dirent(bytes: &[u8]) -> (u64, u32) {
    let next = u64::from_le_bytes(field(bytes, 0));
    let name_len = u32::from_le_bytes(field(bytes, 16));
    (next, name_len)
}

/// What a `$subscription` waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subscribed {
    /// A clock, whose number is checked later: a bad one is an error of this
    /// event, not of the call.
    Clock {
        id: u32,
        timeout: u64,
        absolute: bool,
    },
    Read(u32),
    Write(u32),
}

/// `$subscription`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subscription {
    pub(crate) userdata: u64,
    pub(crate) to: Subscribed,
}

impl Subscription {
    /// The bytes of one. Snapshot 0 has an unused identifier before the clock.
    pub(crate) const fn size(snapshot: Snapshot) -> usize {
        match snapshot {
            Snapshot::Zero => 56,
            Snapshot::One => 48,
        }
    }

    /// Decodes `Subscription::size` bytes.
    pub(crate) fn decode(snapshot: Snapshot, bytes: &[u8]) -> Result<Subscription, Errno> {
        let u16_at = |offset| u16::from_le_bytes(field(bytes, offset));
        let u32_at = |offset| u32::from_le_bytes(field(bytes, offset));
        let u64_at = |offset| u64::from_le_bytes(field(bytes, offset));
        let to = match bytes[8] {
            0 => {
                let clock = match snapshot {
                    Snapshot::Zero => 24,
                    Snapshot::One => 16,
                };
                // The precision, at 16, is a lag that we never use.
                let absolute = match u16_at(clock + 24) {
                    0 => false,
                    1 => true,
                    _ => return Err(Errno::Inval),
                };
                Subscribed::Clock {
                    id: u32_at(clock),
                    timeout: u64_at(clock + 8),
                    absolute,
                }
            }
            1 => Subscribed::Read(u32_at(16)),
            2 => Subscribed::Write(u32_at(16)),
            _ => return Err(Errno::Inval),
        };
        Ok(Subscription {
            userdata: u64_at(0),
            to,
        })
    }
}

fn field<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    std::array::from_fn(|index| bytes[offset + index])
}

/// `$event`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) userdata: u64,
    pub(crate) error: Option<Errno>,
    pub(crate) event_type: EventType,
    pub(crate) nbytes: u64,
    pub(crate) flags: EventRwFlags,
}

/// `$eventtype`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum EventType {
    Clock = 0,
    FdRead = 1,
    FdWrite = 2,
}

impl Event {
    pub(crate) const BYTES: usize = 32;

    pub(crate) fn encode(&self) -> [u8; Event::BYTES] {
        let mut record = Record([0; Event::BYTES]);
        let error = self.error.map_or(0, |errno| errno as u16);
        record.put(0, self.userdata.to_le_bytes());
        record.put(8, error.to_le_bytes());
        record.put(10, [self.event_type as u8]);
        record.put(16, self.nbytes.to_le_bytes());
        record.put(24, self.flags.bits().to_le_bytes());
        record.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_flags_are_refused() {
        assert_eq!(FdFlags::try_from(0b11111), Ok(FdFlags::all()));
        assert_eq!(FdFlags::try_from(0b100000), Err(Errno::Inval));
        assert_eq!(OFlags::try_from(1 << 16), Err(Errno::Inval));
        assert_eq!(LookupFlags::try_from(2), Err(Errno::Inval));
        assert_eq!(FstFlags::try_from(u32::MAX), Err(Errno::Inval));
    }

    #[test]
    fn whence_was_reordered() {
        let decode = |snapshot| [0, 1, 2, 3].map(|number| Whence::decode(snapshot, number));
        use Whence::{Cur, End, Set};
        let invalid = Err(Errno::Inval);
        assert_eq!(decode(Snapshot::One), [Ok(Set), Ok(Cur), Ok(End), invalid]);
        assert_eq!(decode(Snapshot::Zero), [Ok(Cur), Ok(End), Ok(Set), invalid]);
    }

    #[test]
    fn filestat_layouts() {
        let stat = Filestat {
            dev: 1,
            ino: 2,
            file_type: FileType::SymbolicLink,
            nlink: 3,
            size: 4,
            atim: 5,
            mtim: 6,
            ctim: 7,
        };
        let (bytes, len) = stat.encode(Snapshot::One);
        assert_eq!(len, 64);
        for (offset, value) in [(0, 1), (8, 2), (24, 3), (32, 4), (40, 5), (48, 6), (56, 7)] {
            assert_eq!(bytes[offset], value, "at {offset}");
        }
        let (bytes, len) = stat.encode(Snapshot::Zero);
        assert_eq!(len, 56);
        for (offset, value) in [(0, 1), (8, 2), (16, 7), (20, 3), (24, 4), (32, 5), (48, 7)] {
            assert_eq!(bytes[offset], value, "at {offset}");
        }
    }

    #[test]
    fn subscriptions_of_both_snapshots() {
        for (snapshot, clock) in [(Snapshot::Zero, 24), (Snapshot::One, 16)] {
            let mut bytes = vec![0; Subscription::size(snapshot)];
            bytes[0] = 9;
            bytes[clock] = 1;
            bytes[clock + 8] = 77;
            bytes[clock + 24] = 1;
            let expected = Subscription {
                userdata: 9,
                to: Subscribed::Clock {
                    id: 1,
                    timeout: 77,
                    absolute: true,
                },
            };
            assert_eq!(Subscription::decode(snapshot, &bytes), Ok(expected));
            bytes[clock + 24] = 2;
            assert_eq!(Subscription::decode(snapshot, &bytes), Err(Errno::Inval));

            bytes[8] = 2;
            bytes[16] = 5;
            let to = Subscription::decode(snapshot, &bytes).unwrap().to;
            assert!(matches!(to, Subscribed::Write(_)), "{to:?}");
            bytes[8] = 3;
            assert_eq!(Subscription::decode(snapshot, &bytes), Err(Errno::Inval));
        }
    }
}
