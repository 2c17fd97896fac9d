//! Rust types that stand for value types, and how they lie in slots.
//!
//! A value takes one slot of eight bytes, a `v128` two. What is narrower than a
//! slot is zero-extended. A function reference is a pointer to its `FuncRef`,
//! any other reference a 32-bit number, and null is zero.

use super::Func;
use crate::error::{Error, Result};
use crate::exception::ExnRef;
use crate::reference::{AnyRef, ArrayRef, EqRef, ExternRef, Handle, StructRef};
use crate::types::{HeapType, RefType, ValType};
use crate::val::V128;
use rwasm_runtime::layout::FuncRef;
use rwasm_runtime::store::Store as RuntimeStore;
use std::num::NonZeroU32;

/// Keeps the traits of this module to the types of this module.
mod sealed {
    pub trait Sealed {}
    impl<A: super::WasmTy> Sealed for A {}
}
use sealed::Sealed;

/// A Rust type that stands for a value type: `i32`, `u32`, `i64`, `u64`, `f32`,
/// `f64`, [`V128`], the references [`Func`], [`ExternRef`], [`AnyRef`],
/// [`EqRef`], [`StructRef`], [`ArrayRef`] and [`ExnRef`] (which are never null),
/// and `Option` of references.
///
/// # Safety
/// Not to be implemented outside this crate. [`read`](Self::read) must be right
/// for all values of [`val_type`](Self::val_type).
pub unsafe trait WasmTy: Sized + Send + 'static {
    /// Slots of a value.
    #[doc(hidden)]
    const SLOTS: usize = 1;

    /// Whether a value that is read becomes a root.
    #[doc(hidden)]
    const ROOTED: bool = false;

    /// The value type.
    #[doc(hidden)]
    fn val_type() -> ValType;

    /// Reads a value.
    ///
    /// # Safety
    /// At `slots` stands a value of this type that belongs to `store`.
    #[doc(hidden)]
    unsafe fn read(store: &RuntimeStore, slots: *const u64) -> Self;

    /// Writes a value at the start of `slots`.
    #[doc(hidden)]
    fn write(self, slots: &mut [u64]);

    /// An error if the value means nothing in `store`.
    #[doc(hidden)]
    fn check(&self, store: &RuntimeStore) -> Result<()> {
        let _ = store;
        Ok(())
    }
}

macro_rules! numbers {
    ($($ty:ty => $variant:ident, |$slot:ident| $read:expr, |$value:ident| $write:expr;)*) => {
        $(
            // SAFETY: every bit pattern is a value.
            unsafe impl WasmTy for $ty {
                fn val_type() -> ValType {
                    ValType::$variant
                }

                #[inline(always)]
                unsafe fn read(_: &RuntimeStore, slots: *const u64) -> Self {
                    // SAFETY: the caller vouches for the slot.
                    let $slot = unsafe { *slots };
                    $read
                }

                #[inline(always)]
                fn write(self, slots: &mut [u64]) {
                    let $value = self;
                    slots[0] = $write;
                }
            }
        )*
    };
}

numbers! {
    i32 => I32, |slot| slot as i32, |value| u64::from(value as u32);
    u32 => I32, |slot| slot as u32, |value| u64::from(value);
    i64 => I64, |slot| slot as i64, |value| value as u64;
    u64 => I64, |slot| slot, |value| value;
    f32 => F32, |slot| f32::from_bits(slot as u32), |value| u64::from(value.to_bits());
    f64 => F64, |slot| f64::from_bits(slot), |value| value.to_bits();
}

// SAFETY: every bit pattern is a value.
unsafe impl WasmTy for V128 {
    const SLOTS: usize = 2;

    fn val_type() -> ValType {
        ValType::V128
    }

    #[inline(always)]
    unsafe fn read(_: &RuntimeStore, slots: *const u64) -> Self {
        // SAFETY: the caller vouches for both slots.
        let (low, high) = unsafe { (*slots, *slots.add(1)) };
        V128::from(u128::from(low) | u128::from(high) << 64)
    }

    #[inline(always)]
    fn write(self, slots: &mut [u64]) {
        let bits = self.as_u128();
        slots[..2].copy_from_slice(&[bits as u64, (bits >> 64) as u64]);
    }
}

// SAFETY: a `funcref` slot holds null or a pointer to a function of the store.
unsafe impl WasmTy for Option<Func> {
    fn val_type() -> ValType {
        ValType::FUNCREF
    }

    #[inline(always)]
    unsafe fn read(store: &RuntimeStore, slots: *const u64) -> Self {
        // SAFETY: the caller vouches for the slot, which is a pointer.
        unsafe {
            let func = *slots as *const FuncRef;
            (!func.is_null()).then(|| Func(store.func_handle(func)))
        }
    }

    #[inline(always)]
    fn write(self, slots: &mut [u64]) {
        slots[0] = self.map_or(0, |func| func.0.as_ptr() as u64);
    }

    #[inline(always)]
    fn check(&self, store: &RuntimeStore) -> Result<()> {
        match self {
            Some(func) if func.0.store() != store.id() => {
                Err(Error::StoreMismatch("a function reference"))
            }
            _ => Ok(()),
        }
    }
}

macro_rules! handles {
    ($($ty:ident => $heap:ident;)*) => {
        $(
            // SAFETY: a slot of such a type holds zero or a reference that is
            // alive; validation guarantees what it refers to.
            unsafe impl WasmTy for Option<$ty> {
                const ROOTED: bool = true;

                fn val_type() -> ValType {
                    ValType::Ref(RefType::new(true, HeapType::$heap))
                }

                #[inline]
                unsafe fn read(store: &RuntimeStore, slots: *const u64) -> Self {
                    // SAFETY: the caller vouches for the slot.
                    let word = NonZeroU32::new(unsafe { *slots } as u32)?;
                    // SAFETY: a reference in a slot of the store is alive.
                    Some($ty(unsafe { Handle::new(store, word) }))
                }

                #[inline]
                fn write(self, slots: &mut [u64]) {
                    slots[0] = self.map_or(0, |value| value.0.slot_unchecked());
                }

                #[inline]
                fn check(&self, store: &RuntimeStore) -> Result<()> {
                    self.map_or(Ok(()), |value| value.0.check(store))
                }
            }
        )*
    };
}

handles! {
    ExternRef => Extern;
    AnyRef => Any;
    EqRef => Eq;
    StructRef => Struct;
    ArrayRef => Array;
    ExnRef => Exn;
}

macro_rules! non_null {
    ($($ty:ty => $heap:ident;)*) => {
        $(
            // SAFETY: as for the nullable type, of which this is a subtype.
            unsafe impl WasmTy for $ty {
                const ROOTED: bool = <Option<$ty> as WasmTy>::ROOTED;

                fn val_type() -> ValType {
                    ValType::Ref(RefType::new(false, HeapType::$heap))
                }

                #[inline(always)]
                unsafe fn read(store: &RuntimeStore, slots: *const u64) -> Self {
                    // SAFETY: the caller vouches for the slot; its type has no
                    // null, which validation guarantees.
                    unsafe { <Option<$ty> as WasmTy>::read(store, slots).unwrap_unchecked() }
                }

                #[inline(always)]
                fn write(self, slots: &mut [u64]) {
                    WasmTy::write(Some(self), slots);
                }

                #[inline(always)]
                fn check(&self, store: &RuntimeStore) -> Result<()> {
                    WasmTy::check(&Some(*self), store)
                }
            }
        )*
    };
}

non_null! {
    Func => Func;
    ExternRef => Extern;
    AnyRef => Any;
    EqRef => Eq;
    StructRef => Struct;
    ArrayRef => Array;
    ExnRef => Exn;
}

/// Parameters of a [`TypedFunc`](crate::TypedFunc): a [`WasmTy`], or a tuple of
/// up to 16 of them.
pub trait WasmParams: WasmList {}

/// Results of a [`TypedFunc`](crate::TypedFunc): a [`WasmTy`], or a tuple of up
/// to 16 of them.
pub trait WasmResults: WasmList {}

impl<L: WasmList> WasmParams for L {}
impl<L: WasmList> WasmResults for L {}

/// A list of values in consecutive slots.
#[doc(hidden)]
pub trait WasmList: Sealed + Sized {
    /// Slots of the whole list.
    const SLOTS: usize;
    /// Whether any value that is read becomes a root.
    const ROOTED: bool;
    /// An array of at least so many slots.
    type Buffer: AsMut<[u64]>;
    /// The array, of zeroes.
    const ZEROES: Self::Buffer;

    /// The value types.
    fn val_types() -> Box<[ValType]>;

    /// Reads the values.
    ///
    /// # Safety
    /// At `slots` stand values of these types that belong to `store`.
    unsafe fn read(store: &RuntimeStore, slots: *const u64) -> Self;

    /// Writes the values at the start of `slots`.
    fn write(self, slots: &mut [u64]);

    /// An error if a value means nothing in `store`.
    fn check_all(&self, store: &RuntimeStore) -> Result<()>;
}

impl<A: WasmTy> WasmList for A {
    const SLOTS: usize = A::SLOTS;
    const ROOTED: bool = A::ROOTED;
    type Buffer = [u64; 2];
    const ZEROES: [u64; 2] = [0; 2];

    fn val_types() -> Box<[ValType]> {
        Box::new([A::val_type()])
    }

    #[inline(always)]
    unsafe fn read(store: &RuntimeStore, slots: *const u64) -> Self {
        // SAFETY: the caller vouches for the slots.
        unsafe { <A as WasmTy>::read(store, slots) }
    }

    #[inline(always)]
    fn write(self, slots: &mut [u64]) {
        WasmTy::write(self, slots);
    }

    #[inline(always)]
    fn check_all(&self, store: &RuntimeStore) -> Result<()> {
        WasmTy::check(self, store)
    }
}

/// Calls a macro with the names of 0 to 16 types, and their number before them.
macro_rules! for_each_arity {
    ($macro:ident) => {
        $macro!(0:);
        $macro!(1: A1);
        $macro!(2: A1 A2);
        $macro!(3: A1 A2 A3);
        $macro!(4: A1 A2 A3 A4);
        $macro!(5: A1 A2 A3 A4 A5);
        $macro!(6: A1 A2 A3 A4 A5 A6);
        $macro!(7: A1 A2 A3 A4 A5 A6 A7);
        $macro!(8: A1 A2 A3 A4 A5 A6 A7 A8);
        $macro!(9: A1 A2 A3 A4 A5 A6 A7 A8 A9);
        $macro!(10: A1 A2 A3 A4 A5 A6 A7 A8 A9 A10);
        $macro!(11: A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11);
        $macro!(12: A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12);
        $macro!(13: A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13);
        $macro!(14: A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14);
        $macro!(15: A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15);
        $macro!(16: A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15 A16);
    };
}
pub(super) use for_each_arity;

macro_rules! tuples {
    ($len:literal: $($a:ident)*) => {
        impl<$($a: WasmTy),*> Sealed for ($($a,)*) {}

        // For the names, and for the empty tuple.
        #[allow(non_snake_case, unused_assignments, unused_mut, unused_variables)]
        #[allow(clippy::unused_unit)]
        impl<$($a: WasmTy),*> WasmList for ($($a,)*) {
            const SLOTS: usize = 0 $(+ <$a as WasmTy>::SLOTS)*;
            const ROOTED: bool = false $(|| <$a as WasmTy>::ROOTED)*;
            type Buffer = [u64; 2 * $len];
            const ZEROES: Self::Buffer = [0; 2 * $len];

            fn val_types() -> Box<[ValType]> {
                Box::new([$($a::val_type()),*])
            }

            #[inline(always)]
            unsafe fn read(store: &RuntimeStore, mut slots: *const u64) -> Self {
                $(
                    // SAFETY: the caller vouches for all slots of the list.
                    let $a = unsafe {
                        let value = <$a as WasmTy>::read(store, slots);
                        slots = slots.add(<$a as WasmTy>::SLOTS);
                        value
                    };
                )*
                ($($a,)*)
            }

            #[inline(always)]
            fn write(self, slots: &mut [u64]) {
                let ($($a,)*) = self;
                let mut at = 0;
                $(
                    WasmTy::write($a, &mut slots[at..]);
                    at += <$a as WasmTy>::SLOTS;
                )*
            }

            #[inline(always)]
            fn check_all(&self, store: &RuntimeStore) -> Result<()> {
                let ($($a,)*) = self;
                $(WasmTy::check($a, store)?;)*
                Ok(())
            }
        }
    };
}

for_each_arity!(tuples);
