//! Objects as the host sees them: through roots, so that what is looked at is
//! alive.

use super::collect::Origin;
use super::layout::{FieldLayout, Layout};
use super::object::{ARRAY_LEN, GcRef, ObjectKind, kind_of, type_of};
use super::roots::{OwnedRoot, Root};
use crate::store::Store;
use crate::trap::Trap;
use crate::types::TypeId;

/// An object that is alive.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    store: &'a Store,
    object: GcRef,
}

impl Object<'_> {
    /// Its type.
    pub fn ty(&self) -> TypeId {
        type_of(self.header())
    }

    /// What it is.
    pub fn kind(&self) -> ObjectKind {
        kind_of(self.header()).expect("a live object has a kind")
    }

    /// The number of fields or elements; of an exception, 0.
    pub fn len(&self) -> u32 {
        match &*self.store.registry().layout(self.ty()) {
            Layout::Struct(layout) => layout.fields.len() as u32,
            Layout::Array(_) => self.word(ARRAY_LEN),
            Layout::Exception(_) => 0,
        }
    }

    /// Whether it has no fields or elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The field or element of that number, as slots; a packed integer is
    /// zero-extended.
    pub fn get(&self, index: u32) -> Option<[u64; 2]> {
        let field = self.field(index)?;
        // SAFETY: the object is alive and has the field.
        Some(unsafe { field.read(self.store.ctx.gc.base, self.object) })
    }

    fn field(&self, index: u32) -> Option<FieldLayout> {
        match &*self.store.registry().layout(self.ty()) {
            Layout::Struct(layout) => layout.fields.get(index as usize).copied(),
            Layout::Array(layout) => (index < self.word(ARRAY_LEN)).then(|| layout.at(index)),
            Layout::Exception(_) => None,
        }
    }

    fn header(&self) -> u32 {
        self.word(0)
    }

    fn word(&self, offset: u32) -> u32 {
        let at = self.object.to_word() as usize + offset as usize;
        // SAFETY: the object is alive; every object has a header, arrays a length.
        unsafe { self.store.ctx.gc.base.add(at).cast::<u32>().read() }
    }
}

impl Store {
    /// A root for a reference, for the host to hold on to.
    ///
    /// # Safety
    /// `word` is a reference of this store other than to a function, as it stands
    /// in a field, and what it refers to is alive.
    #[inline]
    pub unsafe fn root(&self, word: u32) -> Root {
        self.roots().push(self.id(), word)
    }

    /// The reference that a root holds, unless its scope has ended or it belongs
    /// to another store.
    #[inline]
    pub fn rooted(&self, root: Root) -> Option<u32> {
        if root.store() != self.id() {
            return None;
        }
        self.roots().get(root)
    }

    /// Begins a scope of roots; returns what ends it.
    #[inline]
    pub fn begin_root_scope(&mut self) -> usize {
        self.roots_mut().depth()
    }

    /// Ends a scope: roots made since it began are none any more.
    #[inline]
    pub fn end_root_scope(&mut self, scope: usize) {
        self.roots_mut().truncate(scope);
    }

    /// A root that lives as long as its handle.
    ///
    /// # Safety
    /// As for [`Store::root`].
    pub unsafe fn keep(&self, word: u32) -> OwnedRoot {
        self.roots().keep(self.id(), word)
    }

    /// The object that a root holds; `None` if the root holds none any more, or
    /// something else.
    pub fn object(&self, root: Root) -> Option<Object<'_>> {
        let object = GcRef::from_word(self.rooted(root)?)?;
        Some(Object {
            store: self,
            object,
        })
    }

    /// Sets a field or element of an object; returns whether the root holds one
    /// that has it.
    ///
    /// # Safety
    /// The value is of the field's type, and belongs to this store.
    pub unsafe fn set_object(&mut self, root: Root, index: u32, value: [u64; 2]) -> bool {
        let Some(object) = self.object(root) else {
            return false;
        };
        let (Some(field), object) = (object.field(index), object.object) else {
            return false;
        };
        // SAFETY: the object is alive and has the field; the value is as the
        // caller promises.
        unsafe { field.write(self.ctx.gc.base, object, value) };
        true
    }

    /// A new struct or array of type `ty`, with these fields or elements; the
    /// word of the reference to it, which nothing holds yet. A packed integer is
    /// cut off.
    ///
    /// # Safety
    /// The values are of the types of the fields, or of the elements, as many as
    /// there are; references belong to this store and are held by roots.
    pub unsafe fn new_object(
        &mut self,
        ty: TypeId,
        values: impl ExactSizeIterator<Item = [u64; 2]>,
    ) -> Result<u32, Trap> {
        self.use_types();
        let layout = self.registry().layout(ty);
        let len = u32::try_from(values.len()).map_err(|_| Trap::AllocationTooLarge)?;
        let ctx = &raw mut self.ctx;
        // SAFETY: the store is live and ours; the type is known to it now. There
        // are as many fields as values.
        unsafe {
            let object = match &*layout {
                Layout::Struct(_) => Store::alloc_struct(ctx, Origin::Host, ty)?,
                Layout::Array(_) => Store::alloc_array(ctx, Origin::Host, ty, len)?,
                Layout::Exception(_) => unreachable!("a type of structs or arrays"),
            };
            for (value, index) in values.zip(0..) {
                let field = match &*layout {
                    Layout::Struct(layout) => layout.fields[index as usize],
                    Layout::Array(layout) => layout.at(index),
                    Layout::Exception(_) => unreachable!("a type of structs or arrays"),
                };
                field.write((*ctx).gc.base, object, value);
            }
            Ok(object.to_word())
        }
    }
}
