//! A binary's sections into a module's contents.
//!
//! `wasmparser`'s validator sees each section first, so that what is converted
//! here is known to be valid. Nothing relies on that for more than which error
//! is given: what cannot be converted is an error, not a panic.

use std::ops::Range;
use std::thread;

use wasmparser::{
    BinaryReader, Chunk, Data, DataSectionReader, Element, ExternalKind, FromReader,
    Import as RawImport, Parser, Payload, SectionLimited, TableInit, TypeRef, TypeSectionReader,
    Validator, WasmFeatures,
};

use crate::bodies::BodyRange;
use crate::const_expr::ConstExprDecoder;
use crate::detect;
use crate::error::ParseError;
use crate::features::Features;
use crate::index::{FuncIndex, MemoryIndex, TableIndex, TypeIndex};
use crate::module::{
    Contents, DataKind, DataSegment, DataSegments, ElementItems, ElementKind, ElementSegment,
    Export, ExternKind, Global, Import, Table,
};
use crate::plain::{self, Items, PlainData};
use crate::resources::{PlainElements, Resources};
use crate::sections::{CustomSection, Section, SectionKind};
use crate::types::{ExternType, UnsupportedType};

/// The largest module: offsets in it are kept in 32 bits.
const MAX_MODULE_SIZE: u64 = u32::MAX as u64;

/// The places of bodies in code of so many bytes are found by another thread. Each
/// is told by the size of the one before, so that most of the time is waiting for
/// memory: the 11,000 of CPython, in 6 MiB, take 2 ms (docs/RATIONALE.md).
const LARGE_CODE: u32 = 4 << 20;

/// Decodes and validates all of a module but its function bodies.
pub(crate) fn decode(bytes: &[u8], features: Features) -> Result<Contents, ParseError> {
    if detect::is_component(bytes) {
        return Err(ParseError::Component);
    }
    check_size(bytes.len() as u64)?;
    let features = features.to_wasmparser();
    let mut parser = Parser::new(0);
    parser.set_features(features);
    let mut decoder = Decoder {
        bytes,
        validator: Validator::new_with_features(features),
        contents: Contents::default(),
        expressions: ConstExprDecoder::default(),
        plain_elements: PlainElements::default(),
        data_ahead: None,
    };
    let mut rest = bytes;
    loop {
        let (consumed, payload) = match parser.parse(rest, true)? {
            Chunk::Parsed { consumed, payload } => (consumed, payload),
            Chunk::NeedMoreData(_) => unreachable!("it was told that there is no more"),
        };
        rest = &rest[consumed..];
        match payload {
            Payload::End(_) => {
                decoder.payload(payload)?;
                return Ok(decoder.contents);
            }
            Payload::CodeSectionStart { count, size, .. } => {
                decoder.payload(payload)?;
                let start = (bytes.len() - rest.len()) as u64;
                let items = decoder.items_at(start..start + u64::from(size), count);
                let bodies = if size < LARGE_CODE {
                    plain::bodies(items)
                } else {
                    let mut ahead = parser.clone();
                    ahead.skip_section();
                    let behind = rest.get(size as usize..).unwrap_or_default();
                    let data = match ahead.parse(behind, true) {
                        Ok(Chunk::Parsed {
                            payload: Payload::DataSection(data),
                            ..
                        }) => Some(data),
                        _ => None,
                    };
                    decoder.bodies_and_data(items, data)
                };
                if decoder.bodies(items, bodies)? {
                    parser.skip_section();
                    rest = &rest[size as usize..];
                }
            }
            payload => decoder.payload(payload)?,
        }
    }
}

struct Decoder<'a> {
    bytes: &'a [u8],
    validator: Validator,
    contents: Contents,
    expressions: ConstExprDecoder,
    /// Element segments that the validator has not seen.
    plain_elements: PlainElements,
    /// Data segments that were read before their turn, and the range of their section.
    data_ahead: Option<(Range<u64>, Vec<PlainData>)>,
}

impl<'a> Decoder<'a> {
    fn payload(&mut self, payload: Payload<'_>) -> Result<(), ParseError> {
        check_count(&payload)?;
        if let Payload::TypeSection(section) = &payload {
            check_rec_groups(section, self.bytes, *self.validator.features())?;
        }
        match &payload {
            Payload::CodeSectionEntry(body) => return self.body(body),
            Payload::DataSection(section) => self.data(section)?,
            Payload::ElementSection(section) => self.elements(section)?,
            _ => {
                self.validator.payload(&payload)?;
            }
        }
        self.note_section(&payload);
        match payload {
            Payload::TypeSection(section) => self.types(section),
            Payload::ImportSection(section) => self.imports(section),
            Payload::FunctionSection(section) => self.functions(section),
            Payload::TableSection(section) => self.tables(section),
            Payload::MemorySection(section) => self.memories(section),
            Payload::TagSection(section) => self.tags(section),
            Payload::GlobalSection(section) => self.globals(section),
            Payload::ExportSection(section) => self.exports(section),
            Payload::StartSection { func, .. } => {
                self.contents.start = Some(FuncIndex::from_u32(func));
                Ok(())
            }
            Payload::CustomSection(section) => {
                self.contents.custom_sections.push(CustomSection {
                    name: section.name().into(),
                    range: offsets(section.data_range()),
                });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn note_section(&mut self, payload: &Payload<'_>) {
        let Some((_, range)) = payload.as_section() else {
            return;
        };
        let kind = match payload {
            Payload::CustomSection(_) => {
                SectionKind::Custom(self.contents.custom_sections.len() as u32)
            }
            Payload::TypeSection(_) => SectionKind::Type,
            Payload::ImportSection(_) => SectionKind::Import,
            Payload::FunctionSection(_) => SectionKind::Function,
            Payload::TableSection(_) => SectionKind::Table,
            Payload::MemorySection(_) => SectionKind::Memory,
            Payload::TagSection(_) => SectionKind::Tag,
            Payload::GlobalSection(_) => SectionKind::Global,
            Payload::ExportSection(_) => SectionKind::Export,
            Payload::StartSection { .. } => SectionKind::Start,
            Payload::ElementSection(_) => SectionKind::Element,
            Payload::DataCountSection { .. } => SectionKind::DataCount,
            Payload::CodeSectionStart { .. } => SectionKind::Code,
            Payload::DataSection(_) => SectionKind::Data,
            _ => return,
        };
        self.contents.sections.push(Section {
            kind,
            range: offsets(range),
        });
    }

    fn types(&mut self, section: TypeSectionReader<'_>) -> Result<(), ParseError> {
        let types = &mut self.contents.types;
        for group in section {
            let start = types.len() as u32;
            for (offset, ty) in group?.into_types_and_offsets() {
                types.push((&ty).try_into().map_err(at(offset))?);
            }
            self.contents.rec_groups.push(start..types.len() as u32);
        }
        Ok(())
    }

    fn imports(&mut self, section: wasmparser::ImportSectionReader<'_>) -> Result<(), ParseError> {
        for import in section.into_imports_with_offsets() {
            let (offset, RawImport { module, name, ty }) = import?;
            let ty = self.import(ty).map_err(at(offset))?;
            self.contents.imports.push(Import {
                module: module.into(),
                name: name.into(),
                ty,
            });
        }
        Ok(())
    }

    /// Enters an import into its index space.
    fn import(&mut self, ty: TypeRef) -> Result<ExternType, UnsupportedType> {
        let Contents {
            functions,
            tables,
            memories,
            globals,
            tags,
            imported,
            ..
        } = &mut self.contents;
        Ok(match ty {
            TypeRef::Func(index) => {
                let ty = TypeIndex::from_u32(index);
                functions.push(ty);
                imported.functions += 1;
                ExternType::Func(ty)
            }
            TypeRef::Table(ty) => {
                let ty = ty.try_into()?;
                tables.push(Table { ty, init: None });
                imported.tables += 1;
                ExternType::Table(ty)
            }
            TypeRef::Memory(ty) => {
                let ty = ty.try_into()?;
                memories.push(ty);
                imported.memories += 1;
                ExternType::Memory(ty)
            }
            TypeRef::Global(ty) => {
                let ty = ty.try_into()?;
                globals.push(Global { ty, init: None });
                imported.globals += 1;
                ExternType::Global(ty)
            }
            TypeRef::Tag(ty) => {
                let ty = TypeIndex::from_u32(ty.func_type_idx);
                tags.push(ty);
                imported.tags += 1;
                ExternType::Tag(ty)
            }
            TypeRef::FuncExact(_) => return Err(UnsupportedType),
        })
    }

    fn functions(
        &mut self,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), ParseError> {
        for ty in section {
            self.contents.functions.push(TypeIndex::from_u32(ty?));
        }
        Ok(())
    }

    fn tables(&mut self, section: wasmparser::TableSectionReader<'_>) -> Result<(), ParseError> {
        for table in section.into_iter_with_offsets() {
            let (offset, table) = table?;
            let ty = table.ty.try_into().map_err(at(offset))?;
            let init = match &table.init {
                TableInit::RefNull => None,
                TableInit::Expr(expr) => Some(self.expressions.decode(expr)?),
            };
            self.contents.tables.push(Table { ty, init });
        }
        Ok(())
    }

    fn memories(&mut self, section: wasmparser::MemorySectionReader<'_>) -> Result<(), ParseError> {
        for memory in section.into_iter_with_offsets() {
            let (offset, ty) = memory?;
            self.contents
                .memories
                .push(ty.try_into().map_err(at(offset))?);
        }
        Ok(())
    }

    fn tags(&mut self, section: wasmparser::TagSectionReader<'_>) -> Result<(), ParseError> {
        for tag in section {
            self.contents
                .tags
                .push(TypeIndex::from_u32(tag?.func_type_idx));
        }
        Ok(())
    }

    fn globals(&mut self, section: wasmparser::GlobalSectionReader<'_>) -> Result<(), ParseError> {
        for global in section.into_iter_with_offsets() {
            let (offset, global) = global?;
            let ty = global.ty.try_into().map_err(at(offset))?;
            let init = Some(self.expressions.decode(&global.init_expr)?);
            self.contents.globals.push(Global { ty, init });
        }
        Ok(())
    }

    fn exports(&mut self, section: wasmparser::ExportSectionReader<'_>) -> Result<(), ParseError> {
        for export in section.into_iter_with_offsets() {
            let (offset, export) = export?;
            let kind = match export.kind {
                ExternalKind::Func => ExternKind::Func,
                ExternalKind::Table => ExternKind::Table,
                ExternalKind::Memory => ExternKind::Memory,
                ExternalKind::Global => ExternKind::Global,
                ExternalKind::Tag => ExternKind::Tag,
                ExternalKind::FuncExact => return Err(at(offset)(UnsupportedType)),
            };
            let (name, index) = (export.name.into(), export.index);
            self.contents.exports.push(Export { name, kind, index });
        }
        Ok(())
    }

    fn elements(
        &mut self,
        section: &wasmparser::ElementSectionReader<'_>,
    ) -> Result<(), ParseError> {
        if let Some(segments) = plain::elements(self.items(section), &self.contents) {
            for segment in &segments {
                if let ElementItems::Functions(functions) = &segment.items {
                    self.plain_elements.add(functions);
                }
            }
            self.contents.elements = segments;
            return Ok(());
        }
        self.validator.element_section(section)?;
        for element in section.clone() {
            self.contents
                .elements
                .push(element_segment(element?, &mut self.expressions)?);
        }
        Ok(())
    }

    fn data(&mut self, section: &DataSectionReader<'_>) -> Result<(), ParseError> {
        let ahead = self.data_ahead.take();
        let ahead = ahead.filter(|(range, _)| *range == section.range());
        let segments = match ahead {
            Some((_, segments)) => Some(segments),
            None => plain::data(self.items(section), &self.contents),
        };
        if let Some(segments) = segments {
            self.contents.data = DataSegments::Plain(segments);
            return Ok(());
        }
        self.validator.data_section(section)?;
        let segments = section.clone().into_iter();
        let segments = segments.map(|segment| data_segment(segment?, &mut self.expressions));
        self.contents.data = DataSegments::Any(segments.collect::<Result<_, ParseError>>()?);
        Ok(())
    }

    fn items<'s, T: FromReader<'s>>(&self, section: &SectionLimited<'s, T>) -> Items<'a> {
        let start = section.original_position();
        self.items_at(start..section.range().end, section.count())
    }

    fn items_at(&self, range: Range<u64>, count: u32) -> Items<'a> {
        let start = range.start;
        let range = offsets(range);
        let bytes = self.bytes.get(range.start as usize..range.end as usize);
        Items {
            // What is cut short gives an error where it is decoded.
            bytes: bytes.unwrap_or_default(),
            start,
            count,
            features: *self.validator.features(),
        }
    }

    /// The bodies of a code section, while this thread reads the data section behind
    /// it, if there is one.
    fn bodies_and_data(
        &mut self,
        items: Items<'_>,
        data: Option<DataSectionReader<'_>>,
    ) -> Option<Vec<BodyRange>> {
        thread::scope(|scope| {
            let other = thread::Builder::new().spawn_scoped(scope, || plain::bodies(items));
            let Ok(other) = other else {
                // No thread can be had.
                return plain::bodies(items);
            };
            self.data_ahead = data.and_then(|section| {
                let segments = plain::data(self.items(&section), &self.contents)?;
                Some((section.range(), segments))
            });
            other.join().ok()?
        })
    }

    /// Notes where all bodies are; `false` if that is to be done one by one.
    fn bodies(
        &mut self,
        items: Items<'_>,
        bodies: Option<Vec<BodyRange>>,
    ) -> Result<bool, ParseError> {
        let Some(bodies) = bodies else {
            return Ok(false);
        };
        if let Some(first) = bodies.first() {
            let bytes = self.bytes.get(first.range()).unwrap_or_default();
            let start = first.start() as u64;
            let reader = BinaryReader::new_features(bytes, start, items.features);
            // Of all others the validator would say the same.
            self.note_resources(&wasmparser::FunctionBody::new(reader))?;
        }
        self.contents.bodies = bodies;
        Ok(true)
    }

    fn body(&mut self, body: &wasmparser::FunctionBody<'_>) -> Result<(), ParseError> {
        self.note_resources(body)?;
        self.contents
            .bodies
            .push(BodyRange::new(offsets(body.range())));
        Ok(())
    }

    /// All bodies are validated against the same resources. What else there is to
    /// know of each follows from its index.
    fn note_resources(&mut self, body: &wasmparser::FunctionBody<'_>) -> Result<(), ParseError> {
        let func = self.validator.code_section_entry(body)?;
        let plain = &mut self.plain_elements;
        let resources = &mut self.contents.resources;
        resources.get_or_insert_with(|| Resources::new(func.resources, std::mem::take(plain)));
        Ok(())
    }
}

fn element_segment(
    element: Element<'_>,
    expressions: &mut ConstExprDecoder,
) -> Result<ElementSegment, ParseError> {
    let kind = match &element.kind {
        wasmparser::ElementKind::Active {
            table_index,
            offset_expr,
        } => ElementKind::Active {
            table: TableIndex::from_u32(table_index.unwrap_or(0)),
            offset: expressions.decode(offset_expr)?,
        },
        wasmparser::ElementKind::Passive => ElementKind::Passive,
        wasmparser::ElementKind::Declared => ElementKind::Declared,
    };
    let (ty, items) = match element.items {
        wasmparser::ElementItems::Functions(items) => {
            let functions = items
                .into_iter()
                .map(|index| Ok(FuncIndex::from_u32(index?)));
            let functions = functions.collect::<Result<_, ParseError>>()?;
            (
                wasmparser::RefType::FUNC,
                ElementItems::Functions(functions),
            )
        }
        wasmparser::ElementItems::Expressions(ty, items) => {
            let items = items.into_iter().map(|expr| expressions.decode(&expr?));
            let items = items.collect::<Result<_, ParseError>>()?;
            (ty, ElementItems::Expressions(items))
        }
    };
    let ty = ty.try_into().map_err(at(element.range.start))?;
    Ok(ElementSegment { kind, ty, items })
}

fn data_segment(
    segment: Data<'_>,
    expressions: &mut ConstExprDecoder,
) -> Result<DataSegment, ParseError> {
    let kind = match &segment.kind {
        wasmparser::DataKind::Active {
            memory_index,
            offset_expr,
        } => DataKind::Active {
            memory: MemoryIndex::from_u32(*memory_index),
            offset: expressions.decode(offset_expr)?,
        },
        wasmparser::DataKind::Passive => DataKind::Passive,
    };
    let end = segment.range.end;
    let range = offsets(end.saturating_sub(segment.data.len() as u64)..end);
    Ok(DataSegment { kind, range })
}

fn check_size(size: u64) -> Result<(), ParseError> {
    if size > MAX_MODULE_SIZE {
        let (what, limit) = ("its size in bytes", MAX_MODULE_SIZE);
        return Err(ParseError::Limit {
            what,
            limit,
            actual: size,
        });
    }
    Ok(())
}

/// Makes an error for a type found at an offset.
fn at(offset: u64) -> impl Fn(UnsupportedType) -> ParseError {
    move |error| ParseError::Binary {
        offset,
        message: error.to_string(),
    }
}

/// Offsets in 32 bits, which those in a module of bounded size have.
fn offsets(range: Range<u64>) -> Range<u32> {
    let narrow = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
    narrow(range.start)..narrow(range.end)
}

/// Refuses a section that declares more items than its bytes can hold, before
/// the validator reserves memory for them.
///
/// The error is that of decoding: a module that is malformed is not looked at
/// for what else is wrong with it.
fn check_count(payload: &Payload<'_>) -> Result<(), ParseError> {
    // The second argument is the size of the smallest item.
    match payload {
        Payload::TypeSection(section) => check_items(section, 2),
        Payload::ImportSection(section) => check_items(section, 4),
        Payload::FunctionSection(section) => check_items(section, 1),
        Payload::TableSection(section) => check_items(section, 3),
        Payload::MemorySection(section) => check_items(section, 2),
        Payload::TagSection(section) => check_items(section, 2),
        Payload::GlobalSection(section) => check_items(section, 3),
        Payload::ExportSection(section) => check_items(section, 3),
        Payload::ElementSection(section) => check_items(section, 2),
        Payload::DataSection(section) => check_items(section, 2),
        _ => Ok(()),
    }
}

fn check_items<'a, T: FromReader<'a>>(
    section: &SectionLimited<'a, T>,
    min_size: u64,
) -> Result<(), ParseError> {
    let bytes = section
        .range()
        .end
        .saturating_sub(section.original_position());
    if u64::from(section.count()) * min_size > bytes {
        for item in section.clone() {
            item?;
        }
    }
    Ok(())
}

/// Refuses a recursion group that declares more types than its bytes can hold,
/// for the same reason and with the same kind of error as [`check_count`].
fn check_rec_groups(
    section: &TypeSectionReader<'_>,
    bytes: &[u8],
    features: WasmFeatures,
) -> Result<(), ParseError> {
    /// What an explicit recursion group starts with.
    const REC: u8 = 0x4e;
    /// The size of the smallest type: an array's.
    const MIN_SIZE: usize = 2;

    let start = section.original_position();
    let range = offsets(start..section.range().end);
    let contents = bytes
        .get(range.start as usize..range.end as usize)
        .unwrap_or_default();
    if !contents.contains(&REC) {
        return Ok(());
    }
    let mut reader = BinaryReader::new_features(contents, start, features);
    for _ in 0..section.count() {
        let group = reader.clone().read_u8().is_ok_and(|byte| byte == REC);
        let len = if group {
            reader.read_u8()?;
            reader.read_var_u32()?
        } else {
            1
        };
        let impossible = len as usize > reader.bytes_remaining() / MIN_SIZE;
        for _ in 0..len {
            if let Err(error) = reader.read::<wasmparser::SubType>() {
                // Any other mistake is found again, in its turn.
                return if impossible {
                    Err(error.into())
                } else {
                    Ok(())
                };
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_beyond_32_bit_offsets_are_refused() {
        assert_eq!(check_size(u64::from(u32::MAX)), Ok(()));
        assert_eq!(
            check_size(1 << 32).unwrap_err().to_string(),
            "the module exceeds a limit: its size in bytes is 4294967296, \
                and at most 4294967295 is supported"
        );
    }
}
