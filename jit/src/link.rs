//! Placing compiled functions behind each other and filling in addresses.

use crate::function::{CompiledFunction, RelocationKind, Target};
use crate::image::Image;
use crate::place::Place;
use crate::symbol::Symbol;
use crate::translate::{InlinedAt, Position};
use crate::unwind::{Handler, TryCall};
use cranelift_codegen::ir;
use rwasm_parser::LocalFuncIndex;
use rwasm_runtime::code::ModuleCode;
use std::sync::Arc;
use thiserror::Error;

/// Why functions could not be linked.
#[derive(Debug, Error)]
pub enum LinkError {
    /// All code of an image must be within reach of 32-bit distances.
    #[error("the machine code is too large")]
    TooLarge,
    /// Code calls what does not exist here.
    #[error("compiled code calls {0}, which there is no function for")]
    Missing(String),
}

/// Functions on their way to an image.
#[derive(Debug, Default)]
pub(crate) struct Linker {
    code: Vec<u8>,
    image: Tables,
    placed: Vec<(u32, Arc<CompiledFunction>)>,
}

#[derive(Debug, Default)]
struct Tables {
    funcs: Vec<(u32, u32)>,
    traps: Vec<(u32, rwasm_runtime::trap::Trap)>,
    positions: Vec<(u32, Position)>,
    try_calls: Vec<(u32, TryCall)>,
    handlers: Vec<Handler>,
    inlined: Vec<InlinedAt>,
}

/// What the linker makes code of, at the address that it was asked to.
pub(crate) struct Linked {
    pub(crate) code: Vec<u8>,
    pub(crate) image: Image,
}

impl Linker {
    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        self.code.len()
    }

    /// Places a function; returns its offset. `index` is what the image calls
    /// it.
    pub(crate) fn add(
        &mut self,
        index: u32,
        function: Arc<CompiledFunction>,
    ) -> Result<u32, LinkError> {
        let start = self.reserve(function.code.len(), function.place)?;
        let offset = start as u32;
        self.code[start..][..function.code.len()].copy_from_slice(&function.code);
        let tables = &mut self.image;
        let first_inlined = tables.inlined.len() as u32;
        let moved = |position| match position {
            Position::Own(at) => Position::Own(at),
            Position::Inlined(index) => Position::Inlined(first_inlined + index),
        };
        tables.funcs.push((offset, index));
        let traps = function.traps.iter();
        tables
            .traps
            .extend(traps.map(|&(at, trap)| (offset + at, trap)));
        let positions = function.positions.iter();
        let positions = positions.map(|&(at, position)| (offset + at, moved(position)));
        tables.positions.extend(positions);
        tables
            .inlined
            .extend(function.inlined.iter().map(|inlined| InlinedAt {
                call_site: moved(inlined.call_site),
                ..*inlined
            }));
        let first_handler = tables.handlers.len() as u32;
        tables
            .try_calls
            .extend(function.try_calls.iter().map(|&(at, try_call)| {
                let (first, count) = try_call.items;
                let items = (first_handler + first, count);
                (offset + at, TryCall { items, ..try_call })
            }));
        let handlers = function.handlers.iter();
        tables
            .handlers
            .extend(handlers.map(|handler| handler.moved(offset)));
        self.placed.push((offset, function));
        Ok(offset)
    }

    /// The functions of the module that the placed ones call, each as often as it
    /// is.
    pub(crate) fn callees(&self) -> impl Iterator<Item = LocalFuncIndex> {
        let functions = self.placed.iter();
        let relocations = functions.flat_map(|(_, function)| &function.relocations);
        relocations.filter_map(|relocation| match relocation.target {
            Target::Symbol(Symbol::Func(func)) => Some(func),
            _ => None,
        })
    }

    /// Room for `len` bytes; returns its offset.
    pub(crate) fn reserve(&mut self, len: usize, place: Place) -> Result<usize, LinkError> {
        // Well below what a signed 32-bit distance can span, and the arena.
        const MOST: usize = 1 << 30;
        let start = place.from(self.code.len());
        let end = start.checked_add(len).filter(|&end| end <= MOST);
        // What nothing should ever run traps (int3 on x86-64).
        self.code.resize(end.ok_or(LinkError::TooLarge)?, 0xcc);
        Ok(start)
    }

    /// The bytes at an offset.
    pub(crate) fn bytes_mut(&mut self, offset: usize, len: usize) -> &mut [u8] {
        &mut self.code[offset..][..len]
    }

    /// Fills in all addresses for code at `base`. `resolve` gives those of
    /// symbols.
    pub(crate) fn finish<E: From<LinkError>>(
        mut self,
        base: usize,
        module: *const ModuleCode,
        resolve: impl Fn(Target) -> Result<usize, E>,
    ) -> Result<Linked, E> {
        for (start, function) in &self.placed {
            for relocation in &function.relocations {
                let target = match relocation.target {
                    Target::Own(offset) => base + *start as usize + offset as usize,
                    Target::Cranelift(call) => cranelift_call(call)?,
                    symbol => resolve(symbol)?,
                };
                let at = *start as usize + relocation.offset as usize;
                let value = (target as i64).wrapping_add(relocation.addend);
                match relocation.kind {
                    RelocationKind::Absolute64 => {
                        self.code[at..][..8].copy_from_slice(&value.to_le_bytes());
                    }
                    RelocationKind::Relative32 => {
                        let distance = value.wrapping_sub((base + at) as i64);
                        let distance = i32::try_from(distance).map_err(|_| LinkError::TooLarge)?;
                        self.code[at..][..4].copy_from_slice(&distance.to_le_bytes());
                    }
                }
            }
        }
        Ok(Linked {
            code: self.code,
            image: Image {
                base,
                module,
                funcs: self.image.funcs.into(),
                traps: self.image.traps.into(),
                positions: self.image.positions.into(),
                try_calls: self.image.try_calls.into(),
                handlers: self.image.handlers.into(),
                inlined: self.image.inlined.into(),
            },
        })
    }
}

/// The address of what stands for an instruction that the processor lacks.
fn cranelift_call(call: ir::LibCall) -> Result<usize, LinkError> {
    macro_rules! functions {
        ($($call:ident($($arg:ident: $ty:ident),+) $body:expr;)*) => {
            match call {
                $(ir::LibCall::$call => {
                    extern "C" fn function($($arg: $ty),+) -> functions!(@first $($ty)+) {
                        $body
                    }
                    function as *const () as usize
                })*
                other => return Err(LinkError::Missing(other.to_string())),
            }
        };
        (@first $ty:ident $($rest:ident)*) => { $ty };
    }
    Ok(functions! {
        CeilF32(a: f32) a.ceil();
        CeilF64(a: f64) a.ceil();
        FloorF32(a: f32) a.floor();
        FloorF64(a: f64) a.floor();
        TruncF32(a: f32) a.trunc();
        TruncF64(a: f64) a.trunc();
        NearestF32(a: f32) a.round_ties_even();
        NearestF64(a: f64) a.round_ties_even();
        FmaF32(a: f32, b: f32, c: f32) a.mul_add(b, c);
        FmaF64(a: f64, b: f64, c: f64) a.mul_add(b, c);
    })
}
