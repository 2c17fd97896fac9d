//! The machine-code tier: translation of function bodies to Cranelift's IR,
//! compilation, and the memory that the code lives in.
//!
//! ```text
//!  body ─ translate ─► ir::Function ─ Cranelift ─► CompiledFunction ─ link ─► Image
//!                                                                              │
//!  cells ◄─ native entry ◄─ publish (memory) ◄─────────────────────────────────┘
//! ```
//! Machine code calls machine code directly. It is entered from elsewhere, and
//! left for elsewhere, through adapters (`adapter`), which are made when they
//! are first needed (`resolve`).
//!
//! Architecture invariant: this crate knows the run-time structures of
//! `rwasm-runtime` and nothing of other tiers or of the public API.

mod adapter;
mod arch;
mod artifact;
mod backtrace;
mod compile;
mod exit;
mod function;
mod image;
mod isa;
mod libcall;
mod link;
mod memory;
mod place;
mod publish;
mod remembered;
mod resolve;
mod shape;
mod symbol;
mod translate;
mod trap_code;
mod unwind;

pub use artifact::ArtifactError;
pub use compile::{
    COMPILE_STACK, CompileError, Compiled, Compiler, FunctionError, Options, PrintError, Summary,
    compile_module, print_clif, print_machine_code,
};
pub use function::CodegenError;
pub use isa::{IsaError, Processor, fingerprint};
pub use link::LinkError;
pub use publish::{heir, is_published, prepare_calls, publish, published, relink};
pub use remembered::{adapters, take_up_adapters};
pub use translate::{Entry, TranslateError};

use rwasm_runtime::layout::SegmentKind;
use rwasm_runtime::sys::signals;
use std::sync::OnceLock;

/// Prepares the process for making and running machine code; once is enough,
/// more often does no harm. Call it before the first module is compiled.
///
/// Returns whether machine code can be made here: it can if there is a back end
/// for this processor and [`init_running`] succeeds.
pub fn init() -> bool {
    init_running() && isa::host().is_ok()
}

/// Prepares the process for running machine code that was made before: as
/// [`init`], but for the back end, which it takes a while to set up.
///
/// Returns whether machine code can be run here: it can if there is memory for
/// code, and faults become traps.
pub fn init_running() -> bool {
    static READY: OnceLock<bool> = OnceLock::new();
    *READY.get_or_init(|| {
        rwasm_runtime::backtrace::register(SegmentKind::Native, backtrace::walk);
        arch::SUPPORTED
            && signals::guarded_memories_supported()
            && signals::register(trap_site).is_ok()
            && memory::arena().is_ok()
    })
}

/// Whether there may be machine code on this machine: whether [`init`] is worth
/// trying, which costs time and address space.
pub const fn is_supported() -> bool {
    arch::SUPPORTED
}

/// The native entry that all functions begin with, those of modules and those of
/// the host: the adapter for each is made when it is first called.
pub fn native_entry() -> *const () {
    arch::resolve_and_enter as *const ()
}

/// What a fault at `pc` means. Called by the signal handler.
fn trap_site(pc: usize) -> Option<signals::TrapSite> {
    // SAFETY: the code at the program counter of a running thread is alive.
    let trap = unsafe { memory::image_at(pc) }?.trap(pc)?;
    Some(signals::TrapSite {
        trap,
        landing: Some(exit::trapped),
    })
}
