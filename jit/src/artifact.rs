//! A compiled function as bytes, to be kept in a file.
//!
//! ```text
//!  align:32  offset:32  code:bytes  relocations  traps  positions  try calls  handlers
//!  inlined instructions  inlined functions
//! ```
//! Numbers are little-endian, a list is its length and its items. The bytes say
//! nothing of whose function they are, nor of what they were made for: whoever
//! keeps them keeps that too ([`fingerprint`](crate::fingerprint)).
//!
//! Reading checks that everything refers to something that is there, so that
//! damaged tables are an error and no panic later. It cannot tell whether the
//! code does what the function says: bytes must come from [`Compiled::to_bytes`],
//! which is for their keeper to make sure of.

use crate::compile::Compiled;
use crate::function::{CompiledFunction, Relocation, RelocationKind, Target};
use crate::libcall::LibCall;
use crate::place::Place;
use crate::symbol::{Runtime, Symbol};
use crate::translate::{Entry, InlinedAt, Position};
use crate::unwind::{Handler, TryCall};
use cranelift_codegen::ir;
use rwasm_parser::{LocalFuncIndex, Module};
use rwasm_runtime::trap::Trap;
use std::sync::Arc;
use thiserror::Error;

/// Why bytes are no compiled function of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ArtifactError {
    /// They end too early.
    #[error("a compiled function is cut short")]
    Truncated,
    /// Something is behind the end.
    #[error("something follows a compiled function")]
    Trailing,
    /// A number is not one of those that are possible.
    #[error("a compiled function has no valid {0}")]
    Invalid(&'static str),
}

/// The functions that Cranelift calls for instructions, by number.
const CRANELIFT_CALLS: &[ir::LibCall] = &[
    ir::LibCall::CeilF32,
    ir::LibCall::CeilF64,
    ir::LibCall::FloorF32,
    ir::LibCall::FloorF64,
    ir::LibCall::TruncF32,
    ir::LibCall::TruncF64,
    ir::LibCall::NearestF32,
    ir::LibCall::NearestF64,
    ir::LibCall::FmaF32,
    ir::LibCall::FmaF64,
];

/// Tags of [`Target`]s.
mod target {
    pub(super) const FUNC: u8 = 0;
    pub(super) const LIBCALL: u8 = 1;
    pub(super) const CRANELIFT: u8 = 2;
    pub(super) const OWN: u8 = 3;
    pub(super) const RUNTIME: u8 = 4;
}

/// Tags of [`Position`]s.
mod position {
    pub(super) const OWN: u8 = 0;
    pub(super) const INLINED: u8 = 1;
}

/// Tags of [`Handler`]s.
mod handler {
    pub(super) const INSTANCE: u8 = 0;
    pub(super) const TAG: u8 = 1;
    pub(super) const ALL: u8 = 2;
}

/// The most that code may be aligned to; Cranelift asks for 64 at most.
const MAX_ALIGN: u32 = 4096;

impl Compiled {
    /// The code as bytes; `None` if they could not be read again.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(2 * self.code.code.len());
        write(&self.code, &mut bytes).then_some(bytes)
    }

    /// The code of a function of a module, to be entered at its beginning.
    ///
    /// Publishing it is as if it had been compiled just now: the bytes must be
    /// what [`Compiled::to_bytes`] gave, in a process with the same
    /// [`fingerprint`](crate::fingerprint), for a module that is the same but for
    /// bodies, and has the same bodies of `func` and its [`inlined_funcs`](Compiled::inlined_funcs)
    /// at the same offsets.
    ///
    /// # Errors
    /// If they are not, as far as can be seen.
    pub fn from_bytes(
        bytes: &[u8],
        func: LocalFuncIndex,
        module: &Module,
    ) -> Result<Self, ArtifactError> {
        Ok(Compiled {
            func,
            entry: Entry::Function,
            code: Arc::new(read(bytes, Contents::of(module))?),
        })
    }

    /// The functions of the module whose bodies are in this code, beside its own.
    pub fn inlined_funcs(&self) -> &[LocalFuncIndex] {
        &self.code.inlined_funcs
    }
}

/// What a module has that code may refer to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Contents {
    funcs: usize,
    tags: usize,
}

impl Contents {
    fn of(module: &Module) -> Self {
        Contents {
            funcs: module.bodies().len(),
            tags: module.tags().len(),
        }
    }
}

/// Appends a function; `false`, and nothing, if it calls what has no number
/// here.
pub(crate) fn write(function: &CompiledFunction, into: &mut Vec<u8>) -> bool {
    let start = into.len();
    let mut writer = Writer(into);
    writer.u32(function.place.align);
    writer.u32(function.place.offset);
    writer.u32(function.code.len() as u32);
    writer.0.extend_from_slice(&function.code);
    let mut known = true;
    writer.list(&function.relocations, |writer, relocation| {
        writer.u32(relocation.offset);
        writer.u8(match relocation.kind {
            RelocationKind::Relative32 => 0,
            RelocationKind::Absolute64 => 1,
        });
        writer.u64(relocation.addend.cast_unsigned());
        let (tag, number) = match relocation.target {
            Target::Symbol(Symbol::Func(func)) => (target::FUNC, func.as_u32()),
            Target::Symbol(Symbol::LibCall(call)) => (target::LIBCALL, call as u32),
            Target::Symbol(Symbol::Runtime(function)) => (target::RUNTIME, function.number()),
            Target::Own(offset) => (target::OWN, offset),
            Target::Cranelift(call) => {
                let number = CRANELIFT_CALLS.iter().position(|&other| other == call);
                known &= number.is_some();
                (target::CRANELIFT, number.unwrap_or_default() as u32)
            }
        };
        writer.u8(tag);
        writer.u32(number);
    });
    writer.list(&function.traps, |writer, &(offset, trap)| {
        writer.u32(offset);
        writer.u8(trap as u8);
    });
    writer.list(&function.positions, |writer, &(offset, position)| {
        writer.u32(offset);
        writer.position(position);
    });
    writer.list(&function.try_calls, |writer, &(offset, try_call)| {
        writer.u32(offset);
        writer.u32(try_call.frame);
        writer.u32(try_call.items.0);
        writer.u32(try_call.items.1);
    });
    writer.list(&function.handlers, |writer, &handler| {
        let (tag, number, offset) = match handler {
            Handler::Instance(offset) => (handler::INSTANCE, 0, offset),
            Handler::Tag(tag, offset) => (handler::TAG, tag, offset),
            Handler::All(offset) => (handler::ALL, 0, offset),
        };
        writer.u8(tag);
        writer.u32(number);
        writer.u32(offset);
    });
    writer.list(&function.inlined, |writer, inlined| {
        writer.u32(inlined.offset);
        writer.position(inlined.call_site);
    });
    writer.list(&function.inlined_funcs, |writer, callee| {
        writer.u32(callee.as_u32())
    });
    if !known {
        into.truncate(start);
    }
    known
}

/// Reads a function of a module that has `contents` from all of `bytes`.
pub(crate) fn read(bytes: &[u8], contents: Contents) -> Result<CompiledFunction, ArtifactError> {
    let mut reader = Reader(bytes);
    let (align, offset) = (reader.u32()?, reader.u32()?);
    check(align.is_power_of_two() && align <= MAX_ALIGN, "alignment")?;
    check(offset < align, "alignment")?;
    let len = reader.u32()?;
    let code: Box<[u8]> = reader.take(len as usize)?.into();
    // What lies at an offset, and what a return address or a label may be.
    let within = |offset: u32, size: u32| {
        let end = offset.checked_add(size);
        check(end.is_some_and(|end| end <= len), "offset")
    };
    let relocations = reader.list(|reader| {
        let offset = reader.u32()?;
        let (kind, size) = match reader.u8()? {
            0 => (RelocationKind::Relative32, 4),
            1 => (RelocationKind::Absolute64, 8),
            _ => return Err(ArtifactError::Invalid("relocation")),
        };
        within(offset, size)?;
        let addend = reader.u64()?.cast_signed();
        let (tag, number) = (reader.u8()?, reader.u32()?);
        let target = target(tag, number, len, contents).ok_or(ArtifactError::Invalid("target"))?;
        Ok(Relocation {
            offset,
            kind,
            target,
            addend,
        })
    })?;
    let traps = reader.list(|reader| {
        let offset = reader.u32()?;
        within(offset, 1)?;
        let trap = Trap::ALL.get(usize::from(reader.u8()?));
        Ok((offset, *trap.ok_or(ArtifactError::Invalid("trap"))?))
    })?;
    let positions = reader.list(|reader| {
        let offset = reader.u32()?;
        within(offset, 1)?;
        Ok((offset, reader.position()?))
    })?;
    let try_calls = reader.list(|reader| {
        let offset = reader.u32()?;
        within(offset, 0)?;
        let frame = reader.u32()?;
        let items = (reader.u32()?, reader.u32()?);
        Ok((offset, TryCall { frame, items }))
    })?;
    let handlers = reader.list(|reader| {
        let (tag, number, offset) = (reader.u8()?, reader.u32()?, reader.u32()?);
        if tag != handler::INSTANCE {
            within(offset, 1)?;
        }
        match tag {
            handler::INSTANCE if number == 0 => Ok(Handler::Instance(offset)),
            handler::TAG if (number as usize) < contents.tags => Ok(Handler::Tag(number, offset)),
            handler::ALL if number == 0 => Ok(Handler::All(offset)),
            _ => Err(ArtifactError::Invalid("handler")),
        }
    })?;
    let inlined = reader.list(|reader| {
        Ok(InlinedAt {
            offset: reader.u32()?,
            call_site: reader.position()?,
        })
    })?;
    let inlined_funcs = reader.list(|reader| {
        let callee = reader.u32()?;
        check((callee as usize) < contents.funcs, "inlined function")?;
        Ok(LocalFuncIndex::from_u32(callee))
    })?;
    if !reader.0.is_empty() {
        return Err(ArtifactError::Trailing);
    }
    let function = CompiledFunction {
        code,
        place: Place { align, offset },
        relocations,
        traps,
        positions,
        try_calls,
        handlers,
        inlined,
        inlined_funcs,
        called_types: Box::default(),
    };
    check_tables(&function)?;
    Ok(function)
}

/// What a relocation refers to, if it is there.
fn target(tag: u8, number: u32, len: u32, contents: Contents) -> Option<Target> {
    let index = number as usize;
    Some(match tag {
        target::FUNC if index < contents.funcs => {
            Target::Symbol(Symbol::Func(LocalFuncIndex::from_u32(number)))
        }
        target::LIBCALL => Target::Symbol(Symbol::LibCall(*LibCall::ALL.get(index)?)),
        target::CRANELIFT => Target::Cranelift(*CRANELIFT_CALLS.get(index)?),
        target::OWN if number <= len => Target::Own(number),
        target::RUNTIME => Target::Symbol(Symbol::Runtime(Runtime::from_number(number)?)),
        _ => return None,
    })
}

/// The tables are searched by offset, and refer to each other.
fn check_tables(function: &CompiledFunction) -> Result<(), ArtifactError> {
    let sorted = function.traps.is_sorted_by_key(|entry| entry.0)
        && function.positions.is_sorted_by_key(|entry| entry.0)
        && function.try_calls.is_sorted_by_key(|entry| entry.0);
    check(sorted, "order")?;
    // A call site is before what was inlined there, so that following them ends.
    let before = |position, bound: usize| match position {
        Position::Own(_) => true,
        Position::Inlined(index) => (index as usize) < bound,
    };
    let all = function.inlined.len();
    let mut positions = function.positions.iter();
    check(positions.all(|entry| before(entry.1, all)), "position")?;
    let mut inlined = function.inlined.iter().enumerate();
    let in_order = inlined.all(|(index, inlined)| before(inlined.call_site, index));
    check(in_order, "call site")?;
    let items_exist = function.try_calls.iter().all(|&(_, try_call)| {
        let (first, count) = try_call.items;
        let end = first.checked_add(count);
        end.is_some_and(|end| end as usize <= function.handlers.len())
    });
    check(items_exist, "handlers")?;
    // Tags are looked up in the instance that comes before them.
    let begins_with_instance = function.try_calls.iter().all(|&(_, try_call)| {
        let items = &function.handlers[try_call.items.0 as usize..][..try_call.items.1 as usize];
        let mut before_instance = items
            .iter()
            .take_while(|item| !matches!(item, Handler::Instance(_)));
        before_instance.all(|item| matches!(item, Handler::All(_)))
    });
    check(begins_with_instance, "instance")
}

fn check(holds: bool, what: &'static str) -> Result<(), ArtifactError> {
    if holds {
        Ok(())
    } else {
        Err(ArtifactError::Invalid(what))
    }
}

pub(crate) struct Writer<'a>(pub(crate) &'a mut Vec<u8>);

impl Writer<'_> {
    pub(crate) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn position(&mut self, position: Position) {
        let (tag, number) = match position {
            Position::Own(offset) => (position::OWN, offset),
            Position::Inlined(index) => (position::INLINED, index),
        };
        self.u8(tag);
        self.u32(number);
    }

    pub(crate) fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.u32(items.len() as u32);
        for item in items {
            write(self, item);
        }
    }
}

pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], ArtifactError> {
        let (taken, rest) = self
            .0
            .split_at_checked(len)
            .ok_or(ArtifactError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ArtifactError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(ArtifactError::Truncated)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, ArtifactError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, ArtifactError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, ArtifactError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn position(&mut self) -> Result<Position, ArtifactError> {
        let (tag, number) = (self.u8()?, self.u32()?);
        match tag {
            position::OWN => Ok(Position::Own(number)),
            position::INLINED => Ok(Position::Inlined(number)),
            _ => Err(ArtifactError::Invalid("position")),
        }
    }

    /// A list of items. What its length reserves is bound by the bytes that are
    /// left.
    pub(crate) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, ArtifactError>,
    ) -> Result<Box<[T]>, ArtifactError> {
        let len = self.u32()? as usize;
        let mut items = Vec::with_capacity(len.min(self.0.len() / 4));
        for _ in 0..len {
            items.push(read(self)?);
        }
        Ok(items.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rwasm_parser::ParseOptions;

    fn contents() -> Contents {
        let text = "(module (tag) (func) (func))";
        let options = ParseOptions::default();
        let module = Module::parse_any(text.as_bytes().to_vec().into(), None, &options).unwrap();
        Contents::of(&module)
    }

    fn function() -> CompiledFunction {
        let relocation = |offset, kind, target| Relocation {
            offset,
            kind,
            target,
            addend: -4,
        };
        let own = Position::Own(100);
        CompiledFunction {
            code: (0..64).collect(),
            place: Place {
                align: 32,
                offset: 12,
            },
            relocations: Box::new([
                relocation(
                    0,
                    RelocationKind::Relative32,
                    Target::Symbol(Symbol::Func(LocalFuncIndex::from_u32(1))),
                ),
                relocation(
                    56,
                    RelocationKind::Absolute64,
                    Target::Symbol(Symbol::LibCall(LibCall::ALL[3])),
                ),
                relocation(
                    8,
                    RelocationKind::Absolute64,
                    Target::Cranelift(ir::LibCall::FloorF64),
                ),
                relocation(60, RelocationKind::Relative32, Target::Own(64)),
                relocation(
                    16,
                    RelocationKind::Absolute64,
                    Target::Symbol(Symbol::Runtime(Runtime::Leave)),
                ),
            ]),
            traps: Box::new([(3, Trap::Unreachable), (63, Trap::StackOverflow)]),
            positions: Box::new([(3, own), (9, Position::Inlined(1))]),
            try_calls: Box::new([(
                10,
                TryCall {
                    frame: 48,
                    items: (0, 3),
                },
            )]),
            handlers: Box::new([Handler::Instance(16), Handler::Tag(0, 20), Handler::All(24)]),
            inlined: Box::new([
                InlinedAt {
                    offset: 7,
                    call_site: own,
                },
                InlinedAt {
                    offset: 8,
                    call_site: Position::Inlined(0),
                },
            ]),
            inlined_funcs: Box::new([LocalFuncIndex::from_u32(1)]),
            called_types: Box::default(),
        }
    }

    fn written(function: &CompiledFunction) -> Vec<u8> {
        let mut bytes = Vec::new();
        assert!(write(function, &mut bytes));
        bytes
    }

    #[test]
    fn a_function_is_the_same_afterwards() {
        let function = function();
        let again = read(&written(&function), contents()).unwrap();
        assert_eq!(format!("{again:?}"), format!("{function:?}"));
    }

    #[test]
    fn what_is_cut_short_or_followed_is_an_error() {
        let (contents, bytes) = (contents(), written(&function()));
        for len in 0..bytes.len() {
            assert!(read(&bytes[..len], contents).is_err(), "{len}");
        }
        let longer = [&bytes[..], &[0]].concat();
        let error = read(&longer, contents).unwrap_err();
        assert_eq!(error, ArtifactError::Trailing);
    }

    #[test]
    fn damage_is_an_error_or_another_function_whose_tables_hold() {
        let (contents, bytes) = (contents(), written(&function()));
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] ^= flip;
                if let Ok(function) = read(&damaged, contents) {
                    assert_eq!(written(&function), damaged);
                }
            }
        }
    }

    #[test]
    fn references_to_what_is_not_there_are_errors() {
        type Spoil = fn(&mut CompiledFunction);
        let refused: &[(&str, Spoil)] = &[
            ("alignment", |f| f.place.align = 3),
            ("alignment", |f| f.place.offset = 32),
            ("offset", |f| f.relocations[1].offset = 57),
            ("target", |f| {
                let func = LocalFuncIndex::from_u32(2);
                f.relocations[0].target = Target::Symbol(Symbol::Func(func));
            }),
            ("offset", |f| f.traps[1].0 = 64),
            ("order", |f| f.positions.reverse()),
            ("position", |f| f.positions[1].1 = Position::Inlined(2)),
            ("call site", |f| {
                f.inlined[1].call_site = Position::Inlined(1);
            }),
            ("handlers", |f| f.try_calls[0].1.items = (1, 3)),
            ("handler", |f| f.handlers[1] = Handler::Tag(1, 20)),
            ("inlined function", |f| {
                f.inlined_funcs[0] = LocalFuncIndex::from_u32(2)
            }),
        ];
        for &(what, spoil) in refused {
            let mut function = function();
            spoil(&mut function);
            let error = read(&written(&function), contents()).unwrap_err();
            assert_eq!(error, ArtifactError::Invalid(what));
        }
    }
}
