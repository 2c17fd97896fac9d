//! Who runs the kernels: rwasm's tiers and the peers, behind one small trait.

mod rwasm;
mod wasmi;

use crate::kernels::Kernel;
use thiserror::Error;

/// A runtime with its settings.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Name in reports.
    pub name: &'static str,
    /// Compiles (or translates) and instantiates a kernel.
    pub load: fn(&Kernel) -> Result<Box<dyn Guest>, SubjectError>,
}

/// The subject that ratios are taken against comes last.
pub const SUBJECTS: &[Subject] = &[
    Subject {
        name: "rwasm",
        load: rwasm::load_interp,
    },
    Subject {
        name: "wasmi",
        load: wasmi::load,
    },
];

/// A kernel that was loaded.
pub trait Guest {
    /// Calls the exported function; the bits of its result.
    ///
    /// # Errors
    /// If the guest trapped.
    fn run(&mut self, size: i32) -> Result<u64, SubjectError>;
}

/// Why a subject cannot load or run a kernel.
#[derive(Debug, Error)]
#[error("{subject}: {cause}")]
pub struct SubjectError {
    /// The subject's name.
    pub subject: &'static str,
    /// What it said.
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}
