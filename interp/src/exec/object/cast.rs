//! Tests of a reference's type.
//!
//! ```text
//!  test  [handler] [a:16 d:16 null:32] [x:32 y:32]
//!  cast  [handler] [a:16 d:16 null:32] [x:32 y:32]
//! ```
//! `null` is the answer for null: 1 if the type has it. `x` and `y` depend on
//! what is tested for ([`TypeTest`]).

use crate::exec::grid::pick;
use crate::exec::regs::{A, Class, Handler, P0, P1, P2, Regs, S, dispatch, handler, tail};
use crate::exec::trap::{CastFailure, trap};
use rwasm_runtime::gc::object::{KIND_MASK, TAG_MASK, type_of};
use rwasm_runtime::gc::{GcRef, TypeInfo};
use rwasm_runtime::layout::FuncRef;
use rwasm_runtime::libcalls;

/// A test that a reference other than null is subjected to.
pub(crate) trait Test {
    /// # Safety
    /// `r` is at an instruction with this test, and `word` a reference in the
    /// hierarchy of the type.
    unsafe fn holds(r: &Regs, word: u64) -> bool;
}

/// The header of an object.
#[inline(always)]
unsafe fn header_of(r: &Regs, object: u64) -> u32 {
    // SAFETY: the caller knows that it is one.
    unsafe { r.object(object, 0).cast::<u32>().read() }
}

#[inline(always)]
fn is_object(word: u64) -> bool {
    word as u32 & TAG_MASK == 0
}

struct Always;
impl Test for Always {
    #[inline(always)]
    unsafe fn holds(_: &Regs, _: u64) -> bool {
        true
    }
}

struct Never;
impl Test for Never {
    #[inline(always)]
    unsafe fn holds(_: &Regs, _: u64) -> bool {
        false
    }
}

struct Eq;
impl Test for Eq {
    #[inline(always)]
    unsafe fn holds(_: &Regs, word: u64) -> bool {
        is_object(word) || word & 1 != 0
    }
}

struct I31;
impl Test for I31 {
    #[inline(always)]
    unsafe fn holds(_: &Regs, word: u64) -> bool {
        word & 1 != 0
    }
}

struct Kind;
impl Test for Kind {
    #[inline(always)]
    unsafe fn holds(r: &Regs, word: u64) -> bool {
        // SAFETY: the caller's contract.
        unsafe { is_object(word) && header_of(r, word) & KIND_MASK == r.ip.u32(16) }
    }
}

struct Exact;
impl Test for Exact {
    #[inline(always)]
    unsafe fn holds(r: &Regs, word: u64) -> bool {
        // SAFETY: the caller's contract.
        unsafe { is_object(word) && header_of(r, word) == r.ip.u32(16) }
    }
}

struct Sub;
impl Test for Sub {
    #[inline(always)]
    unsafe fn holds(r: &Regs, word: u64) -> bool {
        // SAFETY: the caller's contract. The store knows the types of its
        // objects, and `y` is an offset within what it knows of one.
        unsafe {
            if !is_object(word) {
                return false;
            }
            let (header, expected) = (header_of(r, word), r.ip.u32(16));
            if header == expected {
                return true;
            }
            let info = (*r.store()).gc.types.add(type_of(header).as_u32() as usize);
            let ancestor = info.byte_add(r.ip.u32(20) as usize).cast::<u32>().read();
            ancestor == type_of(expected).as_u32()
        }
    }
}

struct Deep;
impl Test for Deep {
    #[inline(always)]
    unsafe fn holds(r: &Regs, word: u64) -> bool {
        // SAFETY: the caller's contract.
        unsafe {
            GcRef::from_slot(word)
                .is_some_and(|object| libcalls::is_instance(r.vmctx(), object, r.ip.u32(16)))
        }
    }
}

struct Func;
impl Test for Func {
    #[inline(always)]
    unsafe fn holds(r: &Regs, word: u64) -> bool {
        // SAFETY: the caller's contract: a reference to a function is a pointer.
        unsafe {
            let func = word as *const FuncRef;
            (*func).ty.as_u32() == r.ip.u32(16)
                || libcalls::is_func_instance(r.vmctx(), func, r.ip.u32(16))
        }
    }
}

handler! {
    fn test<T: Test, X: Class, D: Class>(r) {
        let word = r.read::<X>(8, 0);
        let holds = if word == 0 {
            r.ip.u32(12)
        } else {
            u32::from(T::holds(&r, word))
        };
        r.write::<D>(10, u64::from(holds));
        r.ip = r.ip.next(24);
        dispatch!(r)
    }
}

handler! {
    fn cast<T: Test, X: Class, D: Class>(r) {
        let word = r.read::<X>(8, 0);
        let holds = if word == 0 {
            r.ip.u32(12) != 0
        } else {
            T::holds(&r, word)
        };
        if !holds {
            tail!(trap::<CastFailure>, r)
        }
        r.write::<D>(10, word);
        r.ip = r.ip.next(24);
        dispatch!(r)
    }
}

macro_rules! tests {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        /// What a reference other than null is tested for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum TypeTest { $($(#[$doc])* $name,)* }

        /// The handler of `ref.test`.
        pub(crate) fn test_handler(op: TypeTest, a: usize, d: usize) -> Handler {
            match op { $(TypeTest::$name => pick!(test[$name]; five a, two d),)* }
        }

        /// The handler of `ref.cast`.
        pub(crate) fn cast_handler(op: TypeTest, a: usize, d: usize) -> Handler {
            match op { $(TypeTest::$name => pick!(cast[$name]; five a, five d),)* }
        }
    };
}
tests! {
    /// Nothing: the top of the hierarchy.
    Always;
    /// The bottom of the hierarchy.
    Never;
    /// `eq`: an i31 or an object.
    Eq;
    /// `i31`.
    I31;
    /// `struct` or `array`: an object of the kind `x`.
    Kind;
    /// A type without subtypes: the header is `x`.
    Exact;
    /// A type: the header is `x`, or its type has that of `x` at offset `y` of
    /// what is known of it.
    Sub;
    /// A type too far down its hierarchy for that: type id `x`.
    Deep;
    /// A type of functions: type id `x`.
    Func;
}

/// Offset in what is known of a type of its supertype at a depth, if that is
/// known there.
pub(crate) fn display_offset(depth: usize) -> Option<u32> {
    let at = std::mem::offset_of!(TypeInfo, display) + depth * size_of::<u32>();
    (depth < rwasm_runtime::gc::layout::DISPLAY).then_some(at as u32)
}
