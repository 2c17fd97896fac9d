//! Bytes in, a validated [`Module`] out.
//!
//! This crate decodes WebAssembly binaries and text, validates them with
//! `wasmparser`, and keeps what the rest of the runtime needs to know: types,
//! imports, exports, initialisers, segments, names, and where each function
//! body lies. Bodies themselves stay ranges of the module's bytes, so that each
//! can be validated and lowered alone, when it is first called, on any thread.
//!
//! A module's way through this crate:
//!
//! ```text
//! file ─ detect ─┬─ text ──► binary ─┐
//!                └───────────────────┴─► decode ──► Module ──► bodies
//!                                                     └─────► names, producers
//! ```
//!
//! Architecture invariant: nothing here knows of execution (stores, instances,
//! machine code), and no input makes it panic, recurse without bound, or hold
//! more memory than a small multiple of the input's size.
#![forbid(unsafe_code)]

mod bodies;
mod bytes;
mod const_expr;
mod decode;
mod detect;
mod error;
mod features;
mod index;
mod module;
mod names;
mod plain;
mod resources;
mod sections;
mod text;
mod types;

pub use bodies::{BodyRange, check_operands, validate_body};
pub use bytes::ModuleBytes;
pub use const_expr::{ConstExpr, ConstOp};
pub use detect::FileKind;
pub use error::ParseError;
pub use features::{Features, ParseOptions, SpecVersion};
pub use index::{
    DataIndex, ElemIndex, FuncIndex, GlobalIndex, LocalFuncIndex, MemoryIndex, TableIndex,
    TagIndex, TypeIndex,
};
pub use module::{
    DataKind, DataSegment, ElementItems, ElementKind, ElementSegment, Export, ExternKind, Global,
    Import, Module, Table,
};
pub use names::Names;
pub use plain::PlainData;
pub use resources::Resources;
pub use sections::{CustomSection, Producer, Producers, Section, SectionKind};
pub use types::{
    CompositeType, ExternType, FieldType, FuncType, GlobalType, HeapType, MemoryType, RefType,
    StorageType, SubType, TableType, UnsupportedType, ValType,
};
// The decoder is part of this crate's interface: bodies are read through it.
pub use wasmparser;
