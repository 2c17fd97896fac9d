//! Loads and stores of vectors and of single lanes.
//!
//! As for scalars (see [`crate::exec::memory`]), an access to guarded memory 0
//! is one instruction that may fault, and any other is checked:
//! ```text
//!  guarded load, store    [handler] [a:16 d:16 offset:32]
//!  checked load, store    [handler] [a:16 d:16 memory:32] [offset:64]
//!  … of one lane          the same, then [v:16 lane:16 _]
//! ```
//! A store takes its vector from `d`; a load of a lane puts that into a copy of
//! `v`.

use super::lanes::{Lanes, halves, map, quarters};
use super::ops::simd_memory_ops;
use crate::arch;
use crate::exec::memory::{checked, effective};
use crate::exec::regs::{Handler, Ip, dispatch, handler, header, tail};
use crate::exec::trap::{MemoryOutOfBounds, trap};

/// A load of a vector.
pub(crate) trait Load {
    /// Bytes in memory.
    const SIZE: u64;
    type D: Lanes;
    /// # Safety
    /// See [`arch`].
    unsafe fn access(ip: Ip, fp: *mut u64, base: u64, ea: u64) -> Self::D;
}

/// A load of one lane.
pub(crate) trait LoadLane {
    type Lane: Copy;
    /// # Safety
    /// See [`arch`].
    unsafe fn access(ip: Ip, fp: *mut u64, base: u64, ea: u64) -> Self::Lane;
}

/// A store of one lane.
pub(crate) trait StoreLane {
    type Lane: Copy;
    /// # Safety
    /// See [`arch`].
    unsafe fn access(ip: Ip, fp: *mut u64, base: u64, ea: u64, lane: Self::Lane);
}

handler! {
    fn load<O: Load>(r) {
        let ea = effective(r.slot(r.ip.u16(8)), r.ip.u32(12));
        let value = O::access(r.ip, r.fp, r.header(header::MEMORY), ea);
        r.set_vector(r.ip.u16(10), value);
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

handler! {
    fn checked_load<O: Load>(r) {
        let Some((base, ea)) = checked(&r, O::SIZE) else { tail!(trap::<MemoryOutOfBounds>, r) };
        let value = O::access(r.ip, r.fp, base, ea);
        r.set_vector(r.ip.u16(10), value);
        r.ip = r.ip.next(24);
        dispatch!(r)
    }
}

handler! {
    fn load_lane<O: LoadLane>(r) {
        let ea = effective(r.slot(r.ip.u16(8)), r.ip.u32(12));
        let lane = O::access(r.ip, r.fp, r.header(header::MEMORY), ea);
        let v: [u64; 2] = r.vector(r.ip.u16(16));
        r.set_vector(r.ip.u16(10), v);
        *r.lane(r.ip.u16(10), r.ip.u16(18)) = lane;
        r.ip = r.ip.next(24);
        dispatch!(r)
    }
}

handler! {
    fn checked_load_lane<O: LoadLane>(r) {
        let size = const { size_of::<O::Lane>() as u64 };
        let Some((base, ea)) = checked(&r, size) else { tail!(trap::<MemoryOutOfBounds>, r) };
        let lane = O::access(r.ip, r.fp, base, ea);
        let v: [u64; 2] = r.vector(r.ip.u16(24));
        r.set_vector(r.ip.u16(10), v);
        *r.lane(r.ip.u16(10), r.ip.u16(26)) = lane;
        r.ip = r.ip.next(32);
        dispatch!(r)
    }
}

handler! {
    fn store<>(r) {
        let value = r.vector(r.ip.u16(10));
        let ea = effective(r.slot(r.ip.u16(8)), r.ip.u32(12));
        arch::store128(r.ip, r.fp, r.header(header::MEMORY), ea, value);
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

handler! {
    fn checked_store<>(r) {
        let value = r.vector(r.ip.u16(10));
        let Some((base, ea)) = checked(&r, 16) else { tail!(trap::<MemoryOutOfBounds>, r) };
        arch::store128(r.ip, r.fp, base, ea, value);
        r.ip = r.ip.next(24);
        dispatch!(r)
    }
}

handler! {
    fn store_lane<O: StoreLane>(r) {
        let lane: O::Lane = *r.lane(r.ip.u16(10), r.ip.u16(18));
        let ea = effective(r.slot(r.ip.u16(8)), r.ip.u32(12));
        O::access(r.ip, r.fp, r.header(header::MEMORY), ea, lane);
        r.ip = r.ip.next(24);
        dispatch!(r)
    }
}

handler! {
    fn checked_store_lane<O: StoreLane>(r) {
        let size = const { size_of::<O::Lane>() as u64 };
        let lane: O::Lane = *r.lane(r.ip.u16(10), r.ip.u16(26));
        let Some((base, ea)) = checked(&r, size) else { tail!(trap::<MemoryOutOfBounds>, r) };
        O::access(r.ip, r.fp, base, ea, lane);
        r.ip = r.ip.next(32);
        dispatch!(r)
    }
}

struct V128Load;
impl Load for V128Load {
    const SIZE: u64 = 16;
    type D = [u8; 16];
    #[inline(always)]
    unsafe fn access(ip: Ip, fp: *mut u64, base: u64, ea: u64) -> [u8; 16] {
        // SAFETY: the caller's contract.
        unsafe { arch::load128(ip, fp, base, ea) }
    }
}

macro_rules! accesses {
    (
        load { $($load:ident($access:ident, $width:ty => $d:ty, |$v:ident| $e:expr),)* }
        load_lane { $($load_lane:ident($load_access:ident, $load_width:ty),)* }
        store_lane { $($store_lane:ident($store_access:ident, $store_width:ty),)* }
    ) => {
        /// An access to memory, named as in `wasmparser`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum SimdAccess { V128Load, V128Store, $($load,)* $($load_lane,)* $($store_lane,)* }

        impl SimdAccess {
            /// The access of an instruction: what and where, and the lane if it
            /// names one.
            pub(crate) fn of<'a>(
                operator: &'a wasmparser::Operator<'_>,
            ) -> Option<(SimdAccess, &'a wasmparser::MemArg, u8)> {
                use wasmparser::Operator;
                Some(match operator {
                    Operator::V128Load { memarg } => (SimdAccess::V128Load, memarg, 0),
                    Operator::V128Store { memarg } => (SimdAccess::V128Store, memarg, 0),
                    $(Operator::$load { memarg } => (SimdAccess::$load, memarg, 0),)*
                    $(Operator::$load_lane { memarg, lane } => (SimdAccess::$load_lane, memarg, *lane),)*
                    $(Operator::$store_lane { memarg, lane } => (SimdAccess::$store_lane, memarg, *lane),)*
                    _ => return None,
                })
            }

            /// Whether it writes to memory, and has no result.
            pub(crate) fn is_store(self) -> bool {
                matches!(self, SimdAccess::V128Store $(| SimdAccess::$store_lane)*)
            }

            /// Whether it is of one lane.
            pub(crate) fn has_lane(self) -> bool {
                self.is_lane_load() || matches!(self, $(SimdAccess::$store_lane)|*)
            }

            /// Whether it loads into one lane of a vector.
            pub(crate) fn is_lane_load(self) -> bool {
                matches!(self, $(SimdAccess::$load_lane)|*)
            }

            /// The handler of the access to guarded memory 0.
            pub(crate) fn guarded_handler(self) -> Handler {
                match self {
                    SimdAccess::V128Load => load::<V128Load>,
                    SimdAccess::V128Store => store,
                    $(SimdAccess::$load => load::<$load>,)*
                    $(SimdAccess::$load_lane => load_lane::<$load_lane>,)*
                    $(SimdAccess::$store_lane => store_lane::<$store_lane>,)*
                }
            }

            /// The handler of the access to any other memory.
            pub(crate) fn checked_handler(self) -> Handler {
                match self {
                    SimdAccess::V128Load => checked_load::<V128Load>,
                    SimdAccess::V128Store => checked_store,
                    $(SimdAccess::$load => checked_load::<$load>,)*
                    $(SimdAccess::$load_lane => checked_load_lane::<$load_lane>,)*
                    $(SimdAccess::$store_lane => checked_store_lane::<$store_lane>,)*
                }
            }
        }

        $(
            struct $load;
            impl Load for $load {
                const SIZE: u64 = size_of::<$width>() as u64;
                type D = $d;
                #[inline(always)]
                unsafe fn access(ip: Ip, fp: *mut u64, base: u64, ea: u64) -> $d {
                    // SAFETY: the caller's contract.
                    let $v = unsafe { arch::$access(ip, fp, base, ea) };
                    $e
                }
            }
        )*
        $(
            struct $load_lane;
            impl LoadLane for $load_lane {
                type Lane = $load_width;
                #[inline(always)]
                unsafe fn access(ip: Ip, fp: *mut u64, base: u64, ea: u64) -> $load_width {
                    // SAFETY: the caller's contract.
                    unsafe { arch::$load_access(ip, fp, base, ea) as $load_width }
                }
            }
        )*
        $(
            struct $store_lane;
            impl StoreLane for $store_lane {
                type Lane = $store_width;
                #[inline(always)]
                unsafe fn access(ip: Ip, fp: *mut u64, base: u64, ea: u64, lane: $store_width) {
                    // SAFETY: the caller's contract.
                    unsafe { arch::$store_access(ip, fp, base, ea, lane.into()) }
                }
            }
        )*
    };
}
simd_memory_ops!(accesses);
