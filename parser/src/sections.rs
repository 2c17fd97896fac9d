//! A module's sections as they lie in its bytes, and the custom ones that
//! tools leave.

use std::fmt;
use std::ops::Range;

use wasmparser::{BinaryReader, ProducersSectionReader};

use crate::module::Module;

/// A section of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it holds.
    pub kind: SectionKind,
    /// Where its contents lie in the module's bytes, behind its id and size.
    pub range: Range<u32>,
}

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SectionKind {
    /// What some tool put there: an index into [`Module::custom_sections`].
    Custom(u32),
    /// Types.
    Type,
    /// Imports.
    Import,
    /// The types of functions.
    Function,
    /// Tables.
    Table,
    /// Memories.
    Memory,
    /// Tags.
    Tag,
    /// Globals.
    Global,
    /// Exports.
    Export,
    /// The start function.
    Start,
    /// Element segments.
    Element,
    /// The number of data segments.
    DataCount,
    /// Function bodies.
    Code,
    /// Data segments.
    Data,
}

/// A custom section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomSection {
    /// Its name, not necessarily unique.
    pub name: Box<str>,
    /// Where its contents lie in the module's bytes, behind the name.
    pub range: Range<u32>,
}

impl Section {
    /// The size of its contents in bytes.
    pub fn size(&self) -> u32 {
        self.range.end.saturating_sub(self.range.start)
    }
}

impl CustomSection {
    /// Its contents.
    pub fn data<'a>(&self, module: &'a Module) -> &'a [u8] {
        let range = self.range.start as usize..self.range.end as usize;
        module.bytes().get(range).unwrap_or_default()
    }

    /// A reader of its contents whose offsets count from the beginning of the
    /// module.
    pub(crate) fn reader<'a>(&self, module: &'a Module) -> BinaryReader<'a> {
        BinaryReader::new(self.data(module), u64::from(self.range.start))
    }
}

impl fmt::Display for SectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Custom(_) => "custom",
            Self::Type => "type",
            Self::Import => "import",
            Self::Function => "function",
            Self::Table => "table",
            Self::Memory => "memory",
            Self::Tag => "tag",
            Self::Global => "global",
            Self::Export => "export",
            Self::Start => "start",
            Self::Element => "element",
            Self::DataCount => "data count",
            Self::Code => "code",
            Self::Data => "data",
        })
    }
}

/// What made a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Producers {
    /// Source languages.
    pub languages: Vec<Producer>,
    /// Tools that took part: compilers, linkers, optimisers.
    pub processed_by: Vec<Producer>,
    /// Toolchains.
    pub sdks: Vec<Producer>,
}

/// A language, tool or toolchain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producer {
    /// Its name.
    pub name: Box<str>,
    /// Its version, as the tool wrote it; can be empty.
    pub version: Box<str>,
}

impl Producers {
    pub(crate) fn decode(module: &Module) -> Self {
        let mut producers = Self::default();
        if let Some(section) = module.custom_section("producers") {
            // Up to the first mistake: a tool's notes make no module invalid.
            let _ = producers.collect(section.reader(module));
        }
        producers
    }

    fn collect(&mut self, reader: BinaryReader<'_>) -> wasmparser::Result<()> {
        for field in ProducersSectionReader::new(reader)? {
            let field = field?;
            let list = match field.name {
                "language" => &mut self.languages,
                "processed-by" => &mut self.processed_by,
                "sdk" => &mut self.sdks,
                _ => continue,
            };
            for value in field.values {
                let value = value?;
                list.push(Producer {
                    name: value.name.into(),
                    version: value.version.into(),
                });
            }
        }
        Ok(())
    }
}
