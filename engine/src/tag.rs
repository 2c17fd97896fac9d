//! Exception tags.

use crate::context::{AsContext, AsContextMut};
use crate::error::{Result, TypeError};
use crate::store::StoreOpaque;
use crate::types::{FuncType, TagType};
use rwasm_runtime::global::Tag as RawTag;
use rwasm_runtime::handle::Handle;

/// An exception tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tag(pub(crate) Handle<RawTag>);

impl Tag {
    /// A new tag, different from all others.
    pub fn new(mut ctx: impl AsContextMut, ty: &TagType) -> Result<Tag> {
        if !ty.func_type().results().is_empty() {
            return Err(TypeError::Invalid("a tag has no results").into());
        }
        let mut ctx = ctx.as_context_mut();
        let store = ctx.opaque_mut();
        let id = ty.func_type().register(&store.engine)?;
        Ok(Tag(store.runtime.new_tag(id)))
    }

    /// Its type.
    ///
    /// # Panics
    /// If the tag belongs to another store.
    pub fn ty(&self, ctx: impl AsContext) -> TagType {
        let ctx = ctx.as_context();
        self.ty_in(ctx.opaque())
    }

    pub(crate) fn ty_in(&self, store: &StoreOpaque) -> TagType {
        let id = store.runtime.get(self.0).ty();
        TagType::new(FuncType::from_id(id, &store.engine))
    }
}
