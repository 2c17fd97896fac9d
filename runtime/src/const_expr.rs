//! Evaluation of constant expressions.

use crate::gc::Origin;
use crate::gc::layout::Layout;
use crate::instance::{func_ref, global_def};
use crate::layout::VmCtx;
use crate::reference::i31_slot;
use crate::store::Store;
use crate::trap::Trap;
use crate::types::TypeId;
use rwasm_parser::{ConstExpr, ConstOp, TypeIndex};

/// The value of an expression, as slots (see [`crate::layout::GlobalDef`]). It
/// fails if there is no room for an object.
///
/// Nothing may be collected meanwhile, nor before the value is in its place: see
/// [`Store::begin_setup`].
///
/// # Safety
/// `vmctx` is a live instance block, all of whose imports, and globals that the
/// expression names, are in place; the expression is valid for its module.
pub(crate) unsafe fn evaluate(vmctx: *mut VmCtx, expr: &ConstExpr) -> Result<[u64; 2], Trap> {
    // Nearly all expressions are one instruction, and need no stack.
    if let Some(op) = expr.single() {
        // SAFETY: as the caller promises.
        if let Some(value) = unsafe { push(vmctx, &op) } {
            return Ok(value);
        }
    }
    let mut stack: Vec<[u64; 2]> = Vec::new();
    for op in expr.ops() {
        // SAFETY: as the caller promises.
        if let Some(value) = unsafe { push(vmctx, &op) } {
            stack.push(value);
        } else {
            // SAFETY: as the caller promises.
            unsafe { apply(vmctx, &mut stack, &op)? };
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
///
/// # Safety
/// As for [`evaluate`].
unsafe fn apply(vmctx: *mut VmCtx, stack: &mut Vec<[u64; 2]>, op: &ConstOp) -> Result<(), Trap> {
    let value = match *op {
        ConstOp::I32Add => i32_binary(stack, i32::wrapping_add),
        ConstOp::I32Sub => i32_binary(stack, i32::wrapping_sub),
        ConstOp::I32Mul => i32_binary(stack, i32::wrapping_mul),
        ConstOp::I64Add => i64_binary(stack, u64::wrapping_add),
        ConstOp::I64Sub => i64_binary(stack, u64::wrapping_sub),
        ConstOp::I64Mul => i64_binary(stack, u64::wrapping_mul),
        ConstOp::RefI31 => [i31_slot(pop(stack)[0] as u32), 0],
        // The encoding of references makes both do nothing.
        ConstOp::AnyConvertExtern | ConstOp::ExternConvertAny => return Ok(()),
        // SAFETY: as the caller promises.
        ConstOp::StructNew(ty) => unsafe { new_struct(vmctx, ty, Some(stack))? },
        // SAFETY: as the caller promises.
        ConstOp::StructNewDefault(ty) => unsafe { new_struct(vmctx, ty, None)? },
        ConstOp::ArrayNew(ty) => {
            let len = pop(stack)[0] as u32;
            let value = pop(stack);
            // SAFETY: as the caller promises.
            unsafe { new_array(vmctx, ty, len, |_| value)? }
        }
        ConstOp::ArrayNewDefault(ty) => {
            let len = pop(stack)[0] as u32;
            // SAFETY: as the caller promises.
            unsafe { new_array(vmctx, ty, len, |_| [0, 0])? }
        }
        ConstOp::ArrayNewFixed { ty, len } => {
            let values = stack.split_off(stack.len() - len as usize);
            // SAFETY: as the caller promises.
            unsafe { new_array(vmctx, ty, len, |index| values[index as usize])? }
        }
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

/// A struct whose fields are popped, or zeros.
///
/// # Safety
/// As for [`evaluate`].
unsafe fn new_struct(
    vmctx: *mut VmCtx,
    ty: TypeIndex,
    values: Option<&mut Vec<[u64; 2]>>,
) -> Result<[u64; 2], Trap> {
    // SAFETY: as the caller promises; the operands are of the fields' types.
    unsafe {
        let (ctx, ty) = ((*vmctx).store, type_id(vmctx, ty));
        let object = Store::alloc_struct(ctx, Origin::Host, ty)?;
        if let Some(stack) = values {
            let Layout::Struct(layout) = Store::layout_of(ctx, ty) else {
                unreachable!("validated: a struct type")
            };
            let base = (*ctx).gc.base;
            for field in layout.fields.iter().rev() {
                field.write(base, object, pop(stack));
            }
        }
        Ok([object.to_slot(), 0])
    }
}

/// An array of `len` elements.
///
/// # Safety
/// As for [`evaluate`]; the values are of the element type.
unsafe fn new_array(
    vmctx: *mut VmCtx,
    ty: TypeIndex,
    len: u32,
    value: impl Fn(u32) -> [u64; 2],
) -> Result<[u64; 2], Trap> {
    // SAFETY: as the caller promises; there are so many elements.
    unsafe {
        let (ctx, ty) = ((*vmctx).store, type_id(vmctx, ty));
        let object = Store::alloc_array(ctx, Origin::Host, ty, len)?;
        let Layout::Array(layout) = Store::layout_of(ctx, ty) else {
            unreachable!("validated: an array type")
        };
        for index in 0..len {
            let value = value(index);
            if value != [0, 0] {
                layout.at(index).write((*ctx).gc.base, object, value);
            }
        }
        Ok([object.to_slot(), 0])
    }
}

/// # Safety
/// As for [`evaluate`].
unsafe fn type_id(vmctx: *mut VmCtx, ty: TypeIndex) -> TypeId {
    // SAFETY: an instance has the canonical types of its module.
    unsafe { *(*vmctx).type_ids.add(ty.index()) }
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
