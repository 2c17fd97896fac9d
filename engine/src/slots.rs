//! Values whose type is known at run time, to slots and back.

use crate::error::{Error, Result};
use crate::func::Func;
use crate::reference::{AnyRef, ExnRef, ExternRef};
use crate::store::StoreOpaque;
use crate::types::{RefType, ValType};
use crate::val::{Hierarchy, Ref, V128, Val, hierarchy};
use rwasm_parser::{HeapType as RawHeapType, RefType as RawRefType, ValType as RawValType};
use rwasm_runtime::handle::StoreId;
use rwasm_runtime::layout::FuncRef;
use rwasm_runtime::reference;
use rwasm_runtime::store::Store as RuntimeStore;
use rwasm_runtime::types::TypeId;
use std::num::NonZeroU32;

/// Slots that values of these types take.
pub(crate) fn count(types: &[ValType]) -> usize {
    types.iter().map(|ty| slots_of(*ty)).sum()
}

/// Slots that a value of this type takes.
pub(crate) fn slots_of(ty: ValType) -> usize {
    if ty == ValType::V128 { 2 } else { 1 }
}

impl StoreOpaque {
    /// A value as it stands in slots. An error if it is not of type `ty`, or
    /// belongs to another store.
    pub(crate) fn slots(&self, value: Val, ty: ValType) -> Result<[u64; 2]> {
        let found = self.type_of(value)?;
        let expected = ty.to_raw(&self.engine)?;
        if !self.engine.registry().is_val_subtype(&found, &expected) {
            let found = ValType::from_raw(found, &self.engine);
            return Err(crate::TypeError::Mismatch {
                expected: ty,
                found,
            }
            .into());
        }
        Ok(slots(value))
    }

    /// As [`Self::slots`], for references.
    pub(crate) fn ref_slot(&self, value: Ref, ty: RefType) -> Result<u64> {
        Ok(self.slots(value.into(), ty.into())?[0])
    }

    /// The most special type that a value has.
    fn type_of(&self, value: Val) -> Result<RawValType<TypeId>> {
        let reference = |heap, store: Option<StoreId>, bottom| match store {
            Some(store) if store != self.id => Err(Error::StoreMismatch("a reference")),
            Some(_) => Ok(RawValType::Ref(RawRefType {
                nullable: false,
                heap,
            })),
            None => Ok(RawValType::Ref(RawRefType {
                nullable: true,
                heap: bottom,
            })),
        };
        match value {
            Val::I32(_) => Ok(RawValType::I32),
            Val::I64(_) => Ok(RawValType::I64),
            Val::F32(_) => Ok(RawValType::F32),
            Val::F64(_) => Ok(RawValType::F64),
            Val::V128(_) => Ok(RawValType::V128),
            Val::FuncRef(func) => {
                let heap = match func {
                    Some(func) if func.0.store() == self.id => {
                        RawHeapType::Concrete(self.runtime.get(func.0).ty)
                    }
                    _ => RawHeapType::Func,
                };
                reference(heap, func.map(|func| func.0.store()), RawHeapType::NoFunc)
            }
            Val::ExternRef(value) => {
                let store = value.map(|value| value.store);
                reference(RawHeapType::Extern, store, RawHeapType::NoExtern)
            }
            Val::AnyRef(value) => {
                // What is no i31 could be anything, as long as nobody can look.
                let heap = match value {
                    Some(value) if reference::i31_from_slot(value.bits.get().into()).is_some() => {
                        RawHeapType::I31
                    }
                    _ => RawHeapType::Any,
                };
                reference(heap, value.map(|value| value.store), RawHeapType::None)
            }
            Val::ExnRef(value) => {
                let store = value.map(|value| value.store);
                reference(RawHeapType::Exn, store, RawHeapType::NoExn)
            }
        }
    }
}

/// A value as it stands in slots; all but a vector take the first one only.
fn slots(value: Val) -> [u64; 2] {
    let word = |bits: Option<NonZeroU32>| bits.map_or(0, |bits| u64::from(bits.get()));
    let slot = match value {
        Val::I32(value) => u64::from(value as u32),
        Val::I64(value) => value as u64,
        Val::F32(bits) => u64::from(bits),
        Val::F64(bits) => bits,
        Val::V128(value) => {
            let bits = value.as_u128();
            return [bits as u64, (bits >> 64) as u64];
        }
        Val::FuncRef(func) => func.map_or(0, |func| func.0.as_ptr() as u64),
        Val::ExternRef(value) => word(value.map(|value| value.bits)),
        Val::AnyRef(value) => word(value.map(|value| value.bits)),
        Val::ExnRef(value) => word(value.map(|value| value.bits)),
    };
    [slot, 0]
}

impl Val {
    /// Reads a value of type `ty` from the start of `slots`.
    ///
    /// # Safety
    /// There stands a value of this type; a reference belongs to `runtime`.
    pub(crate) unsafe fn read(runtime: &RuntimeStore, ty: ValType, slots: &[u64]) -> Val {
        let store = runtime.id();
        let slot = slots[0];
        let bits = NonZeroU32::new(slot as u32);
        match ty {
            ValType::I32 => Val::I32(slot as i32),
            ValType::I64 => Val::I64(slot as i64),
            ValType::F32 => Val::F32(slot as u32),
            ValType::F64 => Val::F64(slot),
            ValType::V128 => Val::V128(V128::from(u128::from(slot) | u128::from(slots[1]) << 64)),
            ValType::Ref(ty) => match hierarchy(ty.heap_type()) {
                // SAFETY: a non-null function reference, as the caller promises.
                Hierarchy::Func => Val::FuncRef(
                    (slot != 0)
                        .then(|| unsafe { Func(runtime.func_handle(slot as *const FuncRef)) }),
                ),
                Hierarchy::Extern => Val::ExternRef(bits.map(|bits| ExternRef { store, bits })),
                Hierarchy::Any => Val::AnyRef(bits.map(|bits| AnyRef { store, bits })),
                Hierarchy::Exn => Val::ExnRef(bits.map(|bits| ExnRef { store, bits })),
            },
        }
    }
}
