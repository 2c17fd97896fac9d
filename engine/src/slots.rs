//! Values whose type is known at run time, to slots and back.

use crate::error::{Error, Result, TypeError};
use crate::exception::ExnRef;
use crate::func::Func;
use crate::reference::{AnyRef, ExternRef, Handle};
use crate::store::StoreOpaque;
use crate::types::ValType;
use crate::val::{Ref, V128, Val};
use rwasm_parser::{CompositeType, HeapType, RefType, ValType as RawValType};
use rwasm_runtime::code::value_slots;
use rwasm_runtime::layout::FuncRef;
use rwasm_runtime::types::TypeId;
use std::num::NonZeroU32;

/// The type of a value, as the store has it.
type RawType = RawValType<TypeId>;

/// Slots that values of these types take.
pub(crate) fn count(types: &[RawType]) -> usize {
    types.iter().map(|ty| usize::from(value_slots(ty))).sum()
}

impl StoreOpaque {
    /// Writes values to the start of `slots`, which has room for them. An error
    /// if one does not fit its type, or belongs to another store.
    pub(crate) fn write_values(
        &self,
        values: &[Val],
        types: &[RawType],
        mut slots: &mut [u64],
    ) -> Result<()> {
        for (&value, ty) in values.iter().zip(types) {
            let bits = self.slots(value, *ty)?;
            let (first, rest) = slots.split_at_mut(value_slots(ty).into());
            first.copy_from_slice(&bits[..first.len()]);
            slots = rest;
        }
        Ok(())
    }

    /// Reads values from the start of `slots`.
    ///
    /// # Safety
    /// There stand values of these types that belong to this store.
    pub(crate) unsafe fn read_values(
        &self,
        types: &[RawType],
        mut slots: &[u64],
    ) -> impl Iterator<Item = Val> {
        types.iter().map(move |ty| {
            let (first, rest) = slots.split_at(value_slots(ty).into());
            slots = rest;
            // SAFETY: as the caller promises.
            unsafe { self.read(*ty, first) }
        })
    }

    /// A value as it stands in slots; all but a vector take the first one only.
    /// An error if it is not of type `ty`, or belongs to another store.
    pub(crate) fn slots(&self, value: Val, ty: RawType) -> Result<[u64; 2]> {
        let found = self.type_of(value)?;
        if !self.engine.registry().is_val_subtype(&found, &ty) {
            let expected = ValType::from_raw(ty, &self.engine);
            let found = ValType::from_raw(found, &self.engine);
            return Err(TypeError::Mismatch { expected, found }.into());
        }
        Ok(slots(value))
    }

    /// As [`Self::slots`], for references.
    pub(crate) fn ref_slot(&self, value: Ref, ty: RefType<TypeId>) -> Result<u64> {
        Ok(self.slots(value.into(), RawValType::Ref(ty))?[0])
    }

    /// Reads a value of type `ty` from the start of `slots`.
    ///
    /// # Safety
    /// There stands a value of this type that belongs to this store, or zeroes.
    pub(crate) unsafe fn read(&self, ty: RawType, slots: &[u64]) -> Val {
        let slot = slots[0];
        let handle = || {
            let word = NonZeroU32::new(slot as u32)?;
            // SAFETY: as the caller promises.
            Some(unsafe { Handle::new(&self.runtime, word) })
        };
        match ty {
            RawValType::I32 => Val::I32(slot as i32),
            RawValType::I64 => Val::I64(slot as i64),
            RawValType::F32 => Val::F32(slot as u32),
            RawValType::F64 => Val::F64(slot),
            RawValType::V128 => {
                let bits = u128::from(slot) | u128::from(slots[1]) << 64;
                Val::V128(V128::from(bits))
            }
            RawValType::Ref(ty) => match self.top(ty.heap) {
                // SAFETY: null or a function, as the caller promises.
                HeapType::Func => Val::FuncRef(
                    (slot != 0)
                        .then(|| unsafe { Func(self.runtime.func_handle(slot as *const FuncRef)) }),
                ),
                HeapType::Extern => Val::ExternRef(handle().map(ExternRef)),
                HeapType::Exn => Val::ExnRef(handle().map(ExnRef)),
                _ => Val::AnyRef(handle().map(AnyRef)),
            },
        }
    }

    /// The type at the top of a type's hierarchy, which decides what its
    /// references look like.
    fn top(&self, ty: HeapType<TypeId>) -> HeapType<TypeId> {
        match ty {
            HeapType::Func | HeapType::NoFunc => HeapType::Func,
            HeapType::Extern | HeapType::NoExtern => HeapType::Extern,
            HeapType::Exn | HeapType::NoExn => HeapType::Exn,
            HeapType::Any
            | HeapType::Eq
            | HeapType::I31
            | HeapType::Struct
            | HeapType::Array
            | HeapType::None => HeapType::Any,
            HeapType::Concrete(id) => match self.engine.registry().sub_type(id).composite {
                CompositeType::Func(_) => HeapType::Func,
                CompositeType::Struct(_) | CompositeType::Array(_) => HeapType::Any,
            },
        }
    }

    /// The most special type that a value has. An error if it is a reference that
    /// is not good in this store.
    fn type_of(&self, value: Val) -> Result<RawType> {
        let reference = |heap: Option<HeapType<TypeId>>, bottom| {
            RawValType::Ref(RefType {
                nullable: heap.is_none(),
                heap: heap.unwrap_or(bottom),
            })
        };
        let object = |handle: Option<Handle>, top| {
            let check = |handle: Handle| handle.check(&self.runtime).map(|()| top);
            handle.map(check).transpose()
        };
        Ok(match value {
            Val::I32(_) => RawValType::I32,
            Val::I64(_) => RawValType::I64,
            Val::F32(_) => RawValType::F32,
            Val::F64(_) => RawValType::F64,
            Val::V128(_) => RawValType::V128,
            Val::FuncRef(Some(func)) if func.0.store() != self.id => {
                return Err(Error::StoreMismatch("a reference"));
            }
            Val::FuncRef(func) => {
                let heap = func.map(|func| HeapType::Concrete(self.runtime.get(func.0).ty));
                reference(heap, HeapType::NoFunc)
            }
            Val::ExternRef(value) => {
                let heap = object(value.map(|value| value.0), HeapType::Extern)?;
                reference(heap, HeapType::NoExtern)
            }
            Val::AnyRef(value) => {
                let heap = value.map(|value| self.heap_type_of(value.0));
                reference(heap.transpose()?, HeapType::None)
            }
            Val::ExnRef(value) => {
                let heap = object(value.map(|value| value.0), HeapType::Exn)?;
                reference(heap, HeapType::NoExn)
            }
        })
    }
}

/// The bits of a value, whose references were checked.
fn slots(value: Val) -> [u64; 2] {
    let word = |handle: Option<Handle>| handle.map_or(0, Handle::slot_unchecked);
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
        Val::ExternRef(value) => word(value.map(|value| value.0)),
        Val::AnyRef(value) => word(value.map(|value| value.0)),
        Val::ExnRef(value) => word(value.map(|value| value.0)),
    };
    [slot, 0]
}
