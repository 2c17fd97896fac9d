//! What there is to say about a module: the shape of `--json`, and what the
//! text is written from.

use rwasm::parser::{
    ElementItems, ExternKind, ExternType, FuncIndex, Module, Producer, SectionKind, TypeIndex,
};
use serde::Serialize;

/// How many of the largest functions are listed.
const LARGEST: usize = 10;

/// How many bytes of a type are shown: one long type behind many exports would
/// be written out for each.
const MAX_TYPE: usize = 500;

/// A module in numbers and names.
#[derive(Serialize)]
pub struct Summary<'a> {
    pub file: &'a str,
    /// Of the file, which may be text.
    pub bytes: u64,
    pub kind: Kind,
    pub name: Option<&'a str>,
    pub sections: Vec<Section<'a>>,
    pub types: usize,
    pub imports: Vec<Import<'a>>,
    pub exports: Vec<Export<'a>>,
    pub functions: Functions<'a>,
    pub tables: Vec<Entity>,
    pub memories: Vec<Memory>,
    pub globals: Vec<Entity>,
    pub tags: Vec<Entity>,
    pub start: Option<u32>,
    pub elements: Elements,
    pub data: Data,
    pub names: Names,
    /// Whether it has DWARF.
    pub debug_info: bool,
    pub producers: Producers<'a>,
}

/// How a module is meant to be used, by what it exports.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It has a `_start`.
    Program,
    /// It has an `_initialize`.
    Reactor,
    /// It has neither.
    Library,
}

#[derive(Serialize)]
pub struct Section<'a> {
    pub kind: String,
    /// Of a custom section.
    pub name: Option<&'a str>,
    pub bytes: u32,
}

#[derive(Serialize)]
pub struct Import<'a> {
    pub module: &'a str,
    pub name: &'a str,
    pub kind: &'static str,
    #[serde(rename = "type")]
    pub ty: String,
}

#[derive(Serialize)]
pub struct Export<'a> {
    pub name: &'a str,
    pub kind: &'static str,
    pub index: u32,
    #[serde(rename = "type")]
    pub ty: String,
}

#[derive(Serialize)]
pub struct Functions<'a> {
    pub imported: u32,
    pub defined: usize,
    pub code_bytes: usize,
    pub largest: Vec<Function<'a>>,
}

#[derive(Serialize)]
pub struct Function<'a> {
    pub index: u32,
    pub name: Option<&'a str>,
    pub bytes: usize,
}

/// A table, a global or a tag.
#[derive(Serialize)]
pub struct Entity {
    pub imported: bool,
    #[serde(rename = "type")]
    pub ty: String,
}

#[derive(Serialize)]
pub struct Memory {
    #[serde(flatten)]
    pub entity: Entity,
    /// What it starts with, and may grow to.
    pub min_bytes: u128,
    pub max_bytes: Option<u128>,
}

#[derive(Serialize)]
pub struct Elements {
    pub segments: usize,
    pub items: usize,
}

#[derive(Serialize)]
pub struct Data {
    pub segments: usize,
    pub bytes: usize,
}

/// How much the name section names.
#[derive(Serialize)]
pub struct Names {
    pub functions: usize,
}

#[derive(Serialize)]
pub struct Producers<'a> {
    pub languages: Vec<Tool<'a>>,
    pub processed_by: Vec<Tool<'a>>,
    pub sdks: Vec<Tool<'a>>,
}

#[derive(Serialize)]
pub struct Tool<'a> {
    pub name: &'a str,
    pub version: &'a str,
}

impl<'a> Summary<'a> {
    /// The summary of `module`, which came from `file`. Its `producers` are
    /// decoded when they are asked for, so somebody must hold them.
    pub fn of(
        file: &'a str,
        bytes: u64,
        module: &'a Module,
        producers: &'a rwasm::parser::Producers,
    ) -> Summary<'a> {
        Summary {
            file,
            bytes,
            kind: kind(module),
            name: module.names().module(),
            sections: module
                .sections()
                .iter()
                .map(|s| section(module, s))
                .collect(),
            types: module.types().len(),
            imports: imports(module),
            exports: exports(module),
            functions: functions(module),
            tables: entities(module.num_imported_tables(), module.tables(), |t| {
                t.ty.to_string()
            }),
            memories: memories(module),
            globals: entities(module.num_imported_globals(), module.globals(), |g| {
                g.ty.to_string()
            }),
            tags: entities(module.num_imported_tags(), module.tags(), |&t| {
                func_type(module, t)
            }),
            start: module.start().map(FuncIndex::as_u32),
            elements: Elements {
                segments: module.elements().len(),
                items: module.elements().iter().map(|e| items(&e.items)).sum(),
            },
            data: Data {
                segments: module.data().len(),
                bytes: module.data().map(|d| module.data_bytes(&d).len()).sum(),
            },
            names: Names {
                functions: module.names().functions().count(),
            },
            debug_info: module.dwarf_sections().next().is_some(),
            producers: Producers {
                languages: tools(&producers.languages),
                processed_by: tools(&producers.processed_by),
                sdks: tools(&producers.sdks),
            },
        }
    }
}

fn kind(module: &Module) -> Kind {
    let has = |name| {
        let mut exports = module.exports().iter();
        exports.any(|e| &*e.name == name && e.kind == ExternKind::Func)
    };
    if has("_start") {
        Kind::Program
    } else if has("_initialize") {
        Kind::Reactor
    } else {
        Kind::Library
    }
}

fn section<'a>(module: &'a Module, section: &rwasm::parser::Section) -> Section<'a> {
    let name = match section.kind {
        SectionKind::Custom(index) => module.custom_sections().get(index as usize),
        _ => None,
    };
    Section {
        kind: section.kind.to_string(),
        name: name.map(|custom| &*custom.name),
        bytes: section.size(),
    }
}

fn imports(module: &Module) -> Vec<Import<'_>> {
    let imports = module.imports().iter();
    imports
        .map(|import| Import {
            module: &import.module,
            name: &import.name,
            kind: import.ty.kind().name(),
            ty: extern_type(module, &import.ty),
        })
        .collect()
}

fn exports(module: &Module) -> Vec<Export<'_>> {
    let exports = module.exports().iter();
    exports
        .map(|export| Export {
            name: &export.name,
            kind: export.kind.name(),
            index: export.index,
            ty: match module.export_type(export) {
                Some(ty) => extern_type(module, &ty),
                None => String::new(),
            },
        })
        .collect()
}

fn functions(module: &Module) -> Functions<'_> {
    let bodies = module.bodies().iter().enumerate();
    let mut largest: Vec<(usize, usize)> = bodies.map(|(i, body)| (body.len(), i)).collect();
    let code_bytes = largest.iter().map(|&(bytes, _)| bytes).sum();
    // Largest first, and in the module's order where sizes are equal.
    largest.sort_unstable_by_key(|&(bytes, i)| (std::cmp::Reverse(bytes), i));
    let imported = module.num_imported_functions();
    let listed = largest.iter().take(LARGEST).map(|&(bytes, i)| {
        let index = imported + i as u32;
        let name = module.names().function(FuncIndex::from_u32(index));
        Function { index, name, bytes }
    });
    Functions {
        imported,
        defined: module.bodies().len(),
        code_bytes,
        largest: listed.collect(),
    }
}

fn memories(module: &Module) -> Vec<Memory> {
    let entities = entities(module.num_imported_memories(), module.memories(), |m| {
        m.to_string()
    });
    let memories = entities.into_iter().zip(module.memories());
    memories
        .map(|(entity, ty)| {
            let bytes = |pages: u64| u128::from(pages) * u128::from(ty.page_size());
            Memory {
                entity,
                min_bytes: bytes(ty.min),
                max_bytes: ty.max.map(bytes),
            }
        })
        .collect()
}

fn entities<T>(imported: u32, all: &[T], ty: impl Fn(&T) -> String) -> Vec<Entity> {
    let entity = |(i, item)| Entity {
        imported: i < imported as usize,
        ty: ty(item),
    };
    all.iter().enumerate().map(entity).collect()
}

fn items(items: &ElementItems) -> usize {
    match items {
        ElementItems::Functions(functions) => functions.len(),
        ElementItems::Expressions(expressions) => expressions.len(),
    }
}

fn tools(producers: &[Producer]) -> Vec<Tool<'_>> {
    let producers = producers.iter();
    producers
        .map(|p| Tool {
            name: &p.name,
            version: &p.version,
        })
        .collect()
}

/// The type of an import or export, with function types written out.
fn extern_type(module: &Module, ty: &ExternType) -> String {
    match ty {
        ExternType::Func(ty) | ExternType::Tag(ty) => func_type(module, *ty),
        ExternType::Table(ty) => ty.to_string(),
        ExternType::Memory(ty) => ty.to_string(),
        ExternType::Global(ty) => ty.to_string(),
    }
}

fn func_type(module: &Module, ty: TypeIndex) -> String {
    let mut text = match module.func_type(ty) {
        Some(ty) => ty.to_string(),
        None => format!("(type {ty})"),
    };
    // Types are ASCII.
    if text.len() > MAX_TYPE {
        text.truncate(MAX_TYPE);
        text.push('…');
    }
    text
}
