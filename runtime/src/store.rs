//! The store: owner of everything that exists while guests run.
//!
//! Guest code and the host reach a store's definitions by raw pointer, so the
//! store itself stands behind one too ([`OwnedStore`]) and nothing in it moves.
//! Whoever runs guest code holds no reference into the store meanwhile.

mod reset;
mod snapshot;
mod suspend;

pub use reset::{Baseline, MemoryImages, ResetError};
pub use snapshot::Snapshot;
pub use suspend::{Link, Links, Suspension};

use crate::arena::Arena;
use crate::code::{CodeCell, CodeSettings, Entries, func_slots};
use crate::error::Pending;
use crate::gc::layout::is_object_ref;
use crate::gc::{GcCtx, Heap, Origin, Roots};
use crate::global::{Global, Tag};
use crate::handle::{Extern, Handle, InstanceHandle, StoreId};
use crate::host::HostFunc;
use crate::instance::{Instance, instance_of};
use crate::interrupt::InterruptHandle;
use crate::layout::{ArrayEntry, FuncRef, Status, StoreCtx, TailCall, VmCtx, VmCtxKind};
use crate::limits::{LimitError, LimitKind, Limits, ResourceError};
use crate::memory::{Memory, can_be_guarded};
use crate::reference::{HostRef, HostRefs};
use crate::shared_memory::SharedMemory;
use crate::sys::mmap::{Mapping, page_size};
use crate::table::Table;
use crate::trap::Trap;
use crate::tunables::{GC_REGION, MAX_FRAME_SLOTS};
use crate::types::{TypeId, TypeRegistry};
use rwasm_parser::{ExternType, GlobalType, LocalFuncIndex, MemoryType, TableType, ValType};
use std::any::Any;
use std::fmt;
use std::mem;
use std::ops::{Deref, DerefMut, Range};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU32};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A store.
#[repr(C)]
pub struct Store {
    /// What code reads and writes. First, so that a `*mut StoreCtx` is a
    /// `*mut Store`.
    pub ctx: StoreCtx,
    /// Why the last call ended abnormally, until the outermost entry takes it.
    /// Never lent through `&Store`: a panic's payload need not be `Sync`.
    pending: Option<Pending>,
    /// Where its guest waits, if it is suspended.
    suspension: Option<Suspension>,
    /// The trap of a fault, noted by the signal handler.
    hardware_trap: Option<Trap>,
    /// Addresses of the guarded memories, for the signal handler.
    guarded: Vec<Range<usize>>,
    /// Those of the pages by which code is interrupted, for it as well.
    polled: Vec<Range<usize>>,
    /// This store, as code knows it.
    this: *mut Store,
    id: StoreId,
    registry: Arc<TypeRegistry>,
    limits: Limits,
    settings: CodeSettings,
    entries: Entries,
    interrupt: InterruptHandle,
    stack: Mapping,
    memories: Arena<Memory>,
    /// Those that instances of other stores may have too.
    shared_memories: Vec<SharedMemory>,
    tables: Arena<Table>,
    globals: Arena<Global>,
    tags: Arena<Tag>,
    host_funcs: Arena<HostFunc>,
    pub(crate) instances: Arena<Instance>,
    host_refs: HostRefs,
    heap: Heap,
    roots: Mutex<Roots>,
    /// Instances that are being set up.
    setups: u32,
    /// Machine code that functions of this store are entered through.
    kept_code: Vec<Arc<dyn Any + Send + Sync>>,
}

// SAFETY: the pointers in a store lead to what it owns, to code (which is
// `Sync`) and, while a call runs, to the stack of the thread that runs it; the
// host's values in it are `Send`. A store is used by one thread at a time.
unsafe impl Send for Store {}
// SAFETY: nothing is changed through `&Store`, and all that it lends is `Sync`.
unsafe impl Sync for Store {}

/// A store at a fixed address.
///
/// Code keeps pointers into the store, which a `Box` would not allow: a
/// reference made from it claims to be the only way to the store.
pub struct OwnedStore(NonNull<Store>);

// SAFETY: it owns the store, which is `Send`.
unsafe impl Send for OwnedStore {}
// SAFETY: `&OwnedStore` gives `&Store` only, and `Store` is `Sync`.
unsafe impl Sync for OwnedStore {}

impl OwnedStore {
    /// An empty store for code made with `settings` against `registry`.
    /// `entries` are those of host functions; their array entry is not used.
    ///
    /// It fails if the value stack that `limits` ask for cannot be mapped.
    pub fn new(
        registry: Arc<TypeRegistry>,
        limits: Limits,
        settings: CodeSettings,
        entries: Entries,
    ) -> Result<Self, ResourceError> {
        let interrupt = InterruptHandle::default();
        let mut store = Box::new(Store {
            ctx: StoreCtx {
                stack_base: ptr::null_mut(),
                stack_limit: ptr::null_mut(),
                stack_top: ptr::null_mut(),
                native_stack_limit: 0,
                fuel: 0,
                interrupt: interrupt.0.flag(),
                segment: ptr::null_mut(),
                native_stack_base: 0,
                pending_exception: 0,
                gc: GcCtx::new(),
                caller: ptr::null_mut(),
                callee: ptr::null(),
                tail_call: TailCall::NONE,
                interpreted: false,
            },
            pending: None,
            suspension: None,
            hardware_trap: None,
            guarded: Vec::new(),
            polled: Vec::new(),
            this: ptr::null_mut(),
            id: StoreId::new(),
            registry,
            limits,
            settings,
            entries,
            interrupt,
            stack: Mapping::reserve(0).map_err(|e| ResourceError::system("value stack", 0, e))?,
            memories: Arena::new(),
            shared_memories: Vec::new(),
            tables: Arena::new(),
            globals: Arena::new(),
            tags: Arena::new(),
            host_funcs: Arena::new(),
            instances: Arena::new(),
            host_refs: HostRefs::default(),
            heap: Heap::new(),
            roots: Mutex::new(Roots::new()),
            setups: 0,
            kept_code: Vec::new(),
        });
        store.map_stack(limits.stack_bytes)?;
        let store = NonNull::from(Box::leak(store));
        // SAFETY: leaked above, and nobody else knows it yet.
        unsafe { (*store.as_ptr()).this = store.as_ptr() };
        Ok(OwnedStore(store))
    }

    /// The store, for code. No reference into the store may be live while code
    /// runs.
    pub fn as_ptr(&self) -> *mut Store {
        self.0.as_ptr()
    }
}

impl Deref for OwnedStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        // SAFETY: the store lives until this is dropped.
        unsafe { self.0.as_ref() }
    }
}

impl DerefMut for OwnedStore {
    fn deref_mut(&mut self) -> &mut Store {
        // SAFETY: the store lives until this is dropped.
        unsafe { self.0.as_mut() }
    }
}

impl Drop for OwnedStore {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a box in `OwnedStore::new`, and goes here.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for OwnedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl Store {
    /// Which store it is.
    pub fn id(&self) -> StoreId {
        self.id
    }

    /// The registry of its types.
    pub fn registry(&self) -> &Arc<TypeRegistry> {
        &self.registry
    }

    /// How the code that runs in it is made.
    pub fn settings(&self) -> CodeSettings {
        self.settings
    }

    /// What it may take.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Changes what it may take from now on; what it has already stays.
    ///
    /// The value stack is replaced if its size changes. That fails while a call
    /// runs or is suspended, and if the new one cannot be mapped; nothing has
    /// changed then.
    pub fn set_limits(&mut self, limits: Limits) -> Result<(), ResourceError> {
        if limits.stack_bytes != self.limits.stack_bytes {
            if self.ctx.native_stack_limit != 0 || self.suspension.is_some() {
                return Err(ResourceError::StackInUse);
            }
            self.map_stack(limits.stack_bytes)?;
        }
        self.limits = limits;
        Ok(())
    }

    /// How other threads stop the guest, and where its thread sleeps.
    pub fn interrupt(&self) -> &InterruptHandle {
        &self.interrupt
    }

    /// Replaces the value stack:
    ///
    /// ```text
    ///  base ├── bytes ──┤ limit ├── MAX_FRAME_SLOTS ──┼─ guard page ─┤
    /// ```
    fn map_stack(&mut self, bytes: usize) -> Result<(), ResourceError> {
        let refuse = |error| ResourceError::system("value stack", bytes, error);
        let slots = bytes / size_of::<u64>();
        let usable = (slots + MAX_FRAME_SLOTS)
            .checked_mul(size_of::<u64>())
            .and_then(|bytes| bytes.checked_next_multiple_of(page_size()));
        let total = usable.and_then(|bytes| bytes.checked_add(page_size()));
        let (Some(usable), Some(total)) = (usable, total) else {
            return Err(refuse(std::io::ErrorKind::OutOfMemory.into()));
        };
        let stack = Mapping::zeroed(total).map_err(refuse)?;
        // Nothing should ever reach it; if something does, it stops there.
        stack.guard(usable..total).map_err(refuse)?;
        let base = stack.base().cast::<u64>();
        self.ctx.stack_base = base;
        self.ctx.stack_top = base;
        // SAFETY: the mapping has more slots than these.
        self.ctx.stack_limit = unsafe { base.add(slots) };
        self.stack = stack;
        Ok(())
    }
}

/// How calls end abnormally.
impl Store {
    /// Leaves a trap pending; returns [`Status::Trap`].
    ///
    /// # Safety
    /// `ctx` is that of a live store, and no reference to its `pending` is
    /// live.
    #[cold]
    pub unsafe fn raise(ctx: *mut StoreCtx, trap: Trap) -> Status {
        // SAFETY: as the caller promises.
        unsafe { Self::fail(ctx, trap.into()) }
    }

    /// Leaves `reason` pending; returns [`Status::Trap`].
    ///
    /// # Safety
    /// As for [`Store::raise`].
    #[cold]
    pub unsafe fn fail(ctx: *mut StoreCtx, reason: Pending) -> Status {
        // SAFETY: the context is the first field of a live store.
        unsafe { (*ctx.cast::<Store>()).pending = Some(reason) };
        Status::Trap
    }

    /// Leaves `reason` pending.
    pub fn set_pending(&mut self, reason: Pending) {
        self.pending = Some(reason);
    }

    /// Takes the reason why the last call ended abnormally.
    pub fn take_pending(&mut self) -> Option<Pending> {
        self.pending.take()
    }

    /// The reason, to be added to.
    pub fn pending_mut(&mut self) -> Option<&mut Pending> {
        self.pending.as_mut()
    }

    /// Takes the trap that the signal handler noted, if it did. A segment asks
    /// when it is left through its `resume_pc`.
    pub fn take_hardware_trap(&mut self) -> Option<Trap> {
        self.hardware_trap.take()
    }

    /// Notes the trap of a fault. Called by the signal handler.
    pub(crate) fn set_hardware_trap(&mut self, trap: Trap) {
        self.hardware_trap = Some(trap);
    }

    /// Whether an address lies in a guarded memory. Called by the signal
    /// handler.
    pub(crate) fn guards_address(&self, address: usize) -> bool {
        self.guarded.iter().any(|range| range.contains(&address))
    }

    /// Whether an address lies in a page by which code is interrupted. Called by the
    /// signal handler.
    pub(crate) fn polls_address(&self, address: usize) -> bool {
        self.polled.iter().any(|range| range.contains(&address))
    }
}

/// Making definitions.
impl Store {
    /// A new memory, filled with zeros.
    pub fn new_memory(&mut self, ty: MemoryType) -> Result<Handle<Memory>, ResourceError> {
        let (limits, guarded) = (&self.limits, self.settings.guarded_memories);
        if ty.shared {
            return self.add_shared_memory(&SharedMemory::new(ty, limits, guarded)?);
        }
        self.check_memories()?;
        let memory = if guarded && self.settings.interruption {
            Memory::polled(ty, limits)?
        } else {
            Memory::new(ty, limits, guarded)?
        };
        if let Some(page) = memory.poll_page() {
            let added = self.interrupt.0.add_page(page);
            added.map_err(|error| ResourceError::system("linear memory", page_size(), error))?;
            self.polled.push(page.addresses());
        }
        self.note_guarded(&memory);
        let memory = self.memories.push(memory);
        Ok(self.handle(memory))
    }

    /// Makes a shared memory one of this store's, if it is not already.
    ///
    /// # Panics
    /// If code of this store relies on a guard that the memory does not have:
    /// it was made for an engine with other settings.
    pub fn add_shared_memory(
        &mut self,
        memory: &SharedMemory,
    ) -> Result<Handle<Memory>, ResourceError> {
        let known = |other: &SharedMemory| SharedMemory::same(other, memory);
        if !self.shared_memories.iter().any(known) {
            let relied_on = self.settings.guarded_memories && can_be_guarded(&memory.memory().ty());
            assert!(
                memory.memory().is_guarded() || !relied_on,
                "a shared memory without a guard in an engine with guarded memories"
            );
            self.check_memories()?;
            self.note_guarded(memory.memory());
            self.shared_memories.push(memory.clone());
        }
        Ok(self.handle(memory.as_ptr()))
    }

    /// The shared memory behind a handle, if it is one.
    pub fn shared_memory(&self, memory: Handle<Memory>) -> Option<&SharedMemory> {
        let memory = self.check(memory);
        let mut shared = self.shared_memories.iter();
        shared.find(|shared| shared.as_ptr() == memory)
    }

    fn check_memories(&self) -> Result<(), LimitError> {
        let len = self.memories.len() + self.shared_memories.len();
        check_count(LimitKind::Memories, self.limits.memories, len)
    }

    /// Lets the signal handler know of a memory.
    fn note_guarded(&mut self, memory: &Memory) {
        if memory.is_guarded() {
            self.guarded.push(memory.addresses());
        }
    }

    /// A new table, filled with `init`.
    ///
    /// # Safety
    /// `init` holds a reference of the element type that belongs to this store.
    pub unsafe fn new_table(
        &mut self,
        ty: TableType<TypeId>,
        init: u64,
    ) -> Result<Handle<Table>, ResourceError> {
        check_count(LimitKind::Tables, self.limits.tables, self.tables.len())?;
        // SAFETY: as the caller promises.
        let table = unsafe { Table::new(ty, &self.limits, init)? };
        let table = self.tables.push(table);
        Ok(self.handle(table))
    }

    /// A new global. All values but a `v128` take one slot; the other is zero.
    ///
    /// # Safety
    /// `value` holds a value of the type; a reference belongs to this store.
    pub unsafe fn new_global(&mut self, ty: GlobalType<TypeId>, value: [u64; 2]) -> Handle<Global> {
        // SAFETY: as the caller promises.
        let global = self.globals.push(unsafe { Global::new(ty, value) });
        self.handle(global)
    }

    /// A new tag whose exceptions carry the parameters of function type `ty`.
    pub fn new_tag(&mut self, ty: TypeId) -> Handle<Tag> {
        self.use_types();
        let tag = self.tags.push(Tag::new(ty));
        self.handle(tag)
    }

    /// A new host function of function type `ty`, called through `array_entry`,
    /// which finds `closure` in the [`HostFunc`] that its `callee` is.
    ///
    /// # Safety
    /// `array_entry` may be called with such a callee whenever the slots hold
    /// arguments of the type's parameters and have room for its results. It
    /// does not unwind, and leaves results of the type or a reason pending.
    pub unsafe fn new_host_func(
        &mut self,
        ty: TypeId,
        array_entry: ArrayEntry,
        closure: Box<dyn Any + Send + Sync>,
    ) -> Handle<FuncRef> {
        let slots = func_slots(&self.registry.sub_type(ty));
        let entries = Entries {
            array: array_entry,
            ..self.entries
        };
        let host_func = self.host_funcs.push(HostFunc {
            vmctx: VmCtx {
                store: self.this.cast(),
                memory0_base: ptr::null_mut(),
                type_ids: ptr::null(),
                func_refs: ptr::null_mut(),
                module: ptr::null(),
                gc_base: ptr::null_mut(),
                exported_memory: ptr::null_mut(),
                instance: u32::MAX,
                kind: VmCtxKind::Host,
            },
            cell: CodeCell::new(entries, ptr::null(), LocalFuncIndex::from_u32(0), slots),
            func_ref: FuncRef {
                cell: ptr::null(),
                instance: ptr::null_mut(),
                native: AtomicPtr::new(entries.native.cast_mut()),
                ty,
                direct: AtomicU32::new(FuncRef::NOT_DIRECT),
            },
            closure,
        });
        // SAFETY: just pushed, so it is live and nobody else has it.
        unsafe {
            let func_ref = &raw mut (*host_func).func_ref;
            (*func_ref).cell = &raw const (*host_func).cell;
            // The whole function's address, for the entry to find the closure.
            (*func_ref).instance = host_func.cast();
            self.handle(func_ref)
        }
    }

    /// A new reference to a value of the host.
    pub fn new_host_ref(
        &mut self,
        value: Box<dyn Any + Send + Sync>,
    ) -> Result<HostRef, LimitError> {
        if self.host_refs.collection_is_due() {
            self.collect(Origin::Host);
        }
        self.host_refs.push(value)
    }

    /// Makes the types that the registry has now known to the collector and to
    /// casts. Call it before objects of types that are new to the store are made.
    pub fn use_types(&mut self) {
        self.ctx.gc.types = self.registry.type_infos();
    }

    /// Keeps machine code alive as long as this store.
    pub fn keep_code(&mut self, code: Arc<dyn Any + Send + Sync>) {
        self.kept_code.push(code);
    }

    /// This store, as code knows it.
    pub(crate) fn as_ptr(&self) -> *mut Store {
        self.this
    }

    /// A handle of something that lives in this store.
    pub(crate) fn handle<T>(&self, pointer: *mut T) -> Handle<T> {
        let pointer = NonNull::new(pointer).expect("a definition has an address");
        // SAFETY: callers pass definitions of this store, which live as long as
        // it does.
        unsafe { Handle::new(self.id, pointer) }
    }
}

/// The garbage-collected heap, and what keeps its objects alive.
impl Store {
    /// What the host holds. The lock is for the host alone: it makes handles with
    /// shared access, too.
    pub(crate) fn roots(&self) -> MutexGuard<'_, Roots> {
        self.roots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, without the lock.
    #[inline]
    pub(crate) fn roots_mut(&mut self) -> &mut Roots {
        self.roots.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves the garbage-collected heap and gives its base.
    pub(crate) fn gc_base(&mut self) -> Result<*mut u8, ResourceError> {
        let refuse = |error| ResourceError::system("garbage-collected heap", GC_REGION, error);
        self.heap.reserve(&mut self.ctx.gc).map_err(refuse)?;
        Ok(self.ctx.gc.base)
    }

    pub(crate) fn heap(&self) -> &Heap {
        &self.heap
    }

    /// The heap, in its two parts.
    pub(crate) fn heap_mut(&mut self) -> (&mut GcCtx, &mut Heap) {
        (&mut self.ctx.gc, &mut self.heap)
    }

    pub(crate) fn host_ref_count(&self) -> usize {
        self.host_refs.len()
    }

    /// Until as many calls of [`Store::end_setup`], nothing is collected: an
    /// instance is set up, whose values are not in their places yet.
    pub(crate) fn begin_setup(&mut self) {
        self.setups += 1;
    }

    pub(crate) fn end_setup(&mut self) {
        self.setups -= 1;
    }

    pub(crate) fn is_setting_up(&self) -> bool {
        self.setups > 0
    }

    /// Takes what a collection changes out of the store…
    pub(crate) fn take_heap(&mut self) -> (Heap, HostRefs) {
        let heap = mem::replace(&mut self.heap, Heap::new());
        (heap, mem::take(&mut self.host_refs))
    }

    /// … and puts it back.
    pub(crate) fn put_heap(&mut self, heap: Heap, host_refs: HostRefs) {
        (self.heap, self.host_refs) = (heap, host_refs);
    }

    /// The slots of the value stack that frames may use.
    pub(crate) fn value_stack(&self) -> &[u64] {
        let base = self.ctx.stack_base.cast_const();
        // SAFETY: the top is in the mapped stack, and not below its base. Whoever
        // runs guest code waits meanwhile.
        unsafe {
            let used = self.ctx.stack_top.offset_from_unsigned(base);
            std::slice::from_raw_parts(base, used)
        }
    }

    /// Calls `visit` with every reference but those on the stacks.
    pub(crate) fn each_root(&mut self, mut visit: impl FnMut(u32)) {
        self.roots_mut().words().for_each(&mut visit);
        visit(self.ctx.pending_exception);
        let registry = &*self.registry;
        let is_func = |ty| registry.is_func(ty);
        // SAFETY: arenas hold live definitions, which nobody changes meanwhile.
        // A reference stands in the low half of its slot.
        unsafe {
            for global in self.globals.iter() {
                if is_object_ref(&(*global).ty().content, is_func) {
                    visit((*global).def.value[0] as u32);
                }
            }
            for table in self.tables.iter() {
                if is_object_ref(&ValType::Ref((*table).ty().element), is_func) {
                    for &element in (*table).elements() {
                        visit(element as u32);
                    }
                }
            }
            for instance in self.instances.iter() {
                for element in (*instance).object_elements() {
                    visit(element as u32);
                }
            }
        }
    }
}

pub(crate) fn check_count(limit: LimitKind, most: usize, len: usize) -> Result<(), LimitError> {
    LimitError::check(limit, most as u64, len as u64 + 1)
}

/// Access to definitions by handle.
///
/// # Panics
/// All of these panic if the handle is of another store.
impl Store {
    #[inline]
    fn check<T>(&self, handle: Handle<T>) -> *mut T {
        assert!(
            handle.store() == self.id,
            "a handle was used with another store than its own"
        );
        handle.as_ptr()
    }

    /// The definition behind a handle.
    #[inline]
    pub fn get<T>(&self, handle: Handle<T>) -> &T {
        // SAFETY: the definition lives as long as this store, and `&self` says
        // that nobody changes it meanwhile.
        unsafe { &*self.check(handle) }
    }

    /// The bytes of a memory.
    ///
    /// # Panics
    /// Also if the memory is shared: other threads may write to it.
    pub fn memory_data(&self, memory: Handle<Memory>) -> &[u8] {
        let memory = self.get(memory);
        assert!(
            !memory.is_shared(),
            "the bytes of a shared memory were borrowed"
        );
        // SAFETY: these bytes are mapped and initialised; the memory is this
        // store's alone, and `&self` says that no guest runs and no other access
        // changes them meanwhile.
        unsafe { &*memory.data() }
    }

    /// The bytes of a memory, to be changed. `None` if the memory is shared and
    /// anybody but this store has it: other threads may write to it.
    #[inline]
    pub fn memory_data_mut(&mut self, memory: Handle<Memory>) -> Option<&mut [u8]> {
        let own = !self.get(memory).is_shared() || self.is_only_owner(memory);
        // SAFETY: as above. `&mut self` makes the bytes of the store's memories
        // the caller's alone; a shared memory without another owner gets none
        // as long as the store is borrowed, because only it could be cloned.
        own.then(|| unsafe { &mut *self.get(memory).data() })
    }

    /// The bytes of the memory that an instance exports as `memory`, to be
    /// changed, and how other threads stop the guest. `None` if it exports none, or
    /// a shared one.
    ///
    /// # Safety
    /// `vmctx` is the block of an instance of this store.
    #[inline]
    pub unsafe fn exported_memory_data_mut(
        &mut self,
        vmctx: *mut VmCtx,
    ) -> Option<(&mut [u8], &InterruptHandle)> {
        // SAFETY: as the caller promises; the field is a memory of this store, with
        // which a memory begins. `&mut self` makes its bytes the caller's alone,
        // which nobody else has, and the handle is no part of them.
        unsafe {
            let memory = (*vmctx).exported_memory.cast::<Memory>();
            if memory.is_null() || (*memory).is_shared() {
                return None;
            }
            Some((&mut *(*memory).data(), &self.interrupt))
        }
    }

    /// The memory that an instance exports as `memory`.
    ///
    /// # Safety
    /// As for [`Store::exported_memory_data_mut`].
    #[inline]
    pub(crate) unsafe fn exported_memory_of(&self, vmctx: *mut VmCtx) -> Option<Handle<Memory>> {
        // SAFETY: as the caller promises. The field is a memory of this store: a
        // memory begins with its definition.
        unsafe {
            let memory = (*vmctx).exported_memory.cast::<Memory>();
            (!memory.is_null()).then(|| self.handle(memory))
        }
    }

    /// Whether a shared memory is this store's alone.
    #[cold]
    fn is_only_owner(&self, memory: Handle<Memory>) -> bool {
        self.shared_memory(memory)
            .is_some_and(SharedMemory::has_one_owner)
    }

    /// Adds pages to a memory; returns the old size in pages.
    pub fn grow_memory(
        &mut self,
        memory: Handle<Memory>,
        delta: u64,
    ) -> Result<u64, ResourceError> {
        // SAFETY: the memory is live, and `&mut self` makes it ours alone unless
        // it is shared. It is no part of `self.limits`.
        unsafe { Memory::grow_at(self.check(memory), delta, &self.limits) }
    }

    /// Adds elements to a table; returns the old size.
    ///
    /// # Safety
    /// `init` holds a reference of the element type that belongs to this store.
    pub unsafe fn grow_table(
        &mut self,
        table: Handle<Table>,
        delta: u64,
        init: u64,
    ) -> Result<u64, ResourceError> {
        // SAFETY: as in `grow_memory`, and as the caller promises.
        unsafe { (*self.check(table)).grow(delta, init, &self.limits) }
    }

    /// Sets elements of a table.
    ///
    /// # Safety
    /// `value` holds a reference of the element type that belongs to this store.
    pub unsafe fn fill_table(
        &mut self,
        table: Handle<Table>,
        at: u64,
        value: u64,
        len: u64,
    ) -> Result<(), Trap> {
        // SAFETY: as in `grow_memory`, and as the caller promises.
        unsafe { (*self.check(table)).fill(at, value, len) }
    }

    /// Sets a global.
    ///
    /// # Safety
    /// `value` holds a value of the global's type; a reference belongs to this
    /// store.
    pub unsafe fn set_global(&mut self, global: Handle<Global>, value: [u64; 2]) {
        // SAFETY: the global is live, and `&mut self` makes it ours alone.
        unsafe { (*self.check(global)).def.value = value };
    }

    /// The value behind a reference to a value of the host, unless it came from
    /// another store that has more of them.
    pub fn host_ref(&self, reference: HostRef) -> Option<&(dyn Any + Send + Sync)> {
        self.host_refs.get(reference)
    }

    /// As [`Store::host_ref`], to be changed.
    pub fn host_ref_mut(&mut self, reference: HostRef) -> Option<&mut (dyn Any + Send + Sync)> {
        self.host_refs.get_mut(reference)
    }

    /// The type of a definition; the minimum of a memory's or table's is its
    /// present size.
    pub fn extern_type(&self, definition: Extern) -> ExternType<TypeId> {
        match definition {
            Extern::Func(func) => ExternType::Func(self.get(func).ty),
            Extern::Table(table) => ExternType::Table(self.get(table).ty()),
            Extern::Memory(memory) => ExternType::Memory(self.get(memory).ty()),
            Extern::Global(global) => ExternType::Global(self.get(global).ty()),
            Extern::Tag(tag) => ExternType::Tag(self.get(tag).ty()),
        }
    }

    /// The handle of the instance that a block belongs to.
    ///
    /// # Safety
    /// `vmctx` is a block of this store, of kind [`VmCtxKind::Instance`], whose
    /// instantiation has come as far as running code.
    pub unsafe fn instance_handle(&self, vmctx: *mut VmCtx) -> InstanceHandle {
        // SAFETY: as the caller promises.
        self.handle(unsafe { instance_of(vmctx) })
    }

    /// The handle of a function that this store's code refers to.
    ///
    /// # Safety
    /// `func` is a non-null `funcref` value of this store.
    pub unsafe fn func_handle(&self, func: *const FuncRef) -> Handle<FuncRef> {
        self.handle(func.cast_mut())
    }
}
