//! Branches, loops, moves and selections.
//!
//! ```text
//!  branch to a label        [handler] [target] …operands
//!  branch to a loop's head  [handler] …operands      target in the frame's header
//!  …operands                [a:16 b:16 constant:32]
//!  add and branch           …operands [addend:32 _]   b's constant in …operands
//!  br_table                 [handler] [a:16 _ _ last:32] [target] × (last + 1)
//!  loop, pin                [handler] [p0:16 p1:16 p2:16 _]
//!  move                     [handler] [a:16 d:16 _]
//!  move of 32 bits          [handler] [_ d:16 constant:32]
//!  move of 64 bits          [handler] [_ d:16 _] [constant]
//!  select                   [handler] [c:16 d:16 a:16 b:16] [a's constant] [b's constant]
//!
//! Constants stand only where an operand is one.
//! ```

use super::grid::pick;
use super::int::{self, Compare};
use super::regs::{
    A, Class, FA, FK, FS, FloatClass, Handler, Ip, K, P0, P1, P2, Regs, S, dispatch, dispatch_arm,
    handler, header, tail,
};
use super::trap::{Interrupted, OutOfFuel, trap};
use super::{float, trap::Unreachable};
use crate::op::*;
use rwasm_runtime::layout::{GlobalDef, VmCtx};
use std::sync::atomic::Ordering;

/// How a branch finds its target.
pub(crate) trait Target {
    /// 0: in the instruction; 1, 2: in that loop slot of the frame's header.
    const LOOP_SLOT: isize;
    /// Byte offset of the operands.
    const OPERANDS: usize = if Self::LOOP_SLOT == 0 { 16 } else { 8 };
}
pub(crate) struct Absolute;
pub(crate) struct Loop1;
pub(crate) struct Loop2;
impl Target for Absolute {
    const LOOP_SLOT: isize = 0;
}
impl Target for Loop1 {
    const LOOP_SLOT: isize = 1;
}
impl Target for Loop2 {
    const LOOP_SLOT: isize = 2;
}

impl Regs {
    /// Goes to the branch's target.
    #[inline(always)]
    pub(super) unsafe fn jump<T: Target>(&mut self) {
        // SAFETY: lowering encodes the target; the head of the loop has stored
        // the loop slot before any branch back to it.
        self.ip = Ip(unsafe {
            match T::LOOP_SLOT {
                0 => self.ip.u64(8),
                slot => self.header(header::LOOP - (slot - 1)),
            }
        } as *const u64);
    }
}

/// Whether a condition branches when it is zero or when it is not.
pub(crate) trait Sense {
    fn taken(condition: u32) -> bool;
}
pub(crate) struct IfZero;
pub(crate) struct IfNonZero;
impl Sense for IfZero {
    #[inline(always)]
    fn taken(condition: u32) -> bool {
        condition == 0
    }
}
impl Sense for IfNonZero {
    #[inline(always)]
    fn taken(condition: u32) -> bool {
        condition != 0
    }
}

/// Ends a branch handler.
macro_rules! branch {
    ($r:ident, $target:ident, $taken:expr, $size:expr) => {
        if $taken {
            $r.jump::<$target>();
            dispatch_arm!($r, "taken")
        } else {
            $r.ip = $r.ip.next(const { $size });
            dispatch_arm!($r, "not taken")
        }
    };
}

handler! {
    fn br<T: Target>(r) {
        r.jump::<T>();
        dispatch!(r)
    }
}

handler! {
    fn br_if<T: Target, Z: Sense, X: Class>(r) {
        let a = r.read::<X>(const { T::OPERANDS }, 0) as u32;
        branch!(r, T, Z::taken(a), T::OPERANDS + 8)
    }
}

handler! {
    fn br_compare<T: Target, O: Compare, X: Class, Y: Class>(r) {
        let a = r.read_short::<X>(const { T::OPERANDS }, const { T::OPERANDS + 4 });
        let b = r.read_short::<Y>(const { T::OPERANDS + 2 }, const { T::OPERANDS + 4 });
        branch!(r, T, O::holds(a, b), T::OPERANDS + 8)
    }
}

handler! {
    fn br_and<T: Target, Z: Sense, X: Class, Y: Class>(r) {
        let a = r.read_short::<X>(const { T::OPERANDS }, const { T::OPERANDS + 4 });
        let b = r.read_short::<Y>(const { T::OPERANDS + 2 }, const { T::OPERANDS + 4 });
        branch!(r, T, Z::taken((a & b) as u32), T::OPERANDS + 8)
    }
}

/// Ends a handler with `local += constant; br_if (local op b)`.
macro_rules! add_and_branch {
    ($r:ident, $target:ident, $op:ident, $x:ident, $y:ident) => {{
        let addend = $r.ip.u32(const { $target::OPERANDS + 8 }) as i32 as u64;
        let sum = $r
            .read::<$x>(const { $target::OPERANDS }, 0)
            .wrapping_add(addend);
        let sum = if $op::WIDE {
            sum
        } else {
            u64::from(sum as u32)
        };
        $r.write::<$x>(const { $target::OPERANDS }, sum);
        let b = $r.read_short::<$y>(
            const { $target::OPERANDS + 2 },
            const { $target::OPERANDS + 4 },
        );
        branch!($r, $target, $op::holds(sum, b), $target::OPERANDS + 16)
    }};
}

handler! {
    /// The end of a counting loop.
    fn add_br<T: Target, O: Compare, X: Class, Y: Class>(r) {
        add_and_branch!(r, T, O, X, Y)
    }
}

handler! {
    fn br_float_compare<T: Target, O: Float, X: FloatClass, Y: FloatClass>(r) {
        let a: O::Operand = r.read_float::<X, _>(const { T::OPERANDS }, const { T::OPERANDS + 8 });
        let b: O::Operand = r.read_float::<Y, _>(
            const { T::OPERANDS + 2 },
            const { T::OPERANDS - 8 + float::size::<X, FS>() },
        );
        branch!(r, T, O::holds(a, b), T::OPERANDS - 8 + float::size::<X, Y>())
    }
}
use float::Compare as Float;

impl Regs {
    /// Goes where a `br_table` leads.
    #[inline(always)]
    pub(super) unsafe fn do_br_table<X: Class>(&mut self) {
        // SAFETY: the contract of all handlers.
        unsafe {
            let last = u64::from(self.ip.u32(12));
            // The index is an i32, zero-extended like every i32 in a slot.
            let index = self.read::<X>(8, 0).min(last);
            self.ip = Ip(*self.ip.0.add(2 + index as usize) as *const u64);
        }
    }

    #[inline(always)]
    pub(super) unsafe fn do_mov<X: Class, D: Class>(&mut self) {
        // SAFETY: the contract of all handlers.
        unsafe {
            let a = self.read_sized::<X>(8, false);
            self.write::<D>(10, a);
            self.ip = self.ip.next(16);
        }
    }
}

handler! {
    fn br_table<X: Class>(r) {
        r.do_br_table::<X>();
        dispatch!(r)
    }
}

handler! {
    /// Enters a loop: keeps its head's address and loads its pinned locals.
    fn enter_loop<T: Target>(r) {
        r.set_header(header::LOOP - (T::LOOP_SLOT - 1), r.ip.next(16).0 as u64);
        r.load_pins(r.ip.0.add(1).cast());
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

handler! {
    fn pin<>(r) {
        r.load_pins(r.ip.0.add(1).cast());
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

handler! {
    fn mov<X: Class, D: Class>(r) {
        r.do_mov::<X, D>();
        dispatch!(r)
    }
}

handler! {
    /// A move of a constant that has more than 32 bits.
    fn mov_wide<D: Class>(r) {
        r.write::<D>(10, r.ip.u64(16));
        r.ip = r.ip.next(24);
        dispatch!(r)
    }
}

handler! {
    fn select<C: Class, X: Class, Y: Class, D: Class>(r) {
        let condition = r.read::<C>(8, 0) as u32;
        let a = r.read::<X>(12, 16);
        let b = r.read::<Y>(14, const { int::size::<X, S>(true) });
        r.write::<D>(10, std::hint::select_unpredictable(condition != 0, a, b));
        r.ip = r.ip.next(const { int::size::<X, S>(true) + int::size::<Y, S>(true) - 16 });
        dispatch!(r)
    }
}

impl Regs {
    /// Format as for moves, with the global's offset in the instance block in
    /// the upper half of the operand word.
    #[inline(always)]
    pub(super) unsafe fn do_global_get<D: Class>(&mut self) {
        // SAFETY: the contract of all handlers.
        unsafe {
            let global: *mut GlobalDef = VmCtx::pointer_at(self.vmctx(), self.ip.u32(12));
            let value = (*global).value[0];
            self.write::<D>(10, value);
            self.ip = self.ip.next(16);
        }
    }

    /// Format as for [`Regs::global_get`].
    #[inline(always)]
    pub(super) unsafe fn do_global_set<X: Class>(&mut self) {
        // SAFETY: the contract of all handlers.
        unsafe {
            let global: *mut GlobalDef = VmCtx::pointer_at(self.vmctx(), self.ip.u32(12));
            (*global).value[0] = self.read::<X>(8, 16);
            self.ip = self.ip.next(const { int::size::<X, S>(true) });
        }
    }
}

handler! {
    fn global_get<D: Class>(r) {
        r.do_global_get::<D>();
        dispatch!(r)
    }
}

handler! {
    fn global_set<X: Class>(r) {
        r.do_global_set::<X>();
        dispatch!(r)
    }
}

handler! {
    #[cold]
    fn unreachable<>(r) {
        tail!(trap::<Unreachable>, r)
    }
}

handler! {
    /// Charges the fuel of a basic block: `[handler] [units:64]`.
    fn consume_fuel<>(r) {
        let store = r.store();
        let left = (*store).fuel - r.ip.u64(8) as i64;
        if left < 0 {
            tail!(trap::<OutOfFuel>, r)
        }
        (*store).fuel = left;
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

handler! {
    /// Ends the segment if another thread asked for it: `[handler] [_]`.
    fn check_interrupt<>(r) {
        if (*(*r.store()).interrupt).load(Ordering::Relaxed) != 0 {
            tail!(trap::<Interrupted>, r)
        }
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

pub(super) use {add_and_branch, branch};

/// The handler of an unconditional branch.
pub(crate) fn br_handler(loop_slot: u8) -> Handler {
    static TABLE: [Handler; 3] = [br::<Absolute>, br::<Loop1>, br::<Loop2>];
    TABLE[usize::from(loop_slot)]
}

/// The handler of a branch on an `i32`.
pub(crate) fn br_if_handler(loop_slot: u8, non_zero: bool, a: usize) -> Handler {
    pick!(br_if by 2 * usize::from(loop_slot) + usize::from(non_zero) =>
        [Absolute, IfZero] [Absolute, IfNonZero] [Loop1, IfZero] [Loop1, IfNonZero]
        [Loop2, IfZero] [Loop2, IfNonZero]; five a)
}

/// The handler of a branch on the `and` of two `i32`.
pub(crate) fn br_and_handler(loop_slot: u8, non_zero: bool, a: usize, b: usize) -> Handler {
    pick!(br_and by 2 * usize::from(loop_slot) + usize::from(non_zero) =>
        [Absolute, IfZero] [Absolute, IfNonZero] [Loop1, IfZero] [Loop1, IfNonZero]
        [Loop2, IfZero] [Loop2, IfNonZero]; five a, six b)
}

/// The row of a branch in a table that has three for each operation.
fn row_of(op: usize, loop_slot: u8) -> usize {
    assert!(loop_slot <= 2, "there are two loop slots");
    3 * op + usize::from(loop_slot)
}

macro_rules! compare_tables {
    ($($name:ident($ty:ty, |$a:ident, $b:ident| $e:expr), $neg:ident($how:ident),)*) => {
        /// The handler of a branch on a comparison.
        pub(crate) fn br_compare_handler(op: IntCompare, loop_slot: u8, a: usize, b: usize) -> Handler {
            pick!(br_compare by row_of(op as usize, loop_slot) =>
                $([Absolute, int::$name] [Loop1, int::$name] [Loop2, int::$name])*;
                six a, six b)
        }
        /// The handler of an addition and a branch back to a loop's head.
        pub(crate) fn add_br_handler(op: IntCompare, loop_slot: u8, a: usize, b: usize) -> Handler {
            pick!(add_br by 2 * op as usize + usize::from(loop_slot != 1) =>
                $([Loop1, int::$name] [Loop2, int::$name])*; five a, six b)
        }
    };
}
int_compare_ops!(compare_tables);

macro_rules! float_compare_tables {
    ($($name:ident($ty:ty, |$a:ident, $b:ident| $e:expr), $neg:ident,)*) => {
        /// The handler of a branch on a comparison of floats.
        pub(crate) fn br_float_compare_handler(op: FloatCompare, loop_slot: u8, a: usize, b: usize) -> Handler {
            pick!(br_float_compare by row_of(op as usize, loop_slot) =>
                $([Absolute, float::$name] [Loop1, float::$name] [Loop2, float::$name])*;
                float_three a, float_three b)
        }
    };
}
float_compare_ops!(float_compare_tables);

/// The handler of a `br_table`.
pub(crate) fn br_table_handler(a: usize) -> Handler {
    pick!(br_table[]; five a)
}

/// The handler of the entry into a loop with a loop slot.
pub(crate) fn enter_loop_handler(loop_slot: u8) -> Handler {
    if loop_slot == 1 {
        enter_loop::<Loop1>
    } else {
        enter_loop::<Loop2>
    }
}

/// The handler that loads pinned locals.
pub(crate) fn pin_handler() -> Handler {
    pin
}

/// The handler of a move between integer classes.
pub(crate) fn mov_handler(a: usize, d: usize) -> Handler {
    pick!(mov[]; six a, five d)
}

/// The handler of a move of 64 bits that are a constant.
pub(crate) fn mov_wide_handler(d: usize) -> Handler {
    pick!(mov_wide[]; five d)
}

/// The handler of a selection.
pub(crate) fn select_handler(c: usize, a: usize, b: usize, d: usize) -> Handler {
    pick!(select[]; five c, six a, six b, two d)
}

/// The handler of `global.get`.
pub(crate) fn global_get_handler(d: usize) -> Handler {
    pick!(global_get[]; five d)
}

/// The handler of `global.set`.
pub(crate) fn global_set_handler(a: usize) -> Handler {
    pick!(global_set[]; six a)
}

/// The handler of `unreachable`.
pub(crate) fn unreachable_handler() -> Handler {
    unreachable
}

/// The handler that charges fuel.
pub(crate) fn consume_fuel_handler() -> Handler {
    consume_fuel
}

/// The handler that checks for interruption.
pub(crate) fn check_interrupt_handler() -> Handler {
    check_interrupt
}
