//! An entry of the cache as bytes.
//!
//! ```text
//!  magic  version:32  key
//!  valid:8  hash of the module
//!  functions:32  { func:32  sources  inlined_funcs:32 {func:32}  length:32  code }
//!  adapters:32   { length:32  code }
//!  program: length:32 bytes      lowered:32 { func:32  hash of the body  length:32  code }
//!  hash of all that is before
//! ```
//! The hash at the end finds damage; the key in the front finds an entry that
//! stands under a name that is not its own. Numbers are little-endian.

use super::key::Key;
use super::lowered::Lowered;
use super::{hash_body, huge};
use rwasm_jit::Compiled;
use rwasm_parser::LocalFuncIndex;
use rwasm_runtime::code::ModuleCode;
use std::borrow::Cow;
use thiserror::Error;

const MAGIC: [u8; 8] = *b"rwasm\0ce";

/// To be raised when the format changes without the build's name.
const VERSION: u32 = 3;

/// Bytes of a hash.
const HASH: usize = blake3::OUT_LEN;

/// What is known of a module, or of all that differ in bodies and data alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// The hash of a module that was found valid.
    pub(super) valid: Option<[u8; HASH]>,
    /// Functions that were hot.
    pub(super) functions: Vec<Function<'a>>,
    /// The adapters that calls of them needed, as [`rwasm_jit::adapters`] gives
    /// them.
    pub(super) adapters: Vec<Cow<'a, [u8]>>,
    /// The program that bodies were lowered in, as it was linked; empty if it has
    /// no name.
    pub(super) program: Cow<'a, [u8]>,
    /// Bodies that were lowered in it.
    pub(super) lowered: Vec<Lowered<'a>>,
}

/// Machine code of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Function<'a> {
    func: u32,
    /// A hash of the bodies that it was compiled from.
    sources: [u8; HASH],
    /// Whose bodies these are, beside its own.
    inlined_funcs: Vec<u32>,
    /// As [`Compiled::to_bytes`] gives it.
    code: Cow<'a, [u8]>,
}

/// Why bytes are no entry, or not the one that was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum EntryError {
    #[error("it is cut short")]
    Truncated,
    #[error("it is no entry of this version")]
    Foreign,
    #[error("it is another module's")]
    OtherKey,
    #[error("it is damaged")]
    Damaged,
}

impl Function<'_> {
    /// What is to be kept of a function of a module, if it can be.
    pub(super) fn of(compiled: &Compiled, code: &ModuleCode) -> Option<Function<'static>> {
        let inlined_funcs = compiled
            .inlined_funcs()
            .iter()
            .map(|callee| callee.as_u32())
            .collect();
        let mut function = Function {
            func: compiled.func.as_u32(),
            sources: [0; HASH],
            inlined_funcs,
            code: compiled.to_bytes()?.into(),
        };
        function.sources = function.hash_sources(code)?;
        Some(function)
    }

    /// The machine code, if it is that of the module.
    pub(super) fn compiled(&self, code: &ModuleCode) -> Option<Compiled> {
        if self.hash_sources(code)? != self.sources {
            return None;
        }
        let func = LocalFuncIndex::from_u32(self.func);
        let compiled = Compiled::from_bytes(&self.code, func, &code.module).ok()?;
        let mut inlined_funcs = compiled
            .inlined_funcs()
            .iter()
            .map(|callee| callee.as_u32());
        inlined_funcs
            .by_ref()
            .eq(self.inlined_funcs.iter().copied())
            .then_some(())?;
        drop(inlined_funcs);
        Some(compiled)
    }

    /// A hash of the bodies, if all of them exist.
    fn hash_sources(&self, code: &ModuleCode) -> Option<[u8; HASH]> {
        let mut hasher = blake3::Hasher::new();
        for &func in std::iter::once(&self.func).chain(&self.inlined_funcs) {
            if func as usize >= code.module.bodies().len() {
                return None;
            }
            hash_body(code, LocalFuncIndex::from_u32(func), &mut hasher);
        }
        Some(*hasher.finalize().as_bytes())
    }
}

impl<'a> Entry<'a> {
    pub(super) fn encode(&self, key: &Key) -> Vec<u8> {
        let code: usize = self
            .functions
            .iter()
            .map(|function| function.code.len())
            .sum();
        let lowered: usize = self.lowered.iter().map(|lowered| lowered.code.len()).sum();
        let items = self.functions.len() + self.lowered.len();
        let mut bytes = huge::buffer(code + lowered + 64 * items + 4096);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(key.0);
        bytes.push(self.valid.is_some().into());
        bytes.extend(self.valid.unwrap_or_default());
        bytes.extend((self.functions.len() as u32).to_le_bytes());
        for function in &self.functions {
            bytes.extend(function.func.to_le_bytes());
            bytes.extend(function.sources);
            bytes.extend((function.inlined_funcs.len() as u32).to_le_bytes());
            bytes.extend(
                function
                    .inlined_funcs
                    .iter()
                    .flat_map(|callee| callee.to_le_bytes()),
            );
            bytes.extend((function.code.len() as u32).to_le_bytes());
            bytes.extend_from_slice(&function.code);
        }
        bytes.extend((self.adapters.len() as u32).to_le_bytes());
        for adapter in &self.adapters {
            bytes.extend((adapter.len() as u32).to_le_bytes());
            bytes.extend_from_slice(adapter);
        }
        bytes.extend((self.program.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&self.program);
        bytes.extend((self.lowered.len() as u32).to_le_bytes());
        for lowered in &self.lowered {
            bytes.extend(lowered.func.to_le_bytes());
            bytes.extend(lowered.body);
            bytes.extend((lowered.code.len() as u32).to_le_bytes());
            bytes.extend_from_slice(lowered.code);
        }
        let hash = blake3::hash(&bytes);
        bytes.extend(hash.as_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &'a [u8], key: &Key) -> Result<Entry<'a>, EntryError> {
        let (bytes, hash) = bytes
            .split_last_chunk::<HASH>()
            .ok_or(EntryError::Truncated)?;
        let mut reader = Reader(bytes);
        if reader.array()? != MAGIC || reader.u32()? != VERSION {
            return Err(EntryError::Foreign);
        }
        if blake3::hash(bytes) != *hash {
            return Err(EntryError::Damaged);
        }
        if reader.array()? != key.0 {
            return Err(EntryError::OtherKey);
        }
        let is_valid = reader.array::<1>()? != [0];
        let valid = reader.array()?;
        let count = reader.u32()?;
        let mut functions = Vec::new();
        for _ in 0..count {
            let (func, sources) = (reader.u32()?, reader.array()?);
            let inlined_funcs = (0..reader.u32()?).map(|_| reader.u32());
            let inlined_funcs = inlined_funcs.collect::<Result<_, _>>()?;
            let len = reader.u32()? as usize;
            let code = reader.take(len)?.into();
            functions.push(Function {
                func,
                sources,
                inlined_funcs,
                code,
            });
        }
        let mut adapters = Vec::new();
        for _ in 0..reader.u32()? {
            let len = reader.u32()? as usize;
            adapters.push(reader.take(len)?.into());
        }
        let len = reader.u32()? as usize;
        let program = reader.take(len)?.into();
        let mut lowered = Vec::new();
        for _ in 0..reader.u32()? {
            let (func, body) = (reader.u32()?, reader.array()?);
            let len = reader.u32()? as usize;
            let code = reader.take(len)?;
            lowered.push(Lowered { func, body, code });
        }
        if !reader.0.is_empty() {
            return Err(EntryError::Damaged);
        }
        Ok(Entry {
            valid: is_valid.then_some(valid),
            functions,
            adapters,
            program,
            lowered,
        })
    }
}

/// Reads from the front.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], EntryError> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(EntryError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], EntryError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(EntryError::Truncated)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn u32(&mut self) -> Result<u32, EntryError> {
        Ok(u32::from_le_bytes(self.array()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key([7; 32]);

    fn entry() -> Entry<'static> {
        let function = |func: u32| Function {
            func,
            sources: [func as u8; HASH],
            inlined_funcs: (0..func).collect(),
            code: vec![0xcc; 10 * func as usize].into(),
        };
        Entry {
            valid: Some([3; HASH]),
            functions: (0..4).map(function).collect(),
            adapters: (0..3).map(|number| vec![0xc3; number].into()).collect(),
            program: b"name"[..].into(),
            lowered: [&b""[..], b"lowered"]
                .map(|code| Lowered {
                    func: code.len() as u32,
                    body: [5; HASH],
                    code,
                })
                .into(),
        }
    }

    #[test]
    fn an_entry_is_the_same_afterwards() {
        for entry in [Entry::default(), entry()] {
            assert_eq!(Entry::decode(&entry.encode(&KEY), &KEY), Ok(entry));
        }
    }

    #[test]
    fn damage_anywhere_is_an_error() {
        let bytes = entry().encode(&KEY);
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] ^= flip;
                assert!(Entry::decode(&damaged, &KEY).is_err(), "{at}");
            }
            assert!(Entry::decode(&bytes[..at], &KEY).is_err(), "{at}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(Entry::decode(&longer, &KEY), Err(EntryError::Damaged));
    }

    #[test]
    fn the_entry_of_another_module_is_told() {
        let bytes = entry().encode(&KEY);
        assert_eq!(
            Entry::decode(&bytes, &Key([8; 32])),
            Err(EntryError::OtherKey)
        );
    }
}
