//! One arm per instruction of WebAssembly.

use super::numeric::{binary, convert, unary};
use super::{FuncTranslator, TranslateError};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::types::{F32, F64, I8, I16, I32, I64};
use cranelift_codegen::ir::{InstBuilder, TrapCode};
use rwasm_runtime::trap::Trap;
use wasmparser::{Operator, OperatorsReader};

impl<'a> FuncTranslator<'a> {
    /// Translates the instruction at `offset`; `rest` is what follows it, in the
    /// function itself but not in an inlined one. Returns whether it ended the
    /// function.
    pub(super) fn operator(
        &mut self,
        operator: &Operator<'_>,
        offset: u64,
        rest: Option<&OperatorsReader<'a>>,
    ) -> Result<bool, TranslateError> {
        if self.dead && !self.revives(operator) {
            return Ok(false);
        }
        self.charge_fuel();
        use Operator as O;
        match *operator {
            O::Nop => {}
            O::Unreachable => self.unreachable(),
            O::Block { blockty } => self.block(blockty),
            O::Loop { blockty } => self.loop_(blockty, rest)?,
            O::If { blockty } => self.if_(blockty),
            O::Else => self.else_(),
            O::End => return Ok(self.end()),
            O::Br { relative_depth } => self.br(relative_depth)?,
            O::BrIf { relative_depth } => self.br_if(relative_depth),
            O::BrTable { ref targets } => self.br_table(targets)?,
            O::Return => self.return_(),
            O::Call { function_index } => self.call(function_index, false)?,
            O::ReturnCall { function_index } => self.call(function_index, true)?,
            O::CallIndirect {
                type_index,
                table_index,
            } => self.call_indirect(table_index, type_index, false),
            O::ReturnCallIndirect {
                type_index,
                table_index,
            } => self.call_indirect(table_index, type_index, true),
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
                self.pop_raw();
            }
            O::Select | O::TypedSelect { .. } => self.select(),

            O::LocalGet { local_index } => {
                let value = self.b.use_var(self.locals[local_index as usize]);
                self.push(value);
            }
            O::LocalSet { local_index } => {
                let value = self.pop();
                self.b.def_var(self.locals[local_index as usize], value);
            }
            O::LocalTee { local_index } => {
                self.plain_top(1);
                let value = self.stack[self.stack.len() - 1];
                self.b.def_var(self.locals[local_index as usize], value);
            }
            O::GlobalGet { global_index } => self.global_get(global_index),
            O::GlobalSet { global_index } => self.global_set(global_index),

            O::I32Const { value } => self.push_integer(I32, value.into()),
            O::I64Const { value } => self.push_integer(I64, value),
            O::F32Const { value } => {
                let value = self.b.ins().f32const(Ieee32::with_bits(value.bits()));
                self.push(value);
            }
            O::F64Const { value } => {
                let value = self.b.ins().f64const(Ieee64::with_bits(value.bits()));
                self.push(value);
            }

            O::RefNull { hty } => {
                let null = self.zero(self.reference_type_of(hty));
                self.push(null);
            }
            O::RefIsNull => self.eqz(),
            O::RefFunc { function_index } => self.ref_func(function_index),
            O::RefAsNonNull => {
                let reference = self.pop();
                self.trap_if_zero(reference, Trap::NullReference);
                self.push(reference);
            }
            O::BrOnNull { relative_depth } => self.br_on_null(relative_depth),
            O::BrOnNonNull { relative_depth } => self.br_on_non_null(relative_depth),

            O::I32Load { ref memarg } => self.load(I32, memarg),
            O::I64Load { ref memarg } => self.load(I64, memarg),
            O::F32Load { ref memarg } => self.load(F32, memarg),
            O::F64Load { ref memarg } => self.load(F64, memarg),
            O::I32Load8S { ref memarg } => self.load_extended(I8, true, I32, memarg),
            O::I32Load8U { ref memarg } => self.load_extended(I8, false, I32, memarg),
            O::I32Load16S { ref memarg } => self.load_extended(I16, true, I32, memarg),
            O::I32Load16U { ref memarg } => self.load_extended(I16, false, I32, memarg),
            O::I64Load8S { ref memarg } => self.load_extended(I8, true, I64, memarg),
            O::I64Load8U { ref memarg } => self.load_extended(I8, false, I64, memarg),
            O::I64Load16S { ref memarg } => self.load_extended(I16, true, I64, memarg),
            O::I64Load16U { ref memarg } => self.load_extended(I16, false, I64, memarg),
            O::I64Load32S { ref memarg } => self.load_extended(I32, true, I64, memarg),
            O::I64Load32U { ref memarg } => self.load_extended(I32, false, I64, memarg),
            O::I32Store { ref memarg }
            | O::I64Store { ref memarg }
            | O::F32Store { ref memarg }
            | O::F64Store { ref memarg } => self.store(memarg),
            O::I32Store8 { ref memarg } | O::I64Store8 { ref memarg } => {
                self.store_low(I8, memarg);
            }
            O::I32Store16 { ref memarg } | O::I64Store16 { ref memarg } => {
                self.store_low(I16, memarg);
            }
            O::I64Store32 { ref memarg } => self.store_low(I32, memarg),
            O::MemorySize { mem } => self.memory_size(mem),
            O::MemoryGrow { mem } => self.memory_grow(mem),
            O::MemoryFill { mem } => self.memory_fill(mem),
            O::MemoryCopy { dst_mem, src_mem } => self.memory_copy(dst_mem, src_mem),
            O::MemoryInit { data_index, mem } => self.memory_init(mem, data_index),
            O::DataDrop { data_index } => self.data_drop(data_index),

            O::TableGet { table } => self.table_get(table),
            O::TableSet { table } => self.table_set(table),
            O::TableSize { table } => self.table_size(table),
            O::TableGrow { table } => self.table_grow(table),
            O::TableFill { table } => self.table_fill(table),
            O::TableCopy {
                dst_table,
                src_table,
            } => self.table_copy(dst_table, src_table),
            O::TableInit { elem_index, table } => self.table_init(table, elem_index),
            O::ElemDrop { elem_index } => self.elem_drop(elem_index),

            O::I32Eqz | O::I64Eqz => self.eqz(),
            O::I32Eq | O::I64Eq => self.icmp(IntCC::Equal),
            O::I32Ne | O::I64Ne => self.icmp(IntCC::NotEqual),
            O::I32LtS | O::I64LtS => self.icmp(IntCC::SignedLessThan),
            O::I32LtU | O::I64LtU => self.icmp(IntCC::UnsignedLessThan),
            O::I32GtS | O::I64GtS => self.icmp(IntCC::SignedGreaterThan),
            O::I32GtU | O::I64GtU => self.icmp(IntCC::UnsignedGreaterThan),
            O::I32LeS | O::I64LeS => self.icmp(IntCC::SignedLessThanOrEqual),
            O::I32LeU | O::I64LeU => self.icmp(IntCC::UnsignedLessThanOrEqual),
            O::I32GeS | O::I64GeS => self.icmp(IntCC::SignedGreaterThanOrEqual),
            O::I32GeU | O::I64GeU => self.icmp(IntCC::UnsignedGreaterThanOrEqual),
            O::F32Eq | O::F64Eq => self.fcmp(FloatCC::Equal),
            O::F32Ne | O::F64Ne => self.fcmp(FloatCC::NotEqual),
            O::F32Lt | O::F64Lt => self.fcmp(FloatCC::LessThan),
            O::F32Gt | O::F64Gt => self.fcmp(FloatCC::GreaterThan),
            O::F32Le | O::F64Le => self.fcmp(FloatCC::LessThanOrEqual),
            O::F32Ge | O::F64Ge => self.fcmp(FloatCC::GreaterThanOrEqual),

            O::I32Clz | O::I64Clz => unary!(self, clz),
            O::I32Ctz | O::I64Ctz => unary!(self, ctz),
            O::I32Popcnt | O::I64Popcnt => unary!(self, popcnt),
            O::I32Add | O::I64Add => binary!(self, iadd),
            O::I32Sub | O::I64Sub => binary!(self, isub),
            O::I32Mul | O::I64Mul => binary!(self, imul),
            O::I32DivS | O::I64DivS => binary!(self, sdiv),
            O::I32DivU | O::I64DivU => binary!(self, udiv),
            O::I32RemS | O::I64RemS => binary!(self, srem),
            O::I32RemU | O::I64RemU => binary!(self, urem),
            O::I32And | O::I64And => binary!(self, band),
            O::I32Or | O::I64Or => binary!(self, bor),
            O::I32Xor | O::I64Xor => binary!(self, bxor),
            O::I32Shl | O::I64Shl => binary!(self, ishl),
            O::I32ShrS | O::I64ShrS => binary!(self, sshr),
            O::I32ShrU | O::I64ShrU => binary!(self, ushr),
            O::I32Rotl | O::I64Rotl => binary!(self, rotl),
            O::I32Rotr | O::I64Rotr => binary!(self, rotr),
            O::I64Add128 => self.wide_add(false),
            O::I64Sub128 => self.wide_add(true),
            O::I64MulWideS => self.wide_multiply(true),
            O::I64MulWideU => self.wide_multiply(false),

            O::F32Abs | O::F64Abs => unary!(self, fabs),
            O::F32Neg | O::F64Neg => unary!(self, fneg),
            O::F32Ceil | O::F64Ceil => unary!(self, ceil),
            O::F32Floor | O::F64Floor => unary!(self, floor),
            O::F32Trunc | O::F64Trunc => unary!(self, trunc),
            O::F32Nearest | O::F64Nearest => unary!(self, nearest),
            O::F32Sqrt | O::F64Sqrt => unary!(self, sqrt),
            O::F32Add | O::F64Add => binary!(self, fadd),
            O::F32Sub | O::F64Sub => binary!(self, fsub),
            O::F32Mul | O::F64Mul => binary!(self, fmul),
            O::F32Div | O::F64Div => binary!(self, fdiv),
            O::F32Min | O::F64Min => binary!(self, fmin),
            O::F32Max | O::F64Max => binary!(self, fmax),
            O::F32Copysign | O::F64Copysign => binary!(self, fcopysign),

            O::I32WrapI64 => convert!(self, ireduce, I32),
            O::I64ExtendI32S => convert!(self, sextend, I64),
            O::I64ExtendI32U => convert!(self, uextend, I64),
            O::I32Extend8S => self.extend_low(I8, I32),
            O::I32Extend16S => self.extend_low(I16, I32),
            O::I64Extend8S => self.extend_low(I8, I64),
            O::I64Extend16S => self.extend_low(I16, I64),
            O::I64Extend32S => self.extend_low(I32, I64),
            O::I32TruncF32S | O::I32TruncF64S => convert!(self, fcvt_to_sint, I32),
            O::I32TruncF32U | O::I32TruncF64U => convert!(self, fcvt_to_uint, I32),
            O::I64TruncF32S | O::I64TruncF64S => convert!(self, fcvt_to_sint, I64),
            O::I64TruncF32U | O::I64TruncF64U => convert!(self, fcvt_to_uint, I64),
            O::I32TruncSatF32S | O::I32TruncSatF64S => convert!(self, fcvt_to_sint_sat, I32),
            O::I32TruncSatF32U | O::I32TruncSatF64U => convert!(self, fcvt_to_uint_sat, I32),
            O::I64TruncSatF32S | O::I64TruncSatF64S => convert!(self, fcvt_to_sint_sat, I64),
            O::I64TruncSatF32U | O::I64TruncSatF64U => convert!(self, fcvt_to_uint_sat, I64),
            O::F32ConvertI32S | O::F32ConvertI64S => convert!(self, fcvt_from_sint, F32),
            O::F32ConvertI32U | O::F32ConvertI64U => convert!(self, fcvt_from_uint, F32),
            O::F64ConvertI32S | O::F64ConvertI64S => convert!(self, fcvt_from_sint, F64),
            O::F64ConvertI32U | O::F64ConvertI64U => convert!(self, fcvt_from_uint, F64),
            O::F32DemoteF64 => convert!(self, fdemote, F32),
            O::F64PromoteF32 => convert!(self, fpromote, F64),
            O::I32ReinterpretF32 => self.reinterpret(I32),
            O::I64ReinterpretF64 => self.reinterpret(I64),
            O::F32ReinterpretI32 => self.reinterpret(F32),
            O::F64ReinterpretI64 => self.reinterpret(F64),

            _ => {
                if !self.simd(operator) && !self.object(operator) && !self.atomic(operator) {
                    return self.unsupported(operator, offset);
                }
            }
        }
        Ok(false)
    }

    /// Traps if a reference is null.
    pub(super) fn trap_if_zero(&mut self, value: cranelift_codegen::ir::Value, trap: Trap) {
        let code: TrapCode = crate::trap_code::trap_code(trap);
        self.b.ins().trapz(value, code);
    }
}
