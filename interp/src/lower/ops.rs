//! One arm per instruction of WebAssembly.

use super::stack::{Kind, State};
use super::{Lower, LowerError};
use crate::arch;
use crate::exec::simd::SimdOp;
use crate::exec::slots::SlotOp;
use crate::inst::{Dst, Inst, Jump, Src};
use crate::op::*;
use wasmparser::{Operator, OperatorsReader};

impl Lower<'_> {
    /// Lowers the instruction at `offset`; `rest` is what follows it. Returns
    /// whether it ended the function.
    pub(super) fn operator(
        &mut self,
        operator: &Operator<'_>,
        offset: u64,
        rest: &OperatorsReader<'_>,
    ) -> Result<bool, LowerError> {
        if self.dead && !self.revives(operator) {
            return Ok(false);
        }
        self.charge_fuel();
        use FloatBinary as FB;
        use FloatCompare as FC;
        use FloatTrunc as FT;
        use FloatUnary as FU;
        use IntBinary as B;
        use IntCompare as C;
        use IntDivide as D;
        use IntUnary as U;
        use Operator as O;
        match *operator {
            O::Nop => {}
            O::Unreachable => {
                self.emit(Inst::Unreachable);
                self.dead = true;
            }
            O::Block { blockty } => self.block(blockty),
            O::Loop { blockty } => self.loop_(blockty, offset, rest),
            O::If { blockty } => self.if_(blockty),
            O::Else => self.else_(),
            O::End => return Ok(self.end()),
            O::Br { relative_depth } => {
                self.br(relative_depth);
                self.dead = true;
            }
            O::BrIf { relative_depth } => self.br_if(relative_depth),
            O::BrTable { ref targets } => self.br_table(targets)?,
            O::Return => {
                self.return_();
                self.dead = true;
            }
            O::Call { function_index } => self.call(function_index, false),
            O::ReturnCall { function_index } => self.call(function_index, true),
            O::CallIndirect {
                type_index,
                table_index,
            } => {
                self.call_indirect(table_index, type_index, false);
            }
            O::ReturnCallIndirect {
                type_index,
                table_index,
            } => {
                self.call_indirect(table_index, type_index, true);
            }
            O::CallRef { type_index } => self.call_ref(type_index, false),
            O::ReturnCallRef { type_index } => self.call_ref(type_index, true),
            O::TryTable { ref try_table } => self.try_table(try_table),
            O::Throw { tag_index } => self.throw(tag_index),
            O::ThrowRef => self.throw_ref(),
            O::Try { blockty } => self.legacy_try(blockty),
            O::Catch { tag_index } => self.legacy_catch(Some(tag_index)),
            O::CatchAll => self.legacy_catch(None),
            O::Rethrow { relative_depth } => self.rethrow(relative_depth),
            O::Delegate { relative_depth } => self.delegate(relative_depth),
            O::Drop => {
                self.pop_entry();
            }
            O::Select | O::TypedSelect { .. } => self.select(),

            O::LocalGet { local_index } => {
                self.note_read(local_index);
                let kind = self.locals[local_index as usize].kind;
                self.push(kind, State::Local(local_index));
            }
            O::LocalSet { local_index } => self.set_local(local_index, false),
            O::LocalTee { local_index } => self.set_local(local_index, true),
            O::GlobalGet { global_index } => self.global_get(global_index),
            O::GlobalSet { global_index } => self.global_set(global_index),

            O::I32Const { value } => self.push_const(Kind::Int, u64::from(value as u32)),
            O::I64Const { value } => self.push_const(Kind::Int, value as u64),
            O::F32Const { value } => self.push_const(Kind::Float, u64::from(value.bits())),
            O::F64Const { value } => self.push_const(Kind::Float, value.bits()),

            O::RefNull { .. } => self.push_const(Kind::Int, 0),
            O::RefIsNull => self.compare(C::I64Eq, |lower| lower.push_const(Kind::Int, 0)),
            O::RefFunc { function_index } => self.emit_to_slot(Kind::Int, |slot| Inst::Slots {
                op: SlotOp::RefFunc,
                s: [slot, 0, 0],
                x: function_index,
                y: 0,
            }),
            O::RefAsNonNull => {
                let top = self.stack.len() - 1;
                if !matches!(self.stack[top].state, State::Local(_)) {
                    self.materialise(top);
                }
                let Src::Slot(slot) = self.slot_source(top) else {
                    unreachable!("materialised")
                };
                self.emit_slots(SlotOp::NullCheck, [slot, 0, 0], 0, 0);
                if let State::Temp { def, .. } = &mut self.stack[top].state {
                    // It was looked at in its slot: its result must not be
                    // sent anywhere else.
                    *def = None;
                }
            }
            O::BrOnNull { relative_depth } => self.br_on_null(relative_depth),
            O::BrOnNonNull { relative_depth } => self.br_on_non_null(relative_depth),

            O::I32Load { ref memarg } => self.load(IntLoad::Load32U, memarg),
            O::I64Load { ref memarg } => self.load(IntLoad::Load64, memarg),
            O::F32Load { ref memarg } => self.float_load(FloatWidth::F32, memarg),
            O::F64Load { ref memarg } => self.float_load(FloatWidth::F64, memarg),
            O::I32Load8S { ref memarg } => self.load(IntLoad::Load8S32, memarg),
            O::I32Load8U { ref memarg } | O::I64Load8U { ref memarg } => {
                self.load(IntLoad::Load8U, memarg);
            }
            O::I32Load16S { ref memarg } => self.load(IntLoad::Load16S32, memarg),
            O::I32Load16U { ref memarg } | O::I64Load16U { ref memarg } => {
                self.load(IntLoad::Load16U, memarg);
            }
            O::I64Load8S { ref memarg } => self.load(IntLoad::Load8S64, memarg),
            O::I64Load16S { ref memarg } => self.load(IntLoad::Load16S64, memarg),
            O::I64Load32S { ref memarg } => self.load(IntLoad::Load32S64, memarg),
            O::I64Load32U { ref memarg } => self.load(IntLoad::Load32U, memarg),
            O::I32Store { ref memarg } => self.store(IntStore::Store32, memarg),
            O::I64Store32 { ref memarg } => {
                self.store(IntStore::Store32, memarg);
                // What is stored is not what is loaded: the upper half is lost.
                self.stored = None;
            }
            O::I64Store { ref memarg } => self.store(IntStore::Store64, memarg),
            O::F32Store { ref memarg } => self.float_store(FloatWidth::F32, memarg),
            O::F64Store { ref memarg } => self.float_store(FloatWidth::F64, memarg),
            O::I32Store8 { ref memarg } | O::I64Store8 { ref memarg } => {
                self.store(IntStore::Store8, memarg);
            }
            O::I32Store16 { ref memarg } | O::I64Store16 { ref memarg } => {
                self.store(IntStore::Store16, memarg);
            }
            O::MemorySize { mem } => self.slot_result(SlotOp::MemorySize, 0, mem, 0),
            O::MemoryGrow { mem } => {
                let wide = u32::from(self.module.memories()[mem as usize].index64);
                self.slot_result(SlotOp::MemoryGrow, 1, mem, wide);
            }
            O::MemoryFill { mem } => self.slot_effect(SlotOp::MemoryFill, mem, 0),
            O::MemoryCopy { dst_mem, src_mem } => {
                self.slot_effect(SlotOp::MemoryCopy, dst_mem, src_mem);
            }
            O::MemoryInit { data_index, mem } => {
                self.slot_effect(SlotOp::MemoryInit, mem, data_index);
            }
            O::DataDrop { data_index } => self.emit_slots(SlotOp::DataDrop, [0; 3], data_index, 0),
            O::TableGet { table } => {
                let table = self.code.offsets.table(table);
                self.slot_result(SlotOp::TableGet, 1, table, 0);
            }
            O::TableSet { table } => {
                let table = self.code.offsets.table(table);
                let value = self.pop_slot();
                let index = self.pop_slot();
                self.emit_slots(SlotOp::TableSet, [index, value, 0], table, 0);
            }
            O::TableSize { table } => {
                let table = self.code.offsets.table(table);
                self.slot_result(SlotOp::TableSize, 0, table, 0);
            }
            O::TableGrow { table } => {
                let wide = u32::from(self.module.tables()[table as usize].ty.index64);
                self.slot_result(SlotOp::TableGrow, 2, table, wide);
            }
            O::TableFill { table } => self.slot_effect(SlotOp::TableFill, table, 0),
            O::TableCopy {
                dst_table,
                src_table,
            } => {
                self.slot_effect(SlotOp::TableCopy, dst_table, src_table);
            }
            O::TableInit { elem_index, table } => {
                self.slot_effect(SlotOp::TableInit, table, elem_index);
            }
            O::ElemDrop { elem_index } => self.emit_slots(SlotOp::ElemDrop, [0; 3], elem_index, 0),

            O::I32Eqz => self.eqz(U::I32Eqz),
            O::I64Eqz => self.eqz(U::I64Eqz),
            O::I32Eq => self.compare(C::I32Eq, |_| {}),
            O::I32Ne => self.compare(C::I32Ne, |_| {}),
            O::I32LtS => self.compare(C::I32LtS, |_| {}),
            O::I32LtU => self.compare(C::I32LtU, |_| {}),
            O::I32GtS => self.compare_swapped(C::I32LtS),
            O::I32GtU => self.compare_swapped(C::I32LtU),
            O::I32LeS => self.compare(C::I32LeS, |_| {}),
            O::I32LeU => self.compare(C::I32LeU, |_| {}),
            O::I32GeS => self.compare_swapped(C::I32LeS),
            O::I32GeU => self.compare_swapped(C::I32LeU),
            O::I64Eq => self.compare(C::I64Eq, |_| {}),
            O::I64Ne => self.compare(C::I64Ne, |_| {}),
            O::I64LtS => self.compare(C::I64LtS, |_| {}),
            O::I64LtU => self.compare(C::I64LtU, |_| {}),
            O::I64GtS => self.compare_swapped(C::I64LtS),
            O::I64GtU => self.compare_swapped(C::I64LtU),
            O::I64LeS => self.compare(C::I64LeS, |_| {}),
            O::I64LeU => self.compare(C::I64LeU, |_| {}),
            O::I64GeS => self.compare_swapped(C::I64LeS),
            O::I64GeU => self.compare_swapped(C::I64LeU),
            O::F32Eq => self.float_compare(FC::F32Eq, false),
            O::F32Ne => self.float_compare(FC::F32Ne, false),
            O::F32Lt => self.float_compare(FC::F32Lt, false),
            O::F32Gt => self.float_compare(FC::F32Lt, true),
            O::F32Le => self.float_compare(FC::F32Le, false),
            O::F32Ge => self.float_compare(FC::F32Le, true),
            O::F64Eq => self.float_compare(FC::F64Eq, false),
            O::F64Ne => self.float_compare(FC::F64Ne, false),
            O::F64Lt => self.float_compare(FC::F64Lt, false),
            O::F64Gt => self.float_compare(FC::F64Lt, true),
            O::F64Le => self.float_compare(FC::F64Le, false),
            O::F64Ge => self.float_compare(FC::F64Le, true),

            O::I32Clz => self.unary(U::I32Clz),
            O::I32Ctz => self.unary(U::I32Ctz),
            O::I32Popcnt => self.unary(U::I32Popcnt),
            O::I64Clz => self.unary(U::I64Clz),
            O::I64Ctz => self.unary(U::I64Ctz),
            O::I64Popcnt => self.unary(U::I64Popcnt),
            O::I32WrapI64 => self.unary(U::I32WrapI64),
            O::I64ExtendI32S | O::I64Extend32S => self.unary(U::I64ExtendI32S),
            // An i32 is zero-extended wherever it is.
            O::I64ExtendI32U => {}
            O::I32Extend8S => self.unary(U::I32Extend8S),
            O::I32Extend16S => self.unary(U::I32Extend16S),
            O::I64Extend8S => self.unary(U::I64Extend8S),
            O::I64Extend16S => self.unary(U::I64Extend16S),

            O::I32Add => self.binary(B::I32Add),
            O::I32Sub => self.binary(B::I32Sub),
            O::I32Mul => self.binary(B::I32Mul),
            O::I32And => self.binary(B::I32And),
            O::I32Or => self.binary(B::I32Or),
            O::I32Xor => self.binary(B::I32Xor),
            O::I32Shl => self.binary(B::I32Shl),
            O::I32ShrS => self.binary(B::I32ShrS),
            O::I32ShrU => self.binary(B::I32ShrU),
            O::I32Rotl => self.binary(B::I32Rotl),
            O::I32Rotr => self.binary(B::I32Rotr),
            O::I64Add => self.binary(B::I64Add),
            O::I64Sub => self.binary(B::I64Sub),
            O::I64Mul => self.binary(B::I64Mul),
            O::I64And => self.binary(B::I64And),
            O::I64Or => self.binary(B::I64Or),
            O::I64Xor => self.binary(B::I64Xor),
            O::I64Shl => self.binary(B::I64Shl),
            O::I64ShrS => self.binary(B::I64ShrS),
            O::I64ShrU => self.binary(B::I64ShrU),
            O::I64Rotl => self.binary(B::I64Rotl),
            O::I64Rotr => self.binary(B::I64Rotr),
            O::I32DivS => self.divide(D::I32DivS),
            O::I32DivU => self.divide(D::I32DivU),
            O::I32RemS => self.divide(D::I32RemS),
            O::I32RemU => self.divide(D::I32RemU),
            O::I64DivS => self.divide(D::I64DivS),
            O::I64DivU => self.divide(D::I64DivU),
            O::I64RemS => self.divide(D::I64RemS),
            O::I64RemU => self.divide(D::I64RemU),

            O::F32Abs => self.float_unary(FU::F32Abs),
            O::F32Neg => self.float_unary(FU::F32Neg),
            O::F32Ceil => self.float_unary(FU::F32Ceil),
            O::F32Floor => self.float_unary(FU::F32Floor),
            O::F32Trunc => self.float_unary(FU::F32Trunc),
            O::F32Nearest => self.float_unary(FU::F32Nearest),
            O::F32Sqrt => self.float_unary(FU::F32Sqrt),
            O::F64Abs => self.float_unary(FU::F64Abs),
            O::F64Neg => self.float_unary(FU::F64Neg),
            O::F64Ceil => self.float_unary(FU::F64Ceil),
            O::F64Floor => self.float_unary(FU::F64Floor),
            O::F64Trunc => self.float_unary(FU::F64Trunc),
            O::F64Nearest => self.float_unary(FU::F64Nearest),
            O::F64Sqrt => self.float_unary(FU::F64Sqrt),
            O::F32DemoteF64 => self.float_unary(FU::F32DemoteF64),
            O::F64PromoteF32 => self.float_unary(FU::F64PromoteF32),
            O::F32Add => self.float_binary(FB::F32Add),
            O::F32Sub => self.float_binary(FB::F32Sub),
            O::F32Mul => self.float_binary(FB::F32Mul),
            O::F32Div => self.float_binary(FB::F32Div),
            O::F32Min => self.float_binary(FB::F32Min),
            O::F32Max => self.float_binary(FB::F32Max),
            O::F32Copysign => self.float_binary(FB::F32Copysign),
            O::F64Add => self.float_binary(FB::F64Add),
            O::F64Sub => self.float_binary(FB::F64Sub),
            O::F64Mul => self.float_binary(FB::F64Mul),
            O::F64Div => self.float_binary(FB::F64Div),
            O::F64Min => self.float_binary(FB::F64Min),
            O::F64Max => self.float_binary(FB::F64Max),
            O::F64Copysign => self.float_binary(FB::F64Copysign),

            O::F32ConvertI32S => self.convert_from_int(IntToFloat::F32ConvertI32S),
            O::F32ConvertI32U => self.convert_from_int(IntToFloat::F32ConvertI32U),
            O::F32ConvertI64S => self.convert_from_int(IntToFloat::F32ConvertI64S),
            O::F32ConvertI64U => self.convert_from_int(IntToFloat::F32ConvertI64U),
            O::F64ConvertI32S => self.convert_from_int(IntToFloat::F64ConvertI32S),
            O::F64ConvertI32U => self.convert_from_int(IntToFloat::F64ConvertI32U),
            O::F64ConvertI64S => self.convert_from_int(IntToFloat::F64ConvertI64S),
            O::F64ConvertI64U => self.convert_from_int(IntToFloat::F64ConvertI64U),
            O::F32ReinterpretI32 => self.convert_from_int(IntToFloat::F32ReinterpretI32),
            O::F64ReinterpretI64 => self.convert_from_int(IntToFloat::F64ReinterpretI64),
            O::I32ReinterpretF32 => self.convert_to_int(FloatToInt::I32ReinterpretF32),
            O::I64ReinterpretF64 => self.convert_to_int(FloatToInt::I64ReinterpretF64),
            O::I32TruncSatF32S => self.convert_to_int(FloatToInt::I32TruncSatF32S),
            O::I32TruncSatF32U => self.convert_to_int(FloatToInt::I32TruncSatF32U),
            O::I32TruncSatF64S => self.convert_to_int(FloatToInt::I32TruncSatF64S),
            O::I32TruncSatF64U => self.convert_to_int(FloatToInt::I32TruncSatF64U),
            O::I64TruncSatF32S => self.convert_to_int(FloatToInt::I64TruncSatF32S),
            O::I64TruncSatF32U => self.convert_to_int(FloatToInt::I64TruncSatF32U),
            O::I64TruncSatF64S => self.convert_to_int(FloatToInt::I64TruncSatF64S),
            O::I64TruncSatF64U => self.convert_to_int(FloatToInt::I64TruncSatF64U),
            O::I32TruncF32S => self.trunc(FT::I32TruncF32S),
            O::I32TruncF32U => self.trunc(FT::I32TruncF32U),
            O::I32TruncF64S => self.trunc(FT::I32TruncF64S),
            O::I32TruncF64U => self.trunc(FT::I32TruncF64U),
            O::I64TruncF32S => self.trunc(FT::I64TruncF32S),
            O::I64TruncF32U => self.trunc(FT::I64TruncF32U),
            O::I64TruncF64S => self.trunc(FT::I64TruncF64S),
            O::I64TruncF64U => self.trunc(FT::I64TruncF64U),
            _ => {
                if !(self.simd(operator)
                    || self.object(operator)
                    || self.atomic(operator)
                    || self.wide(operator))
                {
                    return self.unsupported(operator, offset);
                }
            }
        }
        Ok(false)
    }

    /// In dead code: follows the nesting, and returns whether the instruction is
    /// the `else`, `catch` or end of the block that died.
    fn revives(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::TryTable { .. }
            | Operator::Try { .. } => {
                self.dead_blocks += 1;
                false
            }
            Operator::Else | Operator::Catch { .. } | Operator::CatchAll => self.dead_blocks == 0,
            Operator::End | Operator::Delegate { .. } if self.dead_blocks > 0 => {
                self.dead_blocks -= 1;
                false
            }
            Operator::End | Operator::Delegate { .. } => true,
            _ => false,
        }
    }

    pub(super) fn const_at(&self, from_top: usize) -> Option<u64> {
        match self.stack[self.stack.len() - 1 - from_top].state {
            State::Const(bits) => Some(bits),
            State::Local(_) | State::Temp { .. } => None,
        }
    }

    fn binary(&mut self, mut op: IntBinary) {
        if let (Some(b), Some(a)) = (self.const_at(0), self.const_at(1)) {
            self.truncate(self.stack.len() - 2);
            return self.push_const(Kind::Int, fold_int_binary(op, a, b));
        }
        let mut b = self.pop();
        let mut a = self.pop();
        // Constants last, the accumulator first: fewer forms to know of.
        if op.commutes() && (a.is_const() || b == Src::Acc) {
            std::mem::swap(&mut a, &mut b);
        }
        // `x - k` as a sum, which loads, stores and loop ends can absorb.
        match (op, b) {
            (IntBinary::I32Sub, Src::Const(k)) => {
                let negated = (k as u32).wrapping_neg();
                (op, b) = (IntBinary::I32Add, Src::Const(negated.into()));
            }
            (IntBinary::I64Sub, Src::Const(k)) => {
                (op, b) = (IntBinary::I64Add, Src::Const(k.wrapping_neg()));
            }
            _ => {}
        }
        self.emit_int(|d| Inst::Binary { op, a, b, d });
    }

    /// A comparison; `push` may push its right operand.
    pub(super) fn compare(&mut self, op: IntCompare, push: impl FnOnce(&mut Self)) {
        push(self);
        if let (Some(b), Some(a)) = (self.const_at(0), self.const_at(1)) {
            self.truncate(self.stack.len() - 2);
            return self.push_const(Kind::Int, u64::from(fold_int_compare(op, a, b)));
        }
        let b = self.pop();
        let a = self.pop();
        self.emit_int(|d| Inst::Compare { op, a, b, d });
    }

    fn compare_swapped(&mut self, op: IntCompare) {
        if let (Some(b), Some(a)) = (self.const_at(0), self.const_at(1)) {
            self.truncate(self.stack.len() - 2);
            return self.push_const(Kind::Int, u64::from(fold_int_compare(op, b, a)));
        }
        let b = self.pop();
        let a = self.pop();
        self.emit_int(|d| Inst::Compare { op, a: b, b: a, d });
    }

    /// `eqz` turns a comparison just made around.
    fn eqz(&mut self, op: IntUnary) {
        if let Some(bits) = self.const_at(0) {
            self.pop_entry();
            return self.push_const(Kind::Int, u64::from(bits == 0));
        }
        if let Some(last) = self.absorbable() {
            match &mut self.out[last] {
                Inst::Compare { op, a, b, .. } => {
                    let (negated, swap) = op.negated();
                    *op = negated;
                    if swap {
                        std::mem::swap(a, b);
                    }
                    return;
                }
                Inst::FloatCompare { op, .. } => {
                    *op = op.negated();
                    return;
                }
                _ => {}
            }
        }
        self.unary(op);
    }

    fn divide(&mut self, op: IntDivide) {
        if self.const_at(0).is_some() && self.const_at(1).is_some() {
            // Rare, and may trap: not worth folding.
            self.materialise(self.stack.len() - 1);
        }
        let b = self.pop();
        let a = self.pop();
        self.emit_int(|d| Inst::Divide { op, a, b, d });
    }

    pub(super) fn unary(&mut self, op: IntUnary) {
        let a = self.pop();
        self.emit_int(|d| Inst::Unary { op, a, d });
    }

    fn float_binary(&mut self, op: FloatBinary) {
        if let Some(width) = op.absorbs_load()
            && (self.absorb_float_load(op, width) || op.is_add() && self.absorb_product(width))
        {
            return;
        }
        let b = self.pop();
        let a = self.pop();
        self.emit_float(|d| Inst::FloatBinary { op, a, b, d });
    }

    fn float_unary(&mut self, op: FloatUnary) {
        arch::detect();
        let a = self.pop();
        self.emit_float(|d| Inst::FloatUnary { op, a, d });
    }

    fn float_compare(&mut self, op: FloatCompare, swap: bool) {
        let b = self.pop();
        let a = self.pop();
        let (a, b) = if swap { (b, a) } else { (a, b) };
        self.emit_int(|d| Inst::FloatCompare { op, a, b, d });
    }

    fn convert_from_int(&mut self, op: IntToFloat) {
        let a = self.pop();
        self.emit_float(|d| Inst::FromInt { op, a, d });
    }

    fn convert_to_int(&mut self, op: FloatToInt) {
        let a = self.pop();
        self.emit_int(|d| Inst::ToInt { op, a, d });
    }

    fn trunc(&mut self, op: FloatTrunc) {
        let a = self.pop();
        self.emit_int(|d| Inst::Trunc { op, a, d });
    }

    fn select(&mut self) {
        if let Some(condition) = self.const_at(0) {
            self.pop_entry();
            return self.select_known(condition as u32 != 0);
        }
        let top = self.stack.len() - 1;
        let kind = self.stack[top - 1].kind;
        match kind {
            Kind::Vector => self.simd_operation(SimdOp::Select, 0),
            Kind::Int => {
                let c = self.pop();
                let b = self.pop();
                let a = self.pop();
                self.emit_int(|d| Inst::Select { c, a, b, d });
            }
            Kind::Float => {
                let c = self.pop();
                let b = self.pop_bits();
                let a = self.pop_bits();
                self.emit_to_slot(kind, |slot| Inst::Select {
                    c,
                    a,
                    b,
                    d: Dst::Slot(slot),
                });
            }
        }
    }

    /// A selection whose condition is a constant.
    fn select_known(&mut self, first: bool) {
        if first {
            self.pop_entry();
            return;
        }
        // The second stays, in the first one's slot.
        let kind = self.stack[self.stack.len() - 1].kind;
        let b = self.pop_bits();
        self.pop_entry();
        self.emit_to_slot(kind, |slot| match kind {
            Kind::Vector => Inst::Simd {
                op: SimdOp::Copy,
                s: [slot, b.slot(), 0, 0],
                lane: 0,
            },
            Kind::Int | Kind::Float => Inst::Mov {
                a: b,
                d: Dst::Slot(slot),
            },
        });
    }

    fn global_get(&mut self, index: u32) {
        let global = self.code.offsets.global(index);
        match Kind::of(&self.module.globals()[index as usize].ty.content) {
            Kind::Int => self.emit_int(|d| Inst::GlobalGet { global, d }),
            Kind::Float => self.emit_to_slot(Kind::Float, |slot| Inst::GlobalGet {
                global,
                d: Dst::Slot(slot),
            }),
            Kind::Vector => self.emit_to_slot(Kind::Vector, |d| Inst::SimdGlobalGet { global, d }),
        }
    }

    fn global_set(&mut self, index: u32) {
        let global = self.code.offsets.global(index);
        if self.stack[self.stack.len() - 1].kind == Kind::Vector {
            let a = self.pop_slot();
            self.emit(Inst::SimdGlobalSet { global, a });
        } else {
            let a = self.pop_bits();
            self.emit(Inst::GlobalSet { global, a });
        }
    }

    /// An instruction over slots with a result and up to two operands.
    fn slot_result(&mut self, op: SlotOp, operands: usize, x: u32, y: u32) {
        let mut s = [0; 3];
        for at in (1..=operands).rev() {
            s[at] = self.pop_slot();
        }
        self.emit_to_slot(Kind::Int, |slot| {
            s[0] = slot;
            Inst::Slots { op, s, x, y }
        });
    }

    /// An instruction over three slots without a result.
    fn slot_effect(&mut self, op: SlotOp, x: u32, y: u32) {
        let c = self.pop_slot();
        let b = self.pop_slot();
        let a = self.pop_slot();
        self.emit_slots(op, [a, b, c], x, y);
    }

    /// The slot that holds an operand: a local's own or a temporary's.
    pub(super) fn slot_source(&self, height: usize) -> Src {
        match self.stack[height].state {
            State::Local(local) => Src::Slot(self.locals[local as usize].slot as u16),
            State::Const(bits) => Src::Const(bits),
            State::Temp { .. } => Src::Slot(self.stack[height].slot as u16),
        }
    }

    /// `br_on_null`: branches without the reference, goes on with it.
    fn br_on_null(&mut self, depth: u32) {
        let top = self.stack.len() - 1;
        if !matches!(self.stack[top].state, State::Local(_)) {
            self.materialise(top);
        }
        let source = self.slot_source(top);
        let reference = self.pop_entry();
        self.branch_if_null(source, depth, true);
        // Nothing on the way here has used its slot.
        self.push(Kind::Int, reference.state);
    }

    /// `br_on_non_null`: branches with the reference, goes on without it.
    fn br_on_non_null(&mut self, depth: u32) {
        let top = self.stack.len() - 1;
        if !matches!(self.stack[top].state, State::Local(_)) {
            self.materialise(top);
        }
        let source = self.slot_source(top);
        self.branch_if_null(source, depth, false);
        self.pop_entry();
    }

    /// Branches to a label with what is on the stack, if the reference is null
    /// or if it is not.
    fn branch_if_null(&mut self, reference: Src, depth: u32, null: bool) {
        // The operands go to their slots before, for both ways.
        self.materialise_for(depth);
        let skip = self.new_label();
        let op = if null {
            IntCompare::I64Ne
        } else {
            IntCompare::I64Eq
        };
        let to = Jump {
            label: skip,
            loop_slot: 0,
        };
        self.emit(Inst::BrCompare {
            op,
            a: reference,
            b: Src::Const(0),
            to,
        });
        self.br(depth);
        self.bind(skip);
        self.begin_fuel_block();
    }
}
