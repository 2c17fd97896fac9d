//! Where the command begins, before its C library does.
//!
//! A position-independent program relocates itself: it adds the address at which it
//! lies to 20,000 words. Two things make that cheaper (`docs/RATIONALE.md`). Each
//! page that has such a word is copied by a page fault of its own; one call has the
//! system copy them all. And the words are named by the bits of `RELR`, 6 KB, which
//! the C library takes apart one by one; the loop here goes from one that is set to
//! the next. They are called Android's, which the C library does not look for, so
//! that it does not do it again.
//!
//! `cli/build.rs` names this as the program's entry where there is something to gain.

use std::arch::global_asm;

/// The address and the size of Android's relocations, in the dynamic section: by
/// `--use-android-relr-tags` of LLVM's linker, which documents them.
const DT_ANDROID_RELR: u64 = 0x6fff_e000;
const DT_ANDROID_RELRSZ: u64 = 0x6fff_e001;

global_asm!(
    // Nothing, where the relocated data begins.
    ".pushsection .fini_array, \"aw\", @fini_array",
    ".Lrwasm_relocated:",
    ".popsection",
    ".pushsection .text.rwasm_start, \"ax\", @progbits",
    ".globl rwasm_start",
    // In a library, where nothing comes here, these may be missing.
    ".weak _start",
    ".hidden _end",
    ".weak _DYNAMIC",
    ".hidden _DYNAMIC",
    ".weak __ehdr_start",
    ".hidden __ehdr_start",
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
    // Where the relocations are, if they are ours to apply: `rsi` up to `rdi`.
    "lea rbx, [rip + __ehdr_start]",
    "lea r8, [rip + _DYNAMIC]",
    "xor esi, esi",
    "xor edi, edi",
    "2:",
    "mov rax, [r8]",
    "mov rcx, [r8 + 8]",
    "add r8, 16",
    "cmp rax, {relr}",
    "cmove rsi, rcx",
    "cmp rax, {relrsz}",
    "cmove rdi, rcx",
    "test rax, rax",
    "jnz 2b",
    "add rsi, rbx",
    "add rdi, rsi",
    // An even word is the address of a word to relocate; `rdx` is the one behind it.
    "3:",
    "cmp rsi, rdi",
    "jae 7f",
    "mov rax, [rsi]",
    "add rsi, 8",
    "test al, 1",
    "jnz 4f",
    "lea rdx, [rbx + rax]",
    "add [rdx], rbx",
    "add rdx, 8",
    "jmp 3b",
    // The bits of an odd one tell which of the next 63 to relocate.
    "4:",
    "shr rax",
    "jz 6f",
    "5:",
    "tzcnt rcx, rax",
    "add [rdx + 8 * rcx], rbx",
    "lea rcx, [rax - 1]",
    "and rax, rcx",
    "jnz 5b",
    "6:",
    "add rdx, 8 * 63",
    "jmp 3b",
    "7:",
    "mov rdx, r12",
    "jmp _start@PLT",
    ".popsection",
    populate = const libc::MADV_POPULATE_WRITE,
    madvise = const libc::SYS_madvise,
    relr = const DT_ANDROID_RELR,
    relrsz = const DT_ANDROID_RELRSZ,
);
