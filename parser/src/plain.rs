//! Large sections as compilers make them: function bodies, and segments at
//! constant places in the first memory or table.
//!
//! There are tens of thousands of each, and nearly all are of one form. They are
//! read here in a fifth of the instructions that the general decoder and the
//! validator take. Whatever is not of that form, or not plainly valid, gives
//! `None`, and is then read in the general way, which also knows what is wrong
//! with it.

use std::ops::Range;

use wasmparser::{BinaryReader, Result, WasmFeatures};

use crate::bodies::BodyRange;
use crate::const_expr::{ConstExpr, ConstOp};
use crate::index::{FuncIndex, MemoryIndex, TableIndex};
use crate::module::{Contents, DataKind, DataSegment, ElementItems, ElementKind, ElementSegment};
use crate::types::{HeapType, RefType};

/// What the validator certainly admits: its own limits are the same, and it is
/// asked above these.
const MAX_SEGMENTS: usize = 100_000;
const MAX_ELEMENTS: u32 = 10_000_000;
const MAX_BODY: u32 = 7_654_321;

/// Contents of a section behind the number of its items.
#[derive(Clone, Copy)]
pub(crate) struct Items<'a> {
    pub(crate) bytes: &'a [u8],
    /// The offset of the bytes in the module.
    pub(crate) start: u64,
    pub(crate) count: u32,
    pub(crate) features: WasmFeatures,
}

impl<'a> Items<'a> {
    fn reader(self) -> BinaryReader<'a> {
        BinaryReader::new_features(self.bytes, self.start, self.features)
    }

    /// How many items there are at most: each takes a byte at least.
    fn most(self) -> usize {
        self.bytes.len().min(self.count as usize)
    }
}

/// The bodies of a code section. They are looked at no further.
pub(crate) fn bodies(items: Items<'_>) -> Option<Vec<BodyRange>> {
    let mut reader = items.reader();
    let mut bodies = Vec::with_capacity(items.most());
    for _ in 0..items.count {
        let len = reader.read_var_u32().ok().filter(|&len| len <= MAX_BODY)?;
        let start = reader.original_position();
        reader.read_bytes(len as usize).ok()?;
        let start = u32::try_from(start).ok()?;
        bodies.push(BodyRange::new(start..start.checked_add(len)?));
    }
    reader.eof().then_some(bodies)
}

/// A data segment that is active in the first memory, which has 32-bit addresses, at
/// a constant offset.
#[derive(Clone, Copy, Debug)]
pub struct PlainData {
    offset: i32,
    /// Where its bytes lie in the module's.
    start: u32,
    len: u32,
}

impl PlainData {
    /// Where it is put.
    pub fn address(self) -> u32 {
        self.offset.cast_unsigned()
    }

    /// Where its bytes lie in the module's.
    pub fn range(self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.len as usize
    }

    pub(crate) fn to_segment(self) -> DataSegment {
        DataSegment {
            kind: DataKind::Active {
                memory: MemoryIndex::from_u32(0),
                offset: ConstExpr::new(&[ConstOp::I32Const(self.offset)]),
            },
            range: self.start..self.start + self.len,
        }
    }
}

/// The segments of a data section, if all are active in the first memory, which
/// has 32-bit addresses, at a constant offset.
pub(crate) fn data(items: Items<'_>, contents: &Contents) -> Option<Vec<PlainData>> {
    let fits = contents
        .memories
        .first()
        .is_some_and(|memory| !memory.index64);
    if !fits || items.count as usize > MAX_SEGMENTS {
        return None;
    }
    read_data(items).ok()?
}

fn read_data(items: Items<'_>) -> Result<Option<Vec<PlainData>>> {
    let mut reader = items.reader();
    let mut segments = Vec::with_capacity(items.most());
    for _ in 0..items.count {
        let Some(offset) = read_place(&mut reader)? else {
            return Ok(None);
        };
        let len = reader.read_var_u32()?;
        // A module has no more than 2^32 bytes.
        let start = reader.original_position() as u32;
        reader.read_bytes(len as usize)?;
        segments.push(PlainData { offset, start, len });
    }
    Ok(reader.eof().then_some(segments))
}

/// How a segment begins that is active in the first memory or table, at one
/// constant.
fn read_place(reader: &mut BinaryReader<'_>) -> Result<Option<i32>> {
    const ACTIVE: u32 = 0;
    const I32_CONST: u8 = 0x41;
    const END: u8 = 0x0b;

    if reader.read_var_u32()? != ACTIVE || reader.read_u8()? != I32_CONST {
        return Ok(None);
    }
    let place = reader.read_var_i32()?;
    Ok((reader.read_u8()? == END).then_some(place))
}

/// The segments of an element section, if all are lists of functions that are
/// active in the first table, of any functions, at a constant offset.
pub(crate) fn elements(items: Items<'_>, contents: &Contents) -> Option<Vec<ElementSegment>> {
    let table = contents.tables.first()?;
    let fits = table.ty.element == RefType::FUNCREF && !table.ty.index64 && !table.ty.shared;
    if !fits || items.count as usize > MAX_SEGMENTS {
        return None;
    }
    read_elements(items, contents.functions.len() as u32).ok()?
}

fn read_elements(items: Items<'_>, functions: u32) -> Result<Option<Vec<ElementSegment>>> {
    let mut reader = items.reader();
    let mut segments = Vec::new();
    for _ in 0..items.count {
        let Some(place) = read_place(&mut reader)? else {
            return Ok(None);
        };
        let count = reader.read_var_u32()?;
        if count > MAX_ELEMENTS {
            return Ok(None);
        }
        // Each takes a byte at least.
        let mut funcs = Vec::with_capacity((count as usize).min(reader.bytes_remaining()));
        for _ in 0..count {
            let func = reader.read_var_u32()?;
            if func >= functions {
                return Ok(None);
            }
            funcs.push(FuncIndex::from_u32(func));
        }
        segments.push(ElementSegment {
            kind: ElementKind::Active {
                table: TableIndex::from_u32(0),
                offset: ConstExpr::new(&[ConstOp::I32Const(place)]),
            },
            ty: RefType {
                nullable: false,
                heap: HeapType::Func,
            },
            items: ElementItems::Functions(funcs.into()),
        });
    }
    Ok(reader.eof().then_some(segments))
}
