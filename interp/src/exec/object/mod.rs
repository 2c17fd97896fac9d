//! Structs, arrays and casts.
//!
//! An object is at the base of the store's heap, which its instance block has,
//! plus the 32-bit reference. Nothing here faults: lengths and null are checked.

pub(crate) mod alloc;
pub(crate) mod array;
pub(crate) mod cast;
pub(crate) mod field;

use super::regs::Regs;

impl Regs {
    /// The address of an object, or of something in it.
    #[inline(always)]
    unsafe fn object(&self, reference: u64, offset: u64) -> *mut u8 {
        // SAFETY: the contract of all handlers: a reference that is not null is
        // one to an object of the store, made after its heap.
        unsafe {
            (*self.vmctx())
                .gc_base
                .add(reference as usize)
                .add(offset as usize)
        }
    }
}

impl Regs {
    /// The end of the frame's slots in use, which stands at byte `end_at` of the
    /// instruction. Clears the dead ones below it, which stand at byte `dead_at`
    /// ([`crate::object::Live`]).
    #[inline(always)]
    unsafe fn live_end(&self, end_at: usize, dead_at: usize) -> *mut u64 {
        // SAFETY: the contract of all handlers; what is dead holds no operand.
        unsafe {
            let end = self.fp.add(self.ip.u16(end_at));
            let mut dead = self.ip.u32(dead_at);
            while dead != 0 {
                end.sub(1 + dead.trailing_zeros() as usize).write(0);
                dead &= dead - 1;
            }
            end
        }
    }
}

/// How a value of up to 64 bits is read from an object.
pub(crate) trait Load {
    const SHIFT: u32;
    /// # Safety
    /// `at` points to a field or element of this width.
    unsafe fn load(at: *const u8) -> u64;
}

/// How a value of up to 64 bits is written to an object.
pub(crate) trait Store {
    const SHIFT: u32;
    /// # Safety
    /// `at` points to a field or element of this width.
    unsafe fn store(at: *mut u8, value: u64);
}

macro_rules! accesses {
    ($($load:ident($int:ty, |$v:ident| $extended:expr),)*; $($store:ident($width:ty),)*) => {
        /// A read of a field or an element, as handlers for it are told apart.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum ObjectLoad { $($load,)* }
        /// A write.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum ObjectStore { $($store,)* }

        $(
            pub(crate) struct $load;
            impl Load for $load {
                const SHIFT: u32 = size_of::<$int>().trailing_zeros();
                #[inline(always)]
                unsafe fn load(at: *const u8) -> u64 {
                    // SAFETY: as the caller promises; fields are aligned.
                    let $v = unsafe { at.cast::<$int>().read() };
                    $extended
                }
            }
        )*
        $(
            pub(crate) struct $store;
            impl Store for $store {
                const SHIFT: u32 = size_of::<$width>().trailing_zeros();
                #[inline(always)]
                unsafe fn store(at: *mut u8, value: u64) {
                    // SAFETY: as the caller promises; fields are aligned.
                    unsafe { at.cast::<$width>().write(value as $width) }
                }
            }
        )*
    };
}
accesses! {
    Get8S(i8, |v| u64::from(v as u32)),
    Get8U(u8, |v| u64::from(v)),
    Get16S(i16, |v| u64::from(v as u32)),
    Get16U(u16, |v| u64::from(v)),
    Get32(u32, |v| u64::from(v)),
    Get64(u64, |v| v),;
    Set8(u8),
    Set16(u16),
    Set32(u32),
    Set64(u64),
}
