//! Types that are the same in all modules of an engine.
//!
//! Wasm 3.0 compares defined types up to iso-recursion: two recursion groups
//! are equal if they are equal as written, references inside a group counted
//! from its start and references to earlier groups compared in the same way.
//! The registry keeps each distinct group once, so that two types are equal if
//! and only if their [`TypeId`]s are, and a declared subtype relation is one
//! look into an array.
//!
//! Types are kept as long as the registry lives: ids stay valid without
//! counting references, and a host that loads a module a thousand times pays
//! for its types once.

use crate::gc::layout::{DISPLAY, NO_TYPE};
use crate::gc::{Layout, TypeInfo, TypeInfos};
use crate::limits::{LimitError, LimitKind};
use crate::tunables::MAX_PARAMS_AND_RESULTS;
use rwasm_parser::{
    CompositeType, ExternType, FuncType, GlobalType, HeapType, MemoryType, Module, RefType,
    SubType, TableType, TypeIndex, ValType,
};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A defined type, canonical in its [`TypeRegistry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct TypeId(u32);

impl TypeId {
    /// The id with this number.
    #[inline]
    pub const fn from_u32(id: u32) -> Self {
        TypeId(id)
    }

    /// The number of this id.
    #[inline]
    pub const fn as_u32(self) -> u32 {
        self.0
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// The defined types of all modules of an engine.
///
/// Its methods panic if they are given a [`TypeId`] of another registry that
/// this one does not have.
#[derive(Debug, Default)]
pub struct TypeRegistry {
    types: RwLock<Types>,
}

#[derive(Debug, Default)]
struct Types {
    /// By id.
    entries: Vec<Entry>,
    /// The first id of each group, by the group as written.
    groups: HashMap<Group, TypeId>,
    /// For the collector and casts: the first entries, as many as were asked for.
    infos: TypeInfos,
}

#[derive(Debug)]
struct Entry {
    ty: Arc<SubType<TypeId>>,
    /// The display: its supertypes from the root of the hierarchy down to its
    /// own id, so that a supertype of depth `d` is at `display[d]`. Validation
    /// admits chains of 63 types.
    display: Box<[TypeId]>,
    /// The layout of its objects, made when first asked for. Shared, so that its
    /// address stays.
    layout: OnceLock<Arc<Layout>>,
}

/// A recursion group as written: what groups are equal by.
type Group = Box<[SubType<GroupRef>]>;

/// A reference to a defined type, from inside a recursion group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum GroupRef {
    /// To the group's type of this number.
    Inside(u32),
    /// To a type of an earlier group.
    Outside(TypeId),
}

impl TypeRegistry {
    /// A registry without types.
    pub fn new() -> Self {
        Self::default()
    }

    /// The canonical types of a validated module, by type index.
    pub fn canonicalize(&self, module: &Module) -> Box<[TypeId]> {
        let mut types = self.write();
        let mut ids: Vec<TypeId> = Vec::with_capacity(module.types().len());
        for group in module.rec_groups() {
            let start = ids.len();
            let len = group.len();
            // Valid types refer to their own group or to earlier ones.
            let relative = |ty: TypeIndex| match ids.get(ty.index()) {
                Some(&id) => GroupRef::Outside(id),
                None => GroupRef::Inside((ty.index() - start) as u32),
            };
            let group = module.types()[start..start + len]
                .iter()
                .map(|ty| ty.map(relative));
            let first = types.intern(group.collect()).as_u32();
            ids.extend((first..).take(len).map(TypeId));
        }
        ids.into()
    }

    /// The canonical type of functions of type `ty` that declare nothing more:
    /// final and without a supertype, as host functions are. It may have no more
    /// parameters and results than types of modules.
    pub fn register_func_type(&self, ty: FuncType<TypeId>) -> Result<TypeId, LimitError> {
        let most = MAX_PARAMS_AND_RESULTS as u64;
        LimitError::check(LimitKind::Parameters, most, ty.params.len() as u64)?;
        LimitError::check(LimitKind::Results, most, ty.results.len() as u64)?;
        let composite = CompositeType::Func(ty.map(GroupRef::Outside));
        let group = [SubType {
            is_final: true,
            supertype: None,
            composite,
        }];
        Ok(self.write().intern(group.into()))
    }

    /// The canonical type of structs or arrays of that shape that declare nothing
    /// more: final and without a supertype.
    pub fn register_object_type(&self, ty: CompositeType<TypeId>) -> TypeId {
        let group = [SubType {
            is_final: true,
            supertype: None,
            composite: ty.map(GroupRef::Outside),
        }];
        self.write().intern(group.into())
    }

    /// The type with this id.
    pub fn sub_type(&self, id: TypeId) -> Arc<SubType<TypeId>> {
        self.read().entry(id).ty.clone()
    }

    /// The function type with this id, if it is one.
    pub fn func_type(&self, id: TypeId) -> Option<FuncType<TypeId>> {
        self.read().entry(id).ty.composite.as_func().cloned()
    }

    /// The layout of the type's objects; of a function type, that of the
    /// exceptions of its tags.
    pub fn layout(&self, id: TypeId) -> Arc<Layout> {
        self.read().layout(id).clone()
    }

    /// Whether a type is one of functions.
    pub(crate) fn is_func(&self, id: TypeId) -> bool {
        self.read().kind(id) == HeapType::Func
    }

    /// The number of supertypes of a type: its place in displays.
    pub fn depth(&self, id: TypeId) -> usize {
        self.read().entry(id).display.len() - 1
    }

    /// What is known of every type that exists now, by id. The array lives as
    /// long as the registry.
    pub fn type_infos(&self) -> *const TypeInfo {
        {
            let types = self.read();
            if types.infos.len() == types.entries.len() {
                return types.infos.as_ptr();
            }
        }
        let mut types = self.write();
        types.complete_infos();
        types.infos.as_ptr()
    }

    /// Whether `sub` is `sup` or declares it as a supertype, by however many
    /// steps.
    pub fn is_subtype(&self, sub: TypeId, sup: TypeId) -> bool {
        sub == sup || self.read().is_subtype(sub, sup)
    }

    /// Whether every value of type `sub` is one of type `sup`.
    pub fn is_val_subtype(&self, sub: &ValType<TypeId>, sup: &ValType<TypeId>) -> bool {
        match (sub, sup) {
            (ValType::Ref(sub), ValType::Ref(sup)) => self.is_ref_subtype(sub, sup),
            _ => sub == sup,
        }
    }

    /// Whether every reference of type `sub` is one of type `sup`.
    pub fn is_ref_subtype(&self, sub: &RefType<TypeId>, sup: &RefType<TypeId>) -> bool {
        (sup.nullable || !sub.nullable)
            && (sub.heap == sup.heap || self.read().is_heap_subtype(sub.heap, sup.heap))
    }

    /// Whether a definition of type `found` can stand where an import asks for
    /// `expected` (specification, "Import subtyping"). The minimum of a found
    /// memory or table is its present size.
    pub fn matches(&self, found: &ExternType<TypeId>, expected: &ExternType<TypeId>) -> bool {
        match (found, expected) {
            (ExternType::Func(found), ExternType::Func(expected)) => {
                self.is_subtype(*found, *expected)
            }
            (ExternType::Table(found), ExternType::Table(expected)) => {
                self.table_matches(found, expected)
            }
            (ExternType::Memory(found), ExternType::Memory(expected)) => {
                memory_matches(found, expected)
            }
            (ExternType::Global(found), ExternType::Global(expected)) => {
                self.global_matches(found, expected)
            }
            (ExternType::Tag(found), ExternType::Tag(expected)) => found == expected,
            _ => false,
        }
    }

    /// Elements can be written through an import, so their types must be equal.
    fn table_matches(&self, found: &TableType<TypeId>, expected: &TableType<TypeId>) -> bool {
        found.element == expected.element
            && found.index64 == expected.index64
            && found.shared == expected.shared
            && limits_match((found.min, found.max), (expected.min, expected.max))
    }

    fn global_matches(&self, found: &GlobalType<TypeId>, expected: &GlobalType<TypeId>) -> bool {
        let content = if expected.mutable {
            found.content == expected.content
        } else {
            self.is_val_subtype(&found.content, &expected.content)
        };
        content && found.mutable == expected.mutable && found.shared == expected.shared
    }

    // A panic while the lock is held leaves at most ids that nobody knows, so a
    // poisoned registry is sound.
    fn read(&self) -> RwLockReadGuard<'_, Types> {
        self.types.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Types> {
        self.types.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn memory_matches(found: &MemoryType, expected: &MemoryType) -> bool {
    found.index64 == expected.index64
        && found.shared == expected.shared
        && found.page_size_log2 == expected.page_size_log2
        && limits_match((found.min, found.max), (expected.min, expected.max))
}

fn limits_match(found: (u64, Option<u64>), expected: (u64, Option<u64>)) -> bool {
    let max_matches = match (found.1, expected.1) {
        (_, None) => true,
        (Some(found), Some(expected)) => found <= expected,
        (None, Some(_)) => false,
    };
    found.0 >= expected.0 && max_matches
}

impl Types {
    fn entry(&self, id: TypeId) -> &Entry {
        &self.entries[id.index()]
    }

    /// The id of the first type of a group, which is added if it is new.
    fn intern(&mut self, group: Group) -> TypeId {
        if let Some(&first) = self.groups.get(&group) {
            return first;
        }
        let first = self.entries.len();
        // An entry takes more than 64 bytes: memory ends long before the ids,
        // which must fit an object's header.
        assert!(
            first + group.len() < 1 << 30,
            "too many types in one engine"
        );
        for (ty, id) in group.iter().zip(first as u32..) {
            let ty = ty.map(|ty| match ty {
                GroupRef::Inside(at) => TypeId(first as u32 + at),
                GroupRef::Outside(id) => id,
            });
            // A supertype is always an earlier type, so it is there already.
            let above = ty.supertype.map_or(&[][..], |ty| &self.entry(ty).display);
            let display = above.iter().copied().chain([TypeId(id)]).collect();
            self.entries.push(Entry {
                ty: Arc::new(ty),
                display,
                layout: OnceLock::new(),
            });
        }
        self.groups.insert(group, TypeId(first as u32));
        TypeId(first as u32)
    }

    fn layout(&self, id: TypeId) -> &Arc<Layout> {
        let entry = self.entry(id);
        let is_func = |ty| self.kind(ty) == HeapType::Func;
        let make = || Arc::new(Layout::new(&entry.ty.composite, is_func));
        entry.layout.get_or_init(make)
    }

    fn complete_infos(&mut self) {
        for id in self.infos.len()..self.entries.len() {
            let layout = Arc::as_ptr(self.layout(TypeId(id as u32)));
            let mut display = [NO_TYPE; DISPLAY];
            for (place, ty) in display.iter_mut().zip(&self.entries[id].display) {
                *place = ty.as_u32();
            }
            self.infos.push(TypeInfo { layout, display });
        }
    }

    fn is_subtype(&self, sub: TypeId, sup: TypeId) -> bool {
        let depth = self.entry(sup).display.len() - 1;
        self.entry(sub).display.get(depth) == Some(&sup)
    }

    /// Subtyping of heap types (specification, "Heap types" under "Matching").
    fn is_heap_subtype(&self, sub: HeapType<TypeId>, sup: HeapType<TypeId>) -> bool {
        use HeapType::*;
        match (sub, sup) {
            (Concrete(sub), Concrete(sup)) => self.is_subtype(sub, sup),
            // The least abstract type above a concrete one decides.
            (Concrete(sub), sup) => {
                let kind = self.kind(sub);
                kind == sup || is_abstract_subtype(kind, sup)
            }
            // Below a concrete type there is only the bottom of its hierarchy.
            (NoFunc, Concrete(sup)) => self.kind(sup) == Func,
            (None, Concrete(sup)) => self.kind(sup) != Func,
            (_, Concrete(_)) => false,
            _ => is_abstract_subtype(sub, sup),
        }
    }

    /// The abstract type right above a concrete one.
    fn kind(&self, id: TypeId) -> HeapType<TypeId> {
        match self.entry(id).ty.composite {
            CompositeType::Func(_) => HeapType::Func,
            CompositeType::Struct(_) => HeapType::Struct,
            CompositeType::Array(_) => HeapType::Array,
        }
    }
}

/// Whether one abstract heap type is strictly below another.
fn is_abstract_subtype(sub: HeapType<TypeId>, sup: HeapType<TypeId>) -> bool {
    use HeapType::*;
    match sup {
        Any => matches!(sub, Eq | I31 | Struct | Array | None),
        Eq => matches!(sub, I31 | Struct | Array | None),
        I31 | Struct | Array => sub == None,
        Func => sub == NoFunc,
        Extern => sub == NoExtern,
        Exn => sub == NoExn,
        None | NoFunc | NoExtern | NoExn | Concrete(_) => false,
    }
}
