//! What adapters depend on: the types of a function's parameters and results as
//! machine code has them, and the slots that they take in arrays.

use cranelift_codegen::ir::{self, AbiParam, ArgumentPurpose, Signature, types};
use cranelift_codegen::isa::CallConv;
use rwasm_parser::{CompositeType, FuncType, HeapType, RefType, ValType};
use rwasm_runtime::types::{TypeId, TypeRegistry};

/// The type of all vectors in signatures and where control flow meets.
pub(crate) const VECTOR: ir::Type = types::I8X16;

/// Parameters and results. Functions of many types share one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    pub(crate) params: Box<[ir::Type]>,
    pub(crate) results: Box<[ir::Type]>,
}

impl Shape {
    /// The shape of functions of a canonical type.
    pub(crate) fn of(registry: &TypeRegistry, ty: TypeId) -> Self {
        let ty: FuncType<TypeId> = registry
            .func_type(ty)
            .expect("functions have function types");
        let is_func = |id: &TypeId| {
            let composite = &registry.sub_type(*id).composite;
            matches!(composite, CompositeType::Func(_))
        };
        let types = |types: &[ValType<TypeId>]| {
            let types = types.iter();
            types.map(|ty| clif_type(ty, is_func)).collect()
        };
        Shape {
            params: types(&ty.params),
            results: types(&ty.results),
        }
    }

    /// The native call shape: the callee's instance block, then the parameters.
    pub(crate) fn signature(&self) -> Signature {
        native_signature(self.params.iter().copied(), self.results.iter().copied())
    }

    /// Slots that hold the arguments or the results, whichever are more.
    pub(crate) fn slots(&self) -> u32 {
        let sum = |types: &[ir::Type]| types.iter().map(|&ty| slots(ty)).sum::<u32>();
        sum(&self.params).max(sum(&self.results))
    }
}

/// The signature of functions that machine code calls, and of those it is.
pub(crate) fn native_signature(
    params: impl Iterator<Item = ir::Type>,
    results: impl Iterator<Item = ir::Type>,
) -> Signature {
    let mut signature = Signature::new(CallConv::Tail);
    let vmctx = AbiParam::special(types::I64, ArgumentPurpose::VMContext);
    signature.params.push(vmctx);
    signature.params.extend(params.map(AbiParam::new));
    signature.returns.extend(results.map(AbiParam::new));
    signature
}

/// The type that values of type `ty` have in machine code: references to
/// functions are pointers, all others 32 bits. `is_func` tells the defined types
/// that are function types.
pub(crate) fn clif_type<T>(ty: &ValType<T>, is_func: impl Fn(&T) -> bool) -> ir::Type {
    match ty {
        ValType::I32 => types::I32,
        ValType::I64 => types::I64,
        ValType::F32 => types::F32,
        ValType::F64 => types::F64,
        ValType::V128 => VECTOR,
        ValType::Ref(RefType { heap, .. }) => {
            let is_func = match heap {
                HeapType::Func | HeapType::NoFunc => true,
                HeapType::Concrete(ty) => is_func(ty),
                _ => false,
            };
            if is_func { types::I64 } else { types::I32 }
        }
    }
}

/// Slots that a value takes in an array.
pub(crate) fn slots(ty: ir::Type) -> u32 {
    if ty.is_vector() { 2 } else { 1 }
}
