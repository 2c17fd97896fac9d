//! Integer arithmetic.
//!
//! ```text
//!  both operands variable    [handler] [a:16 d:16 b:16 _]
//!  one constant, 32 bits     [handler] [other:16 d:16 constant:32]
//!  one constant, 64 bits     [handler] [other:16 d:16 _] [constant:64]
//!  one operand               [handler] [a:16 d:16 _] [a's constant:64]
//! ```

use super::grid::pick;
use super::regs::{A, Class, Handler, K, P0, P1, P2, Regs, S, class, dispatch, handler, tail};
use super::trap::{IntegerDivideByZero, IntegerOverflow, trap};
use crate::op::*;
use rwasm_runtime::reference::i31_slot;

/// An operation with two operands.
pub(crate) trait Binary {
    /// Whether it is one of 64 bits.
    const WIDE: bool;
    fn apply(a: u64, b: u64) -> u64;
}

/// A comparison.
pub(crate) trait Compare {
    /// Whether it compares 64 bits.
    const WIDE: bool;
    fn holds(a: u64, b: u64) -> bool;
}

/// A division or remainder.
pub(crate) trait Divide {
    /// Whether it divides 64 bits.
    const WIDE: bool;
    fn divisor_is_zero(b: u64) -> bool;
    fn overflows(a: u64, b: u64) -> bool;
    /// # Safety
    /// The divisor is not zero.
    unsafe fn apply(a: u64, b: u64) -> u64;
}

/// An operation with one operand.
pub(crate) trait Unary {
    fn apply(a: u64) -> u64;
}

impl Regs {
    /// Reads two operands, of which one at most is a constant.
    #[inline(always)]
    unsafe fn read_two<X: Class, Y: Class>(&self, wide: bool) -> (u64, u64) {
        let second = if X::INDEX == class::CONST { 8 } else { 12 };
        // SAFETY: the contract of all handlers.
        unsafe {
            (
                self.read_sized::<X>(8, wide),
                self.read_sized::<Y>(second, wide),
            )
        }
    }

    #[inline(always)]
    pub(super) unsafe fn do_binary<O: Binary, X: Class, Y: Class, D: Class>(&mut self) {
        // SAFETY: the contract of all handlers.
        unsafe {
            let (a, b) = self.read_two::<X, Y>(O::WIDE);
            self.write::<D>(10, O::apply(a, b));
            self.ip = self.ip.next(const { size::<X, Y>(O::WIDE) });
        }
    }

    #[inline(always)]
    pub(super) unsafe fn do_compare<O: Compare, X: Class, Y: Class, D: Class>(&mut self) {
        // SAFETY: the contract of all handlers.
        unsafe {
            let (a, b) = self.read_two::<X, Y>(O::WIDE);
            self.write::<D>(10, u64::from(O::holds(a, b)));
            self.ip = self.ip.next(const { size::<X, Y>(O::WIDE) });
        }
    }
}

handler! {
    fn binary<O: Binary, X: Class, Y: Class, D: Class>(r) {
        r.do_binary::<O, X, Y, D>();
        dispatch!(r)
    }
}

handler! {
    fn compare<O: Compare, X: Class, Y: Class, D: Class>(r) {
        r.do_compare::<O, X, Y, D>();
        dispatch!(r)
    }
}

handler! {
    fn divide<O: Divide, X: Class, Y: Class, D: Class>(r) {
        let (a, b) = r.read_two::<X, Y>(O::WIDE);
        if O::divisor_is_zero(b) {
            tail!(trap::<IntegerDivideByZero>, r)
        }
        if O::overflows(a, b) {
            tail!(trap::<IntegerOverflow>, r)
        }
        r.write::<D>(10, O::apply(a, b));
        r.ip = r.ip.next(const { size::<X, Y>(O::WIDE) });
        dispatch!(r)
    }
}

handler! {
    fn unary<O: Unary, X: Class, D: Class>(r) {
        let a = r.read::<X>(8, 16);
        r.write::<D>(10, O::apply(a));
        r.ip = r.ip.next(const { size::<X, S>(true) });
        dispatch!(r)
    }
}

/// Size in bytes of an instruction with these operands, whose constant has 64 bits
/// if it is `wide` and otherwise stands in the operand word.
pub(crate) const fn size<X: Class, Y: Class>(wide: bool) -> usize {
    if wide && (X::INDEX == class::CONST || Y::INDEX == class::CONST) {
        24
    } else {
        16
    }
}

macro_rules! binary_table {
    ($($name:ident($ty:ty, |$a:ident, $b:ident| $e:expr),)*) => {
        $(
            pub(super) struct $name;
            impl Binary for $name {
                const WIDE: bool = IntBinary::$name.is_wide();
                #[inline(always)]
                fn apply(a: u64, b: u64) -> u64 {
                    let ($a, $b) = (a as $ty, b as $ty);
                    ($e) as u64
                }
            }
        )*
        /// The handler of an operation over the classes of its operands and result.
        pub(crate) fn binary_handler(op: IntBinary, a: usize, b: usize, d: usize) -> Handler {
            pick!(binary by op as usize => $([$name])*; six a, six b, five d)
        }
    };
}
int_binary_ops!(binary_table);

macro_rules! compare_table {
    ($($name:ident($ty:ty, |$a:ident, $b:ident| $e:expr), $neg:ident($how:ident),)*) => {
        $(
            pub(crate) struct $name;
            impl Compare for $name {
                const WIDE: bool = IntCompare::$name.is_wide();
                #[inline(always)]
                fn holds(a: u64, b: u64) -> bool {
                    let ($a, $b) = (a as $ty, b as $ty);
                    $e
                }
            }
        )*
        /// The handler of a comparison to a value.
        pub(crate) fn compare_handler(op: IntCompare, a: usize, b: usize, d: usize) -> Handler {
            pick!(compare by op as usize => $([$name])*; six a, six b, two d)
        }
    };
}
int_compare_ops!(compare_table);

macro_rules! overflow_check {
    (overflows, $ty:ty, $a:ident, $b:ident) => {
        $a as $ty == <$ty>::MIN && $b as $ty == (0 as $ty).wrapping_sub(1)
    };
    (exact, $ty:ty, $a:ident, $b:ident) => {{
        let _ = ($a, $b);
        false
    }};
}

macro_rules! divide_table {
    ($($name:ident($ty:ty, $bits:ty, |$a:ident, $b:ident| $e:expr, $overflow:ident),)*) => {
        $(
            struct $name;
            impl Divide for $name {
                const WIDE: bool = IntDivide::$name.is_wide();
                #[inline(always)]
                fn divisor_is_zero(b: u64) -> bool {
                    b as $bits == 0
                }
                #[inline(always)]
                fn overflows(a: u64, b: u64) -> bool {
                    overflow_check!($overflow, $ty, a, b)
                }
                #[inline(always)]
                unsafe fn apply(a: u64, b: u64) -> u64 {
                    let ($a, $b) = (a as $ty, b as $ty);
                    // SAFETY: the caller's contract; it spares a second check.
                    unsafe { std::hint::assert_unchecked($b != 0) };
                    ($e) as $bits as u64
                }
            }
        )*
        /// The handler of a division.
        pub(crate) fn divide_handler(op: IntDivide, a: usize, b: usize, d: usize) -> Handler {
            pick!(divide by op as usize => $([$name])*; six a, six b, two d)
        }
    };
}
int_divide_ops!(divide_table);

macro_rules! unary_table {
    ($($name:ident($ty:ty, |$a:ident| $e:expr),)*) => {
        $(
            struct $name;
            impl Unary for $name {
                #[inline(always)]
                fn apply(a: u64) -> u64 {
                    let $a = a as $ty;
                    $e
                }
            }
        )*
        /// The handler of an operation with one operand.
        pub(crate) fn unary_handler(op: IntUnary, a: usize, d: usize) -> Handler {
            pick!(unary by op as usize => $([$name])*; six a, five d)
        }
    };
}
int_unary_ops!(unary_table);
