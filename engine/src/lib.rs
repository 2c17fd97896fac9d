//! A WebAssembly runtime: the embedding API.

mod backtrace;
mod caller;
mod config;
mod context;
mod engine;
mod error;
mod externs;
mod func;
mod global;
mod instance;
mod interrupt;
mod linker;
mod memory;
mod module;
mod reference;
mod slots;
mod store;
mod table;
mod tag;
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
pub use externs::Extern;
pub use func::{Func, IntoFunc, TypedFunc, WasmParams, WasmResults, WasmRet, WasmTy};
pub use global::Global;
pub use instance::{Export, Instance};
pub use interrupt::InterruptHandle;
pub use linker::Linker;
pub use memory::Memory;
pub use module::Module;
pub use reference::{AnyRef, ExnRef, ExternRef};
pub use rwasm_parser::{self as parser, ModuleBytes, ParseError};
pub use rwasm_runtime::limits::{LimitError, LimitKind, Limits, ResourceError};
pub use rwasm_runtime::trap::Trap;
pub use store::Store;
pub use table::Table;
pub use tag::Tag;
pub use types::{
    ConcreteType, ExportType, ExternType, FuncType, GlobalType, HeapType, ImportType, MemoryType,
    Mutability, RefType, TableType, TagType, ValType,
};
pub use val::{Ref, V128, Val};
