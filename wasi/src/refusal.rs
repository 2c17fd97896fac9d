//! Telling the embedder which paths a guest was refused.
//!
//! A guest is told an error code only, and most programs print no more than
//! that. Whoever runs one wants to know which path it was.

use crate::errno::Errno;
use std::ffi::OsStr;
use std::path::Path;

/// A path that a guest asked for and may not use. Given to the function of
/// [`WasiCtxBuilder::on_refusal`](crate::WasiCtxBuilder::on_refusal).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal<'a> {
    /// The guest's name for the preopened directory in which it asked; none for
    /// a directory that it opened itself.
    pub directory: Option<&'a OsStr>,
    /// The path.
    pub path: &'a Path,
    /// Why it was refused.
    pub reason: RefusalReason,
}

/// Why a guest may not use a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalReason {
    /// It leads out of the directory: by `..`, as an absolute path, or through
    /// a symbolic link.
    Outside,
    /// Something would change below a directory that is given read-only.
    ReadOnly,
}

impl RefusalReason {
    /// The reason behind an error code of a path that was looked up with the
    /// rights that this needs.
    pub(crate) fn of(errno: Errno) -> Option<RefusalReason> {
        match errno {
            Errno::Notcapable => Some(RefusalReason::Outside),
            Errno::Rofs => Some(RefusalReason::ReadOnly),
            _ => None,
        }
    }
}

/// Who is told.
pub(crate) type Observer = Box<dyn Fn(&Refusal<'_>) + Send>;
