//! Modules: parsed, validated, ready to be instantiated.

use crate::ModuleBytes;
use crate::engine::Engine;
use crate::error::Result;
use crate::types::{ExportType, ExternType, ImportType};
use std::path::Path;

/// A module, shared by all its instances. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Module(());

impl Module {
    /// A module from its binary or text form.
    pub fn new(engine: &Engine, bytes: impl AsRef<[u8]>) -> Result<Module> {
        let _ = (engine, bytes.as_ref());
        unimplemented!()
    }

    /// A module from a file in binary or text form. The file is mapped, not
    /// read: it must not change while the module exists.
    pub fn from_file(engine: &Engine, path: impl AsRef<Path>) -> Result<Module> {
        let _ = (engine, path.as_ref());
        unimplemented!()
    }

    /// A module from bytes that need no copy.
    pub fn from_bytes(engine: &Engine, bytes: ModuleBytes) -> Result<Module> {
        let _ = (engine, bytes);
        unimplemented!()
    }

    /// Whether the bytes are a valid module, whatever the engine's
    /// [`Validation`](crate::Validation).
    pub fn validate(engine: &Engine, bytes: impl AsRef<[u8]>) -> Result<()> {
        let _ = (engine, bytes.as_ref());
        unimplemented!()
    }

    /// Validates the function bodies that lazy validation has left.
    pub fn validate_all(&self) -> Result<()> {
        unimplemented!()
    }

    /// The engine that it was made with.
    pub fn engine(&self) -> &Engine {
        unimplemented!()
    }

    /// Its name, if its name section has one.
    pub fn name(&self) -> Option<&str> {
        unimplemented!()
    }

    /// What it imports, in order.
    pub fn imports(&self) -> impl ExactSizeIterator<Item = ImportType<'_>> {
        std::iter::empty()
    }

    /// What it exports, in order.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = ExportType<'_>> {
        std::iter::empty()
    }

    /// The type of an export.
    pub fn get_export(&self, name: &str) -> Option<ExternType> {
        let _ = name;
        unimplemented!()
    }
}
