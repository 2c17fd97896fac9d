//! The guest's frames at a trap.
//!
//! A frame knows its caller and its return address; what function an address
//! belongs to, and where in the module its instruction came from, is found by
//! lowering the function again, so that running code carries no tables for it.

use crate::encode;
use crate::exec::call::EXIT;
use crate::exec::regs::header;
use rwasm_parser::{FuncIndex, LocalFuncIndex};
use rwasm_runtime::backtrace::MAX_FRAMES;
use rwasm_runtime::code::{CodeCell, ModuleCode};
use rwasm_runtime::error::Frame;
use rwasm_runtime::layout::{Segment, VmCtx, VmCtxKind};
use std::collections::HashMap;
use std::ptr;
use std::sync::Arc;

/// Adds the frames of a segment, newest first.
///
/// # Safety
/// The segment is live, of the interpreter, and has left at its exit frame.
pub(crate) unsafe fn walk(segment: *const Segment, frames: &mut Vec<Frame>) {
    let mut origins = Origins::default();
    // SAFETY: the segment's frames are intact: each header names the caller's
    // frame, up to the one that returns to `EXIT`.
    unsafe {
        let (mut fp, mut ip) = ((*segment).exit_fp, (*segment).exit_ip as usize);
        let exit = EXIT.ip() as usize;
        while ip != exit && ip != before_return(exit) && frames.len() < MAX_FRAMES {
            let vmctx = *fp.offset(header::VMCTX) as *const VmCtx;
            if (*vmctx).kind == VmCtxKind::Instance
                && let Some(frame) = describe((*vmctx).module, ip, &mut origins)
            {
                frames.push(frame);
            }
            ip = before_return(*fp.offset(header::RETURN) as usize);
            fp = *fp.offset(header::CALLER) as *mut u64;
        }
    }
}

/// An address inside of the call instruction before a return address.
pub(crate) fn before_return(return_address: usize) -> usize {
    return_address - size_of::<u64>()
}

/// The frame of the instruction at `ip`.
///
/// # Safety
/// `module` is the `Arc` of a live instance.
unsafe fn describe(module: *const ModuleCode, ip: usize, origins: &mut Origins) -> Option<Frame> {
    // SAFETY: the caller's contract: the count belongs to a live `Arc`.
    let module = unsafe {
        Arc::increment_strong_count(module);
        Arc::from_raw(module)
    };
    let (cell, word) = module.cells.iter().find_map(|cell| word_of(cell, ip))?;
    let imported = module.module.num_imported_functions();
    let func = FuncIndex::from_u32(imported + cell.func.as_u32());
    let offset = origins.offset_of(&module, cell.func, word);
    Some(Frame {
        module,
        func,
        offset,
    })
}

/// The cell and the word offset if `ip` lies in its lowered code.
fn word_of(cell: &CodeCell, ip: usize) -> Option<(&CodeCell, u32)> {
    let words = &cell.interp_code()?.words;
    let byte = ip.checked_sub(words.as_ptr() as usize)?;
    let word = byte / size_of::<u64>();
    (word < words.len()).then_some((cell, word as u32))
}

/// Where the instructions of the functions met so far came from. Deep stacks
/// are mostly recursion: a function is lowered again once, not once a frame.
#[derive(Default)]
struct Origins(HashMap<(*const ModuleCode, LocalFuncIndex), Option<Origin>>);

/// Of one function: the first word of each instruction, and its byte offset in
/// the module.
struct Origin {
    words: Vec<u32>,
    offsets: Vec<u32>,
}

impl Origins {
    /// Offset in the module of the instruction that was encoded at `word`.
    fn offset_of(&mut self, module: &ModuleCode, func: LocalFuncIndex, word: u32) -> Option<u32> {
        let key = (ptr::from_ref(module), func);
        let origin = self.0.entry(key).or_insert_with(|| {
            let lowered = crate::lower_function(module, func, true).ok()?;
            let mut scratch = encode::Scratch::default();
            encode::encode(&lowered, module, &mut scratch);
            let words = scratch.positions;
            let offsets = lowered.offsets?;
            Some(Origin { words, offsets })
        });
        let Origin { words, offsets } = origin.as_ref()?;
        let inst = words
            .partition_point(|&first| first <= word)
            .checked_sub(1)?;
        offsets.get(inst).copied()
    }
}
