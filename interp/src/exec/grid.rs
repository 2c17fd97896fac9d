//! Tables of handlers over operand classes.
//!
//! [`pick`] finds one instance of a generic handler: `pick!(binary[I32Add];
//! six a, six b, five d)` is `binary::<I32Add, A, B, D>` for the classes of
//! those indices ([`crate::exec::regs::class`]). The addresses stand in a table
//! of 32-bit distances within the code, not of pointers: 11,000 pointers would
//! have to be relocated whenever the program starts, which cost 0.3 ms.

use super::regs::Handler;

/// The handler at `index` of a table that [`pick`] made.
///
/// # Safety
/// `table` is such a table, of more than `index` entries.
pub(crate) unsafe fn lookup(table: unsafe extern "C" fn(), index: usize) -> Handler {
    let base = table as *const u8;
    // SAFETY: an entry is the distance from the table to a handler.
    unsafe {
        let distance = *base.cast::<i32>().add(index);
        std::mem::transmute::<*const u8, Handler>(base.offset(distance as isize))
    }
}

/// The handler of an operation for operand classes known at run time.
///
/// The axes, in the order of the handler's type parameters: `two` (slot,
/// accumulator), `pins` (index 0 is the first), `five` (all but constants),
/// `six` (all); `float_two`, `float_const` (constants only), `float_three` (both).
///
/// `pick!(binary by op as usize => [I32Add] [I32Sub]; six a, six b, five d)` has one
/// table for several operations, by their index: a `match` that picks one of several
/// tables is a jump that the processor guesses, and guesses wrong.
macro_rules! pick {
    ($f:ident by $row:expr => $([$($p:ty),*])+; $($axis:ident $index:expr),+) => {
        pick!(@ $f [$([$($p),*])+] (pick!(# 0usize, $row, [$(stringify!($($p),*)),+].len()))
            $($axis $index,)+)
    };
    ($f:ident[$($p:ty),*]; $($axis:ident $index:expr),+) => {
        pick!(@ $f [[$($p),*]] (0usize) $($axis $index,)+)
    };
    (@ $f:ident [$([$($p:ty),*])*] ($at:expr) two $index:expr, $($rest:tt)*) => {
        pick!(@ $f [$([$($p,)* S] [$($p,)* A])*] (pick!(# $at, $index, 2)) $($rest)*)
    };
    (@ $f:ident [$([$($p:ty),*])*] ($at:expr) pins $index:expr, $($rest:tt)*) => {
        pick!(@ $f [$([$($p,)* P0] [$($p,)* P1] [$($p,)* P2])*] (pick!(# $at, $index, 3)) $($rest)*)
    };
    (@ $f:ident [$([$($p:ty),*])*] ($at:expr) five $index:expr, $($rest:tt)*) => {
        pick!(@ $f [$([$($p,)* S] [$($p,)* A] [$($p,)* P0] [$($p,)* P1] [$($p,)* P2])*]
            (pick!(# $at, $index, 5)) $($rest)*)
    };
    (@ $f:ident [$([$($p:ty),*])*] ($at:expr) six $index:expr, $($rest:tt)*) => {
        pick!(@ $f [$([$($p,)* S] [$($p,)* A] [$($p,)* P0] [$($p,)* P1] [$($p,)* P2] [$($p,)* K])*]
            (pick!(# $at, $index, 6)) $($rest)*)
    };
    (@ $f:ident [$([$($p:ty),*])*] ($at:expr) float_two $index:expr, $($rest:tt)*) => {
        pick!(@ $f [$([$($p,)* FS] [$($p,)* FA])*] (pick!(# $at, $index, 2)) $($rest)*)
    };
    (@ $f:ident [$([$($p:ty),*])*] ($at:expr) float_const $index:expr, $($rest:tt)*) => {
        pick!(@ $f [$([$($p,)* FK])*] (pick!(# $at, $index - $crate::exec::regs::class::FLOAT_CONST, 1)) $($rest)*)
    };
    (@ $f:ident [$([$($p:ty),*])*] ($at:expr) float_three $index:expr, $($rest:tt)*) => {
        pick!(@ $f [$([$($p,)* FS] [$($p,)* FA] [$($p,)* FK])*] (pick!(# $at, $index, 3)) $($rest)*)
    };
    (# $at:expr, $index:expr, $size:expr) => {{
        let index: usize = $index;
        assert!(index < $size, "a class that the operation does not have");
        $at * $size + index
    }};
    (@ $f:ident [$([$($p:ty),*])*] ($at:expr)) => {{
        #[unsafe(naked)]
        unsafe extern "C" fn table() {
            std::arch::naked_asm!(
                "2:",
                $(concat!(".long {} - 2b", $crate::exec::grid::nothing!($($p)*)),)*
                $(sym $f::<$($p),*>,)*
            )
        }
        let index = $at;
        // SAFETY: the table is the product of the axes, whose indices were
        // checked.
        unsafe { $crate::exec::grid::lookup(table, index) }
    }};
}

/// An empty string for any tokens, to repeat a literal once per handler.
macro_rules! nothing {
    ($($p:tt)*) => {
        ""
    };
}

pub(crate) use {nothing, pick};
