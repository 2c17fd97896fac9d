//! Functions of the runtime that machine code calls: one table of their names,
//! signatures and bodies.
//!
//! All take the running function's instance block first. Leaves neither look at
//! the frames of their callers nor call anything that does. Those that can fail
//! return a number that is negative if they did, `-(Status as i64)`, with the
//! reason pending in the store; they are called through a trampoline which then
//! leaves the segment, so that machine code sees successes only.

use cranelift_codegen::ir::{AbiParam, Signature, Type, types};
use cranelift_codegen::isa::CallConv;
use rwasm_runtime::gc::{GcRef, Origin};
use rwasm_runtime::layout::{Status, VmCtx};
use rwasm_runtime::libcalls;
use rwasm_runtime::store::Store;
use rwasm_runtime::trap::Trap;
use rwasm_runtime::types::TypeId;
use std::ptr;

/// The type that Rust gives an argument or result, and the one that it has in
/// machine code.
macro_rules! clif_type {
    (u32) => {
        types::I32
    };
    (u64) => {
        types::I64
    };
}

macro_rules! libcalls {
    (
        leaf { $($(#[$leaf_doc:meta])* $leaf:ident = $leaf_fn:ident(
            $leaf_vmctx:ident $(, $leaf_arg:ident: $leaf_ty:ident)*
        ) $leaf_body:block)* }
        plain { $($(#[$plain_doc:meta])* $plain:ident = $plain_fn:ident(
            $plain_vmctx:ident $(, $plain_arg:ident: $plain_ty:ident)*
        ) $(-> $plain_result:ident)? $plain_body:block)* }
        fallible { $($(#[$doc:meta])* $name:ident = $func:ident(
            $vmctx:ident $(, $arg:ident: $ty:ident)*
        ) $body:block)* }
    ) => {
        /// A function of the runtime.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub(crate) enum LibCall {
            $($(#[$leaf_doc])* $leaf,)*
            $($(#[$plain_doc])* $plain,)*
            $($(#[$doc])* $name,)*
        }

        impl LibCall {
            /// All of them, by number.
            pub(crate) const ALL: &[LibCall] = &[
                $(LibCall::$leaf,)* $(LibCall::$plain,)* $(LibCall::$name,)*
            ];

            /// Where the function is.
            pub(crate) fn address(self) -> *const () {
                match self {
                    $(LibCall::$leaf => $leaf_fn as *const (),)*
                    $(LibCall::$plain => $plain_fn as *const (),)*
                    $(LibCall::$name => $func as *const (),)*
                }
            }

            /// Whether it can fail, and so has to be called through a
            /// trampoline that knows how to leave the segment.
            pub(crate) fn can_fail(self) -> bool {
                match self {
                    $(LibCall::$leaf)|* | $(LibCall::$plain)|* => false,
                    $(LibCall::$name)|* => true,
                }
            }

            /// Whether nobody has to know the frame that it is called from.
            pub(crate) fn is_leaf(self) -> bool {
                matches!(self, $(LibCall::$leaf)|*)
            }

            /// The types of the parameters behind the instance block.
            fn params(self) -> &'static [Type] {
                match self {
                    $(LibCall::$leaf => &[$(clif_type!($leaf_ty)),*],)*
                    $(LibCall::$plain => &[$(clif_type!($plain_ty)),*],)*
                    $(LibCall::$name => &[$(clif_type!($ty)),*],)*
                }
            }

            fn result(self) -> &'static [Type] {
                match self {
                    $(LibCall::$leaf)|* => &[],
                    $(LibCall::$plain => &[$(clif_type!($plain_result))?],)*
                    $(LibCall::$name)|* => &[types::I64],
                }
            }
        }

        $(
            unsafe extern "C" fn $leaf_fn($leaf_vmctx: *mut VmCtx $(, $leaf_arg: $leaf_ty)*) {
                // SAFETY: what machine code passes was checked by it.
                unsafe { $leaf_body }
            }
        )*
        $(
            unsafe extern "C" fn $plain_fn(
                $plain_vmctx: *mut VmCtx $(, $plain_arg: $plain_ty)*
            ) $(-> $plain_result)? {
                // SAFETY: machine code passes its own live instance block and
                // indices that validation has checked.
                unsafe { $plain_body }
            }
        )*
        $(
            unsafe extern "C" fn $func($vmctx: *mut VmCtx $(, $arg: $ty)*) -> i64 {
                // SAFETY: as above.
                unsafe { Outcome::to_number($body, $vmctx) }
            }
        )*
    };
}

libcalls! {
    leaf {
        /// `memory.copy`, of bytes at these addresses.
        MoveBytes = move_bytes(_vmctx, dst: u64, src: u64, len: u64) {
            // Machine code has compared both ranges with their memories, which
            // no other thread has.
            let (dst, src) = (dst as usize, src as usize);
            let src = ptr::with_exposed_provenance::<u8>(src);
            ptr::copy(src, ptr::with_exposed_provenance_mut(dst), len as usize);
        }
        /// `memory.fill`, of bytes at this address.
        FillBytes = fill_bytes(_vmctx, dst: u64, byte: u32, len: u64) {
            // As above.
            let dst = ptr::with_exposed_provenance_mut::<u8>(dst as usize);
            ptr::write_bytes(dst, byte as u8, len as usize);
        }
    }
    plain {
        /// `memory.grow`.
        MemoryGrow = memory_grow(vmctx, memory: u32, delta: u64) -> u64 {
            libcalls::memory_grow(vmctx, memory, delta)
        }
        /// `data.drop`.
        DataDrop = data_drop(vmctx, segment: u32) {
            libcalls::data_drop(vmctx, segment)
        }
        /// `table.grow`.
        TableGrow = table_grow(vmctx, table: u32, delta: u64, init: u64) -> u64 {
            libcalls::table_grow(vmctx, table, delta, init)
        }
        /// `elem.drop`.
        ElemDrop = elem_drop(vmctx, segment: u32) {
            libcalls::elem_drop(vmctx, segment)
        }
        /// `ref.func`, where the reference was not made before.
        RefFunc = ref_func(vmctx, func: u32) -> u64 {
            libcalls::ref_func(vmctx, func) as u64
        }
        /// Whether a canonical type is a subtype of another one.
        IsSubtype = is_subtype(vmctx, sub: u32, sup: u32) -> u32 {
            let registry = &(*(*vmctx).module).registry;
            u32::from(registry.is_subtype(TypeId::from_u32(sub), TypeId::from_u32(sup)))
        }
    }
    fallible {
        /// `memory.fill`.
        MemoryFill = memory_fill(vmctx, memory: u32, dst: u64, byte: u32, len: u64) {
            libcalls::memory_fill(vmctx, memory, dst, byte as u8, len)
        }
        /// `memory.copy`.
        MemoryCopy = memory_copy(
            vmctx, dst_memory: u32, src_memory: u32, dst: u64, src: u64, len: u64
        ) {
            libcalls::memory_copy(vmctx, dst_memory, src_memory, dst, src, len)
        }
        /// `memory.init`.
        MemoryInit = memory_init(
            vmctx, memory: u32, segment: u32, dst: u64, src: u64, len: u64
        ) {
            libcalls::memory_init(vmctx, memory, segment, dst, src, len)
        }
        /// `memory.atomic.wait32`.
        AtomicWait32 = atomic_wait32(
            vmctx, memory: u32, address: u64, offset: u64, expected: u32, timeout: u64
        ) {
            let timeout = timeout as i64;
            libcalls::memory_atomic_wait32(vmctx, memory, address, offset, expected, timeout)
        }
        /// `memory.atomic.wait64`.
        AtomicWait64 = atomic_wait64(
            vmctx, memory: u32, address: u64, offset: u64, expected: u64, timeout: u64
        ) {
            let timeout = timeout as i64;
            libcalls::memory_atomic_wait64(vmctx, memory, address, offset, expected, timeout)
        }
        /// `memory.atomic.notify`.
        AtomicNotify = atomic_notify(
            vmctx, memory: u32, address: u64, offset: u64, count: u32
        ) {
            libcalls::memory_atomic_notify(vmctx, memory, address, offset, count)
        }
        /// An exception of a tag of the module, without its values.
        NewException = new_exception(vmctx, tag: u32) {
            let tag = VmCtx::pointer_at(vmctx, (*(*vmctx).module).offsets.tag(tag));
            Store::alloc_exception((*vmctx).store, Origin::Guest, tag)
        }
        /// `throw_ref` of an exception. It always fails, with that exception.
        ThrowRef = throw_ref(vmctx, exception: u32) {
            (*(*vmctx).store).pending_exception = exception;
            Thrown
        }
        /// An object that begins with a header of 8 bytes.
        NewObject = new_object(vmctx, header: u64, bytes: u32) {
            libcalls::new_object(vmctx, header, bytes, NOT_THERE)
        }
        /// An array of zeros.
        NewArray = new_array(vmctx, header: u32, len: u32) {
            libcalls::new_array(vmctx, header, len, NOT_THERE)
        }
        /// `array.new`, with its operands in slots.
        ArrayNew = array_new(vmctx, slots: u64, ty: u32, segment: u32) {
            libcalls::array_new(vmctx, to_slots(slots), ty, segment, NOT_THERE)
        }
        /// `array.new_data`, with its operands in slots.
        ArrayNewData = array_new_data(vmctx, slots: u64, ty: u32, segment: u32) {
            libcalls::array_new_data(vmctx, to_slots(slots), ty, segment, NOT_THERE)
        }
        /// `array.new_elem`, with its operands in slots.
        ArrayNewElem = array_new_elem(vmctx, slots: u64, ty: u32, segment: u32) {
            libcalls::array_new_elem(vmctx, to_slots(slots), ty, segment, NOT_THERE)
        }
        /// `array.fill`, with its operands in slots.
        ArrayFill = array_fill(vmctx, slots: u64, ty: u32, segment: u32) {
            libcalls::array_fill(vmctx, to_slots(slots), ty, segment, NOT_THERE)
        }
        /// `array.copy`, with its operands in slots.
        ArrayCopy = array_copy(vmctx, slots: u64, ty: u32, segment: u32) {
            libcalls::array_copy(vmctx, to_slots(slots), ty, segment, NOT_THERE)
        }
        /// `array.init_data`, with its operands in slots.
        ArrayInitData = array_init_data(vmctx, slots: u64, ty: u32, segment: u32) {
            libcalls::array_init_data(vmctx, to_slots(slots), ty, segment, NOT_THERE)
        }
        /// `array.init_elem`, with its operands in slots.
        ArrayInitElem = array_init_elem(vmctx, slots: u64, ty: u32, segment: u32) {
            libcalls::array_init_elem(vmctx, to_slots(slots), ty, segment, NOT_THERE)
        }
        /// `table.fill`.
        TableFill = table_fill(vmctx, table: u32, dst: u64, value: u64, len: u64) {
            libcalls::table_fill(vmctx, table, dst, value, len)
        }
        /// `table.copy`.
        TableCopy = table_copy(
            vmctx, dst_table: u32, src_table: u32, dst: u64, src: u64, len: u64
        ) {
            libcalls::table_copy(vmctx, dst_table, src_table, dst, src, len)
        }
        /// `table.init`.
        TableInit = table_init(
            vmctx, table: u32, segment: u32, dst: u64, src: u64, len: u64
        ) {
            libcalls::table_init(vmctx, table, segment, dst, src, len)
        }
    }
}

/// The frames of machine code are not on the value stack.
const NOT_THERE: *mut u64 = ptr::null_mut();

/// Slots in the frame of machine code.
fn to_slots(address: u64) -> *mut u64 {
    ptr::with_exposed_provenance_mut(address as usize)
}

impl LibCall {
    /// The signature, with the platform's calling convention.
    pub(crate) fn signature(self, call_conv: CallConv) -> Signature {
        let mut signature = Signature::new(call_conv);
        signature.params.push(AbiParam::new(types::I64));
        let params = self.params().iter().copied().map(AbiParam::new);
        signature.params.extend(params);
        let result = self.result().iter().copied().map(AbiParam::new);
        signature.returns.extend(result);
        signature
    }
}

/// What became of a function that can fail.
trait Outcome {
    /// The number that says so.
    ///
    /// # Safety
    /// `vmctx` is a live instance block.
    unsafe fn to_number(self, vmctx: *mut VmCtx) -> i64;
}

/// A result where it does not fail.
trait Success {
    fn to_number(self) -> i64;
}

impl Success for () {
    fn to_number(self) -> i64 {
        0
    }
}

impl Success for u32 {
    fn to_number(self) -> i64 {
        self.into()
    }
}

impl Success for GcRef {
    fn to_number(self) -> i64 {
        self.to_word().into()
    }
}

impl<T: Success> Outcome for Result<T, Trap> {
    unsafe fn to_number(self, vmctx: *mut VmCtx) -> i64 {
        match self {
            Ok(value) => value.to_number(),
            Err(trap) => {
                // SAFETY: a live block has a live store.
                let status = unsafe { Store::raise((*vmctx).store, trap) };
                -(status as i64)
            }
        }
    }
}

/// An exception was left pending.
struct Thrown;

impl Outcome for Thrown {
    unsafe fn to_number(self, _vmctx: *mut VmCtx) -> i64 {
        -(Status::Exception as i64)
    }
}

const _: () = assert!(Status::Ok as u32 == 0, "success is not negative");
