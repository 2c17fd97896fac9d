//! A module with all its machine code as one file: `rwasm compile`'s.
//!
//! ```text
//!  magic  version:32  build  machine  settings      each text: length:32 bytes
//!  module: length:32 bytes
//!  entry (see `blocks`)
//!  hash of all that is before
//! ```
//! It holds the module as it was, so that it needs nothing else to be run,
//! explained and interpreted. The texts are there to say why a file is not for
//! this place; what decides is the key in the entry.

use super::blocks::{Reader, Source};
use super::entry::{Contents, Function};
use super::key::{self, Key};
use super::{OpenEntry, machine};
use rwasm_parser::ModuleBytes;
use rwasm_runtime::code::ModuleCode;
use std::ops::Range;
use std::sync::Arc;
use thiserror::Error;

const MAGIC: [u8; 8] = *b"rwasm\0cw";
const VERSION: u32 = 2;

/// Why a precompiled module cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PrecompiledError {
    /// The engine was not told to trust it.
    #[error("it holds machine code, which is run only where that is allowed")]
    NotAllowed,
    /// It is no precompiled module, or of another version of the format.
    #[error("it is no precompiled module of this version of rwasm")]
    Foreign,
    /// Another build of rwasm made it.
    #[error("it was made by another build of rwasm")]
    OtherBuild,
    /// It was made for a processor with other features.
    #[error("it was made for another machine ({made_for}; this is {here})")]
    OtherMachine {
        /// That machine.
        made_for: String,
        /// This machine.
        here: String,
    },
    /// It was made for an engine with other settings.
    #[error("it was made for other settings ({made_for}; these are {here})")]
    OtherSettings {
        /// Those settings.
        made_for: String,
        /// The engine's settings.
        here: String,
    },
    /// It is not as it was written.
    #[error("it is damaged")]
    Damaged,
}

/// Whether bytes are to be read by [`read`].
pub(crate) fn is_precompiled(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// The module and what has machine code of it, as bytes.
pub(crate) fn write(code: &ModuleCode) -> Vec<u8> {
    let key = Key::of(code);
    let compiled = rwasm_jit::published(code);
    let functions = compiled
        .iter()
        .filter_map(|function| Function::of(function, code));
    let entry = Contents {
        functions: functions.collect(),
        adapters: rwasm_jit::adapters(code),
        ..Contents::default()
    };
    let mut bytes = Vec::new();
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    let texts = [key::BUILD, &rwasm_jit::fingerprint(), &key::settings(code)];
    let module: &[u8] = code.module.bytes();
    for part in texts.map(str::as_bytes).into_iter().chain([module]) {
        bytes.extend((part.len() as u32).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    bytes.extend(entry.encode(&key).concat());
    let hash = blake3::hash(&bytes);
    bytes.extend(hash.as_bytes());
    bytes
}

/// A file that was read and is whole, for this build and this machine.
pub(crate) struct Precompiled {
    bytes: Arc<[u8]>,
    module: Range<usize>,
    entry: Range<usize>,
    settings: String,
}

/// Reads what [`write`] made.
pub(crate) fn read(bytes: Vec<u8>) -> Result<Precompiled, PrecompiledError> {
    use PrecompiledError::{Damaged, Foreign, OtherBuild, OtherMachine};
    const HEAD: usize = MAGIC.len() + size_of::<u32>();

    let is_ours = bytes
        .get(..HEAD)
        .is_some_and(|head| head.starts_with(&MAGIC) && head.ends_with(&VERSION.to_le_bytes()));
    if !is_ours {
        return Err(Foreign);
    }
    let (checked, hash) = bytes.split_last_chunk().ok_or(Damaged)?;
    if blake3::hash(checked) != *hash {
        return Err(Damaged);
    }
    let mut reader = Reader(&checked[HEAD..]);
    let mut part = || -> Result<Range<usize>, PrecompiledError> {
        let len = reader.u32().map_err(|_| Damaged)? as usize;
        reader.take(len).map_err(|_| Damaged)?;
        let end = checked.len() - reader.0.len();
        Ok(end - len..end)
    };
    let (build, machine, settings, module) = (part()?, part()?, part()?, part()?);
    let text = |range: Range<usize>| String::from_utf8_lossy(&checked[range]).into_owned();
    if text(build) != key::BUILD {
        return Err(OtherBuild);
    }
    let (made_for, here) = (text(machine), rwasm_jit::fingerprint());
    if made_for != here {
        return Err(OtherMachine { made_for, here });
    }
    let (settings, entry) = (text(settings), module.end..checked.len());
    Ok(Precompiled {
        module,
        entry,
        settings,
        bytes: bytes.into(),
    })
}

impl Precompiled {
    /// The bytes of the module.
    pub(crate) fn module(&self) -> ModuleBytes {
        struct Part(Arc<[u8]>, Range<usize>);
        impl AsRef<[u8]> for Part {
            fn as_ref(&self) -> &[u8] {
                &self.0[self.1.clone()]
            }
        }
        ModuleBytes::new(Part(self.bytes.clone(), self.module.clone()))
    }

    /// Gives the module, made of [`Self::module`], its machine code.
    pub(crate) fn install(&self, code: &ModuleCode) -> Result<usize, PrecompiledError> {
        let (made_for, here) = (&self.settings, key::settings(code));
        if *made_for != here {
            let made_for = made_for.clone();
            return Err(PrecompiledError::OtherSettings { made_for, here });
        }
        let source = Source::Bytes(self.bytes.clone(), self.entry.clone());
        let size = self.entry.len() as u64;
        OpenEntry::new(source, size, &Key::of(code))
            .and_then(|entry| machine::place_all(code, &entry.blocks, &entry.index))
            .map_err(|_| PrecompiledError::Damaged)
    }
}
