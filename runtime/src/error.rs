//! Why a call ended without results.
//!
//! Nothing unwinds through guest frames: whoever raises leaves the reason in
//! the store and returns [`crate::layout::Status::Trap`]; the outermost entry
//! takes it out again.

use crate::code::ModuleCode;
use crate::trap::Trap;
use rwasm_parser::{FuncIndex, ParseError};
use std::any::Any;
use std::error::Error;
use std::sync::Arc;

/// Why a call ended abnormally.
#[derive(Debug)]
pub enum Pending {
    /// The guest trapped.
    Trap(Trap, Backtrace),
    /// An exception that no guest caught; it is the store's pending one. Said of
    /// the outermost segment's only.
    Exception(Backtrace),
    /// A host function suspends the guest, or wants to
    /// ([`crate::entry::start`]).
    Suspended,
    /// A host function returned an error.
    Host(Box<dyn Error + Send + Sync>),
    /// A host function panicked; to be resumed at the outermost entry.
    Panic(Box<dyn Any + Send>),
    /// A function that was not validated before its first call is invalid.
    Invalid(ParseError),
    /// No code could be made for a function.
    Code(Box<dyn Error + Send + Sync>),
}

impl From<Trap> for Pending {
    fn from(trap: Trap) -> Self {
        Pending::Trap(trap, Backtrace::default())
    }
}

impl From<ParseError> for Pending {
    fn from(error: ParseError) -> Self {
        Pending::Invalid(error)
    }
}

/// The guest's frames at a trap, innermost first. Empty if nobody walked them.
#[derive(Clone, Debug, Default)]
pub struct Backtrace {
    /// The frames.
    pub frames: Vec<Frame>,
}

/// One frame of a [`Backtrace`].
#[derive(Clone, Debug)]
pub struct Frame {
    /// The code that the function belongs to.
    pub module: Arc<ModuleCode>,
    /// The function.
    pub func: FuncIndex,
    /// Offset in the module's bytes of the instruction, where it is known.
    pub offset: Option<u32>,
}
