//! The frames of a segment of machine code, by its chain of frame pointers.

use crate::image::Image;
use crate::memory::image_at;
use crate::translate::Position;
use rwasm_parser::{FuncIndex, LocalFuncIndex, Module};
use rwasm_runtime::backtrace::MAX_FRAMES;
use rwasm_runtime::code::ModuleCode;
use rwasm_runtime::error::Frame;
use rwasm_runtime::layout::Segment;
use rwasm_runtime::trap::Trap;
use std::sync::Arc;

/// Adds the frames of a segment, newest first.
///
/// # Safety
/// The segment is live, of machine code, and has left at its exit frame.
pub(crate) unsafe fn walk(segment: *const Segment, frames: &mut Vec<Frame>) {
    // SAFETY: every function keeps its frame pointer, at which are the caller's
    // and, behind it, the return address; the adapter that entered the segment
    // is the last. The code of running functions is alive.
    unsafe {
        let mut fp = (*segment).exit_fp.cast_const();
        let mut return_address = (*segment).exit_ip.addr();
        if in_prologue(return_address.wrapping_sub(1)) && fp.addr() != (*segment).resume_fp {
            // The callee was not entered: the trap is its caller's.
            return_address = *fp.add(1) as usize;
            fp = std::ptr::with_exposed_provenance(*fp as usize);
        }
        while fp.addr() != (*segment).resume_fp && frames.len() < MAX_FRAMES {
            let pc = return_address.wrapping_sub(1);
            if let Some(image) = image_at(pc) {
                describe(image, pc, frames);
            }
            return_address = *fp.add(1) as usize;
            fp = std::ptr::with_exposed_provenance(*fp as usize);
        }
    }
    // The last one may have stood for several.
    frames.truncate(MAX_FRAMES);
}

/// Whether `pc` is where a function found too little stack for its frame.
///
/// # Safety
/// The code at `pc` is alive.
unsafe fn in_prologue(pc: usize) -> bool {
    // SAFETY: as the caller promises.
    let image = unsafe { image_at(pc) };
    image.is_some_and(|image| image.trap(pc) == Some(Trap::StackOverflow))
}

/// Adds the frame of the function that holds `pc`, and before it those of the
/// functions that were inlined there.
///
/// # Safety
/// The image's module, if it has one, is the `Arc` of a live instance.
unsafe fn describe(image: &Image, pc: usize, frames: &mut Vec<Frame>) {
    if image.module.is_null() {
        return;
    }
    // SAFETY: the caller's contract: the count belongs to a live `Arc`.
    let code: Arc<ModuleCode> = unsafe {
        Arc::increment_strong_count(image.module);
        Arc::from_raw(image.module)
    };
    let mut position = image.position(pc);
    while let Some(Position::Inlined(index)) = position {
        let Some(inlined) = image.inlined.get(index as usize) else {
            break;
        };
        if let Some(func) = func_at(&code.module, inlined.offset) {
            frames.push(Frame {
                module: code.clone(),
                func,
                offset: Some(inlined.offset),
            });
        }
        position = Some(inlined.call_site);
    }
    let Some(func) = image.func(pc) else {
        return;
    };
    let func = code.module.func_index(LocalFuncIndex::from_u32(func));
    let offset = match position {
        Some(Position::Own(offset)) => Some(offset),
        _ => None,
    };
    frames.push(Frame {
        module: code,
        func,
        offset,
    });
}

/// The function whose body holds the byte at `offset`.
fn func_at(module: &Module, offset: u32) -> Option<FuncIndex> {
    let bodies = module.bodies();
    let after = bodies.partition_point(|body| body.start() <= offset as usize);
    let index = after.checked_sub(1)?;
    let func = LocalFuncIndex::from_u32(index as u32);
    (offset as usize)
        .lt(&bodies[index].end())
        .then(|| module.func_index(func))
}
