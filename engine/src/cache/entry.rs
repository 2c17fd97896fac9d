//! What an entry of the cache has in its blocks ([`blocks`](super::blocks)).
//!
//! ```text
//!  machine code   { func:32  sources  inlined_funcs:32 {func:32}  length:32  code }
//!  adapters       { length:32  code }
//!  lowered        { hash of the body  length:32  code }
//!  index          valid:8  hash of the module   program: length:32 bytes
//!                 adapters: block:32
//!                 functions:32  { func:32  block:32 }
//!                 lowered:32    { func:32  block:32  offset:32 }
//! ```
//! The index is the last block, and its lists are in the order of functions. The
//! others have what is written in the order in which a run came to need it, so that
//! a run like that one needs the first of them.

use super::blocks::{Blocks, EntryError, HASH, Reader, Writer};
use super::hash_body;
use super::key::Key;
use super::lowered::Lowered;
use rwasm_jit::Compiled;
use rwasm_parser::LocalFuncIndex;
use rwasm_runtime::code::ModuleCode;
use std::borrow::Cow;

/// Machine code of one block is placed together, when one of its functions is first
/// called. Most programs have one such block, CPython's start has 14.
const CODE_BLOCK: usize = 16 << 10;

/// Lowered bodies are read when they are called, each block once.
const LOWERED_BLOCK: usize = 32 << 10;

/// No block.
const NONE: u32 = u32::MAX;

/// What is known of a module, or of all that differ in bodies and data alone: what
/// is to be written.
#[derive(Debug, Default)]
pub(super) struct Contents<'a> {
    /// The hash of a module that was found valid.
    pub(super) valid: Option<[u8; HASH]>,
    /// Functions that were hot.
    pub(super) functions: Vec<Function<'a>>,
    /// The adapters that calls of them needed, as [`rwasm_jit::adapters`] gives
    /// them.
    pub(super) adapters: Vec<Vec<u8>>,
    /// The program that bodies were lowered in, as it was linked; empty if it has
    /// no name.
    pub(super) program: &'a [u8],
    /// Bodies that were lowered in it.
    pub(super) lowered: Vec<Lowered<'a>>,
}

/// Machine code of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Function<'a> {
    pub(super) func: u32,
    /// A hash of the bodies that it was compiled from.
    sources: [u8; HASH],
    /// Whose bodies these are, beside its own.
    inlined_funcs: Vec<u32>,
    /// As [`Compiled::to_bytes`] gives it.
    code: Cow<'a, [u8]>,
}

/// Where what is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    /// As in [`Contents`].
    pub(super) valid: Option<[u8; HASH]>,
    /// As in [`Contents`].
    pub(super) program: Vec<u8>,
    /// The block of all adapters, if there are some.
    pub(super) adapters: Option<u32>,
    /// Functions in ascending order, and the blocks that have their machine code.
    pub(super) functions: Vec<(u32, u32)>,
    /// Functions in ascending order, and where their lowered bodies are.
    pub(super) lowered: Vec<(u32, Place)>,
}

/// A block, and an offset in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) block: u32,
    pub(super) at: u32,
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
        if !self.is_of(code) {
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

    pub(super) fn into_owned(self) -> Function<'static> {
        Function {
            code: self.code.into_owned().into(),
            ..self
        }
    }

    /// Whether it was compiled from bodies that the module has.
    pub(super) fn is_of(&self, code: &ModuleCode) -> bool {
        self.hash_sources(code) == Some(self.sources)
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

impl Contents<'_> {
    /// The entry, in two parts.
    pub(super) fn encode(&self, key: &Key) -> [Vec<u8>; 2] {
        let code = self.functions.iter().map(|function| function.code.len());
        let lowered = self.lowered.iter().map(|lowered| lowered.code.len());
        let items = self.functions.len() + self.lowered.len();
        let bytes = code.chain(lowered).sum::<usize>() + 64 * items + 4096;
        let mut writer = Writer::new(bytes);
        let mut index = Index {
            valid: self.valid,
            program: self.program.into(),
            ..Index::default()
        };
        for function in &self.functions {
            let (block, _) = writer.place(CODE_BLOCK);
            index.functions.push((function.func, block));
            function.write(writer.bytes());
        }
        writer.end_block();
        if !self.adapters.is_empty() {
            index.adapters = Some(writer.place(NONE as usize).0);
            for adapter in &self.adapters {
                write_bytes(adapter, writer.bytes());
            }
            writer.end_block();
        }
        for lowered in &self.lowered {
            let (block, at) = writer.place(LOWERED_BLOCK);
            index.lowered.push((lowered.func, Place { block, at }));
            writer.bytes().extend(lowered.body);
            write_bytes(lowered.code, writer.bytes());
        }
        writer.end_block();
        index.functions.sort_unstable_by_key(|&(func, _)| func);
        index.lowered.sort_unstable_by_key(|&(func, _)| func);
        index.write(writer.bytes());
        writer.finish(key)
    }
}

impl Function<'_> {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.func.to_le_bytes());
        bytes.extend(self.sources);
        bytes.extend((self.inlined_funcs.len() as u32).to_le_bytes());
        bytes.extend(
            self.inlined_funcs
                .iter()
                .flat_map(|func| func.to_le_bytes()),
        );
        write_bytes(&self.code, bytes);
    }
}

impl Index {
    /// The index of an entry.
    pub(super) fn of(blocks: &Blocks) -> Result<Index, EntryError> {
        let last = blocks.len().checked_sub(1).ok_or(EntryError::Truncated)?;
        let bytes = blocks.read(last as u32)?;
        let mut reader = Reader(&bytes);
        let is_valid = reader.array::<1>()? != [0];
        let valid = reader.array()?;
        let program = read_bytes(&mut reader)?.into();
        let adapters = reader.u32()?;
        let mut functions = Vec::new();
        for _ in 0..reader.u32()? {
            functions.push((reader.u32()?, reader.u32()?));
        }
        let mut lowered = Vec::new();
        for _ in 0..reader.u32()? {
            let (func, block, at) = (reader.u32()?, reader.u32()?, reader.u32()?);
            lowered.push((func, Place { block, at }));
        }
        if !reader.0.is_empty() {
            return Err(EntryError::Damaged);
        }
        Ok(Index {
            valid: is_valid.then_some(valid),
            program,
            adapters: (adapters != NONE).then_some(adapters),
            functions,
            lowered,
        })
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.valid.is_some().into());
        bytes.extend(self.valid.unwrap_or_default());
        write_bytes(&self.program, bytes);
        bytes.extend(self.adapters.unwrap_or(NONE).to_le_bytes());
        bytes.extend((self.functions.len() as u32).to_le_bytes());
        for (func, block) in &self.functions {
            bytes.extend(func.to_le_bytes());
            bytes.extend(block.to_le_bytes());
        }
        bytes.extend((self.lowered.len() as u32).to_le_bytes());
        for (func, place) in &self.lowered {
            for number in [*func, place.block, place.at] {
                bytes.extend(number.to_le_bytes());
            }
        }
    }

    /// The block that has the machine code of a function.
    pub(super) fn code_block(&self, func: u32) -> Option<u32> {
        let at = self.functions.binary_search_by_key(&func, |item| item.0);
        Some(self.functions[at.ok()?].1)
    }

    /// Where the lowered body of a function is.
    pub(super) fn lowered(&self, func: u32) -> Option<Place> {
        let at = self.lowered.binary_search_by_key(&func, |item| item.0);
        Some(self.lowered[at.ok()?].1)
    }

    /// The blocks of machine code, in order.
    pub(super) fn code_blocks(&self) -> Vec<u32> {
        let mut blocks: Vec<u32> = self.functions.iter().map(|&(_, block)| block).collect();
        blocks.sort_unstable();
        blocks.dedup();
        blocks
    }
}

/// The functions of a block of machine code.
pub(super) fn functions(block: &[u8]) -> Result<Vec<Function<'_>>, EntryError> {
    let mut reader = Reader(block);
    let mut functions = Vec::new();
    while !reader.0.is_empty() {
        let (func, sources) = (reader.u32()?, reader.array()?);
        let inlined_funcs = (0..reader.u32()?).map(|_| reader.u32());
        let inlined_funcs = inlined_funcs.collect::<Result<_, _>>()?;
        functions.push(Function {
            func,
            sources,
            inlined_funcs,
            code: read_bytes(&mut reader)?.into(),
        });
    }
    Ok(functions)
}

/// The adapters of their block.
pub(super) fn adapters(block: &[u8]) -> Result<Vec<&[u8]>, EntryError> {
    let mut reader = Reader(block);
    let mut adapters = Vec::new();
    while !reader.0.is_empty() {
        adapters.push(read_bytes(&mut reader)?);
    }
    Ok(adapters)
}

/// The lowered body at an offset of its block: the hash of the body, and the code.
pub(super) fn lowered(block: &[u8], at: u32) -> Option<([u8; HASH], &[u8])> {
    let mut reader = Reader(block.get(at as usize..)?);
    Some((reader.array().ok()?, read_bytes(&mut reader).ok()?))
}

fn write_bytes(part: &[u8], bytes: &mut Vec<u8>) {
    bytes.extend((part.len() as u32).to_le_bytes());
    bytes.extend_from_slice(part);
}

fn read_bytes<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], EntryError> {
    let len = reader.u32()? as usize;
    reader.take(len)
}

#[cfg(test)]
mod tests {
    use super::super::blocks::Source;
    use super::*;

    const KEY: Key = Key([7; 32]);

    fn function(func: u32) -> Function<'static> {
        Function {
            func,
            sources: [func as u8; HASH],
            inlined_funcs: (0..func % 4).collect(),
            code: vec![0xcc; 10 * func as usize].into(),
        }
    }

    fn open(contents: &Contents<'_>) -> (Blocks, Index) {
        let bytes = contents.encode(&KEY).concat();
        let len = bytes.len();
        let source = Source::Bytes(bytes.into(), 0..len);
        let blocks = Blocks::open(source, len as u64, &KEY).unwrap();
        let index = Index::of(&blocks).unwrap();
        (blocks, index)
    }

    /// Functions in an order of their own, in several blocks.
    #[test]
    fn an_entry_is_the_same_afterwards() {
        let order: Vec<u32> = (0..300).rev().collect();
        let code: Vec<_> = order.iter().map(|&func| vec![func as u8; 400]).collect();
        let bodies = order.iter().zip(&code).map(|(&func, code)| Lowered {
            func,
            body: [func as u8; HASH],
            code,
        });
        let contents = Contents {
            valid: Some([3; HASH]),
            functions: order.iter().map(|&func| function(func)).collect(),
            adapters: (0..3).map(|number| vec![0xc3; number]).collect(),
            program: b"name",
            lowered: bodies.collect(),
        };
        let (blocks, index) = open(&contents);
        assert_eq!(
            (index.valid, &*index.program),
            (contents.valid, contents.program)
        );
        assert!(index.code_blocks().len() > 3);
        let read = index.code_blocks().into_iter().flat_map(|block| {
            let bytes = blocks.read(block).unwrap();
            let functions = functions(&bytes).unwrap();
            for function in &functions {
                assert_eq!(index.code_block(function.func), Some(block));
            }
            functions
                .iter()
                .map(|function| function.func)
                .collect::<Vec<_>>()
        });
        assert_eq!(read.collect::<Vec<_>>(), order);
        let bytes = blocks.read(index.code_block(7).unwrap()).unwrap();
        assert!(functions(&bytes).unwrap().contains(&function(7)));
        let bytes = blocks.read(index.adapters.unwrap()).unwrap();
        assert_eq!(adapters(&bytes).unwrap(), contents.adapters);
        for (&func, code) in order.iter().zip(&code) {
            let place = index.lowered(func).unwrap();
            let bytes = blocks.read(place.block).unwrap();
            let expected = ([func as u8; HASH], &code[..]);
            assert_eq!(lowered(&bytes, place.at), Some(expected));
        }
        assert_eq!((index.code_block(300), index.lowered(300)), (None, None));
    }

    #[test]
    fn an_entry_may_have_nothing() {
        let (_, index) = open(&Contents::default());
        assert_eq!(index, Index::default());
    }
}
