//! Wide arithmetic: 128-bit sums, differences and products of 64-bit halves.
//!
//! Format: `[handler] [a:16 b:16 c:16 d:16] [low:16 high:16 _]`, with the operands
//! `a` to `d` in the order of the stack, lower halves first.

use super::regs::{Handler, Regs, dispatch, handler};
use wasmparser::Operator;

/// Bytes of such an instruction.
const SIZE: usize = 24;

/// An instruction of this family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WideOp {
    Add128,
    Sub128,
    MulWideS,
    MulWideU,
}

impl WideOp {
    /// The operation of an instruction, if it is one of these.
    pub(crate) fn of(operator: &Operator<'_>) -> Option<Self> {
        Some(match operator {
            Operator::I64Add128 => WideOp::Add128,
            Operator::I64Sub128 => WideOp::Sub128,
            Operator::I64MulWideS => WideOp::MulWideS,
            Operator::I64MulWideU => WideOp::MulWideU,
            _ => return None,
        })
    }

    /// The number of operands.
    pub(crate) fn operands(self) -> usize {
        match self {
            WideOp::Add128 | WideOp::Sub128 => 4,
            WideOp::MulWideS | WideOp::MulWideU => 2,
        }
    }

    /// The handler of the operation.
    pub(crate) fn handler(self) -> Handler {
        match self {
            WideOp::Add128 => add,
            WideOp::Sub128 => sub,
            WideOp::MulWideS => mul_signed,
            WideOp::MulWideU => mul_unsigned,
        }
    }
}

handler! {
    fn add<>(r) {
        let sum = wide(&r, 8).wrapping_add(wide(&r, 12));
        set_result(&mut r, sum);
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn sub<>(r) {
        let difference = wide(&r, 8).wrapping_sub(wide(&r, 12));
        set_result(&mut r, difference);
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn mul_signed<>(r) {
        let (a, b) = (r.slot(r.ip.u16(8)) as i64, r.slot(r.ip.u16(10)) as i64);
        set_result(&mut r, (i128::from(a) * i128::from(b)) as u128);
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn mul_unsigned<>(r) {
        let (a, b) = (r.slot(r.ip.u16(8)), r.slot(r.ip.u16(10)));
        set_result(&mut r, u128::from(a) * u128::from(b));
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

/// The operand whose halves the instruction names at byte `at`.
#[inline(always)]
unsafe fn wide(r: &Regs, at: usize) -> u128 {
    // SAFETY: the contract of all handlers; the format above.
    unsafe {
        let (low, high) = (r.slot(r.ip.u16(at)), r.slot(r.ip.u16(at + 2)));
        u128::from(high) << 64 | u128::from(low)
    }
}

#[inline(always)]
unsafe fn set_result(r: &mut Regs, value: u128) {
    // SAFETY: the contract of all handlers; the format above.
    unsafe {
        r.set_slot(r.ip.u16(16), value as u64);
        r.set_slot(r.ip.u16(18), (value >> 64) as u64);
    }
}
