//! Processors without trap sites: guarded memories are not offered there, so
//! that the accesses below run behind explicit checks only.

use crate::exec::regs::{Ip, Outcome, Regs};
use crate::exec::simd::lanes::map;
pub(crate) use crate::exec::simd::lanes::{
    soft_dot_i16 as dot_i16x8, soft_shuffle as shuffle, soft_swizzle as swizzle,
};
use rwasm_runtime::layout::Segment;

macro_rules! loads {
    ($($name:ident($ty:ty, |$v:ident| $value:expr, $result:ty);)*) => {$(
        /// Loads from `base + ea`.
        ///
        /// # Safety
        /// The address is readable.
        #[inline(always)]
        pub(crate) unsafe fn $name(_ip: Ip, _fp: *mut u64, base: u64, ea: u64) -> $result {
            // SAFETY: the caller's contract.
            let $v = unsafe { ((base + ea) as *const $ty).read_unaligned() };
            $value
        }
    )*};
}

loads! {
    load8_u(u8, |v| u64::from(v), u64);
    load8_s32(u8, |v| u64::from(v as i8 as u32), u64);
    load8_s64(u8, |v| v as i8 as u64, u64);
    load16_u(u16, |v| u64::from(v), u64);
    load16_s32(u16, |v| u64::from(v as i16 as u32), u64);
    load16_s64(u16, |v| v as i16 as u64, u64);
    load32_u(u32, |v| u64::from(v), u64);
    load32_s64(u32, |v| v as i32 as u64, u64);
    load64(u64, |v| v, u64);
    load_f32(f32, |v| v, f32);
    load_f64(f64, |v| v, f64);
    load128([u8; 16], |v| v, [u8; 16]);
}

macro_rules! stores {
    ($($name:ident($memory:ty, $ty:ty);)*) => {$(
        /// Stores to `base + ea`.
        ///
        /// # Safety
        /// The address is writable.
        #[inline(always)]
        pub(crate) unsafe fn $name(_ip: Ip, _fp: *mut u64, base: u64, ea: u64, value: $ty) {
            // SAFETY: the caller's contract.
            unsafe { ((base + ea) as *mut $memory).write_unaligned(value as $memory) }
        }
    )*};
}

stores! {
    store8(u8, u64);
    store16(u16, u64);
    store32(u32, u64);
    store64(u64, u64);
    store_f32(f32, f32);
    store_f64(f64, f64);
}

/// Stores a vector to `base + ea`.
///
/// # Safety
/// The address is writable.
#[inline(always)]
pub(crate) unsafe fn store128(_ip: Ip, _fp: *mut u64, base: u64, ea: u64, value: [u8; 16]) {
    // SAFETY: the caller's contract.
    unsafe { ((base + ea) as *mut [u8; 16]).write_unaligned(value) }
}

/// No access is a trap site.
pub(crate) fn is_trap_site(_pc: usize) -> bool {
    false
}

/// Runs the chain of handlers that starts at `regs.ip`.
///
/// # Safety
/// See [`crate::exec::regs::run`].
pub(crate) unsafe fn enter(regs: &mut Regs, _segment: *mut Segment) -> Outcome {
    // SAFETY: the caller's contract.
    unsafe {
        #[cfg(not(any(rwasm_trampoline, debug_assertions)))]
        {
            let Regs {
                ip,
                fp,
                acc,
                p0,
                p1,
                p2,
                fa,
            } = *regs;
            ip.handler()(ip, fp, acc, p0, p1, p2, fa)
        }
        #[cfg(any(rwasm_trampoline, debug_assertions))]
        crate::exec::regs::run_loop(regs)
    }
}

/// Nothing to find out.
pub(crate) fn detect() {}

macro_rules! rounding {
    ($($name:ident($ty:ty, $method:ident);)*) => {$(
        /// Rounds, and quiets a NaN.
        #[inline(always)]
        pub(crate) fn $name(a: $ty) -> $ty {
            a.$method()
        }
    )*};
}

rounding! {
    nearest_f32(f32, round_ties_even);
    floor_f32(f32, floor);
    ceil_f32(f32, ceil);
    trunc_f32(f32, trunc);
    nearest_f64(f64, round_ties_even);
    floor_f64(f64, floor);
    ceil_f64(f64, ceil);
    trunc_f64(f64, trunc);
}

macro_rules! lane_rounding {
    ($($name:ident($lanes:ty, $method:ident);)*) => {$(
        /// Rounds all lanes, and quiets NaNs.
        #[inline(always)]
        pub(crate) fn $name(a: $lanes) -> $lanes {
            map(a, |x| x.$method())
        }
    )*};
}

lane_rounding! {
    nearest_f32x4([f32; 4], round_ties_even);
    floor_f32x4([f32; 4], floor);
    ceil_f32x4([f32; 4], ceil);
    trunc_f32x4([f32; 4], trunc);
    nearest_f64x2([f64; 2], round_ties_even);
    floor_f64x2([f64; 2], floor);
    ceil_f64x2([f64; 2], ceil);
    trunc_f64x2([f64; 2], trunc);
}
