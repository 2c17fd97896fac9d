//! What exists while a WebAssembly module runs.
pub mod code;
pub mod host;
pub mod layout;
pub mod libcalls;
pub mod trap;
pub mod tunables;
