//! Indices into a module's index spaces, one type each, so that a function
//! index cannot be used where a type index is meant.

use std::fmt;

/// Defines newtypes over `u32` for index spaces.
macro_rules! indices {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name(u32);

        impl $name {
            /// The index with this number.
            #[inline]
            pub const fn from_u32(index: u32) -> Self {
                Self(index)
            }

            /// The number of this index.
            #[inline]
            pub const fn as_u32(self) -> u32 {
                self.0
            }

            /// The number of this index, for use with slices.
            #[inline]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

indices! {
    /// A type of a module, in the order of its flattened type section.
    TypeIndex;
    /// A function of a module; imported ones come first.
    FuncIndex;
    /// A table of a module; imported ones come first.
    TableIndex;
    /// A memory of a module; imported ones come first.
    MemoryIndex;
    /// A global of a module; imported ones come first.
    GlobalIndex;
    /// A tag of a module; imported ones come first.
    TagIndex;
    /// An element segment of a module.
    ElemIndex;
    /// A data segment of a module.
    DataIndex;
    /// One of the functions that a module defines itself, imported ones not
    /// counted: the index of its body in the code section.
    LocalFuncIndex;
}
