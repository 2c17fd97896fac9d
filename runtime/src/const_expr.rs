//! Evaluation of constant expressions.

use crate::instance::{func_ref, global_def};
use crate::layout::VmCtx;
use crate::reference::i31_slot;
use rwasm_parser::{ConstExpr, ConstOp};
use thiserror::Error;

/// An instruction that constant expressions may have, but not here yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{instruction} in a constant expression is not supported yet")]
pub struct UnsupportedConst {
    /// Its name.
    pub instruction: &'static str,
}

/// The value of an expression, as slots (see [`crate::layout::GlobalDef`]).
///
/// # Safety
/// `vmctx` is a live instance block, all of whose imports, and globals that the
/// expression names, are in place; the expression is valid for its module.
pub(crate) unsafe fn evaluate(
    vmctx: *mut VmCtx,
    expr: &ConstExpr,
) -> Result<[u64; 2], UnsupportedConst> {
    // Nearly all expressions are one instruction, and need no stack.
    if let [op] = &*expr.0 {
        // SAFETY: as the caller promises.
        if let Some(value) = unsafe { push(vmctx, op) } {
            return Ok(value);
        }
    }
    let mut stack: Vec<[u64; 2]> = Vec::new();
    for op in &expr.0 {
        // SAFETY: as the caller promises.
        if let Some(value) = unsafe { push(vmctx, op) } {
            stack.push(value);
        } else {
            apply(&mut stack, op)?;
        }
    }
    Ok(pop(&mut stack))
}

/// The value of an instruction without operands, if it is one.
///
/// # Safety
/// As for [`evaluate`].
unsafe fn push(vmctx: *mut VmCtx, op: &ConstOp) -> Option<[u64; 2]> {
    Some(match *op {
        ConstOp::I32Const(value) => i32_slots(value),
        ConstOp::I64Const(value) => [value as u64, 0],
        ConstOp::F32Const(bits) => [bits.into(), 0],
        ConstOp::F64Const(bits) => [bits, 0],
        ConstOp::V128Const(bytes) => {
            let value = u128::from_le_bytes(bytes);
            [value as u64, (value >> 64) as u64]
        }
        // SAFETY: as the caller promises.
        ConstOp::GlobalGet(global) => unsafe { (*global_def(vmctx, global)).value },
        ConstOp::RefNull(_) => [0, 0],
        // SAFETY: as the caller promises.
        ConstOp::RefFunc(func) => [unsafe { func_ref(vmctx, func) } as u64, 0],
        _ => return None,
    })
}

/// Applies an instruction to its operands on the stack.
fn apply(stack: &mut Vec<[u64; 2]>, op: &ConstOp) -> Result<(), UnsupportedConst> {
    let unsupported = |instruction| Err(UnsupportedConst { instruction });
    let value = match op {
        ConstOp::I32Add => i32_binary(stack, i32::wrapping_add),
        ConstOp::I32Sub => i32_binary(stack, i32::wrapping_sub),
        ConstOp::I32Mul => i32_binary(stack, i32::wrapping_mul),
        ConstOp::I64Add => i64_binary(stack, u64::wrapping_add),
        ConstOp::I64Sub => i64_binary(stack, u64::wrapping_sub),
        ConstOp::I64Mul => i64_binary(stack, u64::wrapping_mul),
        ConstOp::RefI31 => [i31_slot(pop(stack)[0] as u32), 0],
        // The encoding of references makes both do nothing.
        ConstOp::AnyConvertExtern | ConstOp::ExternConvertAny => return Ok(()),
        ConstOp::StructNew(_) => return unsupported("struct.new"),
        ConstOp::StructNewDefault(_) => return unsupported("struct.new_default"),
        ConstOp::ArrayNew(_) => return unsupported("array.new"),
        ConstOp::ArrayNewDefault(_) => return unsupported("array.new_default"),
        ConstOp::ArrayNewFixed { .. } => return unsupported("array.new_fixed"),
        ConstOp::I32Const(_)
        | ConstOp::I64Const(_)
        | ConstOp::F32Const(_)
        | ConstOp::F64Const(_)
        | ConstOp::V128Const(_)
        | ConstOp::GlobalGet(_)
        | ConstOp::RefNull(_)
        | ConstOp::RefFunc(_) => unreachable!("{op:?} has no operands"),
    };
    stack.push(value);
    Ok(())
}

fn i32_binary(stack: &mut Vec<[u64; 2]>, op: fn(i32, i32) -> i32) -> [u64; 2] {
    let [b, _] = pop(stack);
    let [a, _] = pop(stack);
    i32_slots(op(a as i32, b as i32))
}

fn i64_binary(stack: &mut Vec<[u64; 2]>, op: fn(u64, u64) -> u64) -> [u64; 2] {
    let [b, _] = pop(stack);
    let [a, _] = pop(stack);
    [op(a, b), 0]
}

/// An `i32` in a slot is zero-extended.
fn i32_slots(value: i32) -> [u64; 2] {
    [value as u32 as u64, 0]
}

fn pop(stack: &mut Vec<[u64; 2]>) -> [u64; 2] {
    stack.pop().expect("a constant expression was validated")
}
