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
            /// All of them.
            pub const ALL: &[Trap] = &[$(Trap::$name,)*];

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
    /// An access to a field of a null struct.
    NullStructureReference = "null structure reference",
    /// An access to a null array.
    NullArrayReference = "null array reference",
    /// `i31.get_s` or `i31.get_u` of null.
    NullI31Reference = "null i31 reference",
    /// An access outside an array.
    ArrayOutOfBounds = "out of bounds array access",
    /// `ref.cast` of a value that is not of the type.
    CastFailure = "cast failure",
    /// `throw_ref` of null.
    NullExceptionReference = "null exception reference",
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
    /// An object larger than the heap may become.
    AllocationTooLarge = "allocation size too large",
    /// The garbage-collected heap is at its limit, and all of it in use.
    HeapExhausted = "garbage-collected heap exhausted",
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Trap {}
