//! Where the fields of a type lie, and which of them are references.
//!
//! Fields are placed one after the other, so that a subtype, which only adds
//! fields, has those of its supertype where the supertype has them.

use super::classes::class_of;
use super::object::{ARRAY_ELEMENTS, EXCEPTION_VALUES, GcRef, STRUCT_FIELDS};
use crate::code::value_slots;
use crate::types::TypeId;
use rwasm_parser::{CompositeType, FieldType, HeapType, StorageType, ValType};

/// How a value is stored in an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// One byte of an `i32`.
    I8,
    /// Two bytes of an `i32`.
    I16,
    /// A number of 32 bits.
    Word,
    /// A number of 64 bits.
    Double,
    /// A vector of 128 bits.
    Vector,
    /// A 32-bit reference (see [`crate::reference`]).
    Ref,
    /// A `*const FuncRef`, or null.
    FuncRef,
}

impl Storage {
    /// Bytes that it takes.
    pub const fn bytes(self) -> u32 {
        1 << self.shift()
    }

    /// Binary logarithm of the bytes.
    pub const fn shift(self) -> u32 {
        match self {
            Storage::I8 => 0,
            Storage::I16 => 1,
            Storage::Word | Storage::Ref => 2,
            Storage::Double | Storage::FuncRef => 3,
            Storage::Vector => 4,
        }
    }
}

/// Where and how a field is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldLayout {
    /// Offset from the object's header.
    pub offset: u32,
    /// How it is stored.
    pub storage: Storage,
}

/// The layout of a struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StructLayout {
    /// Bytes with the header, a multiple of 8.
    pub bytes: u32,
    /// The size class; `None` for a large object.
    pub class: Option<usize>,
    /// The fields.
    pub fields: Box<[FieldLayout]>,
    /// Offsets of those that are references.
    pub refs: Box<[u32]>,
}

/// The layout of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrayLayout {
    /// How an element is stored.
    pub element: Storage,
}

impl ArrayLayout {
    /// Bytes of an array of `len` elements with the header, a multiple of 8.
    #[inline]
    pub fn bytes(self, len: u32) -> u64 {
        let elements = u64::from(len) << self.element.shift();
        (u64::from(ARRAY_ELEMENTS) + elements + 7) & !7
    }
}

impl ArrayLayout {
    /// The element of that number, of an array that has it.
    #[inline]
    pub fn at(self, index: u32) -> FieldLayout {
        FieldLayout {
            offset: ARRAY_ELEMENTS + (index << self.element.shift()),
            storage: self.element,
        }
    }
}

impl FieldLayout {
    /// The value, as slots; a packed integer zero-extended.
    ///
    /// # Safety
    /// `base` is that of the heap, and the object a live one with this field.
    pub unsafe fn read(self, base: *const u8, object: GcRef) -> [u64; 2] {
        // SAFETY: as the caller promises. Fields are aligned, vectors to 8 bytes.
        unsafe {
            let at = base.add(object.to_word() as usize + self.offset as usize);
            match self.storage {
                Storage::I8 => [at.read().into(), 0],
                Storage::I16 => [at.cast::<u16>().read().into(), 0],
                Storage::Word | Storage::Ref => [at.cast::<u32>().read().into(), 0],
                Storage::Double | Storage::FuncRef => [at.cast::<u64>().read(), 0],
                Storage::Vector => at.cast::<[u64; 2]>().read(),
            }
        }
    }

    /// Sets the value.
    ///
    /// # Safety
    /// As for [`FieldLayout::read`]; the value is of the field's type.
    pub unsafe fn write(self, base: *mut u8, object: GcRef, value: [u64; 2]) {
        // SAFETY: as the caller promises. Fields are aligned, vectors to 8 bytes.
        unsafe {
            let at = base.add(object.to_word() as usize + self.offset as usize);
            match self.storage {
                Storage::I8 => at.write(value[0] as u8),
                Storage::I16 => at.cast::<u16>().write(value[0] as u16),
                Storage::Word | Storage::Ref => at.cast::<u32>().write(value[0] as u32),
                Storage::Double | Storage::FuncRef => at.cast::<u64>().write(value[0]),
                Storage::Vector => at.cast::<[u64; 2]>().write(value),
            }
        }
    }
}

/// The layout of an exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceptionLayout {
    /// Bytes with the header.
    pub bytes: u32,
    /// Slots of the values.
    pub slots: u32,
    /// Offsets of the slots that hold references other than to functions.
    pub refs: Box<[u32]>,
}

/// The layout of a type's objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Of a struct type.
    Struct(StructLayout),
    /// Of an array type.
    Array(ArrayLayout),
    /// Of a function type: the exceptions of tags of this type.
    Exception(ExceptionLayout),
}

impl Layout {
    /// The layout for a type. `is_func` tells whether a defined type is one of
    /// functions.
    pub(crate) fn new(
        composite: &CompositeType<TypeId>,
        is_func: impl Fn(TypeId) -> bool,
    ) -> Layout {
        match composite {
            CompositeType::Struct(fields) => Layout::Struct(StructLayout::new(fields, is_func)),
            CompositeType::Array(element) => Layout::Array(ArrayLayout {
                element: storage(element, &is_func),
            }),
            CompositeType::Func(func) => {
                Layout::Exception(ExceptionLayout::new(&func.params, is_func))
            }
        }
    }
}

impl StructLayout {
    fn new(fields: &[FieldType<TypeId>], is_func: impl Fn(TypeId) -> bool) -> Self {
        let mut end = STRUCT_FIELDS;
        let fields: Box<[FieldLayout]> = fields
            .iter()
            .map(|field| {
                let storage = storage(field, &is_func);
                let offset = end.next_multiple_of(storage.bytes().min(8));
                // A struct has at most 10,000 fields (wasmparser's limit).
                end = offset + storage.bytes();
                FieldLayout { offset, storage }
            })
            .collect();
        let bytes = end.next_multiple_of(8);
        let refs = fields
            .iter()
            .filter(|field| field.storage == Storage::Ref)
            .map(|field| field.offset);
        StructLayout {
            bytes,
            class: class_of(bytes),
            refs: refs.collect(),
            fields,
        }
    }
}

impl ExceptionLayout {
    fn new(params: &[ValType<TypeId>], is_func: impl Fn(TypeId) -> bool) -> Self {
        let mut slots = 0;
        let mut refs = Vec::new();
        for param in params {
            if is_object_ref(param, &is_func) {
                refs.push(EXCEPTION_VALUES + slots * 8);
            }
            slots += u32::from(value_slots(param));
        }
        ExceptionLayout {
            bytes: EXCEPTION_VALUES + slots * 8,
            slots,
            refs: refs.into(),
        }
    }
}

fn storage(field: &FieldType<TypeId>, is_func: impl Fn(TypeId) -> bool) -> Storage {
    match field.storage {
        StorageType::I8 => Storage::I8,
        StorageType::I16 => Storage::I16,
        StorageType::Val(ValType::I32 | ValType::F32) => Storage::Word,
        StorageType::Val(ValType::I64 | ValType::F64) => Storage::Double,
        StorageType::Val(ValType::V128) => Storage::Vector,
        StorageType::Val(ty @ ValType::Ref(_)) if is_object_ref(&ty, is_func) => Storage::Ref,
        StorageType::Val(ValType::Ref(_)) => Storage::FuncRef,
    }
}

/// Whether values of a type are 32-bit references: all but those to functions.
pub(crate) fn is_object_ref(ty: &ValType<TypeId>, is_func: impl Fn(TypeId) -> bool) -> bool {
    match ty {
        ValType::Ref(ty) => match ty.heap {
            HeapType::Func | HeapType::NoFunc => false,
            HeapType::Concrete(id) => !is_func(id),
            _ => true,
        },
        _ => false,
    }
}

/// What running code and the collector look up by type id.
///
/// Mutability: written once, before any code knows the id.
#[derive(Debug)]
#[repr(C)]
pub struct TypeInfo {
    /// The layout of the type's objects. It lives as long as the registry.
    pub layout: *const Layout,
    /// The ids of the type's supertypes from the root down to itself; then
    /// [`NO_TYPE`]. Deeper ones are known to the registry only.
    pub display: [u32; DISPLAY],
}

/// Depths of supertypes that a cast looks up without the registry. Compilers
/// for object-oriented languages seldom go deeper than 10.
pub const DISPLAY: usize = 14;
/// What is in a display's places below the type itself.
pub const NO_TYPE: u32 = u32::MAX;
