//! Constant expressions: what initialises globals, tables and segments.

use wasmparser::{Operator, OperatorsReader, OperatorsReaderAllocations};

use crate::error::ParseError;
use crate::index::{FuncIndex, GlobalIndex, TypeIndex};
use crate::types::HeapType;

/// A validated constant expression: its instructions in order, without the
/// final `end`. It leaves one value on the stack.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConstExpr(Form);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Form {
    /// One `i32.const`, as which segments come by the ten thousand: it needs no
    /// allocation.
    I32(i32),
    /// Anything else.
    Ops(Box<[ConstOp]>),
}

impl ConstExpr {
    /// The expression of these instructions.
    pub fn new(ops: &[ConstOp]) -> Self {
        Self(match *ops {
            [ConstOp::I32Const(value)] => Form::I32(value),
            _ => Form::Ops(ops.into()),
        })
    }

    /// Its instructions.
    pub fn ops(&self) -> impl Iterator<Item = ConstOp> {
        let (constant, ops) = match &self.0 {
            Form::I32(value) => (Some(ConstOp::I32Const(*value)), &[][..]),
            Form::Ops(ops) => (None, &**ops),
        };
        constant.into_iter().chain(ops.iter().copied())
    }

    /// Its instruction, if it has only one.
    pub fn single(&self) -> Option<ConstOp> {
        match &self.0 {
            Form::I32(value) => Some(ConstOp::I32Const(*value)),
            Form::Ops(ops) => match **ops {
                [op] => Some(op),
                _ => None,
            },
        }
    }
}

/// An instruction of a constant expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConstOp {
    /// `i32.const`
    I32Const(i32),
    /// `i64.const`
    I64Const(i64),
    /// `f32.const`, as bits.
    F32Const(u32),
    /// `f64.const`, as bits.
    F64Const(u64),
    /// `v128.const`, as little-endian bytes.
    V128Const([u8; 16]),
    /// `i32.add`
    I32Add,
    /// `i32.sub`
    I32Sub,
    /// `i32.mul`
    I32Mul,
    /// `i64.add`
    I64Add,
    /// `i64.sub`
    I64Sub,
    /// `i64.mul`
    I64Mul,
    /// `global.get`
    GlobalGet(GlobalIndex),
    /// `ref.null`
    RefNull(HeapType),
    /// `ref.func`
    RefFunc(FuncIndex),
    /// `ref.i31`
    RefI31,
    /// `struct.new`
    StructNew(TypeIndex),
    /// `struct.new_default`
    StructNewDefault(TypeIndex),
    /// `array.new`
    ArrayNew(TypeIndex),
    /// `array.new_default`
    ArrayNewDefault(TypeIndex),
    /// `array.new_fixed`
    ArrayNewFixed {
        /// The type of the array.
        ty: TypeIndex,
        /// How many elements are taken from the stack.
        len: u32,
    },
    /// `any.convert_extern`
    AnyConvertExtern,
    /// `extern.convert_any`
    ExternConvertAny,
}

/// Decodes constant expressions one after the other, with the same buffers.
#[derive(Default)]
pub(crate) struct ConstExprDecoder {
    allocations: OperatorsReaderAllocations,
    ops: Vec<ConstOp>,
}

impl ConstExprDecoder {
    pub(crate) fn decode(
        &mut self,
        expr: &wasmparser::ConstExpr<'_>,
    ) -> Result<ConstExpr, ParseError> {
        let allocations = std::mem::take(&mut self.allocations);
        let mut reader = OperatorsReader::new_with_allocs(expr.get_binary_reader(), allocations);
        self.ops.clear();
        loop {
            let (op, offset) = reader.read_with_offset()?;
            if matches!(op, Operator::End) {
                break;
            }
            // The validator has admitted the expression; what it admits and is
            // missing here would be a proposal that is never switched on.
            self.ops.push(
                ConstOp::from_operator(&op).ok_or_else(|| ParseError::Binary {
                    offset,
                    message: format!("unsupported constant instruction {op:?}"),
                })?,
            );
        }
        self.allocations = reader.into_allocations();
        Ok(ConstExpr::new(&self.ops))
    }
}

impl ConstOp {
    fn from_operator(op: &Operator<'_>) -> Option<Self> {
        let ty = TypeIndex::from_u32;
        Some(match *op {
            Operator::I32Const { value } => Self::I32Const(value),
            Operator::I64Const { value } => Self::I64Const(value),
            Operator::F32Const { value } => Self::F32Const(value.bits()),
            Operator::F64Const { value } => Self::F64Const(value.bits()),
            Operator::V128Const { value } => Self::V128Const(*value.bytes()),
            Operator::I32Add => Self::I32Add,
            Operator::I32Sub => Self::I32Sub,
            Operator::I32Mul => Self::I32Mul,
            Operator::I64Add => Self::I64Add,
            Operator::I64Sub => Self::I64Sub,
            Operator::I64Mul => Self::I64Mul,
            Operator::GlobalGet { global_index } => {
                Self::GlobalGet(GlobalIndex::from_u32(global_index))
            }
            Operator::RefNull { hty } => Self::RefNull(hty.try_into().ok()?),
            Operator::RefFunc { function_index } => {
                Self::RefFunc(FuncIndex::from_u32(function_index))
            }
            Operator::RefI31 => Self::RefI31,
            Operator::StructNew { struct_type_index } => Self::StructNew(ty(struct_type_index)),
            Operator::StructNewDefault { struct_type_index } => {
                Self::StructNewDefault(ty(struct_type_index))
            }
            Operator::ArrayNew { array_type_index } => Self::ArrayNew(ty(array_type_index)),
            Operator::ArrayNewDefault { array_type_index } => {
                Self::ArrayNewDefault(ty(array_type_index))
            }
            Operator::ArrayNewFixed {
                array_type_index,
                array_size,
            } => Self::ArrayNewFixed {
                ty: ty(array_type_index),
                len: array_size,
            },
            Operator::AnyConvertExtern => Self::AnyConvertExtern,
            Operator::ExternConvertAny => Self::ExternConvertAny,
            _ => return None,
        })
    }
}
