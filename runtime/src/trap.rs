//! Traps: one table holds every code and its message.

use std::fmt;

macro_rules! traps {
    ($($(#[$doc:meta])* $name:ident = $message:literal,)*) => {
        /// Why a guest trapped. The messages are those of the official test
        /// suite where the specification has the trap, ours otherwise.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Trap {
            $($(#[$doc])* $name,)*
        }

        impl Trap {
            /// The message, without a full stop.
            pub fn message(self) -> &'static str {
                match self {
                    $(Trap::$name => $message,)*
                }
            }
        }
    };
}

traps! {
    /// `unreachable` was executed.
    Unreachable = "unreachable",
    /// An access outside a memory.
    MemoryOutOfBounds = "out of bounds memory access",
    /// An atomic access to an address that is not a multiple of its size.
    UnalignedAtomic = "unaligned atomic",
    /// `memory.atomic.wait` in a memory that is not shared, where nobody could
    /// notify.
    ExpectedSharedMemory = "expected shared memory",
    /// An access outside a table, by anything but `call_indirect`.
    TableOutOfBounds = "out of bounds table access",
    /// `call_indirect` with an index outside the table.
    UndefinedElement = "undefined element",
    /// `call_indirect` of a null element.
    UninitializedElement = "uninitialized element",
    /// `call_indirect` of a function of another type.
    IndirectCallTypeMismatch = "indirect call type mismatch",
    /// `call_ref` of a null reference.
    NullFunctionReference = "null function reference",
    /// `ref.as_non_null` of null.
    NullReference = "null reference",
    /// Integer division by zero.
    IntegerDivideByZero = "integer divide by zero",
    /// Integer overflow in a division or a conversion.
    IntegerOverflow = "integer overflow",
    /// A NaN converted to an integer.
    BadConversionToInteger = "invalid conversion to integer",
    /// The value stack or the native stack is used up.
    StackOverflow = "call stack exhausted",
    /// The fuel is used up.
    OutOfFuel = "all fuel consumed",
    /// The guest was interrupted from outside: a deadline or a request.
    Interrupted = "interrupted",
    /// A memory or table that is at its limit, or an allocation that failed.
    AllocationTooLarge = "allocation size too large",
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Trap {}
