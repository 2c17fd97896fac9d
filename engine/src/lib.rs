//! A WebAssembly runtime: the embedding API.

pub mod backtrace;
mod caller;
mod config;
mod context;
mod engine;
mod error;
mod externs;
mod func;
mod instance;
mod interrupt;
mod linker;
mod module;
mod placeholder;
mod reference;
mod store;
#[path = "../../runtime/src/trap.rs"]
mod trap;
mod types;
mod val;

pub use backtrace::{Frame, WasmBacktrace};
pub use caller::Caller;
pub use config::{Config, Tier, Validation};
pub use context::{AsContext, AsContextMut, StoreContext, StoreContextMut};
pub use engine::Engine;
pub use error::{
    AccessError, ConfigError, Error, LinkError, Result, TrapError, TypeError, UnknownImport,
};
pub use externs::{Extern, Global, Memory, Table, Tag};
pub use func::{Func, IntoFunc, TypedFunc, WasmParams, WasmResults, WasmRet, WasmTy};
pub use instance::{Export, Instance};
pub use interrupt::InterruptHandle;
pub use linker::Linker;
pub use module::Module;
pub use placeholder::{LimitError, Limits, ModuleBytes, ParseError};
pub use reference::{AnyRef, ExnRef, ExternRef};
pub use store::Store;
pub use trap::Trap;
pub use types::{
    ConcreteType, ExportType, ExternType, FuncType, GlobalType, HeapType, ImportType, MemoryType,
    Mutability, RefType, TableType, TagType, ValType,
};
pub use val::{Ref, V128, Val};
