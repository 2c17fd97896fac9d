//! x86-64, System V. Cranelift's `tail` convention passes arguments in the same
//! registers: the instance block in rdi, integers in rsi, rdx, rcx, r8, r9,
//! floats and vectors in xmm0-xmm7. rax, r10 and r11 are free at an entry.

use crate::exit::leave;
use crate::resolve::resolve_native;
use rwasm_runtime::code::CodeCell;
use rwasm_runtime::layout::{Segment, Status, StoreCtx, VmCtx};
use std::arch::naked_asm;
use std::mem::offset_of;
use std::ops::Range;

/// Whether machine code can be run here.
pub(crate) const SUPPORTED: bool = true;

/// Leaves the newest segment, with all frames in it: continues where it
/// resumes, with `status` as what it ended with.
///
/// # Safety
/// The store's newest segment is live and of machine code, and between it and
/// here are only frames that need no clean-up.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn leave_segment(store: *mut StoreCtx, status: Status) -> ! {
    naked_asm!(
        "mov rdi, [rdi + {segment}]",
        "mov eax, esi",
        "mov rsp, [rdi + {resume_sp}]",
        "mov rbp, [rdi + {resume_fp}]",
        "jmp [rdi + {resume_pc}]",
        segment = const offset_of!(StoreCtx, segment),
        resume_sp = const offset_of!(Segment, resume_sp),
        resume_fp = const offset_of!(Segment, resume_fp),
        resume_pc = const offset_of!(Segment, resume_pc),
    )
}

/// Enters a handler of a `try_call`: continues at `pc` with `payload` in the
/// first payload register.
///
/// # Safety
/// The handler is one of a call in progress, in the frame that has these stack
/// and frame pointers; between it and here are only frames that need no
/// clean-up.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn land(pc: usize, sp: usize, fp: usize, payload: u64) -> ! {
    naked_asm!("mov rax, rcx", "mov rsp, rsi", "mov rbp, rdx", "jmp rdi",)
}

/// The native entry of every function that has no machine code: saves the
/// arguments, whatever they are, has the adapter found or made, and enters it.
///
/// # Safety
/// As for a call of the function by the native shape.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn resolve_and_enter() {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "sub rsp, 176",
        "mov [rsp], rdi",
        "mov [rsp + 8], rsi",
        "mov [rsp + 16], rdx",
        "mov [rsp + 24], rcx",
        "mov [rsp + 32], r8",
        "mov [rsp + 40], r9",
        "movups [rsp + 48], xmm0",
        "movups [rsp + 64], xmm1",
        "movups [rsp + 80], xmm2",
        "movups [rsp + 96], xmm3",
        "movups [rsp + 112], xmm4",
        "movups [rsp + 128], xmm5",
        "movups [rsp + 144], xmm6",
        "movups [rsp + 160], xmm7",
        // The instance block is in rdi; the caller's frame and return address
        // for the backtrace of a failure.
        "mov rsi, [rbp]",
        "mov rdx, [rbp + 8]",
        "call {resolve}",
        "mov rdi, [rsp]",
        "test rax, rax",
        "jz 2f",
        "mov rsi, [rsp + 8]",
        "mov rdx, [rsp + 16]",
        "mov rcx, [rsp + 24]",
        "mov r8, [rsp + 32]",
        "mov r9, [rsp + 40]",
        "movups xmm0, [rsp + 48]",
        "movups xmm1, [rsp + 64]",
        "movups xmm2, [rsp + 80]",
        "movups xmm3, [rsp + 96]",
        "movups xmm4, [rsp + 112]",
        "movups xmm5, [rsp + 128]",
        "movups xmm6, [rsp + 144]",
        "movups xmm7, [rsp + 160]",
        "mov rsp, rbp",
        "pop rbp",
        "jmp rax",
        "2:",
        "mov rdi, [rdi + {store}]",
        "mov esi, {trap}",
        "call {leave}",
        "ud2",
        resolve = sym resolve_native,
        leave = sym leave,
        store = const offset_of!(VmCtx, store),
        trap = const Status::Trap as u32,
    )
}

/// What looks like a branch back in a function's code: from its target to its end.
///
/// Found by the bytes of the two forms that Cranelift makes of branches, `jcc` and
/// `jmp` by 32 bits. Bytes of other instructions can look like one, so that this is
/// good for choices that are never wrong, only better or worse.
pub(crate) fn backward_branches(code: &[u8]) -> impl Iterator<Item = Range<u32>> {
    let branch = |end: usize| {
        let opcode = match &code[..end - 4] {
            [.., 0x0f, 0x80..=0x8f] => 2,
            [.., 0xe9] => 1,
            _ => return None,
        };
        let distance = i32::from_le_bytes(code[end - 4..end].try_into().expect("four bytes"));
        let target = end.checked_add_signed(distance as isize)?;
        // To before itself.
        (target + opcode + 4 <= end).then_some(target as u32..end as u32)
    };
    (4..=code.len()).filter_map(branch)
}

/// Bytes of a stub.
pub(crate) const STUB_SIZE: usize = 32;

/// Writes the way from a direct call to an own function that has no machine code
/// yet: it notes the function's cell in the store and jumps to the native entry
/// that the cell has by then.
pub(crate) fn write_stub(into: &mut [u8], cell: *const CodeCell) {
    const STORE: usize = offset_of!(VmCtx, store);
    const CALLEE: usize = offset_of!(StoreCtx, callee);
    const ENTRY: usize = offset_of!(CodeCell, native_entry);
    const {
        assert!(
            STORE < 128 && CALLEE < 128 && ENTRY < 128,
            "8-bit displacements"
        )
    };
    let mut code = Vec::with_capacity(STUB_SIZE);
    // mov r11, cell
    code.extend([0x49, 0xbb]);
    code.extend((cell as u64).to_le_bytes());
    // mov r10, [rdi + STORE]
    code.extend([0x4c, 0x8b, 0x57, STORE as u8]);
    // mov [r10 + CALLEE], r11
    code.extend([0x4d, 0x89, 0x5a, CALLEE as u8]);
    // jmp [r11 + ENTRY]
    code.extend([0x41, 0xff, 0x63, ENTRY as u8]);
    // Never reached: int3.
    code.resize(STUB_SIZE, 0xcc);
    into.copy_from_slice(&code);
}
