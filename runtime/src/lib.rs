//! What exists while a WebAssembly module runs: stores, instances, memories,
//! tables, globals, function references, canonical types, traps.
//!
//! There is one copy of every piece of run-time state, here, in `#[repr(C)]`
//! structs ([`layout`]) that all tiers read. A [`store::Store`] owns it;
//! [`code::ModuleCode`] is what the instances of a module share.
//!
//! Architecture invariant: this crate never interprets or makes code. Tiers
//! come in as function pointers ([`code::Entries`]), their faults as a lookup
//! ([`sys::signals::register`]); they call back through [`libcalls`].

mod arena;
pub mod backtrace;
pub mod code;
mod const_expr;
pub mod entry;
pub mod error;
pub mod exception;
mod exports;
mod func_refs;
pub mod gc;
pub mod global;
pub mod handle;
pub mod host;
pub mod instance;
pub mod instantiate;
pub mod interrupt;
pub mod layout;
pub mod libcalls;
pub mod limits;
pub mod memory;
mod parking;
pub mod racy;
pub mod reference;
pub mod shared_memory;
pub mod store;
pub mod sys;
pub mod table;
pub mod trap;
pub mod tunables;
pub mod types;

pub use parking::WaitResult;
