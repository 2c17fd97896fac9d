//! One arm per instruction of WebAssembly. What is decoded is validated and lowered
//! at once; no [`Operator`] is made of it but for proposals that have tables of
//! their own.

use super::stack::{Kind, State};
use super::{Lower, LowerError};
use crate::exec::slots::SlotOp;
use crate::inst::{Inst, Src};
use crate::op::{
    FloatBinary as FB, FloatCompare as FC, FloatToInt, FloatTrunc as FT, FloatUnary as FU,
    FloatWidth, IntBinary as B, IntCompare as C, IntDivide as D, IntLoad, IntStore, IntToFloat,
    IntUnary as U,
};
use rwasm_parser::{ParseError, Resources, check_operands};
use wasmparser::{FuncValidator, Operator, VisitOperator, VisitSimdOperator};

/// Lowers the instructions that it visits, and validates each just before if there
/// is a validator.
pub(super) struct Visitor<'l, 'a, 'v> {
    pub(super) lower: &'l mut Lower<'a>,
    pub(super) validator: Option<&'v mut FuncValidator<Resources>>,
}

/// The error is boxed because each of 600 methods returns one.
type Visited = Result<(), Box<LowerError>>;

/// Lowers an instruction, given its name and immediates.
#[rustfmt::skip] // An instruction is a line where it can be.
macro_rules! lower {
    ($l:ident Nop) => {};
    ($l:ident Unreachable) => {
        $l.emit(Inst::Unreachable);
        $l.dead = true;
    };
    ($l:ident Block $ty:ident) => { $l.block($ty) };
    ($l:ident Loop $ty:ident) => { $l.loop_($ty) };
    ($l:ident If $ty:ident) => { $l.if_($ty) };
    ($l:ident Else) => { $l.else_() };
    ($l:ident End) => { $l.end() };
    ($l:ident Br $depth:ident) => {
        $l.br($depth);
        $l.dead = true;
    };
    ($l:ident BrIf $depth:ident) => { $l.br_if($depth) };
    ($l:ident BrTable $table:ident) => { $l.br_table(&$table)? };
    ($l:ident Return) => {
        $l.return_();
        $l.dead = true;
    };
    ($l:ident Call $func:ident) => { $l.call($func, false) };
    ($l:ident ReturnCall $func:ident) => { $l.call($func, true) };
    ($l:ident CallIndirect $ty:ident $table:ident) => { $l.call_indirect($table, $ty, false) };
    ($l:ident ReturnCallIndirect $ty:ident $table:ident) => { $l.call_indirect($table, $ty, true) };
    ($l:ident CallRef $ty:ident) => { $l.call_ref($ty, false) };
    ($l:ident ReturnCallRef $ty:ident) => { $l.call_ref($ty, true) };
    ($l:ident TryTable $table:ident) => { $l.try_table(&$table) };
    ($l:ident Throw $tag:ident) => { $l.throw($tag) };
    ($l:ident ThrowRef) => { $l.throw_ref() };
    ($l:ident Try $ty:ident) => { $l.legacy_try($ty) };
    ($l:ident Catch $tag:ident) => { $l.legacy_catch(Some($tag)) };
    ($l:ident CatchAll) => { $l.legacy_catch(None) };
    ($l:ident Rethrow $depth:ident) => { $l.rethrow($depth) };
    ($l:ident Delegate $depth:ident) => { $l.delegate($depth) };
    ($l:ident Drop) => { $l.pop_entry() };
    ($l:ident Select) => { $l.select() };
    ($l:ident TypedSelect $($ignored:ident)*) => { $l.select() };

    ($l:ident LocalGet $local:ident) => {
        $l.push_local($local);
    };
    ($l:ident LocalSet $local:ident) => { $l.set_local($local, false) };
    ($l:ident LocalTee $local:ident) => { $l.set_local($local, true) };
    ($l:ident GlobalGet $global:ident) => { $l.global_get($global) };
    ($l:ident GlobalSet $global:ident) => { $l.global_set($global) };

    ($l:ident I32Const $value:ident) => { $l.push_const(Kind::Int, u64::from($value as u32)) };
    ($l:ident I64Const $value:ident) => { $l.push_const(Kind::Int, $value as u64) };
    ($l:ident F32Const $value:ident) => { $l.push_const(Kind::Float, u64::from($value.bits())) };
    ($l:ident F64Const $value:ident) => { $l.push_const(Kind::Float, $value.bits()) };

    ($l:ident RefNull $($ignored:ident)*) => { $l.push_const(Kind::Int, 0) };
    ($l:ident RefIsNull) => { $l.compare(C::I64Eq, |lower| lower.push_const(Kind::Int, 0)) };
    ($l:ident RefFunc $func:ident) => {
        $l.emit_to_slot(Kind::Int, |slot| Inst::Slots {
            op: SlotOp::RefFunc,
            s: [slot, 0, 0],
            x: $func,
            y: 0,
        })
    };
    ($l:ident RefAsNonNull) => {
        let top = $l.stack.len() - 1;
        if !matches!($l.stack[top].state, State::Local(_)) {
            $l.materialise(top);
        }
        let Src::Slot(slot) = $l.slot_source(top) else {
            unreachable!("materialised")
        };
        $l.emit_slots(SlotOp::NullCheck, [slot, 0, 0], 0, 0);
        if let State::Temp { def, .. } = &mut $l.stack[top].state {
            // It was looked at in its slot: its result must not be
            // sent anywhere else.
            *def = None;
        }
    };
    ($l:ident BrOnNull $depth:ident) => { $l.br_on_null($depth) };
    ($l:ident BrOnNonNull $depth:ident) => { $l.br_on_non_null($depth) };

    ($l:ident I32Load $memarg:ident) => { $l.load(IntLoad::Load32U, &$memarg) };
    ($l:ident I64Load $memarg:ident) => { $l.load(IntLoad::Load64, &$memarg) };
    ($l:ident F32Load $memarg:ident) => { $l.float_load(FloatWidth::F32, &$memarg) };
    ($l:ident F64Load $memarg:ident) => { $l.float_load(FloatWidth::F64, &$memarg) };
    ($l:ident I32Load8S $memarg:ident) => { $l.load(IntLoad::Load8S32, &$memarg) };
    ($l:ident I32Load8U $memarg:ident) => { $l.load(IntLoad::Load8U, &$memarg) };
    ($l:ident I64Load8U $memarg:ident) => { $l.load(IntLoad::Load8U, &$memarg) };
    ($l:ident I32Load16S $memarg:ident) => { $l.load(IntLoad::Load16S32, &$memarg) };
    ($l:ident I32Load16U $memarg:ident) => { $l.load(IntLoad::Load16U, &$memarg) };
    ($l:ident I64Load16U $memarg:ident) => { $l.load(IntLoad::Load16U, &$memarg) };
    ($l:ident I64Load8S $memarg:ident) => { $l.load(IntLoad::Load8S64, &$memarg) };
    ($l:ident I64Load16S $memarg:ident) => { $l.load(IntLoad::Load16S64, &$memarg) };
    ($l:ident I64Load32S $memarg:ident) => { $l.load(IntLoad::Load32S64, &$memarg) };
    ($l:ident I64Load32U $memarg:ident) => { $l.load(IntLoad::Load32U, &$memarg) };
    ($l:ident I32Store $memarg:ident) => { $l.store(IntStore::Store32, &$memarg) };
    ($l:ident I64Store32 $memarg:ident) => {
        $l.store(IntStore::Store32, &$memarg);
        // What is stored is not what is loaded: the upper half is lost.
        $l.stored = None;
    };
    ($l:ident I64Store $memarg:ident) => { $l.store(IntStore::Store64, &$memarg) };
    ($l:ident F32Store $memarg:ident) => { $l.float_store(FloatWidth::F32, &$memarg) };
    ($l:ident F64Store $memarg:ident) => { $l.float_store(FloatWidth::F64, &$memarg) };
    ($l:ident I32Store8 $memarg:ident) => { $l.store(IntStore::Store8, &$memarg) };
    ($l:ident I64Store8 $memarg:ident) => { $l.store(IntStore::Store8, &$memarg) };
    ($l:ident I32Store16 $memarg:ident) => { $l.store(IntStore::Store16, &$memarg) };
    ($l:ident I64Store16 $memarg:ident) => { $l.store(IntStore::Store16, &$memarg) };
    ($l:ident MemorySize $mem:ident) => { $l.slot_result(SlotOp::MemorySize, 0, $mem, 0) };
    ($l:ident MemoryGrow $mem:ident) => {
        let wide = u32::from($l.module.memories()[$mem as usize].index64);
        $l.slot_result(SlotOp::MemoryGrow, 1, $mem, wide);
    };
    ($l:ident MemoryFill $mem:ident) => { $l.slot_effect(SlotOp::MemoryFill, $mem, 0) };
    ($l:ident MemoryCopy $dst_mem:ident $src_mem:ident) => { $l.slot_effect(SlotOp::MemoryCopy, $dst_mem, $src_mem) };
    ($l:ident MemoryInit $data_index:ident $mem:ident) => { $l.slot_effect(SlotOp::MemoryInit, $mem, $data_index) };
    ($l:ident DataDrop $data_index:ident) => { $l.emit_slots(SlotOp::DataDrop, [0; 3], $data_index, 0) };
    ($l:ident TableGet $table:ident) => {
        let table = $l.code.offsets.table($table);
        $l.slot_result(SlotOp::TableGet, 1, table, 0);
    };
    ($l:ident TableSet $table:ident) => {
        let table = $l.code.offsets.table($table);
        let value = $l.pop_slot();
        let index = $l.pop_slot();
        $l.emit_slots(SlotOp::TableSet, [index, value, 0], table, 0);
    };
    ($l:ident TableSize $table:ident) => {
        let table = $l.code.offsets.table($table);
        $l.slot_result(SlotOp::TableSize, 0, table, 0);
    };
    ($l:ident TableGrow $table:ident) => {
        let wide = u32::from($l.module.tables()[$table as usize].ty.index64);
        $l.slot_result(SlotOp::TableGrow, 2, $table, wide);
    };
    ($l:ident TableFill $table:ident) => { $l.slot_effect(SlotOp::TableFill, $table, 0) };
    ($l:ident TableCopy $dst_table:ident $src_table:ident) => { $l.slot_effect(SlotOp::TableCopy, $dst_table, $src_table) };
    ($l:ident TableInit $elem_index:ident $table:ident) => { $l.slot_effect(SlotOp::TableInit, $table, $elem_index) };
    ($l:ident ElemDrop $elem_index:ident) => { $l.emit_slots(SlotOp::ElemDrop, [0; 3], $elem_index, 0) };

    ($l:ident I32Eqz) => { $l.eqz(U::I32Eqz) };
    ($l:ident I64Eqz) => { $l.eqz(U::I64Eqz) };
    ($l:ident I32Eq) => { $l.compare(C::I32Eq, |_| {}) };
    ($l:ident I32Ne) => { $l.compare(C::I32Ne, |_| {}) };
    ($l:ident I32LtS) => { $l.compare(C::I32LtS, |_| {}) };
    ($l:ident I32LtU) => { $l.compare(C::I32LtU, |_| {}) };
    ($l:ident I32GtS) => { $l.compare_swapped(C::I32LtS) };
    ($l:ident I32GtU) => { $l.compare_swapped(C::I32LtU) };
    ($l:ident I32LeS) => { $l.compare(C::I32LeS, |_| {}) };
    ($l:ident I32LeU) => { $l.compare(C::I32LeU, |_| {}) };
    ($l:ident I32GeS) => { $l.compare_swapped(C::I32LeS) };
    ($l:ident I32GeU) => { $l.compare_swapped(C::I32LeU) };
    ($l:ident I64Eq) => { $l.compare(C::I64Eq, |_| {}) };
    ($l:ident I64Ne) => { $l.compare(C::I64Ne, |_| {}) };
    ($l:ident I64LtS) => { $l.compare(C::I64LtS, |_| {}) };
    ($l:ident I64LtU) => { $l.compare(C::I64LtU, |_| {}) };
    ($l:ident I64GtS) => { $l.compare_swapped(C::I64LtS) };
    ($l:ident I64GtU) => { $l.compare_swapped(C::I64LtU) };
    ($l:ident I64LeS) => { $l.compare(C::I64LeS, |_| {}) };
    ($l:ident I64LeU) => { $l.compare(C::I64LeU, |_| {}) };
    ($l:ident I64GeS) => { $l.compare_swapped(C::I64LeS) };
    ($l:ident I64GeU) => { $l.compare_swapped(C::I64LeU) };
    ($l:ident F32Eq) => { $l.float_compare(FC::F32Eq, false) };
    ($l:ident F32Ne) => { $l.float_compare(FC::F32Ne, false) };
    ($l:ident F32Lt) => { $l.float_compare(FC::F32Lt, false) };
    ($l:ident F32Gt) => { $l.float_compare(FC::F32Lt, true) };
    ($l:ident F32Le) => { $l.float_compare(FC::F32Le, false) };
    ($l:ident F32Ge) => { $l.float_compare(FC::F32Le, true) };
    ($l:ident F64Eq) => { $l.float_compare(FC::F64Eq, false) };
    ($l:ident F64Ne) => { $l.float_compare(FC::F64Ne, false) };
    ($l:ident F64Lt) => { $l.float_compare(FC::F64Lt, false) };
    ($l:ident F64Gt) => { $l.float_compare(FC::F64Lt, true) };
    ($l:ident F64Le) => { $l.float_compare(FC::F64Le, false) };
    ($l:ident F64Ge) => { $l.float_compare(FC::F64Le, true) };

    ($l:ident I32Clz) => { $l.unary(U::I32Clz) };
    ($l:ident I32Ctz) => { $l.unary(U::I32Ctz) };
    ($l:ident I32Popcnt) => { $l.unary(U::I32Popcnt) };
    ($l:ident I64Clz) => { $l.unary(U::I64Clz) };
    ($l:ident I64Ctz) => { $l.unary(U::I64Ctz) };
    ($l:ident I64Popcnt) => { $l.unary(U::I64Popcnt) };
    ($l:ident I32WrapI64) => { $l.unary(U::I32WrapI64) };
    ($l:ident I64ExtendI32S) => { $l.unary(U::I64ExtendI32S) };
    ($l:ident I64Extend32S) => { $l.unary(U::I64ExtendI32S) };
    // An i32 is zero-extended wherever it is.
    ($l:ident I64ExtendI32U) => {};
    ($l:ident I32Extend8S) => { $l.unary(U::I32Extend8S) };
    ($l:ident I32Extend16S) => { $l.unary(U::I32Extend16S) };
    ($l:ident I64Extend8S) => { $l.unary(U::I64Extend8S) };
    ($l:ident I64Extend16S) => { $l.unary(U::I64Extend16S) };

    ($l:ident I32Add) => { $l.binary(B::I32Add) };
    ($l:ident I32Sub) => { $l.binary(B::I32Sub) };
    ($l:ident I32Mul) => { $l.binary(B::I32Mul) };
    ($l:ident I32And) => { $l.binary(B::I32And) };
    ($l:ident I32Or) => { $l.binary(B::I32Or) };
    ($l:ident I32Xor) => { $l.binary(B::I32Xor) };
    ($l:ident I32Shl) => { $l.binary(B::I32Shl) };
    ($l:ident I32ShrS) => { $l.binary(B::I32ShrS) };
    ($l:ident I32ShrU) => { $l.binary(B::I32ShrU) };
    ($l:ident I32Rotl) => { $l.binary(B::I32Rotl) };
    ($l:ident I32Rotr) => { $l.binary(B::I32Rotr) };
    ($l:ident I64Add) => { $l.binary(B::I64Add) };
    ($l:ident I64Sub) => { $l.binary(B::I64Sub) };
    ($l:ident I64Mul) => { $l.binary(B::I64Mul) };
    ($l:ident I64And) => { $l.binary(B::I64And) };
    ($l:ident I64Or) => { $l.binary(B::I64Or) };
    ($l:ident I64Xor) => { $l.binary(B::I64Xor) };
    ($l:ident I64Shl) => { $l.binary(B::I64Shl) };
    ($l:ident I64ShrS) => { $l.binary(B::I64ShrS) };
    ($l:ident I64ShrU) => { $l.binary(B::I64ShrU) };
    ($l:ident I64Rotl) => { $l.binary(B::I64Rotl) };
    ($l:ident I64Rotr) => { $l.binary(B::I64Rotr) };
    ($l:ident I32DivS) => { $l.divide(D::I32DivS) };
    ($l:ident I32DivU) => { $l.divide(D::I32DivU) };
    ($l:ident I32RemS) => { $l.divide(D::I32RemS) };
    ($l:ident I32RemU) => { $l.divide(D::I32RemU) };
    ($l:ident I64DivS) => { $l.divide(D::I64DivS) };
    ($l:ident I64DivU) => { $l.divide(D::I64DivU) };
    ($l:ident I64RemS) => { $l.divide(D::I64RemS) };
    ($l:ident I64RemU) => { $l.divide(D::I64RemU) };

    ($l:ident F32Abs) => { $l.float_unary(FU::F32Abs) };
    ($l:ident F32Neg) => { $l.float_unary(FU::F32Neg) };
    ($l:ident F32Ceil) => { $l.float_unary(FU::F32Ceil) };
    ($l:ident F32Floor) => { $l.float_unary(FU::F32Floor) };
    ($l:ident F32Trunc) => { $l.float_unary(FU::F32Trunc) };
    ($l:ident F32Nearest) => { $l.float_unary(FU::F32Nearest) };
    ($l:ident F32Sqrt) => { $l.float_unary(FU::F32Sqrt) };
    ($l:ident F64Abs) => { $l.float_unary(FU::F64Abs) };
    ($l:ident F64Neg) => { $l.float_unary(FU::F64Neg) };
    ($l:ident F64Ceil) => { $l.float_unary(FU::F64Ceil) };
    ($l:ident F64Floor) => { $l.float_unary(FU::F64Floor) };
    ($l:ident F64Trunc) => { $l.float_unary(FU::F64Trunc) };
    ($l:ident F64Nearest) => { $l.float_unary(FU::F64Nearest) };
    ($l:ident F64Sqrt) => { $l.float_unary(FU::F64Sqrt) };
    ($l:ident F32DemoteF64) => { $l.float_unary(FU::F32DemoteF64) };
    ($l:ident F64PromoteF32) => { $l.float_unary(FU::F64PromoteF32) };
    ($l:ident F32Add) => { $l.float_binary(FB::F32Add) };
    ($l:ident F32Sub) => { $l.float_binary(FB::F32Sub) };
    ($l:ident F32Mul) => { $l.float_binary(FB::F32Mul) };
    ($l:ident F32Div) => { $l.float_binary(FB::F32Div) };
    ($l:ident F32Min) => { $l.float_binary(FB::F32Min) };
    ($l:ident F32Max) => { $l.float_binary(FB::F32Max) };
    ($l:ident F32Copysign) => { $l.float_binary(FB::F32Copysign) };
    ($l:ident F64Add) => { $l.float_binary(FB::F64Add) };
    ($l:ident F64Sub) => { $l.float_binary(FB::F64Sub) };
    ($l:ident F64Mul) => { $l.float_binary(FB::F64Mul) };
    ($l:ident F64Div) => { $l.float_binary(FB::F64Div) };
    ($l:ident F64Min) => { $l.float_binary(FB::F64Min) };
    ($l:ident F64Max) => { $l.float_binary(FB::F64Max) };
    ($l:ident F64Copysign) => { $l.float_binary(FB::F64Copysign) };

    ($l:ident F32ConvertI32S) => { $l.convert_from_int(IntToFloat::F32ConvertI32S) };
    ($l:ident F32ConvertI32U) => { $l.convert_from_int(IntToFloat::F32ConvertI32U) };
    ($l:ident F32ConvertI64S) => { $l.convert_from_int(IntToFloat::F32ConvertI64S) };
    ($l:ident F32ConvertI64U) => { $l.convert_from_int(IntToFloat::F32ConvertI64U) };
    ($l:ident F64ConvertI32S) => { $l.convert_from_int(IntToFloat::F64ConvertI32S) };
    ($l:ident F64ConvertI32U) => { $l.convert_from_int(IntToFloat::F64ConvertI32U) };
    ($l:ident F64ConvertI64S) => { $l.convert_from_int(IntToFloat::F64ConvertI64S) };
    ($l:ident F64ConvertI64U) => { $l.convert_from_int(IntToFloat::F64ConvertI64U) };
    ($l:ident F32ReinterpretI32) => { $l.convert_from_int(IntToFloat::F32ReinterpretI32) };
    ($l:ident F64ReinterpretI64) => { $l.convert_from_int(IntToFloat::F64ReinterpretI64) };
    ($l:ident I32ReinterpretF32) => { $l.convert_to_int(FloatToInt::I32ReinterpretF32) };
    ($l:ident I64ReinterpretF64) => { $l.convert_to_int(FloatToInt::I64ReinterpretF64) };
    ($l:ident I32TruncSatF32S) => { $l.convert_to_int(FloatToInt::I32TruncSatF32S) };
    ($l:ident I32TruncSatF32U) => { $l.convert_to_int(FloatToInt::I32TruncSatF32U) };
    ($l:ident I32TruncSatF64S) => { $l.convert_to_int(FloatToInt::I32TruncSatF64S) };
    ($l:ident I32TruncSatF64U) => { $l.convert_to_int(FloatToInt::I32TruncSatF64U) };
    ($l:ident I64TruncSatF32S) => { $l.convert_to_int(FloatToInt::I64TruncSatF32S) };
    ($l:ident I64TruncSatF32U) => { $l.convert_to_int(FloatToInt::I64TruncSatF32U) };
    ($l:ident I64TruncSatF64S) => { $l.convert_to_int(FloatToInt::I64TruncSatF64S) };
    ($l:ident I64TruncSatF64U) => { $l.convert_to_int(FloatToInt::I64TruncSatF64U) };
    ($l:ident I32TruncF32S) => { $l.trunc(FT::I32TruncF32S) };
    ($l:ident I32TruncF32U) => { $l.trunc(FT::I32TruncF32U) };
    ($l:ident I32TruncF64S) => { $l.trunc(FT::I32TruncF64S) };
    ($l:ident I32TruncF64U) => { $l.trunc(FT::I32TruncF64U) };
    ($l:ident I64TruncF32S) => { $l.trunc(FT::I64TruncF32S) };
    ($l:ident I64TruncF32U) => { $l.trunc(FT::I64TruncF32U) };
    ($l:ident I64TruncF64S) => { $l.trunc(FT::I64TruncF64S) };
    ($l:ident I64TruncF64U) => { $l.trunc(FT::I64TruncF64U) };

    // All others.
    ($l:ident $op:ident $($immediate:ident)*) => {
        $l.other(&Operator::$op { $($immediate),* })?
    };
}

/// In dead code: follows the nesting, and says whether the instruction is the
/// `else`, `catch` or end of the block that died.
#[rustfmt::skip] // As above.
macro_rules! revives {
    ($l:ident Block) => { $l.begin_dead_block() };
    ($l:ident Loop) => { $l.begin_dead_block() };
    ($l:ident If) => { $l.begin_dead_block() };
    ($l:ident TryTable) => { $l.begin_dead_block() };
    ($l:ident Try) => { $l.begin_dead_block() };
    ($l:ident Else) => { $l.dead_blocks == 0 };
    ($l:ident Catch) => { $l.dead_blocks == 0 };
    ($l:ident CatchAll) => { $l.dead_blocks == 0 };
    ($l:ident End) => { $l.end_dead_block() };
    ($l:ident Delegate) => { $l.end_dead_block() };
    ($l:ident $other:ident) => { false };
}

macro_rules! visits {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        $(visit!(visitor $op $visit $($($arg: $ty),*)?);)*
    };
}

macro_rules! simd_visits {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        $(visit!(simd_visitor $op $visit $($($arg: $ty),*)?);)*
    };
}

macro_rules! visit {
    ($visitor:ident $op:ident $visit:ident $($arg:ident: $ty:ty),*) => {
        fn $visit(&mut self $(, $arg: $ty)*) -> Visited {
            let lower = &mut *self.lower;
            if let Some(validator) = &mut self.validator {
                let visited = validator.$visitor(lower.offset.into()).$visit($($arg.clone()),*);
                visited.map_err(invalid)?;
                check_operands(validator).map_err(invalid)?;
            }
            if lower.dead && !revives!(lower $op) {
                return Ok(());
            }
            lower.charge_fuel();
            lower!(lower $op $($arg)*);
            Ok(())
        }
    };
}

#[allow(clippy::clone_on_copy, reason = "most immediates are, not all")]
impl<'a> VisitOperator<'a> for Visitor<'_, '_, '_> {
    type Output = Visited;

    fn simd_visitor(&mut self) -> Option<&mut dyn VisitSimdOperator<'a, Output = Visited>> {
        Some(self)
    }

    wasmparser::for_each_visit_operator!(visits);
}

#[allow(clippy::clone_on_copy, reason = "as above")]
impl<'a> VisitSimdOperator<'a> for Visitor<'_, '_, '_> {
    wasmparser::for_each_visit_simd_operator!(simd_visits);
}

#[cold]
fn invalid(error: impl Into<ParseError>) -> Box<LowerError> {
    Box::new(LowerError::Invalid(error.into()))
}
