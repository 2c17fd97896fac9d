//! What a file is, told from its first bytes.

use std::fmt;

use crate::error::ParseError;

/// The first bytes of every WebAssembly binary.
const MAGIC: &[u8] = b"\0asm";

/// How something presents itself that may be a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Binary,
    Text,
}

/// Tells binary from text, and refuses what is clearly neither.
pub(crate) fn detect(bytes: &[u8]) -> Result<Form, ParseError> {
    if bytes.starts_with(MAGIC) {
        return Ok(Form::Binary);
    }
    if bytes.is_empty() {
        return Err(ParseError::Empty);
    }
    // A signature goes first: that of Zstandard starts with a parenthesis.
    if FileKind::by_signature(bytes).is_none() && looks_like_wat(bytes) {
        return Ok(Form::Text);
    }
    Err(ParseError::NotWasm {
        what: FileKind::of(bytes),
    })
}

/// Whether a binary's header is one of the component model's: the four bytes
/// after the magic are a version and a layer, and layer 1 is components.
pub(crate) fn is_component(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
        && matches!(bytes.get(4..8), Some(&[v0, v1, 1, 0]) if (v0, v1) != (0, 0))
}

/// Whether the first token is one that a text module can start with: a
/// parenthesis or a comment, after white space.
fn looks_like_wat(bytes: &[u8]) -> bool {
    match bytes.trim_ascii_start() {
        [b'(', ..] | [b';', b';', ..] => true,
        // White space alone is an empty module in text, but never meant as one.
        _ => false,
    }
}

/// A kind of file that is not WebAssembly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// An ELF program, library or object.
    Elf,
    /// A Mach-O program, library or object.
    MachO,
    /// A Windows program or library.
    Pe,
    /// A static library.
    Archive,
    /// LLVM bitcode.
    LlvmBitcode,
    /// A gzip stream.
    Gzip,
    /// A bzip2 stream.
    Bzip2,
    /// An xz stream.
    Xz,
    /// A Zstandard stream.
    Zstd,
    /// A zip archive.
    Zip,
    /// A tar archive.
    Tar,
    /// A script that names its interpreter in its first line.
    Script,
    /// An HTML or XML document.
    Markup,
    /// Text in UTF-16.
    Utf16Text,
    /// Nothing but white space.
    Blank,
    /// Some other text.
    Text,
    /// Some other data.
    Data,
}

/// Kinds told by a prefix. Longer prefixes stand before their own beginnings.
const SIGNATURES: &[(&[u8], FileKind)] = &[
    (b"\x7fELF", FileKind::Elf),
    (b"\xfe\xed\xfa\xce", FileKind::MachO),
    (b"\xfe\xed\xfa\xcf", FileKind::MachO),
    (b"\xce\xfa\xed\xfe", FileKind::MachO),
    (b"\xcf\xfa\xed\xfe", FileKind::MachO),
    (b"\xca\xfe\xba\xbe", FileKind::MachO),
    (b"MZ", FileKind::Pe),
    (b"!<arch>\n", FileKind::Archive),
    (b"!<thin>\n", FileKind::Archive),
    (b"BC\xc0\xde", FileKind::LlvmBitcode),
    (b"\xde\xc0\x17\x0b", FileKind::LlvmBitcode),
    (b"\x1f\x8b", FileKind::Gzip),
    (b"BZh", FileKind::Bzip2),
    (b"\xfd7zXZ\0", FileKind::Xz),
    (b"\x28\xb5\x2f\xfd", FileKind::Zstd),
    (b"PK\x03\x04", FileKind::Zip),
    (b"PK\x05\x06", FileKind::Zip),
    (b"#!", FileKind::Script),
    (b"\xff\xfe", FileKind::Utf16Text),
    (b"\xfe\xff", FileKind::Utf16Text),
];

/// Where a tar header has its magic.
const TAR_MAGIC: std::ops::Range<usize> = 257..262;

/// How many bytes are looked at to tell text from data.
const SAMPLE: usize = 1024;

impl FileKind {
    fn of(bytes: &[u8]) -> Self {
        Self::by_signature(bytes).unwrap_or_else(|| Self::by_contents(bytes))
    }

    fn by_signature(bytes: &[u8]) -> Option<Self> {
        let known = SIGNATURES
            .iter()
            .find(|(signature, _)| bytes.starts_with(signature));
        let tar = || (bytes.get(TAR_MAGIC) == Some(b"ustar")).then_some(Self::Tar);
        known.map(|&(_, kind)| kind).or_else(tar)
    }

    fn by_contents(bytes: &[u8]) -> Self {
        let sample = &bytes[..bytes.len().min(SAMPLE)];
        let is_text = match std::str::from_utf8(sample) {
            Ok(_) => true,
            // The sample may end inside a character.
            Err(error) => error.error_len().is_none(),
        } && !sample
            .iter()
            .any(|byte| matches!(byte, 0..=8 | 14..=26 | 127));
        match sample.trim_ascii_start() {
            [] => Self::Blank,
            [b'<', ..] if is_text => Self::Markup,
            _ if is_text => Self::Text,
            _ => Self::Data,
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Elf => "an ELF file, which is native code",
            Self::MachO => "a Mach-O file, which is native code",
            Self::Pe => "a Windows program, which is native code",
            Self::Archive => "a static library; link it into a module first",
            Self::LlvmBitcode => "LLVM bitcode; compile and link it for WebAssembly first",
            Self::Gzip => "a gzip file; decompress it first",
            Self::Bzip2 => "a bzip2 file; decompress it first",
            Self::Xz => "an xz file; decompress it first",
            Self::Zstd => "a Zstandard file; decompress it first",
            Self::Zip => "a zip archive; extract it first",
            Self::Tar => "a tar archive; extract it first",
            Self::Script => "a script that names its own interpreter",
            Self::Markup => "an HTML or XML document",
            Self::Utf16Text => "text in UTF-16; text modules must be in UTF-8",
            Self::Blank => "blank text",
            Self::Text => "text that does not start like a text module, with `(module`",
            Self::Data => "data of an unknown kind",
        })
    }
}
