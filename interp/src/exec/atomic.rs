//! Atomic accesses, waiting and notifying, on any memory, shared or not.
//!
//! Operands are in slots, addresses are checked: next to a locked instruction
//! that costs nothing.
//! ```text
//!  [handler] [a:16 d:16 memory:32] [offset:64] [v:16 w:16 _]
//! ```
//! The address is in `a`, the result in `d`, the value in `v`. A comparing
//! exchange has what it expects in `v` and the new value in `w`, a wait what it
//! expects in `v` and the time in `w`. `memory` is the offset of its definition
//! in the instance block; for waiting and notifying, which the runtime does, it
//! is the memory's index.

use super::memory::checked;
use super::regs::{Handler, Regs, dispatch, handler};
use super::trap::raise;
use rwasm_runtime::libcalls;
use rwasm_runtime::racy::Word;
use rwasm_runtime::trap::Trap;
use std::sync::atomic::{Ordering, fence as full_fence};
use wasmparser::{MemArg, Operator};

/// Bytes of such an instruction.
const SIZE: usize = 32;

/// An integer in memory, in the low bits of its slot.
pub(crate) trait SlotWord: Word {
    fn from_slot(slot: u64) -> Self;
    fn to_slot(self) -> u64;
}

macro_rules! slot_words {
    ($($word:ty)*) => {$(
        impl SlotWord for $word {
            #[inline(always)]
            fn from_slot(slot: u64) -> Self {
                slot as $word
            }
            #[inline(always)]
            fn to_slot(self) -> u64 {
                u64::from(self)
            }
        }
    )*};
}
slot_words!(u8 u16 u32 u64);

/// A read-modify-write operation.
pub(crate) trait Modify {
    type W: SlotWord;
    /// # Safety
    /// The bytes at `address` are writable, and it is aligned.
    unsafe fn apply(address: *mut u8, value: Self::W) -> Self::W;
}

handler! {
    fn load<W: SlotWord>(r) {
        match aligned_address::<W>(&r) {
            Ok(address) => {
                r.set_slot(r.ip.u16(10), W::load(address).to_slot());
                r.ip = r.ip.next(SIZE);
                dispatch!(r)
            }
            Err(trap) => return raise(r.ip, r.fp, trap),
        }
    }
}

handler! {
    fn store<W: SlotWord>(r) {
        match aligned_address::<W>(&r) {
            Ok(address) => {
                // A swap, because a plain store may be passed by later loads.
                W::swap(address, W::from_slot(r.slot(r.ip.u16(24))));
                r.ip = r.ip.next(SIZE);
                dispatch!(r)
            }
            Err(trap) => return raise(r.ip, r.fp, trap),
        }
    }
}

handler! {
    fn modify<O: Modify>(r) {
        match aligned_address::<O::W>(&r) {
            Ok(address) => {
                let old = O::apply(address, O::W::from_slot(r.slot(r.ip.u16(24))));
                r.set_slot(r.ip.u16(10), old.to_slot());
                r.ip = r.ip.next(SIZE);
                dispatch!(r)
            }
            Err(trap) => return raise(r.ip, r.fp, trap),
        }
    }
}

handler! {
    fn compare_exchange<W: SlotWord>(r) {
        match aligned_address::<W>(&r) {
            Ok(address) => {
                // What is expected is wrapped to the width, as the proposal says.
                let expected = W::from_slot(r.slot(r.ip.u16(24)));
                let old = W::compare_exchange(address, expected, W::from_slot(r.slot(r.ip.u16(26))));
                r.set_slot(r.ip.u16(10), old.to_slot());
                r.ip = r.ip.next(SIZE);
                dispatch!(r)
            }
            Err(trap) => return raise(r.ip, r.fp, trap),
        }
    }
}

/// Ends the segment if a library call returned a trap; its result goes to a
/// slot otherwise.
macro_rules! finish {
    ($r:ident, $result:expr) => {
        match $result {
            Ok(result) => {
                $r.set_slot($r.ip.u16(10), u64::from(result));
                $r.ip = $r.ip.next(SIZE);
                dispatch!($r)
            }
            Err(trap) => return raise($r.ip, $r.fp, trap),
        }
    };
}

handler! {
    fn wait32<>(r) {
        let (a, expected, timeout) = (r.slot(r.ip.u16(8)), r.slot(r.ip.u16(24)), r.slot(r.ip.u16(26)));
        let (memory, offset) = (r.ip.u32(12), r.ip.u64(16));
        finish!(r, libcalls::memory_atomic_wait32(
            r.vmctx(), memory, a, offset, expected as u32, timeout as i64
        ))
    }
}

handler! {
    fn wait64<>(r) {
        let (a, expected, timeout) = (r.slot(r.ip.u16(8)), r.slot(r.ip.u16(24)), r.slot(r.ip.u16(26)));
        let (memory, offset) = (r.ip.u32(12), r.ip.u64(16));
        finish!(r, libcalls::memory_atomic_wait64(
            r.vmctx(), memory, a, offset, expected, timeout as i64
        ))
    }
}

handler! {
    fn notify<>(r) {
        let (a, count) = (r.slot(r.ip.u16(8)), r.slot(r.ip.u16(24)));
        let (memory, offset) = (r.ip.u32(12), r.ip.u64(16));
        finish!(r, libcalls::memory_atomic_notify(r.vmctx(), memory, a, offset, count as u32))
    }
}

handler! {
    fn fence<>(r) {
        full_fence(Ordering::SeqCst);
        r.ip = r.ip.next(8);
        dispatch!(r)
    }
}

/// The host address of an atomic access. As in the reference interpreter,
/// alignment is checked before bounds.
#[inline(always)]
unsafe fn aligned_address<W>(r: &Regs) -> Result<*mut u8, Trap> {
    let size = const { size_of::<W>() as u64 };
    // SAFETY: the contract of all handlers; the format is that of checked
    // accesses.
    unsafe {
        // The low bits are right even where the sum wraps.
        let ea = r.slot(r.ip.u16(8)).wrapping_add(r.ip.u64(16));
        if ea & (size - 1) != 0 {
            return Err(Trap::UnalignedAtomic);
        }
        let (base, ea) = checked(r, size).ok_or(Trap::MemoryOutOfBounds)?;
        Ok((base + ea) as *mut u8)
    }
}

/// Makes [`AtomicOp`] and its handlers from the one list of operations:
/// `Name(width, operators)`, with what it does to an address and a value for
/// those that modify.
macro_rules! atomics {
    (
        load { $($load:ident($load_word:ty, $($load_operator:ident)|*),)* }
        store { $($store:ident($store_word:ty, $($store_operator:ident)|*),)* }
        modify {
            $($modify:ident($word:ty, $($operator:ident)|*, |$address:ident, $value:ident| $e:expr),)*
        }
        compare_exchange { $($exchange:ident($exchange_word:ty, $($exchange_operator:ident)|*),)* }
    ) => {
        /// An atomic instruction.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum AtomicOp {
            $($load,)* $($store,)* $($modify,)* $($exchange,)* Wait32, Wait64, Notify,
        }

        impl AtomicOp {
            /// What an instruction does and where, if it is an atomic access.
            pub(crate) fn of<'a>(operator: &'a Operator<'_>) -> Option<(AtomicOp, &'a MemArg)> {
                Some(match operator {
                    $($(Operator::$load_operator { memarg })|* => (AtomicOp::$load, memarg),)*
                    $($(Operator::$store_operator { memarg })|* => (AtomicOp::$store, memarg),)*
                    $($(Operator::$operator { memarg })|* => (AtomicOp::$modify, memarg),)*
                    $($(Operator::$exchange_operator { memarg })|* => (AtomicOp::$exchange, memarg),)*
                    Operator::MemoryAtomicWait32 { memarg } => (AtomicOp::Wait32, memarg),
                    Operator::MemoryAtomicWait64 { memarg } => (AtomicOp::Wait64, memarg),
                    Operator::MemoryAtomicNotify { memarg } => (AtomicOp::Notify, memarg),
                    _ => return None,
                })
            }

            /// Operands beside the address.
            pub(crate) fn operands(self) -> usize {
                match self {
                    $(AtomicOp::$load)|* => 0,
                    $(AtomicOp::$store)|* | $(AtomicOp::$modify)|* | AtomicOp::Notify => 1,
                    $(AtomicOp::$exchange)|* | AtomicOp::Wait32 | AtomicOp::Wait64 => 2,
                }
            }

            /// Whether there is a result.
            pub(crate) fn has_result(self) -> bool {
                !matches!(self, $(AtomicOp::$store)|*)
            }

            /// Whether the instruction names its memory by index.
            pub(crate) fn by_index(self) -> bool {
                matches!(self, AtomicOp::Wait32 | AtomicOp::Wait64 | AtomicOp::Notify)
            }

            /// The handler of the instruction.
            pub(crate) fn handler(self) -> Handler {
                match self {
                    $(AtomicOp::$load => load::<$load_word>,)*
                    $(AtomicOp::$store => store::<$store_word>,)*
                    $(AtomicOp::$modify => modify::<$modify>,)*
                    $(AtomicOp::$exchange => compare_exchange::<$exchange_word>,)*
                    AtomicOp::Wait32 => wait32,
                    AtomicOp::Wait64 => wait64,
                    AtomicOp::Notify => notify,
                }
            }
        }

        $(
            struct $modify;
            impl Modify for $modify {
                type W = $word;
                #[inline(always)]
                unsafe fn apply($address: *mut u8, $value: $word) -> $word {
                    // SAFETY: the caller's contract.
                    unsafe { $e }
                }
            }
        )*
    };
}

atomics! {
    load {
        Load8(u8, I32AtomicLoad8U | I64AtomicLoad8U),
        Load16(u16, I32AtomicLoad16U | I64AtomicLoad16U),
        Load32(u32, I32AtomicLoad | I64AtomicLoad32U),
        Load64(u64, I64AtomicLoad),
    }
    store {
        Store8(u8, I32AtomicStore8 | I64AtomicStore8),
        Store16(u16, I32AtomicStore16 | I64AtomicStore16),
        Store32(u32, I32AtomicStore | I64AtomicStore32),
        Store64(u64, I64AtomicStore),
    }
    modify {
        Add8(u8, I32AtomicRmw8AddU | I64AtomicRmw8AddU, |a, v| u8::fetch_add(a, v)),
        Add16(u16, I32AtomicRmw16AddU | I64AtomicRmw16AddU, |a, v| u16::fetch_add(a, v)),
        Add32(u32, I32AtomicRmwAdd | I64AtomicRmw32AddU, |a, v| u32::fetch_add(a, v)),
        Add64(u64, I64AtomicRmwAdd, |a, v| u64::fetch_add(a, v)),
        Sub8(u8, I32AtomicRmw8SubU | I64AtomicRmw8SubU, |a, v| u8::fetch_add(a, v.wrapping_neg())),
        Sub16(u16, I32AtomicRmw16SubU | I64AtomicRmw16SubU, |a, v| u16::fetch_add(a, v.wrapping_neg())),
        Sub32(u32, I32AtomicRmwSub | I64AtomicRmw32SubU, |a, v| u32::fetch_add(a, v.wrapping_neg())),
        Sub64(u64, I64AtomicRmwSub, |a, v| u64::fetch_add(a, v.wrapping_neg())),
        And8(u8, I32AtomicRmw8AndU | I64AtomicRmw8AndU, |a, v| u8::fetch_update(a, |old| old & v)),
        And16(u16, I32AtomicRmw16AndU | I64AtomicRmw16AndU, |a, v| u16::fetch_update(a, |old| old & v)),
        And32(u32, I32AtomicRmwAnd | I64AtomicRmw32AndU, |a, v| u32::fetch_update(a, |old| old & v)),
        And64(u64, I64AtomicRmwAnd, |a, v| u64::fetch_update(a, |old| old & v)),
        Or8(u8, I32AtomicRmw8OrU | I64AtomicRmw8OrU, |a, v| u8::fetch_update(a, |old| old | v)),
        Or16(u16, I32AtomicRmw16OrU | I64AtomicRmw16OrU, |a, v| u16::fetch_update(a, |old| old | v)),
        Or32(u32, I32AtomicRmwOr | I64AtomicRmw32OrU, |a, v| u32::fetch_update(a, |old| old | v)),
        Or64(u64, I64AtomicRmwOr, |a, v| u64::fetch_update(a, |old| old | v)),
        Xor8(u8, I32AtomicRmw8XorU | I64AtomicRmw8XorU, |a, v| u8::fetch_update(a, |old| old ^ v)),
        Xor16(u16, I32AtomicRmw16XorU | I64AtomicRmw16XorU, |a, v| u16::fetch_update(a, |old| old ^ v)),
        Xor32(u32, I32AtomicRmwXor | I64AtomicRmw32XorU, |a, v| u32::fetch_update(a, |old| old ^ v)),
        Xor64(u64, I64AtomicRmwXor, |a, v| u64::fetch_update(a, |old| old ^ v)),
        Swap8(u8, I32AtomicRmw8XchgU | I64AtomicRmw8XchgU, |a, v| u8::swap(a, v)),
        Swap16(u16, I32AtomicRmw16XchgU | I64AtomicRmw16XchgU, |a, v| u16::swap(a, v)),
        Swap32(u32, I32AtomicRmwXchg | I64AtomicRmw32XchgU, |a, v| u32::swap(a, v)),
        Swap64(u64, I64AtomicRmwXchg, |a, v| u64::swap(a, v)),
    }
    compare_exchange {
        CompareExchange8(u8, I32AtomicRmw8CmpxchgU | I64AtomicRmw8CmpxchgU),
        CompareExchange16(u16, I32AtomicRmw16CmpxchgU | I64AtomicRmw16CmpxchgU),
        CompareExchange32(u32, I32AtomicRmwCmpxchg | I64AtomicRmw32CmpxchgU),
        CompareExchange64(u64, I64AtomicRmwCmpxchg),
    }
}

/// The handler of `atomic.fence`.
pub(crate) fn fence_handler() -> Handler {
    fence
}
