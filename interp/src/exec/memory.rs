//! Loads and stores.
//!
//! Guarded memory 0: the sandbox is the reservation, so that an access is one
//! instruction that may fault. An address is 32 bits plus a static offset below
//! [`rwasm_runtime::tunables::MEMORY_GUARD`].
//! ```text
//!  load    [handler] [a:16 d:16 offset:32]
//!  load2   [handler] [a:16 d:16 b:16 _] [offset:32 b's constant:32]     address a + b
//!  store   [handler] [a:16 v:16 offset:32] [v's constant:64]
//!  store2  [handler] [a:16 v:16 offset:32] [b:16 _ b's constant:32] [v's constant:64]
//! ```
//! Where `a` is a constant, `offset` is the whole address. Floats that are loaded to be computed with:
//! ```text
//!  op load       [handler] [address:16 d:16 offset:32] [a:16 _]
//!  mul add load  [handler] [address:16 d:16 offset:32] [a:16 c:16 _]
//! ```
//! Any other memory is checked: `[handler] [a:16 d:16 memory:32] [offset:64]`
//! with `memory` the offset of its definition in the instance block. Once it is
//! checked, it is the same instruction as a guarded one: other threads may access
//! a shared memory at the same time, where a plain access of Rust's would be
//! undefined ([`rwasm_runtime::racy`]).

use super::float::{self, Binary as FloatOperation};
use super::grid::pick;
use super::int;
use super::regs::{
    A, Class, FA, FK, FS, Float, FloatClass, Handler, Ip, K, P0, P1, P2, Regs, S, class, dispatch,
    handler, header, tail,
};
use super::trap::{MemoryOutOfBounds, trap};
use crate::arch;
use crate::op::*;
use rwasm_runtime::layout::{MemoryDef, VmCtx};
use std::sync::atomic::Ordering;

/// A load of an integer.
pub(crate) trait Load {
    /// Bytes in memory.
    const SIZE: u64;
    /// # Safety
    /// See [`arch`].
    unsafe fn access(ip: Ip, fp: *mut u64, base: u64, ea: u64) -> u64;
}

/// A store of an integer.
pub(crate) trait Store {
    /// Bytes in memory.
    const SIZE: u64;
    /// # Safety
    /// See [`arch`].
    unsafe fn access(ip: Ip, fp: *mut u64, base: u64, ea: u64, value: u64);
}

/// A float in memory.
pub(crate) trait FloatAccess: Float {
    /// # Safety
    /// See [`arch`].
    unsafe fn load(ip: Ip, fp: *mut u64, base: u64, ea: u64) -> Self;
    /// # Safety
    /// See [`arch`].
    unsafe fn store(ip: Ip, fp: *mut u64, base: u64, ea: u64, value: Self);
    /// `c + a * b`, rounded twice.
    fn mul_add(a: Self, b: Self, c: Self) -> Self;
}

/// The effective address: 32 bits of address plus the static offset.
#[inline(always)]
pub(super) fn effective(address: u64, offset: u32) -> u64 {
    u64::from(address as u32) + u64::from(offset)
}

/// The effective address of a sum, which wraps at 32 bits as `i32.add` does.
#[inline(always)]
fn effective_sum(a: u64, b: u64, offset: u32) -> u64 {
    u64::from((a as u32).wrapping_add(b as u32)) + u64::from(offset)
}

impl Regs {
    #[inline(always)]
    pub(super) unsafe fn do_load<O: Load, X: Class, D: Class>(&mut self) {
        // SAFETY: the contract of all handlers.
        unsafe {
            let address = self.read_address::<X>();
            self.do_load_from::<O, D>(address);
            self.ip = self.ip.next(16);
        }
    }

    /// What the offset is added to.
    #[inline(always)]
    unsafe fn read_address<X: Class>(&self) -> u64 {
        match X::INDEX {
            class::CONST => 0,
            // SAFETY: the contract of all handlers.
            _ => unsafe { self.read::<X>(8, 0) },
        }
    }

    /// The load itself, from an address read already.
    #[inline(always)]
    pub(super) unsafe fn do_load_from<O: Load, D: Class>(&mut self, address: u64) {
        // SAFETY: the contract of all handlers.
        unsafe {
            let ea = effective(address, self.ip.u32(12));
            let value = O::access(self.ip, self.fp, self.header(header::MEMORY), ea);
            self.write::<D>(10, value);
        }
    }

    /// The same of a float.
    #[inline(always)]
    pub(super) unsafe fn do_float_load_from<F: FloatAccess, D: FloatClass>(
        &mut self,
        address: u64,
    ) {
        // SAFETY: the contract of all handlers.
        unsafe {
            let ea = effective(address, self.ip.u32(12));
            let value = F::load(self.ip, self.fp, self.header(header::MEMORY), ea);
            self.write_float::<D, F>(10, value);
        }
    }

    #[inline(always)]
    pub(super) unsafe fn do_float_store<F: FloatAccess, V: FloatClass, X: Class>(&mut self) {
        // SAFETY: the contract of all handlers.
        unsafe {
            let value: F = self.read_float::<V, F>(10, 16);
            let ea = effective(self.read_address::<X>(), self.ip.u32(12));
            F::store(self.ip, self.fp, self.header(header::MEMORY), ea, value);
            self.ip = self.ip.next(const { float::size::<V, FS>() });
        }
    }

    #[inline(always)]
    pub(super) unsafe fn do_store<O: Store, X: Class, V: Class>(&mut self) {
        // SAFETY: the contract of all handlers.
        unsafe {
            let value = self.read::<V>(10, 16);
            let ea = effective(self.read_address::<X>(), self.ip.u32(12));
            O::access(self.ip, self.fp, self.header(header::MEMORY), ea, value);
            self.ip = self.ip.next(const { int::size::<V, S>(true) });
        }
    }

    #[inline(always)]
    pub(super) unsafe fn do_load2<O: Load, X: Class, Y: Class, D: Class>(&mut self) {
        // SAFETY: the contract of all handlers.
        unsafe {
            let b = self.read_short::<Y>(12, 20);
            let ea = effective_sum(self.read::<X>(8, 0), b, self.ip.u32(16));
            let value = O::access(self.ip, self.fp, self.header(header::MEMORY), ea);
            self.write::<D>(10, value);
            self.ip = self.ip.next(24);
        }
    }

    #[inline(always)]
    pub(super) unsafe fn do_store2<O: Store, X: Class, Y: Class, V: Class>(&mut self) {
        // SAFETY: the contract of all handlers.
        unsafe {
            let value = self.read::<V>(10, 24);
            let b = self.read_short::<Y>(16, 20);
            let ea = effective_sum(self.read::<X>(8, 0), b, self.ip.u32(12));
            O::access(self.ip, self.fp, self.header(header::MEMORY), ea, value);
            self.ip = self
                .ip
                .next(const { if V::INDEX == class::CONST { 32 } else { 24 } });
        }
    }

    #[inline(always)]
    pub(super) unsafe fn do_float_load2<F: FloatAccess, D: FloatClass, X: Class, Y: Class>(
        &mut self,
    ) {
        // SAFETY: the contract of all handlers.
        unsafe {
            let b = self.read_short::<Y>(12, 20);
            let ea = effective_sum(self.read::<X>(8, 0), b, self.ip.u32(16));
            let value = F::load(self.ip, self.fp, self.header(header::MEMORY), ea);
            self.write_float::<D, F>(10, value);
            self.ip = self.ip.next(24);
        }
    }
}

handler! {
    fn load<O: Load, X: Class, D: Class>(r) {
        r.do_load::<O, X, D>();
        dispatch!(r)
    }
}

handler! {
    fn load2<O: Load, X: Class, Y: Class, D: Class>(r) {
        r.do_load2::<O, X, Y, D>();
        dispatch!(r)
    }
}

handler! {
    fn store<O: Store, X: Class, V: Class>(r) {
        r.do_store::<O, X, V>();
        dispatch!(r)
    }
}

handler! {
    fn store2<O: Store, X: Class, Y: Class, V: Class>(r) {
        r.do_store2::<O, X, Y, V>();
        dispatch!(r)
    }
}

handler! {
    fn float_load<F: FloatAccess, D: FloatClass, X: Class>(r) {
        let address = r.read_address::<X>();
        r.do_float_load_from::<F, D>(address);
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

handler! {
    fn float_load2<F: FloatAccess, D: FloatClass, X: Class, Y: Class>(r) {
        r.do_float_load2::<F, D, X, Y>();
        dispatch!(r)
    }
}

handler! {
    fn float_store<F: FloatAccess, V: FloatClass, X: Class>(r) {
        r.do_float_store::<F, V, X>();
        dispatch!(r)
    }
}

handler! {
    /// `a op [address + offset]`.
    fn float_binary_load<O: FloatOperation, V: FloatClass, X: Class, D: FloatClass>(r) {
        let a: O::Operand = r.read_float::<V, _>(16, 0);
        let ea = effective(r.read::<X>(8, 0), r.ip.u32(12));
        let b = O::Operand::load(r.ip, r.fp, r.header(header::MEMORY), ea);
        r.write_float::<D, _>(10, O::apply(a, b));
        r.ip = r.ip.next(24);
        dispatch!(r)
    }
}

handler! {
    /// `c + a * [address + offset]`.
    fn float_mul_add_load<F: FloatAccess, V: FloatClass, X: Class, D: FloatClass>(r) {
        let a: F = r.read_float::<V, F>(16, 0);
        let c = F::from_slot(r.slot(r.ip.u16(18)));
        let ea = effective(r.read::<X>(8, 0), r.ip.u32(12));
        let b = F::load(r.ip, r.fp, r.header(header::MEMORY), ea);
        r.write_float::<D, F>(10, F::mul_add(a, b, c));
        r.ip = r.ip.next(24);
        dispatch!(r)
    }
}

handler! {
    fn checked_load<O: Load, D: Class>(r) {
        let Some((base, ea)) = checked(&r, O::SIZE) else { tail!(trap::<MemoryOutOfBounds>, r) };
        r.write::<D>(10, O::access(r.ip, r.fp, base, ea));
        r.ip = r.ip.next(24);
        dispatch!(r)
    }
}

handler! {
    fn checked_store<O: Store>(r) {
        let value = r.slot(r.ip.u16(10));
        let Some((base, ea)) = checked(&r, O::SIZE) else { tail!(trap::<MemoryOutOfBounds>, r) };
        O::access(r.ip, r.fp, base, ea, value);
        r.ip = r.ip.next(24);
        dispatch!(r)
    }
}

/// The base and the effective address of an access of `size` bytes, or `None`
/// outside the memory.
#[inline(always)]
pub(super) unsafe fn checked(r: &Regs, size: u64) -> Option<(u64, u64)> {
    // SAFETY: the contract of all handlers; the format of checked accesses.
    unsafe {
        let memory: *mut MemoryDef = VmCtx::pointer_at(r.vmctx(), r.ip.u32(12));
        let ea = r.slot(r.ip.u16(8)).checked_add(r.ip.u64(16))?;
        // Relaxed is enough: a memory only grows, and growth by this thread is
        // ordered; a racing growth may be seen or not.
        let len = (*memory).len.load(Ordering::Relaxed) as u64;
        // `len - size` must not wrap for memories shorter than the access.
        if size > len || ea > len - size {
            return None;
        }
        Some(((*memory).base as u64, ea))
    }
}

macro_rules! load_table {
    ($($name:ident($access:ident, $width:ty),)*) => {
        $(
            pub(super) struct $name;
            impl Load for $name {
                const SIZE: u64 = size_of::<$width>() as u64;
                #[inline(always)]
                unsafe fn access(ip: Ip, fp: *mut u64, base: u64, ea: u64) -> u64 {
                    // SAFETY: the caller's contract.
                    unsafe { arch::$access(ip, fp, base, ea) }
                }
            }
        )*
        /// The handler of a load from guarded memory 0.
        pub(crate) fn load_handler(op: IntLoad, a: usize, d: usize) -> Handler {
            pick!(load by op as usize => $([$name])*; six a, five d)
        }
        /// The handler of a load from guarded memory 0 at the sum of two operands.
        pub(crate) fn load2_handler(op: IntLoad, a: usize, b: usize, d: usize) -> Handler {
            pick!(load2 by op as usize => $([$name])*; five a, six b, five d)
        }
        /// The handler of a load from any other memory.
        pub(crate) fn checked_load_handler(op: IntLoad, d: usize) -> Handler {
            pick!(checked_load by op as usize => $([$name])*; two d)
        }
    };
}
int_load_ops!(load_table);

macro_rules! store_table {
    ($($name:ident($access:ident, $width:ty),)*) => {
        $(
            pub(super) struct $name;
            impl Store for $name {
                const SIZE: u64 = size_of::<$width>() as u64;
                #[inline(always)]
                unsafe fn access(ip: Ip, fp: *mut u64, base: u64, ea: u64, value: u64) {
                    // SAFETY: the caller's contract.
                    unsafe { arch::$access(ip, fp, base, ea, value) }
                }
            }
        )*
        /// The handler of a store to guarded memory 0.
        pub(crate) fn store_handler(op: IntStore, a: usize, v: usize) -> Handler {
            pick!(store by op as usize => $([$name])*; six a, six v)
        }
        /// The handler of a store to guarded memory 0 at the sum of two operands.
        pub(crate) fn store2_handler(op: IntStore, a: usize, b: usize, v: usize) -> Handler {
            pick!(store2 by op as usize => $([$name])*; five a, six b, six v)
        }
        /// The handler of a store to any other memory.
        pub(crate) fn checked_store_handler(op: IntStore) -> Handler {
            match op { $(IntStore::$name => checked_store::<$name>,)* }
        }
    };
}
int_store_ops!(store_table);

impl FloatAccess for f32 {
    #[inline(always)]
    unsafe fn load(ip: Ip, fp: *mut u64, base: u64, ea: u64) -> Self {
        // SAFETY: the caller's contract.
        unsafe { arch::load_f32(ip, fp, base, ea) }
    }
    #[inline(always)]
    unsafe fn store(ip: Ip, fp: *mut u64, base: u64, ea: u64, value: Self) {
        // SAFETY: the caller's contract.
        unsafe { arch::store_f32(ip, fp, base, ea, value) }
    }
    #[inline(always)]
    fn mul_add(a: Self, b: Self, c: Self) -> Self {
        c + a * b
    }
}

impl FloatAccess for f64 {
    #[inline(always)]
    unsafe fn load(ip: Ip, fp: *mut u64, base: u64, ea: u64) -> Self {
        // SAFETY: the caller's contract.
        unsafe { arch::load_f64(ip, fp, base, ea) }
    }
    #[inline(always)]
    unsafe fn store(ip: Ip, fp: *mut u64, base: u64, ea: u64, value: Self) {
        // SAFETY: the caller's contract.
        unsafe { arch::store_f64(ip, fp, base, ea, value) }
    }
    #[inline(always)]
    fn mul_add(a: Self, b: Self, c: Self) -> Self {
        c + a * b
    }
}

/// The handler of a float load from guarded memory 0.
pub(crate) fn float_load_handler(width: FloatWidth, a: usize, d: usize) -> Handler {
    match width {
        FloatWidth::F32 => pick!(float_load[f32]; float_two d, six a),
        FloatWidth::F64 => pick!(float_load[f64]; float_two d, six a),
    }
}

/// The handler of a float load from guarded memory 0 at the sum of two operands.
pub(crate) fn float_load2_handler(width: FloatWidth, a: usize, b: usize, d: usize) -> Handler {
    match width {
        FloatWidth::F32 => pick!(float_load2[f32]; float_two d, five a, six b),
        FloatWidth::F64 => pick!(float_load2[f64]; float_two d, five a, six b),
    }
}

/// The handler of a float store to guarded memory 0.
pub(crate) fn float_store_handler(width: FloatWidth, a: usize, v: usize) -> Handler {
    match width {
        FloatWidth::F32 => pick!(float_store[f32]; float_three v, six a),
        FloatWidth::F64 => pick!(float_store[f64]; float_three v, six a),
    }
}

/// The handler of an operation on a float and one from guarded memory 0, if
/// there is one.
pub(crate) fn float_binary_load_handler(
    op: FloatBinary,
    a: usize,
    address: usize,
    d: usize,
) -> Handler {
    macro_rules! table {
        ($($name:ident),*) => {
            match op {
                $(FloatBinary::$name => {
                    pick!(float_binary_load[float::$name]; float_two a, five address, float_two d)
                })*
                _ => unreachable!("lowering makes no such instruction"),
            }
        };
    }
    table!(F32Add, F32Sub, F32Mul, F64Add, F64Sub, F64Mul)
}

/// The handler of a multiplication with a float from guarded memory 0 and an
/// addition.
pub(crate) fn float_mul_add_load_handler(
    width: FloatWidth,
    a: usize,
    address: usize,
    d: usize,
) -> Handler {
    match width {
        FloatWidth::F32 => pick!(float_mul_add_load[f32]; float_two a, five address, float_two d),
        FloatWidth::F64 => pick!(float_mul_add_load[f64]; float_two a, five address, float_two d),
    }
}
