//! Instances: the block that code reads, and what only Rust needs to know.

use crate::code::ModuleCode;
use crate::func_refs::{self, FuncRefs};
use crate::gc::layout::is_object_ref;
use crate::global::Tag;
use crate::layout::{FuncRef, GlobalDef, MemoryDef, TableDef, VmCtx, VmCtxKind};
use crate::limits::ResourceError;
use crate::memory::Memory;
use crate::store::Store;
use crate::table::Table;
use rwasm_parser::{
    FuncIndex, GlobalIndex, LocalFuncIndex, MemoryIndex, TableIndex, TagIndex, ValType,
};
use std::alloc::{self, Layout};
use std::ptr::NonNull;
use std::sync::Arc;

/// An instance of a module.
#[derive(Debug)]
pub struct Instance {
    /// The instance block.
    block: Zeroed,
    /// References to its own functions.
    func_refs: FuncRefs,
    /// Code that outlives every call into the instance.
    code: Arc<ModuleCode>,
    /// By data segment: whether it counts as empty from now on.
    pub(crate) dropped_data: Box<[bool]>,
    /// By element segment.
    pub(crate) elements: Box<[Elements]>,
}

/// The state of an element segment.
#[derive(Clone, Debug)]
pub(crate) enum Elements {
    /// It counts as empty.
    Dropped,
    /// The functions that the module lists.
    Functions,
    /// The values of its expressions.
    Values(Box<[u64]>),
}

/// What code can change of an instance itself: the states of its segments.
#[derive(Debug)]
pub(crate) struct SegmentStates {
    dropped_data: Box<[bool]>,
    elements: Box<[Elements]>,
}

impl SegmentStates {
    /// The same, without references that belong to a store.
    pub(crate) fn without_values(mut self) -> Self {
        for elements in &mut self.elements {
            if matches!(elements, Elements::Values(_)) {
                *elements = Elements::Functions;
            }
        }
        self
    }
}

impl Instance {
    /// An instance whose block has its head, but no definitions yet.
    pub(crate) fn new(
        code: &Arc<ModuleCode>,
        store: *mut Store,
        index: u32,
    ) -> Result<Self, ResourceError> {
        let module = &code.module;
        let block = Zeroed::new(code.offsets.size() as usize)?;
        let func_refs = FuncRefs::new(code)?;
        let head = VmCtx {
            store: store.cast(),
            memory0_base: std::ptr::null_mut(),
            type_ids: code.type_ids.as_ptr(),
            func_refs: func_refs.as_ptr(),
            module: Arc::as_ptr(code),
            gc_base: std::ptr::null_mut(),
            exported_memory: std::ptr::null_mut(),
            instance: index,
            kind: VmCtxKind::Instance,
        };
        // SAFETY: the block has room for its head and is aligned.
        unsafe { block.as_ptr::<VmCtx>().write(head) };
        Ok(Instance {
            block,
            func_refs,
            code: code.clone(),
            dropped_data: vec![false; module.data().len()].into(),
            elements: Box::default(),
        })
    }

    /// The instance block.
    pub fn vmctx(&self) -> *mut VmCtx {
        self.block.as_ptr()
    }

    /// The code that it runs.
    pub fn code(&self) -> &Arc<ModuleCode> {
        &self.code
    }

    /// The references in element segments, but those to functions.
    pub(crate) fn object_elements(&self) -> impl Iterator<Item = u64> + '_ {
        let is_func = |ty| self.code.registry.is_func(ty);
        let segments = self.code.module.elements().iter();
        segments
            .zip(&self.elements)
            .filter_map(move |(segment, elements)| {
                let Elements::Values(values) = elements else {
                    return None;
                };
                let ty = segment.ty.map(|ty| self.code.type_ids[ty.index()]);
                is_object_ref(&ValType::Ref(ty), is_func).then_some(values)
            })
            .flatten()
            .copied()
    }

    /// The states of its segments.
    pub(crate) fn segments(&self) -> SegmentStates {
        SegmentStates {
            dropped_data: self.dropped_data.clone(),
            elements: self.elements.clone(),
        }
    }

    /// Gives its segments the states that they had before.
    pub(crate) fn reset_segments(&mut self, states: &SegmentStates) {
        self.dropped_data.copy_from_slice(&states.dropped_data);
        for (now, before) in self.elements.iter_mut().zip(&states.elements) {
            // All that can happen to a segment is that it is dropped.
            if matches!(now, Elements::Dropped) {
                now.clone_from(before);
            }
        }
    }

    /// Drops the segments that are dropped in these states.
    pub(crate) fn drop_segments(&mut self, states: &SegmentStates) {
        self.dropped_data.copy_from_slice(&states.dropped_data);
        for (now, other) in self.elements.iter_mut().zip(&states.elements) {
            if matches!(other, Elements::Dropped) {
                *now = Elements::Dropped;
            }
        }
    }

    /// The function of this instance that `func_ref` refers to; `None` if it
    /// refers to one of another instance or of the host.
    pub fn own_func(&self, func_ref: *const FuncRef) -> Option<LocalFuncIndex> {
        let first = self.func_refs.as_ptr();
        let offset = func_ref.addr().checked_sub(first.addr())?;
        let index = offset / size_of::<FuncRef>();
        (index < self.code.cells.len()).then_some(LocalFuncIndex::from_u32(index as u32))
    }
}

/// Zeroed memory, aligned for anything in an instance. A large block costs
/// nothing until it is touched, since the allocator takes it from the system.
#[derive(Debug)]
pub(crate) struct Zeroed {
    base: NonNull<u8>,
    layout: Layout,
}

impl Zeroed {
    pub(crate) fn new(bytes: usize) -> Result<Self, ResourceError> {
        let refuse = || ResourceError::out_of_memory("an instance", bytes);
        let layout = Layout::from_size_align(bytes, 16).map_err(|_| refuse())?;
        let base = if bytes == 0 {
            layout.dangling_ptr()
        } else {
            // SAFETY: the layout is not empty.
            NonNull::new(unsafe { alloc::alloc_zeroed(layout) }).ok_or_else(refuse)?
        };
        Ok(Zeroed { base, layout })
    }

    pub(crate) fn as_ptr<T>(&self) -> *mut T {
        self.as_non_null().as_ptr()
    }

    pub(crate) fn as_non_null<T>(&self) -> NonNull<T> {
        self.base.cast()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.layout.size()
    }
}

impl Drop for Zeroed {
    fn drop(&mut self) {
        if self.layout.size() > 0 {
            // SAFETY: allocated with this layout by `new`.
            unsafe { alloc::dealloc(self.base.as_ptr(), self.layout) };
        }
    }
}

/// The instance that a block belongs to.
///
/// # Safety
/// `vmctx` is a live block of kind [`VmCtxKind::Instance`].
pub unsafe fn instance_of(vmctx: *mut VmCtx) -> *mut Instance {
    // SAFETY: the block is live, so its store is, which has the instance.
    unsafe {
        let store = (*vmctx).store.cast::<Store>();
        let instances = &(*store).instances;
        instances
            .get((*vmctx).instance as usize)
            .expect("a block has an instance")
    }
}

/// The reference to a function, made now if it is one of the instance's own
/// that was not asked for before.
///
/// # Safety
/// `vmctx` is a live instance block with its imports in place, and the index
/// valid for its module.
pub(crate) unsafe fn func_ref(vmctx: *mut VmCtx, func: FuncIndex) -> *const FuncRef {
    // SAFETY: an instance block has a module, which lives as long as it.
    let code = unsafe { &*(*vmctx).module };
    let Some(own) = code.module.local_func_index(func) else {
        let offset = code.offsets.imported_func(func.as_u32());
        // SAFETY: the offset is that of an imported function of this module.
        return unsafe { VmCtx::pointer_at(vmctx, offset) };
    };
    // SAFETY: the instance has one reference for each of its own functions;
    // only this function writes them, on the thread that uses the store.
    unsafe {
        let func_ref = (*vmctx).func_refs.add(own.index());
        if (*func_ref).cell.is_null() {
            let ty = code.type_ids[code.module.functions()[func.index()].index()];
            func_refs::make(func_ref, &code.cells[own.index()], vmctx, ty);
        }
        func_ref
    }
}

/// The bytes of a data segment: none if it was dropped.
///
/// # Safety
/// `vmctx` is a live instance block, and the segment one of its module.
pub(crate) unsafe fn data_bytes<'a>(vmctx: *mut VmCtx, segment: u32) -> &'a [u8] {
    // SAFETY: as the caller promises; the module lives as long as the block.
    unsafe {
        let module = &(*(*vmctx).module).module;
        let dropped = &(*instance_of(vmctx)).dropped_data;
        if dropped[segment as usize] {
            &[]
        } else {
            let segment = module.data_segment(segment as usize);
            segment.map_or(&[][..], |segment| module.data_bytes(&segment))
        }
    }
}

/// # Safety
/// `vmctx` is a live instance block with that memory in place.
pub(crate) unsafe fn memory(vmctx: *mut VmCtx, memory: MemoryIndex) -> *mut Memory {
    // SAFETY: the block has a module, and at this offset of its layout a
    // definition of this kind, which is the first field of a `Memory`.
    unsafe {
        let offset = (*(*vmctx).module).offsets.memory(memory.as_u32());
        VmCtx::pointer_at::<MemoryDef>(vmctx, offset).cast()
    }
}

/// # Safety
/// `vmctx` is a live instance block with that table in place.
pub(crate) unsafe fn table(vmctx: *mut VmCtx, table: TableIndex) -> *mut Table {
    // SAFETY: as in `memory`.
    unsafe {
        let offset = (*(*vmctx).module).offsets.table(table.as_u32());
        VmCtx::pointer_at::<TableDef>(vmctx, offset).cast()
    }
}

/// # Safety
/// `vmctx` is a live instance block with that tag in place.
pub(crate) unsafe fn tag(vmctx: *mut VmCtx, tag: TagIndex) -> *mut Tag {
    // SAFETY: as in `memory`.
    unsafe {
        let offset = (*(*vmctx).module).offsets.tag(tag.as_u32());
        VmCtx::pointer_at(vmctx, offset)
    }
}

/// # Safety
/// `vmctx` is a live instance block with that global in place.
pub(crate) unsafe fn global_def(vmctx: *mut VmCtx, global: GlobalIndex) -> *mut GlobalDef {
    // SAFETY: as in `memory`.
    unsafe {
        let offset = (*(*vmctx).module).offsets.global(global.as_u32());
        VmCtx::pointer_at(vmctx, offset)
    }
}
