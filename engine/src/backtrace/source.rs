//! Places in the sources, from a module's DWARF.
//!
//! DWARF of a module counts addresses from the beginning of the code section's
//! contents. It stands in custom sections, is as untrusted as the rest, and may
//! be made to be read over and over: thousands of units that share one line
//! program, say. So whatever reads it pays for each byte out of a [budget], and
//! when that is spent there are no more places.
//!
//! Functions that the guest's compiler inlined are not listed: for that, the
//! library descends their nesting by recursion.
//!
//! [budget]: Metered

use addr2line::Context;
use gimli::{DwarfSections, EndianSlice, LittleEndian, Reader, ReaderOffsetId};
use rwasm_parser::{Module, SectionKind};
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// Bytes of DWARF that may be read beyond the size of all of it: small modules
/// may read parts several times.
const SPARE_BUDGET: usize = 1 << 20;

/// Bytes of DWARF that may be read in all. A row of a line program takes one
/// byte to read and 32 to keep.
const MAX_BUDGET: usize = 64 << 20;

/// What a part of a section that is read by itself costs: such parts are kept.
const PART_COST: usize = 32;

/// A place in the sources of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLocation {
    /// The file's path, as the guest's compiler had it.
    pub file: String,
    /// The line, from 1 on, if the instruction belongs to one.
    pub line: Option<u32>,
    /// The column, from 1 on, if it is known.
    pub column: Option<u32>,
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        Ok(())
    }
}

/// What was read of modules' DWARF, while one backtrace is printed.
#[derive(Default)]
pub(super) struct SourceLines<'a> {
    /// By the modules' addresses; nothing for a module without usable DWARF.
    modules: HashMap<*const Module, Option<ModuleLines<'a>>>,
}

struct ModuleLines<'a> {
    /// Where the code section's contents begin.
    code_start: u32,
    context: Context<Metered<'a>>,
}

impl<'a> SourceLines<'a> {
    /// The place of the instruction at `offset` in the module's bytes.
    pub(super) fn find(&mut self, module: &'a Arc<Module>, offset: u32) -> Option<SourceLocation> {
        let lines = self
            .modules
            .entry(Arc::as_ptr(module))
            .or_insert_with(|| ModuleLines::read(module));
        lines.as_ref()?.find(offset)
    }
}

impl<'a> ModuleLines<'a> {
    fn read(module: &'a Module) -> Option<Self> {
        let code = module
            .sections()
            .iter()
            .find(|section| section.kind == SectionKind::Code)?;
        let sections = module.custom_sections().iter();
        let size: usize = sections
            .filter(|section| section.name.starts_with(".debug_"))
            .map(|section| section.range.len())
            .sum();
        if size == 0 {
            return None;
        }
        let left = Rc::new(Cell::new((size + SPARE_BUDGET).min(MAX_BUDGET)));
        let sections = DwarfSections::load(|id| {
            let section = module.custom_section(id.name());
            Ok::<_, gimli::Error>(section.map_or(&[][..], |section| section.data(module)))
        })
        .ok()?;
        let dwarf = sections.borrow(|&data| Metered {
            bytes: EndianSlice::new(data, LittleEndian),
            left: left.clone(),
        });
        Some(ModuleLines {
            code_start: code.range.start,
            context: Context::from_dwarf(dwarf).ok()?,
        })
    }

    fn find(&self, offset: u32) -> Option<SourceLocation> {
        let address = offset.checked_sub(self.code_start)?;
        let location = self.context.find_location(address.into()).ok()??;
        Some(SourceLocation {
            file: location.file?.to_owned(),
            line: location.line,
            column: location.column.filter(|&column| column != 0),
        })
    }
}

/// Bytes of a section, and what may still be read of all sections.
#[derive(Clone, Debug)]
struct Metered<'a> {
    bytes: EndianSlice<'a, LittleEndian>,
    left: Rc<Cell<usize>>,
}

impl Metered<'_> {
    /// Pays for `bytes` that are read.
    fn pay(&self, bytes: usize) -> gimli::Result<()> {
        let left = self.left.get().checked_sub(bytes);
        self.left.set(left.unwrap_or(0));
        left.map(|_| ())
            .ok_or(gimli::Error::UnexpectedEof(self.bytes.offset_id()))
    }
}

impl Reader for Metered<'_> {
    type Endian = LittleEndian;
    type Offset = usize;

    fn endian(&self) -> LittleEndian {
        LittleEndian
    }

    fn len(&self) -> usize {
        self.bytes.len()
    }

    fn empty(&mut self) {
        self.bytes.empty();
    }

    fn truncate(&mut self, len: usize) -> gimli::Result<()> {
        self.bytes.truncate(len)
    }

    fn offset_from(&self, base: &Self) -> usize {
        self.bytes.offset_from(base.bytes)
    }

    fn offset_id(&self) -> ReaderOffsetId {
        self.bytes.offset_id()
    }

    fn lookup_offset_id(&self, id: ReaderOffsetId) -> Option<usize> {
        self.bytes.lookup_offset_id(id)
    }

    fn find(&self, byte: u8) -> gimli::Result<usize> {
        let found = Reader::find(&self.bytes, byte)?;
        self.pay(found)?;
        Ok(found)
    }

    fn skip(&mut self, len: usize) -> gimli::Result<()> {
        self.bytes.skip(len)
    }

    fn split(&mut self, len: usize) -> gimli::Result<Self> {
        self.pay(PART_COST)?;
        Ok(Metered {
            bytes: self.bytes.split(len)?,
            left: self.left.clone(),
        })
    }

    fn to_slice(&self) -> gimli::Result<Cow<'_, [u8]>> {
        self.pay(self.bytes.len())?;
        Ok(self.bytes.slice().into())
    }

    fn to_string(&self) -> gimli::Result<Cow<'_, str>> {
        self.pay(self.bytes.len())?;
        Ok(self.bytes.to_string()?.into())
    }

    fn to_string_lossy(&self) -> gimli::Result<Cow<'_, str>> {
        self.pay(self.bytes.len())?;
        Ok(self.bytes.to_string_lossy())
    }

    fn read_slice(&mut self, buf: &mut [u8]) -> gimli::Result<()> {
        self.pay(buf.len())?;
        self.bytes.read_slice(buf)
    }
}
