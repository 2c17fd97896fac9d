//! The run-time state that both tiers read, as `#[repr(C)]` structs.
//!
//! The interpreter reads these fields as Rust, machine code through
//! `offset_of!`; nothing else may know an offset. Every definition is boxed by
//! the store and never moves, so that raw pointers to it stay valid as long as
//! the store lives.
//!
//! ```text
//!  VmCtx (one per instance)                 MemoryDef { base, len }
//!  ┌──────────────────────────┐         ┌──►
//!  │ header (struct VmCtx)    │         │   TableDef { elems, len }
//!  ├──────────────────────────┤         │ ┌►
//!  │ *MemoryDef × memories    ├─────────┘ │ GlobalDef { value }
//!  │ *TableDef  × tables      ├───────────┘┌►
//!  │ *GlobalDef × globals     ├────────────┘ FuncRef { cell, instance, native, ty, direct }
//!  │ *FuncRef   × func imports├──────────────►
//!  │ *Tag       × tags        │
//!  └──────────────────────────┘
//! ```
//! Imported and local definitions have the same shape: a pointer.

use crate::code::{CodeCell, ModuleCode};
use crate::gc::GcCtx;
use crate::global::Tag;
use crate::types::TypeId;
use std::mem::offset_of;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize};

/// How a run of frames ended, as it crosses from one tier (or the host) to
/// another. The payload of anything but [`Status::Ok`] is in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Status {
    /// Results are in the slots.
    Ok = 0,
    /// A trap, a host error or a panic of the host is pending in the store.
    Trap = 1,
    /// An exception is pending in the store.
    Exception = 2,
    /// A tail call is pending in the store, to be made by the trampoline.
    TailCall = 3,
}

/// The array call shape: arguments are read from `slots[0..]`, results written
/// to `slots[0..]`; a `v128` takes two slots, everything else one.
///
/// `callee` is the instance of the function that is called, `caller` that of
/// the calling one, or null where the host calls; `cell` is the callee's code,
/// which one entry shared by many functions needs to tell them apart.
pub type ArrayEntry = unsafe extern "C" fn(
    callee: *mut VmCtx,
    caller: *mut VmCtx,
    cell: *const CodeCell,
    slots: *mut u64,
) -> Status;

/// What a [`VmCtx`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum VmCtxKind {
    /// An instance of a module.
    Instance = 0,
    /// The first field of a [`crate::host::HostFunc`].
    Host = 1,
}

/// The head of an instance block. Pointers to the instance's definitions
/// follow it; [`VmOffsets`] says where.
///
/// Mutability: every field is written once, before the instance's first
/// instruction runs.
#[derive(Debug)]
#[repr(C)]
pub struct VmCtx {
    /// The store that owns this instance.
    pub store: *mut StoreCtx,
    /// Base of memory 0 where that memory is guarded (its base never moves);
    /// null otherwise.
    pub memory0_base: *mut u8,
    /// Canonical types by module type index; null for a host function.
    pub type_ids: *const TypeId,
    /// Function references of the instance's own functions, by function index
    /// less the imported ones; an entry with a null cell was not asked for yet.
    pub func_refs: *mut FuncRef,
    /// The code of the module; null for a host function.
    pub module: *const ModuleCode,
    /// Where the store's garbage-collected heap begins, if the module's code may
    /// get hold of objects; null otherwise.
    pub gc_base: *mut u8,
    /// The memory that the module exports as `memory`, for functions of the host;
    /// null if there is none.
    pub exported_memory: *mut MemoryDef,
    /// Index of the instance in its store.
    pub instance: u32,
    /// What this block is.
    pub kind: VmCtxKind,
}

/// Byte offsets of the pointers that follow the head of an instance block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VmOffsets {
    memories: u32,
    tables: u32,
    globals: u32,
    imported_funcs: u32,
    tags: u32,
    size: u32,
}

impl VmOffsets {
    /// The layout for a module with that many memories, tables, globals and
    /// tags (imported ones included) and imported functions.
    ///
    /// # Panics
    /// If the block would exceed 4 GiB, which validated modules cannot reach.
    pub fn new(
        memories: usize,
        tables: usize,
        globals: usize,
        imported_funcs: usize,
        tags: usize,
    ) -> Self {
        let pointer = size_of::<*mut u8>();
        let at = |count: usize| {
            u32::try_from(size_of::<VmCtx>() + count * pointer).expect("instance block over 4 GiB")
        };
        VmOffsets {
            memories: at(0),
            tables: at(memories),
            globals: at(memories + tables),
            imported_funcs: at(memories + tables + globals),
            tags: at(memories + tables + globals + imported_funcs),
            size: at(memories + tables + globals + imported_funcs + tags),
        }
    }

    /// Offset of the `*mut MemoryDef` of a memory.
    pub fn memory(&self, index: u32) -> u32 {
        self.memories + index * size_of::<*mut MemoryDef>() as u32
    }

    /// Offset of the `*mut TableDef` of a table.
    pub fn table(&self, index: u32) -> u32 {
        self.tables + index * size_of::<*mut TableDef>() as u32
    }

    /// Offset of the `*mut GlobalDef` of a global.
    pub fn global(&self, index: u32) -> u32 {
        self.globals + index * size_of::<*mut GlobalDef>() as u32
    }

    /// Offset of the `*const FuncRef` of an imported function.
    pub fn imported_func(&self, index: u32) -> u32 {
        self.imported_funcs + index * size_of::<*const FuncRef>() as u32
    }

    /// Offset of the `*const Tag` of a tag. It is never 0: the head of the
    /// block comes first.
    pub fn tag(&self, index: u32) -> u32 {
        self.tags + index * size_of::<*const Tag>() as u32
    }

    /// Size of the whole block in bytes, a multiple of 8.
    pub fn size(&self) -> u32 {
        self.size
    }
}

impl VmCtx {
    /// Reads a pointer at `offset`, which must come from this block's
    /// [`VmOffsets`].
    ///
    /// # Safety
    /// `this` is a live instance block laid out by the `VmOffsets` that gave
    /// `offset`, and `T` is the type of definition stored there.
    #[inline(always)]
    pub unsafe fn pointer_at<T>(this: *const VmCtx, offset: u32) -> *mut T {
        // SAFETY: the caller vouches for the offset and the type.
        unsafe { this.byte_add(offset as usize).cast::<*mut T>().read() }
    }
}

/// A linear memory as code sees it.
///
/// Mutability: `base` moves only in `memory.grow` of an unguarded, unshared
/// memory; `len` grows only, but between the uses of a pooled store. A shared
/// memory's `len` is read by other threads, hence the atomic.
#[derive(Debug)]
#[repr(C)]
pub struct MemoryDef {
    /// First byte.
    pub base: *mut u8,
    /// Length in bytes.
    pub len: AtomicUsize,
}

/// A table as code sees it: `len` elements of one slot each.
///
/// A `funcref` element is a `*const FuncRef` or null; an element of any other
/// reference type is a 32-bit reference, zero-extended, or 0 for null.
#[derive(Debug)]
#[repr(C)]
pub struct TableDef {
    /// First element; moves in `table.grow`.
    pub elems: *mut u64,
    /// Number of elements.
    pub len: u64,
}

/// A global: one slot, or two for a `v128`.
#[derive(Debug)]
#[repr(C, align(16))]
pub struct GlobalDef {
    /// The value; references as in [`TableDef`].
    pub value: [u64; 2],
}

/// A function reference: what a `funcref` value points to.
#[derive(Debug)]
#[repr(C)]
pub struct FuncRef {
    /// The function's code, shared by all instances of its module.
    pub cell: *const CodeCell,
    /// The instance that it runs in.
    pub instance: *mut VmCtx,
    /// The cell's native entry, for calls by machine code. It follows the cell
    /// (`func_refs.rs`).
    pub native: AtomicPtr<()>,
    /// Its canonical type.
    pub ty: TypeId,
    /// [`VmCtx::instance`] of `instance` if the function has machine code; more than
    /// any of these otherwise. So who has the same number can call `native` without
    /// a note of who calls what (`StoreCtx::caller` and `callee`), and one
    /// comparison of 64 bits with `ty` tells that and the type.
    pub direct: AtomicU32,
}

impl FuncRef {
    /// In [`FuncRef::direct`] as long as there is no machine code.
    pub const NOT_DIRECT: u32 = 1 << 31;
}

/// That both are one word.
const _: () = assert!(
    offset_of!(FuncRef, ty).is_multiple_of(8)
        && offset_of!(FuncRef, direct) == offset_of!(FuncRef, ty) + 4
);

/// The part of a store that code reads and writes while it runs. It is the
/// first field of [`crate::store::Store`].
#[derive(Debug)]
#[repr(C)]
pub struct StoreCtx {
    /// First slot of the value stack.
    pub stack_base: *mut u64,
    /// A frame may begin below this slot only. [`crate::tunables::MAX_FRAME_SLOTS`]
    /// slots are mapped beyond it, so that no frame needs its size checked.
    pub stack_limit: *mut u64,
    /// First free slot above the frames of a suspended segment; where the next
    /// segment's frames begin, and where the collector stops to scan. Whoever
    /// leaves guest code for something that may allocate sets it.
    pub stack_top: *mut u64,
    /// Native frames below this address are refused with a trap.
    pub native_stack_limit: usize,
    /// Fuel left, charged where the code was lowered or compiled with fuel;
    /// below zero means that it ran out.
    pub fuel: i64,
    /// Set to a non-zero value by another thread to interrupt the guest.
    pub interrupt: *const AtomicU32,
    /// The newest segment, or null where no guest code runs.
    pub segment: *mut Segment,
    /// An address of the native stack above all frames of guests that run on
    /// the stack of the newest entry; 0 where no guest code runs. Written by
    /// [`crate::entry::call`].
    pub native_stack_base: usize,
    /// The exception that [`Status::Exception`] tells of, as a reference; 0 if
    /// there is none. A root of the collector.
    pub pending_exception: u32,
    /// The instance whose machine code last made a call that may have gone to
    /// the host: its functions are told who called them.
    pub caller: *mut VmCtx,
    /// The function that machine code calls next, unless it knows that there is
    /// machine code of it: read by the adapter that it leads to otherwise.
    pub callee: *const CodeCell,
    /// The call to be made where [`Status::TailCall`] arrives.
    pub tail_call: TailCall,
    /// The garbage-collected heap.
    pub gc: GcCtx,
    /// Whether calls stay in the interpreter, also those of functions that have
    /// machine code. Written by [`crate::entry::start`].
    pub interpreted: bool,
}

/// A tail call that leaves its segment, so that the native stack does not grow.
///
/// It is pending only between the [`Status::TailCall`] that a segment ends with
/// and whoever entered that segment ([`crate::entry::finish_tail_calls`]).
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TailCall {
    /// The instance of the function to call.
    pub callee: *mut VmCtx,
    /// Its code.
    pub cell: *const CodeCell,
    /// The arguments, on the value stack at or above its top.
    pub args: *mut u64,
}

impl TailCall {
    pub(crate) const NONE: TailCall = TailCall {
        callee: ptr::null_mut(),
        cell: ptr::null(),
        args: ptr::null_mut(),
    };
}

/// A run of frames of one tier on the native stack, from its entry to its exit.
#[derive(Debug)]
#[repr(C)]
pub struct Segment {
    /// The segment that was newest when this one was entered.
    pub previous: *mut Segment,
    /// Native stack pointer to resume at when a hardware trap ends the segment.
    pub resume_sp: usize,
    /// Native program counter to resume at, with the segment's [`Status`] in
    /// the return register.
    pub resume_pc: usize,
    /// Native frame pointer to resume with. In a segment of machine code it is
    /// that of the adapter which entered it: the frame before the first one.
    pub resume_fp: usize,
    /// Frame pointer of the segment's newest frame, kept whenever control
    /// leaves the segment (a host call, a trap). Backtraces start here.
    pub exit_fp: *mut u64,
    /// Instruction of that frame which control left at. For machine code, the
    /// address behind a call, or one byte into an instruction that trapped:
    /// either way the instruction holds the byte before.
    pub exit_ip: *const u64,
    /// Which tier the frames belong to.
    pub kind: SegmentKind,
}

/// Whose frames a [`Segment`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum SegmentKind {
    /// Frames on the value stack, run by the interpreter.
    Interpreter = 0,
    /// Frames of machine code on the native stack.
    Native = 1,
}
