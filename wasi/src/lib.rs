//! WASI preview1 for rwasm: the system as WebAssembly programs see it.
//!
//! [`WasiCtx`] is the state of one guest, made by a [`WasiCtxBuilder`] that
//! says what the guest is given: arguments, environment, standard streams,
//! directories. [`add_to_linker`] defines the 46 functions of
//! `wasi_snapshot_preview1`, and those of its predecessor `wasi_unstable`.
//!
//! ```no_run
//! use rwasm::{Engine, Linker, Module, Store};
//! use rwasm_wasi::{Access, WasiCtx};
//!
//! let engine = Engine::default();
//! let module = Module::from_file(&engine, "tool.wasm")?;
//! let mut linker = Linker::new(&engine);
//! rwasm_wasi::add_to_linker(&mut linker, |ctx: &mut WasiCtx| ctx)?;
//!
//! let mut builder = WasiCtx::builder();
//! builder.inherit_stdio().arg("tool");
//! builder.preopened_dir("data", "/data", Access::ReadOnly)?;
//! let mut store = Store::new(&engine, builder.build()?);
//! let instance = linker.instantiate(&mut store, &module)?;
//! let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
//! match start.call(&mut store, ()) {
//!     Err(rwasm::Error::Exit(code)) => println!("it exited with {code}"),
//!     result => result?,
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Architecture invariants
//! - Files are reached through directory handles of cap-std, never by a path of
//!   the host: a guest touches what is below the directories that it was given.
//! - What a guest passes is checked before anything is done with it, and every
//!   failure is an error code for the guest.
//! - Reads and writes are one system call on the guest's memory.
//! - This crate knows the public API of `rwasm`, and nothing of tiers, code or
//!   stores.
//!
//! It runs on Linux (5.8 or later, for the times of files). What is special to
//! Linux: `listing` (`getdents64`), `paths` (`O_PATH`), `host_io` (`RWF_NOWAIT`).

#![forbid(unsafe_code)]

mod abi;
mod builder;
mod clocks;
mod ctx;
mod descriptor;
mod errno;
mod functions;
mod host_io;
mod interruption;
mod io;
mod iovec;
mod limits;
mod linker;
mod listing;
mod memory;
mod paths;
mod poll;
mod random;
mod refusal;
mod rights;
mod snapshot;
mod socket;
mod stdio;
mod strings;
mod table;
mod threads;
mod times;

pub use builder::{Access, BuildError, WasiCtxBuilder};
pub use clocks::Clock;
pub use ctx::WasiCtx;
pub use errno::Errno;
pub use limits::Limits;
pub use linker::{FUNCTIONS, Function, NoMemory, add_imports_to_linker, add_to_linker};
pub use refusal::{Refusal, RefusalReason};
pub use snapshot::{OpenDescriptor, SuspendAt, WasiSnapshot};
pub use stdio::{Capture, Input, Output};
pub use threads::{Threads, starts_threads};
