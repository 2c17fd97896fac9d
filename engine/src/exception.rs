//! Exceptions, as the host sees them.

use crate::backtrace::WasmBacktrace;
use crate::context::{AsContext, AsContextMut};
use crate::error::{Error, Result};
use crate::func::check_count;
use crate::reference::Handle;
use crate::slots;
use crate::store::StoreOpaque;
use crate::tag::Tag;
use crate::types::TagType;
use crate::val::Val;
use rwasm_parser::FuncType as RawFuncType;
use rwasm_runtime::error::Pending;
use rwasm_runtime::gc::{GcRef, OwnedRoot};
use rwasm_runtime::types::TypeId;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

/// A reference to an exception, as `exnref` in the guest.
///
/// ```
/// use rwasm::{Caller, Error, ExnRef, FuncType, Linker, Module, Store, Tag, TagType, Val, ValType};
///
/// let engine = rwasm::Engine::default();
/// let mut store = Store::new(&engine, ());
/// let mut linker = Linker::new(&engine);
/// let tag = Tag::new(&mut store, &TagType::new(FuncType::new([ValType::I32], [])))?;
/// linker.define(&store, "host", "tag", tag)?;
/// linker.func_wrap("host", "fail", move |mut caller: Caller<'_, ()>| -> Result<(), Error> {
///     let exception = ExnRef::new(&mut caller, &tag, &[Val::I32(7)])?;
///     Err(exception.throw(&mut caller))
/// })?;
/// let module = Module::new(&engine, r#"(module
///     (import "host" "tag" (tag $t (param i32)))
///     (import "host" "fail" (func $fail))
///     (func (export "caught") (result i32)
///         (block $handler (result i32)
///             (try_table (catch $t $handler) (call $fail))
///             (i32.const 0))))"#)?;
/// let instance = linker.instantiate(&mut store, &module)?;
/// let caught = instance.get_typed_func::<(), i32>(&mut store, "caught")?;
/// assert_eq!(caught.call(&mut store, ())?, 7);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExnRef(pub(crate) Handle);

impl ExnRef {
    /// A new exception. An error if the values do not fit the tag's type.
    pub fn new(mut ctx: impl AsContextMut, tag: &Tag, values: &[Val]) -> Result<ExnRef> {
        let mut ctx = ctx.as_context_mut();
        let store = ctx.opaque_mut();
        if tag.0.store() != store.id {
            return Err(Error::StoreMismatch("a tag"));
        }
        let ty = store.tag_type(tag);
        check_count("values", ty.params.len(), values.len())?;
        let mut slots = vec![0; slots::count(&ty.params)];
        store.write_values(values, &ty.params, &mut slots)?;
        // SAFETY: the values were checked against the tag's type.
        let exception = unsafe { store.runtime.new_exception(tag.0, &slots)? };
        let word = NonZeroU32::new(exception.to_word()).expect("a reference is not null");
        // SAFETY: it was just made.
        Ok(ExnRef(unsafe { Handle::new(&store.runtime, word) }))
    }

    /// The tag that it was made with.
    ///
    /// # Panics
    /// As all methods but [`new`](Self::new): if the exception belongs to another
    /// store.
    pub fn tag(&self, ctx: impl AsContext) -> Tag {
        let ctx = ctx.as_context();
        let store = ctx.opaque();
        store.exception_tag(self.raw(store))
    }

    /// The values that it carries.
    pub fn fields(&self, ctx: impl AsContext) -> Vec<Val> {
        let ctx = ctx.as_context();
        let store = ctx.opaque();
        store.exception_values(self.raw(store))
    }

    /// The error with which a host function throws it.
    pub fn throw(self, mut ctx: impl AsContextMut) -> Error {
        let mut ctx = ctx.as_context_mut();
        let store = ctx.opaque_mut();
        let raw = self.raw(store);
        store.exception(raw, WasmBacktrace::default()).into()
    }

    #[track_caller]
    fn raw(&self, store: &StoreOpaque) -> GcRef {
        let slot = self.0.slot(&store.runtime);
        let slot = slot.expect("an exception of this store, in its scope");
        GcRef::from_slot(slot).expect("exceptions are objects")
    }
}

/// An exception that no guest caught, as [`Error::Exception`].
///
/// A host function that returns it throws it again.
#[derive(Clone, Debug)]
pub struct Exception(Arc<Thrown>);

#[derive(Debug)]
struct Thrown {
    exception: ExnRef,
    tag: Tag,
    ty: TagType,
    values: Vec<Val>,
    backtrace: WasmBacktrace,
    /// Keep the exception, and the handles in `values`, beyond every scope.
    _roots: Vec<OwnedRoot>,
}

impl Exception {
    /// The reference to it.
    pub fn exn_ref(&self) -> ExnRef {
        self.0.exception
    }

    /// Its tag.
    pub fn tag(&self) -> Tag {
        self.0.tag
    }

    /// The type of its tag.
    pub fn ty(&self) -> &TagType {
        &self.0.ty
    }

    /// The values that it carries.
    pub fn values(&self) -> &[Val] {
        &self.0.values
    }

    /// The guest's functions that were running where it was thrown, innermost
    /// first; empty where a host function lies between, or made it.
    pub fn backtrace(&self) -> &WasmBacktrace {
        &self.0.backtrace
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "uncaught wasm exception {}", self.0.ty)?;
        for (at, value) in self.0.values.iter().enumerate() {
            f.write_str(if at == 0 { " with " } else { ", " })?;
            match value {
                Val::I32(value) => value.fmt(f)?,
                Val::I64(value) => value.fmt(f)?,
                Val::F32(bits) => f32::from_bits(*bits).fmt(f)?,
                Val::F64(bits) => f64::from_bits(*bits).fmt(f)?,
                Val::V128(value) => write!(f, "{:#034x}", value.as_u128())?,
                reference => {
                    let null = reference.as_ref().is_some_and(|value| value.is_null());
                    f.write_str(if null { "null" } else { "a reference" })?;
                }
            }
        }
        Ok(())
    }
}

impl std::error::Error for Exception {}

impl StoreOpaque {
    /// The pending exception, which a call left, as an error.
    #[cold]
    #[inline(never)]
    pub(crate) fn uncaught(&mut self) -> Error {
        let backtrace = match self.runtime.take_pending() {
            Some(Pending::Exception(backtrace)) => WasmBacktrace::from_raw(backtrace),
            _ => WasmBacktrace::default(),
        };
        let exception = self.runtime.take_exception();
        let exception = exception.expect("a call that throws leaves the exception");
        self.exception(exception, backtrace).into()
    }

    fn exception(&self, raw: GcRef, backtrace: WasmBacktrace) -> Exception {
        let mut roots = Vec::new();
        let mut keep = |word| {
            // SAFETY: callers have the exception from a pending one or a handle,
            // and its values are alive like it.
            roots.push(unsafe { self.runtime.keep(word) });
            Handle::of_owned(&roots[roots.len() - 1])
        };
        let exception = ExnRef(keep(raw.to_word()));
        let mut values = self.exception_values(raw);
        for value in &mut values {
            let mut keep = |handle: Handle| keep(handle.slot_unchecked() as u32);
            match value {
                Val::ExternRef(Some(value)) => value.0 = keep(value.0),
                Val::AnyRef(Some(value)) => value.0 = keep(value.0),
                Val::ExnRef(Some(value)) => value.0 = keep(value.0),
                _ => {}
            }
        }
        let tag = self.exception_tag(raw);
        Exception(Arc::new(Thrown {
            exception,
            tag,
            ty: tag.ty_in(self),
            values,
            backtrace,
            _roots: roots,
        }))
    }

    fn exception_tag(&self, raw: GcRef) -> Tag {
        // SAFETY: callers have it from a pending exception or a handle.
        Tag(unsafe { self.runtime.exception_tag(raw) })
    }

    fn exception_values(&self, raw: GcRef) -> Vec<Val> {
        let ty = self.tag_type(&self.exception_tag(raw));
        // SAFETY: as above; the values are of the tag's type.
        unsafe { self.read_values(&ty.params, self.runtime.exception_values(raw)) }.collect()
    }

    /// The function type whose parameters exceptions of a tag carry.
    fn tag_type(&self, tag: &Tag) -> RawFuncType<TypeId> {
        let id = self.runtime.get(tag.0).ty();
        let ty = self.engine.registry().func_type(id);
        ty.expect("a tag has a function type")
    }
}
