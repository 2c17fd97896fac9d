//! References and the formats of objects.
//!
//! ```text
//!            0        4        8                16
//!  struct    │ header │ fields, each at a multiple of its size, or of 8
//!  array     │ header │ length │ elements
//!  exception │ header │   0    │ tag (*const Tag) │ values, 8 bytes a slot
//! ```
//! A header names the object's type and kind, so that one comparison tests for
//! an exact type and two bits tell a struct from an array. The header of memory
//! that holds no object is zero. An exception's type is its tag's function type.

use crate::types::TypeId;
use std::num::NonZeroU32;

/// A reference to an object: its offset in the store's region, a multiple of 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct GcRef(NonZeroU32);

/// The bits that are zero in references to objects and in nothing else that a
/// 32-bit reference can be, but null.
pub const TAG_MASK: u32 = 0b11;

impl GcRef {
    /// The reference in a slot, if it is one to an object.
    #[inline]
    pub fn from_slot(slot: u64) -> Option<Self> {
        Self::from_word(u32::try_from(slot).ok()?)
    }

    /// The reference in a field, if it is one to an object.
    #[inline]
    pub fn from_word(word: u32) -> Option<Self> {
        (word & TAG_MASK == 0)
            .then(|| NonZeroU32::new(word).map(GcRef))
            .flatten()
    }

    /// The reference as it stands in a slot.
    #[inline]
    pub fn to_slot(self) -> u64 {
        self.0.get().into()
    }

    /// The reference as it stands in a field: the object's offset.
    #[inline]
    pub fn to_word(self) -> u32 {
        self.0.get()
    }
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum ObjectKind {
    /// A struct.
    Struct = 1,
    /// An array.
    Array = 2,
    /// An exception.
    Exception = 3,
}

/// The bits of a header that hold the kind.
pub const KIND_MASK: u32 = 0b11;
/// How far a header's type id is shifted.
pub const TYPE_SHIFT: u32 = 2;

/// Offset of an array's length.
pub const ARRAY_LEN: u32 = 4;
/// Offset of an array's first element.
pub const ARRAY_ELEMENTS: u32 = 8;
/// Offset of an exception's tag.
pub const EXCEPTION_TAG: u32 = 8;
/// Offset of an exception's first value.
pub const EXCEPTION_VALUES: u32 = 16;
/// Offset of a struct's first field, before its alignment.
pub const STRUCT_FIELDS: u32 = 4;

/// The header of an object. Type ids are below 2^30 (see
/// [`crate::types::TypeRegistry`]).
#[inline]
pub const fn header(ty: TypeId, kind: ObjectKind) -> u32 {
    ty.as_u32() << TYPE_SHIFT | kind as u32
}

/// The type in a header.
#[inline]
pub const fn type_of(header: u32) -> TypeId {
    TypeId::from_u32(header >> TYPE_SHIFT)
}

/// The kind in a header; `None` for memory that holds no object.
#[inline]
pub const fn kind_of(header: u32) -> Option<ObjectKind> {
    match header & KIND_MASK {
        1 => Some(ObjectKind::Struct),
        2 => Some(ObjectKind::Array),
        3 => Some(ObjectKind::Exception),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{HostRef, i31_slot};

    #[test]
    fn headers_give_back_what_they_were_made_of() {
        for id in [0, 1, 77, (1 << 30) - 1] {
            let ty = TypeId::from_u32(id);
            for kind in [ObjectKind::Struct, ObjectKind::Array, ObjectKind::Exception] {
                let header = header(ty, kind);
                assert_ne!(header, 0);
                assert_eq!((type_of(header), kind_of(header)), (ty, Some(kind)));
            }
        }
        assert_eq!(kind_of(0), None);
    }

    #[test]
    fn references_to_objects_are_told_from_all_others() {
        let cases = [
            (0, false),
            (8, true),
            (0xffff_fff8, true),
            (1 << 32 | 8, false),
            (i31_slot(0), false),
            (i31_slot(4), false),
            (0b10, false),
        ];
        for (slot, is_object) in cases {
            assert_eq!(GcRef::from_slot(slot).is_some(), is_object, "{slot:#x}");
            if is_object {
                assert_eq!(GcRef::from_slot(slot).unwrap().to_slot(), slot);
                assert_eq!(HostRef::from_slot(slot), None);
            }
        }
    }
}
