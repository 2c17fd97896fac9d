//! Who runs the kernels: rwasm's tiers and the peers, behind one small trait.

mod rwasm;
mod wasmi;
mod wasmtime;

use crate::kernels::Kernel;
use thiserror::Error;

/// A runtime with its settings.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Name in reports.
    pub name: &'static str,
    /// Compiles (or translates) a kernel.
    pub load: fn(&Kernel) -> Result<Box<dyn Guest>, SubjectError>,
}

/// Everybody, the one that ratios are usually taken against last.
pub const SUBJECTS: &[Subject] = &[
    Subject {
        name: "rwasm-interp",
        load: rwasm::load_interp,
    },
    Subject {
        name: "rwasm-jit",
        load: rwasm::load_jit,
    },
    Subject {
        name: "rwasm-auto",
        load: rwasm::load_auto,
    },
    Subject {
        name: "wasmi",
        load: wasmi::load,
    },
    Subject {
        name: "wasmtime",
        load: wasmtime::load,
    },
];

/// A kernel that was loaded.
pub trait Guest {
    /// Calls the exported function of a kernel, and returns the bits of its
    /// result; or runs a program from its start to its end, in an instance of
    /// its own, and returns a digest of what it printed.
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
