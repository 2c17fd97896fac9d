//! Everything that can go wrong, typed.

use crate::backtrace::WasmBacktrace;
use crate::cache::PrecompiledError;
use crate::exception::Exception;
use crate::module::Module;
use crate::types::{ExternType, ValType};
use rwasm_parser::ParseError;
use rwasm_runtime::error::Pending;
use rwasm_runtime::instantiate::{InstantiateError, LinkError as RawLinkError};
use rwasm_runtime::limits::{LimitError, ResourceError};
use rwasm_runtime::store::ResetError as PoolError;
use rwasm_runtime::trap::Trap;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// The result of most of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a valid module.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The imports of a module could not be satisfied.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The guest trapped.
    #[error(transparent)]
    Trap(#[from] TrapError),
    /// The guest threw an exception that nothing caught.
    #[error(transparent)]
    Exception(#[from] Exception),
    /// The guest asked to end the program with this exit code.
    #[error("the guest exited with code {0}")]
    Exit(i32),
    /// A host function suspends the guest, where it can be
    /// ([`TypedFunc::call_suspendable`](crate::TypedFunc::call_suspendable));
    /// elsewhere it ends the call.
    #[error("the guest was suspended")]
    Suspended,
    /// A guest was to be started so that it can be suspended, or was to go on, in
    /// a store where that cannot be now.
    #[error("{0}")]
    NotSuspendable(&'static str),
    /// A host function failed.
    #[error(transparent)]
    Host(Box<dyn StdError + Send + Sync>),
    /// A limit of the store was reached.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The system has no room for what was to be made or grown.
    #[error(transparent)]
    Resource(ResourceError),
    /// The engine cannot do what its configuration asks for.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A call, an assignment or a look-up by the embedder does not fit the
    /// type of what it is made on.
    #[error(transparent)]
    Type(#[from] TypeError),
    /// The host read or wrote outside a memory or table of the guest.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A handle was used with a store (or a module with an engine) that it does
    /// not belong to.
    #[error("{0} belongs to another store or engine")]
    StoreMismatch(&'static str),
    /// A handle was used after its scope had ended (see
    /// [`RootScope`](crate::RootScope)).
    #[error("a reference was used after its scope had ended")]
    Unrooted,
    /// The module is valid, but this build cannot run it yet.
    #[error("not supported: {0}")]
    Unsupported(Box<dyn StdError + Send + Sync>),
    /// Instances of the module cannot be pooled.
    #[error("not to be pooled: {0}")]
    Pool(#[from] PoolError),
    /// A precompiled module is not for this engine.
    #[error(transparent)]
    Precompiled(#[from] PrecompiledError),
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Error {
    /// An error of a host function.
    pub fn host(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Error::Host(error.into())
    }

    /// The trap, if the guest trapped.
    pub fn trap(&self) -> Option<Trap> {
        match self {
            Error::Trap(error) => Some(error.trap),
            _ => None,
        }
    }

    /// The exception, if the guest threw one that nothing caught, or if a host
    /// function failed with that.
    pub fn exception(&self) -> Option<&Exception> {
        match self {
            Error::Exception(exception) => Some(exception),
            Error::Host(error) => match error.downcast_ref::<Error>() {
                Some(error) => error.exception(),
                None => error.downcast_ref(),
            },
            _ => None,
        }
    }

    /// The exit code, if the guest asked to exit.
    pub fn exit_code(&self) -> Option<i32> {
        match self {
            Error::Exit(code) => Some(*code),
            _ => None,
        }
    }

    /// The error of a host function, if it is an `E`.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        match self {
            Error::Host(error) => error.downcast_ref(),
            _ => None,
        }
    }
}

impl From<Box<dyn StdError + Send + Sync>> for Error {
    fn from(error: Box<dyn StdError + Send + Sync>) -> Self {
        Error::Host(error)
    }
}

impl From<ResourceError> for Error {
    fn from(error: ResourceError) -> Self {
        match error {
            ResourceError::Limit(error) => Error::Limit(error),
            error => Error::Resource(error),
        }
    }
}

/// On the way through guest code.
impl Error {
    /// As the reason why a host function failed.
    pub(crate) fn into_pending(self) -> Pending {
        match self {
            // A trap of the host's: who left the guest for the host adds the
            // frames.
            Error::Trap(error) if error.backtrace.frames().is_empty() => error.trap.into(),
            Error::Suspended => Pending::Suspended,
            error => Pending::Host(Box::new(error)),
        }
    }

    /// As it went in, if it came from a host function. It must be no panic.
    pub(crate) fn from_pending(reason: Pending) -> Self {
        match reason {
            Pending::Trap(trap, backtrace) => Error::Trap(TrapError {
                trap,
                backtrace: WasmBacktrace::from_raw(backtrace),
            }),
            Pending::Suspended => Error::Suspended,
            Pending::Host(error) => error
                .downcast::<Error>()
                .map_or_else(Error::Host, |error| *error),
            Pending::Invalid(error) => Error::Parse(error),
            Pending::Code(error) => Error::Unsupported(error),
            Pending::Exception(_) => Error::host("an exception that was not taken"),
            Pending::Panic(_) => Error::host("a host function panicked"),
        }
    }

    /// Why `module` could not be instantiated.
    pub(crate) fn from_instantiate(error: InstantiateError, module: &Module) -> Self {
        let extern_type = |ty| ExternType::from_raw(ty, module.engine());
        match error {
            InstantiateError::Link(RawLinkError::Incompatible {
                module,
                name,
                expected,
                found,
            }) => LinkError::IncompatibleImport {
                module: module.into(),
                name: name.into(),
                expected: Box::new(extern_type(expected)),
                found: Box::new(extern_type(found)),
            }
            .into(),
            InstantiateError::Link(error) => Error::host(error),
            InstantiateError::Trap(trap) => trap.into(),
            InstantiateError::Resource(error) => error.into(),
            InstantiateError::OtherEngine => Error::StoreMismatch("a module"),
            InstantiateError::OtherStore => Error::StoreMismatch("an import"),
            error => Error::Unsupported(Box::new(error)),
        }
    }
}

impl From<Trap> for Error {
    fn from(trap: Trap) -> Self {
        Error::Trap(trap.into())
    }
}

/// A trap, and where it happened.
#[derive(Clone, Debug, Error)]
#[error("wasm trap: {trap}")]
#[non_exhaustive]
pub struct TrapError {
    /// Why the guest trapped.
    pub trap: Trap,
    /// The guest's functions that were running, innermost first.
    pub backtrace: WasmBacktrace,
}

impl From<Trap> for TrapError {
    fn from(trap: Trap) -> Self {
        TrapError {
            trap,
            backtrace: WasmBacktrace::default(),
        }
    }
}

/// Why a module could not be linked, or a name not be defined.
///
/// Messages begin as those of the official test suite do.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Nothing is defined under these names; all of them are listed.
    #[error("{}", UnknownImports(.0))]
    UnknownImports(Vec<UnknownImport>),
    /// What is defined has another type than the module imports.
    #[error("incompatible import type for `{module}` `{name}`: expected {expected}, found {found}")]
    IncompatibleImport {
        /// The import's module.
        module: String,
        /// The import's name.
        name: String,
        /// What the module imports.
        expected: Box<ExternType>,
        /// What is defined.
        found: Box<ExternType>,
    },
    /// [`Instance::new`](crate::Instance::new) was given too few or too many
    /// imports.
    #[error("expected {expected} imports, found {found}")]
    ImportCount {
        /// How many the module imports.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// The name is defined already, and shadowing is not allowed.
    #[error("`{module}` `{name}` is defined twice")]
    Duplicate {
        /// The module name.
        module: String,
        /// The name in it.
        name: String,
    },
    /// An alias of a name that is not defined.
    #[error("`{module}` `{name}` is not defined")]
    Undefined {
        /// The module name.
        module: String,
        /// The name in it.
        name: String,
    },
}

/// An import that nothing is defined for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownImport {
    /// The module that it is imported from.
    pub module: String,
    /// Its name there.
    pub name: String,
    /// What the importing module expects.
    pub ty: ExternType,
    /// The nearest name that is defined, as module and name, if one is near.
    pub suggestion: Option<(String, String)>,
}

impl fmt::Display for UnknownImport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` `{}` ({})", self.module, self.name, self.ty)?;
        match &self.suggestion {
            Some((module, name)) => write!(f, "; did you mean `{module}` `{name}`?"),
            None => Ok(()),
        }
    }
}

/// Displays one import on the message's line, several as a list.
struct UnknownImports<'a>(&'a [UnknownImport]);

impl fmt::Display for UnknownImports<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [import] = self.0 {
            return write!(f, "unknown import {import}");
        }
        write!(f, "unknown imports:")?;
        self.0
            .iter()
            .try_for_each(|import| write!(f, "\n  {import}"))
    }
}

/// What an engine or a store was asked for, but cannot do.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// Machine code was asked for where none can be made or run.
    #[error("there is no JIT tier for this machine; use `interp` or `auto`")]
    NoJit,
    /// A tier by a name that does not exist.
    #[error("unknown tier `{0}`; there are `interp`, `jit` and `auto`")]
    UnknownTier(String),
    /// Fuel was used in an engine that does not count it.
    #[error("fuel is not counted: the engine's `Config::consume_fuel` is off")]
    FuelDisabled,
    /// Guarded memories were asked for where address space cannot be reserved.
    #[error("guarded memories were asked for, but the process may not reserve address space")]
    NoGuardedMemories,
}

/// A call, an assignment or a look-up that does not fit a type.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TypeError {
    /// A wrong number of arguments or results.
    #[error("expected {expected} {what}, found {found}")]
    Count {
        /// Arguments, or results.
        what: &'static str,
        /// How many the function has.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// A value, or the type of a typed function's parameter or result, does not
    /// fit.
    #[error("type mismatch: expected {expected}, found {found}")]
    Mismatch {
        /// What is needed.
        expected: ValType,
        /// What was given.
        found: ValType,
    },
    /// An assignment to an immutable field of a struct, or element of an array.
    #[error("the field is immutable")]
    ImmutableField,
    /// An assignment to an immutable global.
    #[error("the global is immutable")]
    ImmutableGlobal,
    /// No export has this name.
    #[error("unknown export `{0}`")]
    UnknownExport(String),
    /// The export is there, but is something else.
    #[error("export `{name}` is a {found}, not a {expected}")]
    WrongExport {
        /// The name of the export.
        name: String,
        /// What was asked for.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A type that cannot exist, such as a minimum above the maximum.
    #[error("invalid type: {0}")]
    Invalid(&'static str),
}

/// A read or write by the host outside a memory or a table.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("out of bounds {0} access")]
#[non_exhaustive]
pub struct AccessError(pub(crate) &'static str);
