//! Processors without trap sites: guarded memories are not offered there, so
//! that the accesses below run behind explicit checks only.

use crate::exec::regs::{Ip, Outcome, Regs};
use crate::exec::simd::lanes::map;
pub(crate) use crate::exec::simd::lanes::{
    soft_dot_i16 as dot_i16x8, soft_shuffle as shuffle, soft_swizzle as swizzle,
};
use rwasm_runtime::layout::Segment;
use rwasm_runtime::racy::Word;

/// A value in memory that other threads may change meanwhile.
trait Access {
    /// # Safety
    /// The address is readable.
    unsafe fn load(address: *const u8) -> Self;
    /// # Safety
    /// The address is writable.
    unsafe fn store(address: *mut u8, value: Self);
}

macro_rules! accesses {
    ($($ty:ty: $word:ty, |$bits:ident| $from:expr, |$value:ident| $to:expr;)*) => {$(
        impl Access for $ty {
            #[inline(always)]
            unsafe fn load(address: *const u8) -> Self {
                // SAFETY: the caller's contract.
                let $bits = unsafe { <$word as Word>::load(address) };
                $from
            }
            #[inline(always)]
            unsafe fn store(address: *mut u8, $value: Self) {
                // SAFETY: the caller's contract.
                unsafe { <$word as Word>::store(address, $to) }
            }
        }
    )*};
}

accesses! {
    u8: u8, |bits| bits, |value| value;
    u16: u16, |bits| bits, |value| value;
    u32: u32, |bits| bits, |value| value;
    u64: u64, |bits| bits, |value| value;
    f32: u32, |bits| f32::from_bits(bits), |value| value.to_bits();
    f64: u64, |bits| f64::from_bits(bits), |value| value.to_bits();
}

impl Access for [u8; 16] {
    #[inline(always)]
    unsafe fn load(address: *const u8) -> Self {
        // SAFETY: the caller's contract, for all 16 bytes.
        let (low, high) = unsafe {
            (
                <u64 as Word>::load(address),
                <u64 as Word>::load(address.add(8)),
            )
        };
        (u128::from(high) << 64 | u128::from(low)).to_le_bytes()
    }
    #[inline(always)]
    unsafe fn store(address: *mut u8, value: Self) {
        let value = u128::from_le_bytes(value);
        // SAFETY: the caller's contract, for all 16 bytes.
        unsafe {
            <u64 as Word>::store(address, value as u64);
            <u64 as Word>::store(address.add(8), (value >> 64) as u64);
        }
    }
}

macro_rules! loads {
    ($($name:ident($ty:ty, |$v:ident| $value:expr, $result:ty);)*) => {$(
        /// Loads from `base + ea`.
        ///
        /// # Safety
        /// The address is readable.
        #[inline(always)]
        pub(crate) unsafe fn $name(_ip: Ip, _fp: *mut u64, base: u64, ea: u64) -> $result {
            // SAFETY: the caller's contract.
            let $v: $ty = unsafe { Access::load((base + ea) as *const u8) };
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
            unsafe { Access::store((base + ea) as *mut u8, value as $memory) }
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
    unsafe { Access::store((base + ea) as *mut u8, value) }
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
