//! The interpreter tier: lowering of function bodies to register code, and the
//! threaded interpreter that runs it.
//!
//! ```text
//!  body ─ lower ─► [Inst] ─ encode ─► words ─ published in the code cell
//!                                              │
//!  call_array ◄─ stubs ─ handlers (exec) ◄─────┘
//! ```
//! This crate knows the run-time structures of `rwasm-runtime` and nothing of
//! other tiers or of the public API: it is entered by [`ENTRIES`] and leaves by
//! array entries.

mod arch;
mod backtrace;
mod encode;
mod enter;
mod exec;
mod fuse;
mod inst;
mod kept;
mod lower;
mod object;
mod op;
mod print;
mod suspended;

pub use enter::{ENTRIES, host_entries, init, resume};
pub use kept::{program, write as keep};
pub use lower::LowerError;
pub use suspended::links as suspended_links;

use lower::Lowered;
use rwasm_parser::LocalFuncIndex;
use rwasm_runtime::code::{CodeCell, InterpCode, ModuleCode};
use rwasm_runtime::error::Pending;
use std::cell::RefCell;
use wasmparser::{BinaryReader, FuncValidatorAllocations, FunctionBody};

/// Buffers kept from function to function.
#[derive(Default)]
struct Buffers {
    lower: lower::Scratch,
    encode: encode::Scratch,
    validator: FuncValidatorAllocations,
    body: Vec<u8>,
}

impl Buffers {
    /// A body of more bytes leaves nothing behind: few are as large, and what one
    /// takes grows with it.
    const LARGE_BODY: usize = 64 << 10;

    fn end(&mut self, body: &FunctionBody<'_>) {
        if body.as_bytes().len() > Self::LARGE_BODY {
            *self = Self::default();
        }
    }
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

/// Publishes machine code that an earlier process kept of the function of a cell,
/// which is called for the first time; returns whether there was some.
fn take_up_code(cell: &CodeCell) -> bool {
    if cell.interp_code().is_some() {
        return false;
    }
    // SAFETY: it is the cell of a module, which owns its cells, or has none.
    let code = unsafe { cell.module.as_ref() };
    let kept = code.and_then(|code| Some((code, code.kept_code()?)));
    kept.is_some_and(|(code, kept)| kept.publish_called(code, cell.func))
}

/// Lowers the function of a cell and publishes the code, unless that was done
/// before; returns its first instruction. If another thread does so first, its code
/// is taken.
///
/// # Errors
/// If the body is invalid or beyond what this tier executes.
pub fn lower_cell(cell: &CodeCell) -> Result<*const u64, LowerError> {
    if let Some(code) = cell.interp_code() {
        return Ok(code.words.as_ptr());
    }
    // SAFETY: only cells of modules are lowered; the module owns its cells.
    let code = unsafe { &*cell.module };
    if let Some(kept) = kept_body(code, cell.func) {
        arch::detect();
        if let Some(bodies) = code.kept_bodies() {
            bodies.note(cell.func, true);
        }
        return Ok(cell.publish_interp_code(kept, ENTRIES.interp));
    }
    let lowered = lower_function(code, cell.func, false)?;
    let encoded = BUFFERS.with_borrow_mut(|buffers| {
        let encoded = encode::encode(&lowered, code, &mut buffers.encode);
        buffers.lower.recycle(lowered);
        buffers.end(&code.module.body(cell.func));
        encoded
    });
    if encoded.origin.is_some()
        && let Some(kept) = code.kept_bodies()
    {
        kept.note(cell.func, false);
    }
    Ok(cell.publish_interp_code(encoded, ENTRIES.interp))
}

/// The lowered body of a function, if it was kept by an earlier process.
fn kept_body(code: &ModuleCode, func: LocalFuncIndex) -> Option<InterpCode> {
    let kept = code.kept_bodies()?;
    let (body, bytes) = kept.find(func)?;
    // Nothing reads the body again, which may be in a mapped file.
    let is_same = kept.hash(code, func, code.module.body(func).as_bytes()) == body;
    is_same.then(|| kept::read(code, bytes))?
}

/// Lowers a function, without running anything, and prints its register code.
///
/// # Errors
/// As for [`lower_cell`].
pub fn print_function(code: &ModuleCode, func: LocalFuncIndex) -> Result<String, LowerError> {
    let lowered = lower_function(code, func, false)?;
    let index = code.module.func_index(func);
    Ok(print::print(&code.module, index, &lowered))
}

/// Lowers a function, validating it first if nobody did. With `offsets`, the
/// result says where in the module each instruction came from.
fn lower_function(
    code: &ModuleCode,
    func: LocalFuncIndex,
    offsets: bool,
) -> Result<Lowered, LowerError> {
    BUFFERS.with_borrow_mut(|buffers| {
        let body = code.module.body(func);
        let lowered = lower_body(code, func, &body, buffers, offsets);
        buffers.end(&body);
        lowered
    })
}

fn lower_body(
    code: &ModuleCode,
    func: LocalFuncIndex,
    body: &FunctionBody<'_>,
    buffers: &mut Buffers,
    offsets: bool,
) -> Result<Lowered, LowerError> {
    if !code.settings.lazy_validation {
        return lower::lower(code, func, body, None, &mut buffers.lower, offsets);
    }
    // The module may be a mapped file, which another process can change
    // between validation and lowering: both read this copy.
    buffers.body.clear();
    buffers.body.extend_from_slice(body.as_bytes());
    let features = code.module.features().to_wasmparser();
    let start = body.range().start;
    let body = FunctionBody::new(BinaryReader::new_features(&buffers.body, start, features));
    let allocations = std::mem::take(&mut buffers.validator);
    let mut validator = code.module.func_validator(func, allocations);
    let scratch = &mut buffers.lower;
    let lowered = lower::lower(code, func, &body, Some(&mut validator), scratch, offsets);
    buffers.validator = validator.into_allocations();
    let mut lowered = match lowered {
        Ok(lowered) => lowered,
        Err(error) => {
            // What is wrong with an invalid body is told as validation alone
            // does.
            let mut validator = code.module.func_validator(func, Default::default());
            rwasm_parser::validate_body(&mut validator, &body)?;
            return Err(error);
        }
    };
    // Who asks for offsets keeps nothing.
    let kept = code.kept_bodies().filter(|_| !offsets);
    lowered.body = kept.map(|kept| kept.hash(code, func, &buffers.body));
    Ok(lowered)
}

impl From<LowerError> for Pending {
    fn from(error: LowerError) -> Self {
        match error {
            LowerError::Invalid(error) => Pending::Invalid(error),
            other => Pending::Code(Box::new(other)),
        }
    }
}
