//! Who owns a module's bytes.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// The bytes of a module: a vector, a mapped file, or anything else that can
/// be shared between threads. Clones share the bytes.
#[derive(Clone)]
pub struct ModuleBytes(Arc<dyn AsRef<[u8]> + Send + Sync>);

impl ModuleBytes {
    /// Takes over an owner of bytes.
    ///
    /// The owner must give the same bytes every time that it is asked. If it
    /// does not (a mapped file that someone writes to, say), reading bodies and
    /// names can give errors or nonsense, but nothing worse, in this crate.
    pub fn new(owner: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self(Arc::new(owner))
    }
}

impl From<Vec<u8>> for ModuleBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl From<&'static [u8]> for ModuleBytes {
    fn from(bytes: &'static [u8]) -> Self {
        Self::new(bytes)
    }
}

impl Deref for ModuleBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

impl AsRef<[u8]> for ModuleBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for ModuleBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ModuleBytes({} bytes)", self.len())
    }
}
