//! x86-64: accesses to memories are single instructions of `asm!`, each recorded
//! as a trap site.
//!
//! Being `asm!`, they may race with accesses by other threads, which plain ones
//! may not (see [`rwasm_runtime::racy`]): their effect is the processor's.
//!
//! A record is the 32-bit distance from itself to the instruction, in the
//! section `rwasm_trap_sites` (flag `R`: a linker that drops unused sections
//! keeps it although nothing but its bounds is named). The instruction's operands `ip` and `fp` are
//! forced into rdi and rsi, where the convention of handlers has them anyway,
//! so that the signal handler can tell which instruction of which frame faulted.

use crate::exec::regs::{Ip, Outcome, Regs};
use crate::exec::simd::lanes::{map, soft_shuffle, soft_swizzle, zip};
use crate::exec::simd::round::SoftRound;
use rwasm_runtime::layout::Segment;
use std::arch::x86_64::{__m128, __m128d, __m128i};
use std::arch::{asm, naked_asm};
use std::mem::transmute;
use std::sync::atomic::{AtomicBool, Ordering};

macro_rules! loads {
    ($($name:ident($instruction:literal, $class:ident, $ty:ty);)*) => {$(
        /// Loads from `base + ea`.
        ///
        /// # Safety
        /// `base` is the base of a memory. `ea` is within the reservation and
        /// guard of a guarded one, or was checked; `ip` and `fp` are the
        /// registers.
        #[inline(always)]
        pub(crate) unsafe fn $name(ip: Ip, fp: *mut u64, base: u64, ea: u64) -> $ty {
            let value: $ty;
            // SAFETY: the address is mapped for the guest or faults, and a
            // fault at this recorded site becomes a trap.
            unsafe {
                asm!(
                    "2:",
                    $instruction,
                    ".pushsection rwasm_trap_sites,\"aR\",@progbits",
                    ".long 2b - .",
                    ".popsection",
                    base = in(reg) base,
                    ea = in(reg) ea,
                    value = lateout($class) value,
                    in("rdi") ip.0,
                    in("rsi") fp,
                    options(nostack, preserves_flags, readonly),
                );
            }
            value
        }
    )*};
}

loads! {
    load8_u("movzx {value:e}, byte ptr [{base} + {ea}]", reg, u64);
    load8_s32("movsx {value:e}, byte ptr [{base} + {ea}]", reg, u64);
    load8_s64("movsx {value}, byte ptr [{base} + {ea}]", reg, u64);
    load16_u("movzx {value:e}, word ptr [{base} + {ea}]", reg, u64);
    load16_s32("movsx {value:e}, word ptr [{base} + {ea}]", reg, u64);
    load16_s64("movsx {value}, word ptr [{base} + {ea}]", reg, u64);
    load32_u("mov {value:e}, dword ptr [{base} + {ea}]", reg, u64);
    load32_s64("movsxd {value}, dword ptr [{base} + {ea}]", reg, u64);
    load64("mov {value}, qword ptr [{base} + {ea}]", reg, u64);
    load_f32("movss {value}, dword ptr [{base} + {ea}]", xmm_reg, f32);
    load_f64("movsd {value}, qword ptr [{base} + {ea}]", xmm_reg, f64);
    load_m128("movups {value}, xmmword ptr [{base} + {ea}]", xmm_reg, __m128i);
}

macro_rules! stores {
    ($($name:ident($instruction:literal, $class:ident, $ty:ty);)*) => {$(
        /// Stores to `base + ea`. A store that faults has no effect.
        ///
        /// # Safety
        /// As for the loads.
        #[inline(always)]
        pub(crate) unsafe fn $name(ip: Ip, fp: *mut u64, base: u64, ea: u64, value: $ty) {
            // SAFETY: as for the loads.
            unsafe {
                asm!(
                    "2:",
                    $instruction,
                    ".pushsection rwasm_trap_sites,\"aR\",@progbits",
                    ".long 2b - .",
                    ".popsection",
                    base = in(reg) base,
                    ea = in(reg) ea,
                    value = in($class) value,
                    in("rdi") ip.0,
                    in("rsi") fp,
                    options(nostack, preserves_flags),
                );
            }
        }
    )*};
}

stores! {
    store8("mov byte ptr [{base} + {ea}], {value:l}", reg, u64);
    store16("mov word ptr [{base} + {ea}], {value:x}", reg, u64);
    store32("mov dword ptr [{base} + {ea}], {value:e}", reg, u64);
    store64("mov qword ptr [{base} + {ea}], {value}", reg, u64);
    store_f32("movss dword ptr [{base} + {ea}], {value}", xmm_reg, f32);
    store_f64("movsd qword ptr [{base} + {ea}], {value}", xmm_reg, f64);
    store_m128("movups xmmword ptr [{base} + {ea}], {value}", xmm_reg, __m128i);
}

/// Loads a vector from `base + ea`.
///
/// # Safety
/// As for the other loads.
#[inline(always)]
pub(crate) unsafe fn load128(ip: Ip, fp: *mut u64, base: u64, ea: u64) -> [u8; 16] {
    // SAFETY: the caller's contract; both types are any 16 bytes.
    unsafe { transmute(load_m128(ip, fp, base, ea)) }
}

/// Stores a vector to `base + ea`.
///
/// # Safety
/// As for the other stores.
#[inline(always)]
pub(crate) unsafe fn store128(ip: Ip, fp: *mut u64, base: u64, ea: u64, value: [u8; 16]) {
    // SAFETY: the caller's contract; both types are any 16 bytes.
    unsafe { store_m128(ip, fp, base, ea, transmute::<[u8; 16], __m128i>(value)) }
}

unsafe extern "C" {
    // The linker defines these around a section whose name is a C identifier.
    #[link_name = "__start_rwasm_trap_sites"]
    static TRAP_SITES_START: [i32; 0];
    #[link_name = "__stop_rwasm_trap_sites"]
    static TRAP_SITES_STOP: [i32; 0];
}

/// Whether `pc` is the address of a recorded memory access. Called by the signal
/// handler: no locks, no allocation.
pub(crate) fn is_trap_site(pc: usize) -> bool {
    let mut site = (&raw const TRAP_SITES_START).cast::<i32>();
    let stop = (&raw const TRAP_SITES_STOP).cast::<i32>();
    while site < stop {
        // SAFETY: the linker's bounds enclose whole records.
        let distance = unsafe { *site } as isize;
        if (site as usize).wrapping_add_signed(distance) == pc {
            return true;
        }
        site = site.wrapping_add(1);
    }
    false
}

/// Runs the chain of handlers that starts at `regs.ip`. Records in `segment`
/// where a hardware trap resumes: behind the call, with the trap's status as
/// the chain's outcome and the callee-saved registers taken from the stack.
///
/// # Safety
/// See [`crate::exec::regs::run`].
pub(crate) unsafe fn enter(regs: &mut Regs, segment: *mut Segment) -> Outcome {
    // SAFETY: both pointers are live; `run` is the caller's chain.
    unsafe {
        #[cfg(not(any(rwasm_trampoline, debug_assertions)))]
        let first = regs.ip.handler() as usize;
        #[cfg(any(rwasm_trampoline, debug_assertions))]
        let first = crate::exec::regs::run_loop as *const () as usize;
        enter_chain(regs, first, segment)
    }
}

/// Saves the callee-saved registers, loads the interpreter's from `regs`, and
/// calls `first`. In a trampoline build `first` takes `regs` itself, which
/// stays in rdi.
#[unsafe(naked)]
unsafe extern "sysv64" fn enter_chain(
    regs: *mut Regs,
    first: usize,
    segment: *mut Segment,
) -> Outcome {
    #[cfg(not(any(rwasm_trampoline, debug_assertions)))]
    macro_rules! load_registers {
        () => {
            "mov r10, rdi
             mov rax, rsi
             mov rdi, [r10]
             mov rsi, [r10 + 8]
             mov rdx, [r10 + 16]
             mov rcx, [r10 + 24]
             mov r8, [r10 + 32]
             mov r9, [r10 + 40]
             movsd xmm0, qword ptr [r10 + 48]"
        };
    }
    #[cfg(any(rwasm_trampoline, debug_assertions))]
    macro_rules! load_registers {
        () => {
            "mov rax, rsi"
        };
    }
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "sub rsp, 8",
        "mov [rdx + {resume_sp}], rsp",
        "lea rax, [rip + 2f]",
        "mov [rdx + {resume_pc}], rax",
        load_registers!(),
        "call rax",
        "2:",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
        resume_sp = const std::mem::offset_of!(Segment, resume_sp),
        resume_pc = const std::mem::offset_of!(Segment, resume_pc),
    )
}

const _: () = {
    use std::mem::offset_of;
    // `enter_chain` reads these offsets.
    assert!(offset_of!(Regs, ip) == 0 && offset_of!(Regs, fp) == 8 && offset_of!(Regs, acc) == 16);
    assert!(offset_of!(Regs, p0) == 24 && offset_of!(Regs, p1) == 32 && offset_of!(Regs, p2) == 40);
    assert!(offset_of!(Regs, fa) == 48);
};

/// Whether the processor has SSE 4.1 and with it SSSE3, hence the rounding
/// instructions and `pshufb`; false until [`detect`].
static HAS_SSE41: AtomicBool = AtomicBool::new(false);

/// Finds out what the processor has. To be called before code runs that depends on
/// it, and not sooner: each `cpuid` leaves a virtual machine, and asking for all
/// that there is to know is a twentieth of the time of a program that prints a line.
pub(crate) fn detect() {
    HAS_SSE41.store(std::is_x86_feature_detected!("sse4.1"), Ordering::Relaxed);
}

macro_rules! rounding {
    ($($name:ident($ty:ty, $instruction:literal, $mode:literal, |$a:ident| $soft:expr);)*) => {$(
        /// Rounds, and quiets a NaN.
        #[inline(always)]
        pub(crate) fn $name($a: $ty) -> $ty {
            if HAS_SSE41.load(Ordering::Relaxed) {
                let value: $ty;
                // SAFETY: the processor has SSE 4.1.
                unsafe {
                    asm!(
                        concat!($instruction, " {value}, {a}, ", $mode),
                        value = lateout(xmm_reg) value,
                        a = in(xmm_reg) $a,
                        options(pure, nomem, nostack, preserves_flags),
                    );
                }
                value
            } else {
                $soft
            }
        }
    )*};
}

// Mode: 8 keeps the inexact exception quiet; 0 to nearest, 1 down, 2 up, 3 to zero.
rounding! {
    nearest_f32(f32, "roundss", "8", |a| a.round_ties_even());
    floor_f32(f32, "roundss", "9", |a| a.floor());
    ceil_f32(f32, "roundss", "10", |a| a.ceil());
    trunc_f32(f32, "roundss", "11", |a| a.trunc());
    nearest_f64(f64, "roundsd", "8", |a| a.round_ties_even());
    floor_f64(f64, "roundsd", "9", |a| a.floor());
    ceil_f64(f64, "roundsd", "10", |a| a.ceil());
    trunc_f64(f64, "roundsd", "11", |a| a.trunc());
}

macro_rules! lane_rounding {
    ($($name:ident($lanes:ty, $vector:ty, $instruction:literal, $mode:literal, $soft:ident);)*) => {$(
        /// Rounds all lanes, and quiets NaNs.
        #[inline(always)]
        pub(crate) fn $name(a: $lanes) -> $lanes {
            if HAS_SSE41.load(Ordering::Relaxed) {
                let value: $vector;
                // SAFETY: the processor has SSE 4.1; both types are any 16 bytes.
                unsafe {
                    asm!(
                        concat!($instruction, " {value}, {a}, ", $mode),
                        value = lateout(xmm_reg) value,
                        a = in(xmm_reg) transmute::<$lanes, $vector>(a),
                        options(pure, nomem, nostack, preserves_flags),
                    );
                    transmute::<$vector, $lanes>(value)
                }
            } else {
                map(a, |x| x.$soft())
            }
        }
    )*};
}

lane_rounding! {
    nearest_f32x4([f32; 4], __m128, "roundps", "8", soft_nearest);
    floor_f32x4([f32; 4], __m128, "roundps", "9", soft_floor);
    ceil_f32x4([f32; 4], __m128, "roundps", "10", soft_ceil);
    trunc_f32x4([f32; 4], __m128, "roundps", "11", soft_trunc);
    nearest_f64x2([f64; 2], __m128d, "roundpd", "8", soft_nearest);
    floor_f64x2([f64; 2], __m128d, "roundpd", "9", soft_floor);
    ceil_f64x2([f64; 2], __m128d, "roundpd", "10", soft_ceil);
    trunc_f64x2([f64; 2], __m128d, "roundpd", "11", soft_trunc);
}

/// `pshufb`: the byte of `a` that the low four bits of each byte of `lanes` say,
/// or 0 where its highest bit is set.
///
/// # Safety
/// The processor has SSSE3.
#[inline(always)]
unsafe fn shuffle_bytes(a: [u8; 16], lanes: [u8; 16]) -> [u8; 16] {
    // SAFETY: the caller's contract; both types are any 16 bytes.
    unsafe {
        let mut value = transmute::<[u8; 16], __m128i>(a);
        asm!(
            "pshufb {value}, {lanes}",
            value = inout(xmm_reg) value,
            lanes = in(xmm_reg) transmute::<[u8; 16], __m128i>(lanes),
            options(pure, nomem, nostack, preserves_flags),
        );
        transmute(value)
    }
}

/// `pmaddwd`, which LLVM does not find by itself: the products of lanes, added
/// to their neighbours.
#[inline(always)]
pub(crate) fn dot_i16x8(a: [i16; 8], b: [i16; 8]) -> [i32; 4] {
    // SAFETY: SSE2 is part of x86-64; both types are any 16 bytes.
    unsafe {
        let mut value = transmute::<[i16; 8], __m128i>(a);
        asm!(
            "pmaddwd {value}, {b}",
            value = inout(xmm_reg) value,
            b = in(xmm_reg) transmute::<[i16; 8], __m128i>(b),
            options(pure, nomem, nostack, preserves_flags),
        );
        transmute(value)
    }
}

/// The lanes of `a` that `lanes` names, 0 for those from 16 up.
#[inline(always)]
pub(crate) fn swizzle(a: [u8; 16], lanes: [u8; 16]) -> [u8; 16] {
    if HAS_SSE41.load(Ordering::Relaxed) {
        // From 16 up the sum has the highest bit; below, it keeps the low four.
        // SAFETY: the processor has SSE 4.1.
        unsafe { shuffle_bytes(a, map(lanes, |lane| lane.saturating_add(0x70))) }
    } else {
        soft_swizzle(a, lanes)
    }
}

/// The lanes of `a` and, from 16 up, of `b` that `lanes` names, all below 32.
#[inline(always)]
pub(crate) fn shuffle(a: [u8; 16], b: [u8; 16], lanes: [u8; 16]) -> [u8; 16] {
    if HAS_SSE41.load(Ordering::Relaxed) {
        // Bit 7 is set for lanes of the other vector.
        // SAFETY: the processor has SSE 4.1.
        let (of_a, of_b) = unsafe {
            (
                shuffle_bytes(a, map(lanes, |lane| lane.wrapping_add(0x70))),
                shuffle_bytes(b, map(lanes, |lane| lane.wrapping_sub(16))),
            )
        };
        zip(of_a, of_b, |x, y| x | y)
    } else {
        soft_shuffle(a, b, lanes)
    }
}
