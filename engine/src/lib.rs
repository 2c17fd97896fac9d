//! A WebAssembly runtime that starts at once: the embedding API.
//!
//! An [`Engine`] holds settings. A [`Module`] comes from bytes, binary or text,
//! and is validated. A [`Store`] owns instances and data of the embedder's; a
//! [`Linker`] knows host functions by name and makes an [`Instance`] of a
//! module, whose functions are then called:
//!
//! ```
//! use rwasm::{Caller, Engine, Linker, Module, Result, Store};
//!
//! fn main() -> Result<()> {
//!     let engine = Engine::default();
//!     let module = Module::new(
//!         &engine,
//!         r#"(module
//!             (import "host" "log" (func $log (param i32)))
//!             (func (export "triple") (param $n i32) (result i32)
//!                 (call $log (local.get $n))
//!                 (i32.mul (local.get $n) (i32.const 3))))"#,
//!     )?;
//!
//!     // Host functions are closures. With a `Caller` they reach the store's
//!     // data, here a list of numbers, and the exports of the guest.
//!     let mut linker = Linker::new(&engine);
//!     linker.func_wrap("host", "log", |mut caller: Caller<'_, Vec<i32>>, n: i32| {
//!         caller.data_mut().push(n);
//!     })?;
//!
//!     let mut store = Store::new(&engine, Vec::new());
//!     let instance = linker.instantiate(&mut store, &module)?;
//!     let triple = instance.get_typed_func::<i32, i32>(&mut store, "triple")?;
//!
//!     assert_eq!(triple.call(&mut store, 14)?, 42);
//!     assert_eq!(store.data(), &[14]);
//!     Ok(())
//! }
//! ```
//!
//! # What belongs to what
//! ```text
//!  Engine ─┬─ Module        shared, immutable, any thread
//!          ├─ Linker<T>     host functions and other definitions by name
//!          └─ Store<T> ─── Instance, Func, Memory, Table, Global, Tag, ExternRef
//!                           handles: small, copied, of use with their store
//! ```
//! A store is used by one thread at a time, and frees what it owns when it is
//! dropped. To use a handle with another store than its own is an error where a
//! function returns a `Result`, and a panic where it does not.
//!
//! # What can go wrong
//! Everything is an [`Error`]. A guest that traps gives [`Error::Trap`], one
//! that ends the program [`Error::Exit`], one that throws what nothing catches
//! [`Error::Exception`]. What a host function returns as an
//! error comes out of the call as it is; a host function that panics unwinds the
//! guest, and the panic goes on from the call. Either way the store stays whole
//! and can be used again.
//!
//! # What a guest may take
//! [`Limits`] bound memory, objects, tables and stack, each with a default. Time is
//! bounded by fuel ([`Store::set_fuel`]), which is the same on every machine, or
//! by an [`InterruptHandle`] from another thread.
//!
//! # Where to look next
//! The folder `examples/` has a documented program for each: hello, host
//! functions, memory, limits, fuel and threads.
//!
//! Architecture invariant: this crate alone knows both what the embedder sees
//! and which tiers exist. It keeps no state of guests of its own; that lives in
//! `rwasm-runtime`. It knows nothing of WASI.

mod backtrace;
mod cache;
mod caller;
mod config;
mod context;
mod engine;
mod error;
mod exception;
mod externs;
mod func;
mod global;
mod instance;
mod instance_pre;
mod linker;
mod memory;
mod module;
mod pool;
mod reference;
mod shared_memory;
mod slots;
mod store;
mod suspend;
mod table;
mod tag;
mod tiers;
mod types;
mod val;

pub use backtrace::{Frame, SourceLocation, WasmBacktrace, demangle};
pub use cache::{Cache, CacheError, CacheInfo, PrecompiledError};
pub use caller::Caller;
pub use config::{Config, Tier, Validation};
pub use context::{AsContext, AsContextMut, StoreContext, StoreContextMut};
pub use engine::Engine;
pub use error::{
    AccessError, ConfigError, Error, LinkError, Result, TrapError, TypeError, UnknownImport,
};
pub use exception::{Exception, ExnRef};
pub use externs::Extern;
pub use func::{Func, IntoFunc, TypedFunc, WasmParams, WasmResults, WasmRet, WasmTy};
pub use global::Global;
pub use instance::{Export, Instance};
pub use instance_pre::InstancePre;
pub use linker::Linker;
pub use memory::Memory;
pub use module::Module;
pub use pool::{InstancePool, InstanceSnapshot, PoolConfig};
pub use reference::{
    AnyRef, ArrayRef, EqRef, ExternRef, I31, Owned, Reference, RootScope, StructRef,
};
pub use rwasm_parser::{self as parser, ModuleBytes, ParseError};
pub use rwasm_runtime::gc::HeapStats;
pub use rwasm_runtime::interrupt::InterruptHandle;
pub use rwasm_runtime::limits::{LimitError, LimitKind, Limits, ResourceError};
pub use rwasm_runtime::store::ResetError as PoolError;
pub use rwasm_runtime::trap::Trap;
pub use shared_memory::{SharedMemory, WaitResult};
pub use store::Store;
pub use suspend::Progress;
pub use table::Table;
pub use tag::Tag;
pub use tiers::TierStats;
#[doc(hidden)]
pub use tiers::stress::{StressBudget, TierStress};
pub use types::{
    ArrayType, ConcreteType, ExportType, ExternType, FieldType, FuncType, GlobalType, HeapType,
    ImportType, MemoryType, Mutability, RefType, StorageType, StructType, TableType, TagType,
    ValType,
};
pub use val::{Ref, V128, Val};
