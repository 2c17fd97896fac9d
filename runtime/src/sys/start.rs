//! Where the command begins, before its C library does.
//!
//! A position-independent program applies its own relocations when it starts, and
//! each page that has one is copied by a page fault of its own: a hundred, which are
//! a tenth of the time of a program that prints a line (`docs/RATIONALE.md`). One
//! call has the system copy them all. `cli/build.rs` names this as the program's
//! entry where there is something to gain.

use std::arch::global_asm;

global_asm!(
    // Nothing, where the relocated data begins.
    ".pushsection .fini_array, \"aw\", @fini_array",
    ".Lrwasm_relocated:",
    ".popsection",
    ".pushsection .text.rwasm_start, \"ax\", @progbits",
    ".globl rwasm_start",
    // In a library, where nothing comes here, this may be missing.
    ".weak _start",
    ".hidden _end",
    "rwasm_start:",
    // What `_start` finds: the stack pointer, and `rdx` for the loader's `fini`.
    "mov r12, rdx",
    // What is written when the program starts: from the relocated data to the end
    // of the rest. Kernels before 5.14 refuse, and nothing is lost.
    "lea rdi, [rip + .Lrwasm_relocated]",
    "and rdi, -4096",
    "lea rsi, [rip + _end]",
    "sub rsi, rdi",
    "mov edx, {populate}",
    "mov eax, {madvise}",
    "syscall",
    "mov rdx, r12",
    "jmp _start@PLT",
    ".popsection",
    populate = const libc::MADV_POPULATE_WRITE,
    madvise = const libc::SYS_madvise,
);
