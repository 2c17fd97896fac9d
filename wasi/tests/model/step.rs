//! The operations, what they result in, and where they come from.

use rwasm_wasi::Errno;

/// Open files that a sequence has at a time.
pub const SLOTS: usize = 6;

/// One operation. Paths are relative to the folder.
#[derive(Debug)]
pub enum Step {
    Open {
        slot: usize,
        path: String,
        follow: bool,
        open: Open,
    },
    Close(usize),
    Read(usize, u32),
    Write(usize, Fill),
    ReadAt(usize, u32, u64),
    WriteAt(usize, Fill, u64),
    Seek(usize, i64, Whence),
    SetSize(usize, u64),
    CreateDirectory(String),
    RemoveDirectory(String),
    Unlink(String),
    Symlink(String, String),
    Link(String, String),
    Rename(String, String),
    ReadLink(String),
    Stat(String, bool),
    List(String),
}

/// Equal bytes.
#[derive(Clone, Copy, Debug)]
pub struct Fill {
    byte: u8,
    len: usize,
}

impl Fill {
    pub fn bytes(self) -> Vec<u8> {
        vec![self.byte; self.len]
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Open {
    pub read: bool,
    pub write: bool,
    pub create: bool,
    pub exclusive: bool,
    pub truncate: bool,
    pub directory: bool,
    pub append: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Whence {
    Set,
    Cur,
    End,
}

/// What an operation gives, or the code of its error.
pub type Outcome = Result<Value, u16>;

#[derive(Debug, PartialEq, Eq)]
pub enum Value {
    Nothing,
    /// The slot has no open file: nothing was done.
    Closed,
    Number(u64),
    Bytes(Vec<u8>),
    /// Type, links and size. Directories have no size that could be compared.
    Stat(u8, u64, u64),
    /// Names and types.
    Names(Vec<(Vec<u8>, u8)>),
}

impl Step {
    /// Whether what the guest found is what was expected. Where several things
    /// are wrong at once, which of them is told is a matter of taste: with two
    /// paths, with one that ends in a slash or in `..`, and where a link to such
    /// a path is to be created as a file.
    pub fn agree(&self, found: &Outcome, expected: &Outcome) -> bool {
        let any_error = match self {
            Step::Link(..) | Step::Rename(..) => true,
            Step::Symlink(_, path) | Step::RemoveDirectory(path) | Step::Unlink(path) => {
                path.ends_with('/') || path.ends_with("..")
            }
            Step::Open { open, .. } => open.create && *found == Err(Errno::Isdir as u16),
            _ => false,
        };
        found == expected || any_error && found.is_err() && expected.is_err()
    }

    pub fn random(numbers: &mut Numbers) -> Step {
        let slot = numbers.below(SLOTS as u64) as usize;
        match numbers.below(40) {
            0..=6 => Step::Open {
                slot,
                path: path(numbers),
                follow: numbers.one_in(2),
                open: Open {
                    read: numbers.one_in(2),
                    write: numbers.one_in(2),
                    create: numbers.one_in(2),
                    exclusive: numbers.one_in(5),
                    truncate: numbers.one_in(5),
                    directory: numbers.one_in(8),
                    append: numbers.one_in(5),
                },
            },
            7 => Step::Close(slot),
            8 | 9 => Step::Read(slot, numbers.below(300) as u32),
            10..=12 => Step::Write(slot, bytes(numbers)),
            13 => Step::ReadAt(slot, numbers.below(300) as u32, offset(numbers)),
            14 | 15 => Step::WriteAt(slot, bytes(numbers), offset(numbers)),
            16 => {
                let whence = [Whence::Set, Whence::Cur, Whence::End][numbers.below(3) as usize];
                let offset = offset(numbers) as i64;
                let offset = if numbers.one_in(3) { -offset } else { offset };
                Step::Seek(slot, offset, whence)
            }
            17 => Step::SetSize(slot, offset(numbers)),
            18..=20 => Step::CreateDirectory(path(numbers)),
            21 => Step::RemoveDirectory(path(numbers)),
            22 | 23 => Step::Unlink(path(numbers)),
            24..=26 => Step::Symlink(path(numbers), path(numbers)),
            27 | 28 => Step::Link(path(numbers), path(numbers)),
            29..=31 => Step::Rename(path(numbers), path(numbers)),
            32 | 33 => Step::ReadLink(path(numbers)),
            34..=37 => Step::Stat(path(numbers), numbers.one_in(2)),
            _ => Step::List(path(numbers)),
        }
    }
}

/// Few names, so that they meet, and all that can stand between them.
fn path(numbers: &mut Numbers) -> String {
    const NAMES: [&str; 4] = ["a", "b", "c", "caf\u{e9}"];
    let mut path = String::new();
    for depth in 0..1 + numbers.below(3) {
        if depth > 0 {
            path += if numbers.one_in(12) { "//" } else { "/" };
        }
        path += match numbers.below(20) {
            0 => ".",
            1 | 2 => "..",
            other => NAMES[other as usize % NAMES.len()],
        };
    }
    if numbers.one_in(12) {
        path += "/";
    }
    path
}

fn bytes(numbers: &mut Numbers) -> Fill {
    Fill {
        byte: numbers.below(256) as u8,
        len: numbers.below(300) as usize,
    }
}

/// Mostly small; sometimes where no file can be.
fn offset(numbers: &mut Numbers) -> u64 {
    match numbers.below(20) {
        0 => 1 << 63,
        1 => u64::MAX,
        _ => numbers.below(2000),
    }
}

/// Splitmix64.
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Numbers {
        Numbers(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}
