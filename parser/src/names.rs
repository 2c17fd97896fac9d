//! The names that a module's `name` section gives to what has only indices.
//!
//! Names stay in the module's bytes; what is kept is where each one lies.

use wasmparser::{BinaryReader, Name, NameSectionReader, Naming, SectionLimitedIntoIter};

use crate::bytes::ModuleBytes;
use crate::index::FuncIndex;
use crate::module::Module;

/// The names of a module, its functions and their locals.
#[derive(Debug, Default)]
pub struct Names {
    bytes: Option<ModuleBytes>,
    module: Option<Place>,
    functions: NameMap,
    locals: Vec<LocalNames>,
}

/// Names by index, sorted.
type NameMap = Vec<(u32, Place)>;

/// The names of one function's locals.
#[derive(Debug)]
struct LocalNames {
    func: u32,
    names: NameMap,
}

/// Where a name lies in the module's bytes.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: u32,
    len: u32,
}

impl Names {
    /// The name of the module.
    pub fn module(&self) -> Option<&str> {
        self.read(self.module?)
    }

    /// The name of a function.
    pub fn function(&self, func: FuncIndex) -> Option<&str> {
        self.read(lookup(&self.functions, func.as_u32())?)
    }

    /// The name of a function's parameter or local.
    pub fn local(&self, func: FuncIndex, local: u32) -> Option<&str> {
        let at = self
            .locals
            .binary_search_by_key(&func.as_u32(), |locals| locals.func)
            .ok()?;
        self.read(lookup(&self.locals[at].names, local)?)
    }

    /// All named functions, by index.
    pub fn functions(&self) -> impl Iterator<Item = (FuncIndex, &str)> {
        self.functions
            .iter()
            .filter_map(|&(index, place)| Some((FuncIndex::from_u32(index), self.read(place)?)))
    }

    fn read(&self, place: Place) -> Option<&str> {
        let start = place.start as usize;
        let bytes = self
            .bytes
            .as_ref()?
            .get(start..start + place.len as usize)?;
        std::str::from_utf8(bytes).ok()
    }

    pub(crate) fn decode(module: &Module) -> Self {
        let mut names = Self::default();
        if let Some(section) = module.custom_section("name") {
            names.bytes = Some(module.bytes().clone());
            // Up to the first mistake: names are for people, and the
            // specification says that they make no module invalid.
            let _ = names.collect(section.reader(module));
            names.functions.sort_by_key(|&(index, _)| index);
            names.locals.sort_by_key(|locals| locals.func);
        }
        names
    }

    fn collect(&mut self, reader: BinaryReader<'_>) -> wasmparser::Result<()> {
        for subsection in NameSectionReader::new(reader).sections {
            match subsection? {
                Name::Module { name, name_range } => {
                    self.module = Place::ending_at(name_range.end, name);
                }
                Name::Function(map) => collect_map(map.names, &mut self.functions)?,
                Name::Local(map) => {
                    for locals in map.names {
                        let locals = locals?;
                        let mut names = NameMap::new();
                        let result = collect_map(locals.names.names, &mut names);
                        names.sort_by_key(|&(index, _)| index);
                        self.locals.push(LocalNames {
                            func: locals.index,
                            names,
                        });
                        result?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn collect_map<'a>(
    mut names: SectionLimitedIntoIter<'a, Naming<'a>>,
    map: &mut NameMap,
) -> wasmparser::Result<()> {
    while let Some(naming) = names.next() {
        let naming = naming?;
        map.extend(
            Place::ending_at(names.original_position(), naming.name)
                .map(|place| (naming.index, place)),
        );
    }
    Ok(())
}

fn lookup(map: &[(u32, Place)], index: u32) -> Option<Place> {
    let at = map.binary_search_by_key(&index, |&(index, _)| index).ok()?;
    Some(map[at].1)
}

impl Place {
    /// The place of a name that ends at an offset of the module.
    fn ending_at(end: u64, name: &str) -> Option<Self> {
        let len = u32::try_from(name.len()).ok()?;
        Some(Self {
            start: u32::try_from(end).ok()?.checked_sub(len)?,
            len,
        })
    }
}
