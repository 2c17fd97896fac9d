//! A decoded module and what it consists of.

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use crate::bodies::BodyRange;
use crate::bytes::ModuleBytes;
use crate::const_expr::ConstExpr;
use crate::decode;
use crate::detect::{self, Form};
use crate::error::ParseError;
use crate::features::{Features, ParseOptions};
use crate::index::{
    FuncIndex, GlobalIndex, LocalFuncIndex, MemoryIndex, TableIndex, TagIndex, TypeIndex,
};
use crate::names::Names;
use crate::plain::PlainData;
use crate::resources::Resources;
use crate::sections::{CustomSection, Producers, Section};
use crate::text;
use crate::types::{ExternType, FuncType, GlobalType, MemoryType, RefType, SubType, TableType};

/// A WebAssembly module, decoded and, but for function bodies, validated.
///
/// Index spaces stand as slices with imported entries first. Nothing in a
/// module changes after it is parsed, so what validation found holds for as
/// long as the module lives.
pub struct Module {
    pub(crate) bytes: ModuleBytes,
    pub(crate) features: Features,
    pub(crate) contents: Contents,
    pub(crate) names: OnceLock<Names>,
}

/// What the sections of a module say, as the decoder collects it.
#[derive(Default)]
pub(crate) struct Contents {
    pub types: Vec<SubType>,
    pub rec_groups: Vec<Range<u32>>,
    pub imports: Vec<Import>,
    pub functions: Vec<TypeIndex>,
    pub tables: Vec<Table>,
    pub memories: Vec<MemoryType>,
    pub globals: Vec<Global>,
    pub tags: Vec<TypeIndex>,
    pub imported: ImportedCounts,
    pub exports: Vec<Export>,
    pub start: Option<FuncIndex>,
    pub elements: Vec<ElementSegment>,
    pub data: DataSegments,
    pub bodies: Vec<BodyRange>,
    pub sections: Vec<Section>,
    pub custom_sections: Vec<CustomSection>,
    /// What bodies are validated against; present if there are bodies.
    pub resources: Option<Resources>,
}

/// The data segments. There can be tens of thousands, where a linker makes one
/// for each string.
pub(crate) enum DataSegments {
    Plain(Vec<PlainData>),
    Any(Vec<DataSegment>),
}

impl Default for DataSegments {
    fn default() -> Self {
        Self::Plain(Vec::new())
    }
}

/// How many entries of each index space are imported.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ImportedCounts {
    pub functions: u32,
    pub tables: u32,
    pub memories: u32,
    pub globals: u32,
    pub tags: u32,
}

/// Something that a module needs from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The name of the module that it is wanted from.
    pub module: Box<str>,
    /// Its name there.
    pub name: Box<str>,
    /// The type that it must match.
    pub ty: ExternType,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its type.
    pub ty: TableType,
    /// What its elements start as, if not null. None for an imported table.
    pub init: Option<ConstExpr>,
}

/// A global.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Global {
    /// Its type.
    pub ty: GlobalType,
    /// What it starts as. None for an imported global.
    pub init: Option<ConstExpr>,
}

/// Something that a module offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its name, unique in the module.
    pub name: Box<str>,
    /// The index space that it is in.
    pub kind: ExternKind,
    /// Its index there.
    pub index: u32,
}

/// The index spaces that imports and exports belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExternKind {
    /// Functions.
    Func,
    /// Tables.
    Table,
    /// Memories.
    Memory,
    /// Globals.
    Global,
    /// Tags.
    Tag,
}

/// A segment that initialises tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementSegment {
    /// When it is used.
    pub kind: ElementKind,
    /// The type of its items.
    pub ty: RefType,
    /// Its items.
    pub items: ElementItems,
}

/// When an element segment is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElementKind {
    /// Copied into a table when the module is instantiated.
    Active {
        /// The table.
        table: TableIndex,
        /// Where in the table.
        offset: ConstExpr,
    },
    /// Copied by `table.init`.
    Passive,
    /// Never: it declares that its functions are used by `ref.func`.
    Declared,
}

/// The items of an element segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElementItems {
    /// References to functions.
    Functions(Box<[FuncIndex]>),
    /// Values of constant expressions.
    Expressions(Box<[ConstExpr]>),
}

/// A segment that initialises memories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataSegment {
    /// When it is used.
    pub kind: DataKind,
    /// Where its bytes lie in the module's.
    pub range: Range<u32>,
}

/// When a data segment is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataKind {
    /// Copied into a memory when the module is instantiated.
    Active {
        /// The memory.
        memory: MemoryIndex,
        /// Where in the memory.
        offset: ConstExpr,
    },
    /// Copied by `memory.init`.
    Passive,
}

impl Module {
    /// Parses a binary module.
    ///
    /// Everything is validated, function bodies only if the options say so.
    pub fn parse(bytes: ModuleBytes, options: &ParseOptions) -> Result<Self, ParseError> {
        let contents = decode::decode(&bytes, options.features)?;
        let features = options.features;
        let module = Self {
            bytes,
            features,
            contents,
            names: OnceLock::new(),
        };
        if options.validate_bodies {
            module.validate_all()?;
        }
        Ok(module)
    }

    /// Parses a binary or a text module, and tells what other files are.
    ///
    /// `name` (a path, say) appears in errors of text modules. A text module
    /// is encoded first, and its [`bytes`](Self::bytes) are that encoding.
    pub fn parse_any(
        bytes: ModuleBytes,
        name: Option<&str>,
        options: &ParseOptions,
    ) -> Result<Self, ParseError> {
        match detect::detect(&bytes)? {
            Form::Binary => Self::parse(bytes, options),
            Form::Text => Self::parse(text::to_binary(&bytes, name)?.into(), options),
        }
    }

    /// The bytes of its binary.
    pub fn bytes(&self) -> &ModuleBytes {
        &self.bytes
    }

    /// Which WebAssembly it was parsed as.
    pub fn features(&self) -> Features {
        self.features
    }

    /// The defined types, recursion groups flattened.
    pub fn types(&self) -> &[SubType] {
        &self.contents.types
    }

    /// The recursion groups, as ranges of [`types`](Self::types) that follow
    /// each other. A type outside of any explicit group is a group of its own.
    pub fn rec_groups(&self) -> &[Range<u32>] {
        &self.contents.rec_groups
    }

    /// The imports, in order.
    pub fn imports(&self) -> &[Import] {
        &self.contents.imports
    }

    /// The types of all functions.
    pub fn functions(&self) -> &[TypeIndex] {
        &self.contents.functions
    }

    /// All tables.
    pub fn tables(&self) -> &[Table] {
        &self.contents.tables
    }

    /// The types of all memories.
    pub fn memories(&self) -> &[MemoryType] {
        &self.contents.memories
    }

    /// All globals.
    pub fn globals(&self) -> &[Global] {
        &self.contents.globals
    }

    /// The types of all tags; each is a function type without results.
    pub fn tags(&self) -> &[TypeIndex] {
        &self.contents.tags
    }

    /// The exports, in order.
    pub fn exports(&self) -> &[Export] {
        &self.contents.exports
    }

    /// The function that instantiation calls at its end.
    pub fn start(&self) -> Option<FuncIndex> {
        self.contents.start
    }

    /// The element segments.
    pub fn elements(&self) -> &[ElementSegment] {
        &self.contents.elements
    }

    /// The data segments.
    pub fn data(&self) -> impl ExactSizeIterator<Item = DataSegment> {
        let count = match &self.contents.data {
            DataSegments::Plain(segments) => segments.len(),
            DataSegments::Any(segments) => segments.len(),
        };
        (0..count).map(|index| self.data_segment(index).expect("one of them"))
    }

    /// The data segments, if all of them are of the form that compilers make: there
    /// may be tens of thousands.
    pub fn plain_data(&self) -> Option<&[PlainData]> {
        match &self.contents.data {
            DataSegments::Plain(segments) => Some(segments),
            DataSegments::Any(_) => None,
        }
    }

    /// A data segment, if there is one of this index.
    pub fn data_segment(&self, index: usize) -> Option<DataSegment> {
        match &self.contents.data {
            DataSegments::Plain(segments) => Some(segments.get(index)?.to_segment()),
            DataSegments::Any(segments) => segments.get(index).cloned(),
        }
    }

    /// The bytes of a data segment.
    pub fn data_bytes(&self, segment: &DataSegment) -> &[u8] {
        let range = segment.range.start as usize..segment.range.end as usize;
        self.bytes.get(range).unwrap_or_default()
    }

    /// Where the bodies of its own functions lie, by [`LocalFuncIndex`].
    pub fn bodies(&self) -> &[BodyRange] {
        &self.contents.bodies
    }

    /// All sections, in order.
    pub fn sections(&self) -> &[Section] {
        &self.contents.sections
    }

    /// The custom sections, in order.
    pub fn custom_sections(&self) -> &[CustomSection] {
        &self.contents.custom_sections
    }

    /// The first custom section with this name.
    pub fn custom_section(&self, name: &str) -> Option<&CustomSection> {
        self.custom_sections()
            .iter()
            .find(|section| &*section.name == name)
    }

    /// The custom sections with debugging information in DWARF.
    pub fn dwarf_sections(&self) -> impl Iterator<Item = &CustomSection> {
        self.custom_sections()
            .iter()
            .filter(|section| section.name.starts_with(".debug_"))
    }

    /// The names in its `name` section, decoded when they are first asked for.
    /// What is broken in that section is ignored.
    pub fn names(&self) -> &Names {
        self.names.get_or_init(|| Names::decode(self))
    }

    /// What made it, from its `producers` section. What is broken in that
    /// section is ignored.
    pub fn producers(&self) -> Producers {
        Producers::decode(self)
    }

    /// How many functions are imported.
    pub fn num_imported_functions(&self) -> u32 {
        self.contents.imported.functions
    }

    /// How many tables are imported.
    pub fn num_imported_tables(&self) -> u32 {
        self.contents.imported.tables
    }

    /// How many memories are imported.
    pub fn num_imported_memories(&self) -> u32 {
        self.contents.imported.memories
    }

    /// How many globals are imported.
    pub fn num_imported_globals(&self) -> u32 {
        self.contents.imported.globals
    }

    /// How many tags are imported.
    pub fn num_imported_tags(&self) -> u32 {
        self.contents.imported.tags
    }

    /// The index of one of its own functions among all functions.
    pub fn func_index(&self, func: LocalFuncIndex) -> FuncIndex {
        FuncIndex::from_u32(self.num_imported_functions() + func.as_u32())
    }

    /// The index of a function among its own, unless it is imported.
    pub fn local_func_index(&self, func: FuncIndex) -> Option<LocalFuncIndex> {
        func.as_u32()
            .checked_sub(self.num_imported_functions())
            .map(LocalFuncIndex::from_u32)
    }

    /// The function type that a type index stands for, if it does.
    pub fn func_type(&self, ty: TypeIndex) -> Option<&FuncType> {
        self.types().get(ty.index())?.composite.as_func()
    }

    /// The type of something exported.
    pub fn export_type(&self, export: &Export) -> Option<ExternType> {
        let index = export.index as usize;
        Some(match export.kind {
            ExternKind::Func => ExternType::Func(*self.functions().get(index)?),
            ExternKind::Table => ExternType::Table(self.tables().get(index)?.ty),
            ExternKind::Memory => ExternType::Memory(*self.memories().get(index)?),
            ExternKind::Global => ExternType::Global(self.globals().get(index)?.ty),
            ExternKind::Tag => ExternType::Tag(*self.tags().get(index)?),
        })
    }

    pub(crate) fn validator_resources(&self) -> Option<&Resources> {
        self.contents.resources.as_ref()
    }
}

impl fmt::Debug for Module {
    /// A summary: a module's contents can be large.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module")
            .field("bytes", &self.bytes)
            .field("features", &self.features)
            .field("types", &self.types().len())
            .field("imports", &self.imports().len())
            .field("functions", &self.bodies().len())
            .field("exports", &self.exports().len())
            .finish_non_exhaustive()
    }
}

impl ExternKind {
    /// Its keyword in text: `func`, `table`, `memory`, `global` or `tag`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Func => "func",
            Self::Table => "table",
            Self::Memory => "memory",
            Self::Global => "global",
            Self::Tag => "tag",
        }
    }
}

impl<T> ExternType<T> {
    /// The index space that something of this type is in.
    pub fn kind(&self) -> ExternKind {
        match self {
            Self::Func(_) => ExternKind::Func,
            Self::Table(_) => ExternKind::Table,
            Self::Memory(_) => ExternKind::Memory,
            Self::Global(_) => ExternKind::Global,
            Self::Tag(_) => ExternKind::Tag,
        }
    }
}

impl Export {
    /// The function exported, if it is one.
    pub fn func(&self) -> Option<FuncIndex> {
        (self.kind == ExternKind::Func).then(|| FuncIndex::from_u32(self.index))
    }

    /// The table exported, if it is one.
    pub fn table(&self) -> Option<TableIndex> {
        (self.kind == ExternKind::Table).then(|| TableIndex::from_u32(self.index))
    }

    /// The memory exported, if it is one.
    pub fn memory(&self) -> Option<MemoryIndex> {
        (self.kind == ExternKind::Memory).then(|| MemoryIndex::from_u32(self.index))
    }

    /// The global exported, if it is one.
    pub fn global(&self) -> Option<GlobalIndex> {
        (self.kind == ExternKind::Global).then(|| GlobalIndex::from_u32(self.index))
    }

    /// The tag exported, if it is one.
    pub fn tag(&self) -> Option<TagIndex> {
        (self.kind == ExternKind::Tag).then(|| TagIndex::from_u32(self.index))
    }
}
