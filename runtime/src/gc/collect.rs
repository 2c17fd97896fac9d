//! The collector: marks what can be reached, and when to do so.
//!
//! Marking is iterative: an object is pushed once, when it is marked, so that
//! its stack has at most as many entries as there are objects, a quarter of the
//! heap's bytes. Should the system have no memory for it, marked objects are left
//! out and found again by a walk over the mark bits.

use super::heap::{Full, GcCtx, Heap};
use super::layout::{Layout, Storage, TypeInfo};
use super::object::{ARRAY_ELEMENTS, ARRAY_LEN, GcRef, type_of};
use crate::layout::SegmentKind;
use crate::reference::{HostRef, HostRefs};
use crate::store::Store;
use crate::sys::stack;
use crate::trap::Trap;
use crate::tunables::{GC_MAX_STARVED, GC_STARVED_SHIFT};
use std::ops::Range;
use std::ptr;

/// Who asks for a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Code of the newest segment, by a call on its own native stack.
    Guest,
    /// The host, between calls or from a host function.
    Host,
}

/// What a collection found, and what there is since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeapStats {
    /// Collections so far.
    pub collections: u64,
    /// Bytes that the last one found alive.
    pub live_bytes: u64,
    /// Bytes taken from the system for objects, as the limit counts them.
    pub used_bytes: u64,
    /// Values of the host that the guest may refer to.
    pub host_refs: usize,
}

impl Store {
    /// What the garbage-collected heap holds.
    pub fn heap_stats(&self) -> HeapStats {
        let heap = self.heap();
        HeapStats {
            collections: heap.collections,
            live_bytes: heap.live,
            used_bytes: heap.used,
            host_refs: self.host_ref_count(),
        }
    }

    /// Collects now, unless that cannot be done (see `Store::collect`).
    pub fn collect_garbage(&mut self) {
        self.collect(Origin::Host);
    }

    /// Makes every allocation collect. For tests: it finds references that no
    /// root leads to.
    pub fn collect_at_every_allocation(&mut self, stress: bool) {
        let (ctx, heap) = self.heap_mut();
        heap.stress = stress;
        ctx.discard_runs();
    }

    /// Allocates by `attempt`, collecting before if it is time, and after if
    /// there is no room.
    ///
    /// # Safety
    /// As for [`Store::alloc_struct`].
    pub(super) unsafe fn allocate<T>(
        store: *mut Store,
        origin: Origin,
        mut attempt: impl FnMut(&mut GcCtx, &mut Heap, u64) -> Result<T, Full>,
    ) -> Result<T, Trap> {
        // SAFETY: as the caller promises, nothing else refers into the store.
        let store = unsafe { &mut *store };
        store.gc_base().map_err(|_| Trap::HeapExhausted)?;
        let limit = store.limits().gc_heap_bytes;
        let mut attempt = |store: &mut Store| {
            let (ctx, heap) = store.heap_mut();
            attempt(ctx, heap, limit)
        };
        let (_, heap) = store.heap_mut();
        if heap.stress || heap.allocated >= heap.threshold {
            heap.starved = 0;
            store.collect(origin);
        }
        if let Ok(found) = attempt(store) {
            return Ok(found);
        }
        // At the limit a guest could go on for ever with a collection for every
        // few objects: it gets only a few of those.
        let (_, heap) = store.heap_mut();
        let soon = heap.allocated < limit >> GC_STARVED_SHIFT;
        heap.starved = if soon { heap.starved + 1 } else { 1 };
        if heap.starved > GC_MAX_STARVED {
            // For who goes on after the trap, having dropped something.
            heap.starved = 0;
            return Err(Trap::HeapExhausted);
        }
        store.collect(origin);
        attempt(store).map_err(|Full| Trap::HeapExhausted)
    }

    /// Collects. Nothing happens while an instance is set up, whose values are
    /// not in place yet, nor while frames of machine code are suspended on a
    /// native stack that cannot be scanned.
    #[inline(never)]
    pub(crate) fn collect(&mut self, origin: Origin) {
        if self.is_setting_up() {
            return;
        }
        stack::with_registers_on_stack(|sp| {
            if let Ok(native) = self.native_frames(origin, sp) {
                self.collect_with(native);
            }
        });
    }

    /// The part of the native stack that may hold references of the guest's,
    /// from `sp` up. `Err` if there are others that cannot be told.
    ///
    /// Interpreted frames need not be scanned there while they are suspended:
    /// whatever they hold across a call is on the value stack. So only the
    /// handler that calls the collector matters, which is on this stack.
    fn native_frames(
        &self,
        origin: Origin,
        sp: Option<usize>,
    ) -> Result<Option<Range<usize>>, CannotScan> {
        let base = self.ctx.native_stack_base;
        if base == 0 {
            return Ok(None);
        }
        let sp = sp.ok_or(CannotScan)?;
        // A host function may have gone on to another thread, or to a stack of
        // its own making.
        let same_stack = origin == Origin::Guest
            || stack::bounds().is_some_and(|stack| stack.contains(&base) && stack.contains(&sp));
        let scanned = if same_stack && sp <= base {
            sp..base
        } else {
            0..0
        };
        let mut segment = self.ctx.segment.cast_const();
        while !segment.is_null() {
            // SAFETY: the segments of a store are live while they are linked.
            let here = unsafe { &*segment };
            if here.kind == SegmentKind::Native && !scanned.contains(&segment.addr()) {
                return Err(CannotScan);
            }
            segment = here.previous;
        }
        Ok(Some(scanned))
    }

    fn collect_with(&mut self, native: Option<Range<usize>>) {
        let (heap, host_refs) = self.take_heap();
        let mut marker = Marker {
            base: self.ctx.gc.base,
            types: self.ctx.gc.types,
            heap,
            host_refs,
            pending: Vec::new(),
            overflowed: false,
        };
        self.each_root(|word| marker.word(word));
        for &slot in self.value_stack() {
            // A reference in a slot is zero-extended.
            if let Ok(word) = u32::try_from(slot) {
                marker.perhaps(word, Precision::Start);
            }
        }
        if let Some(native) = native {
            // SAFETY: these addresses are on the stack of this thread, between
            // the frame of `with_registers_on_stack` and that of the entry.
            unsafe { marker.native_stack(native) };
        }
        marker.finish();
        let Marker {
            mut heap,
            mut host_refs,
            ..
        } = marker;
        heap.retain_marked(&mut self.ctx.gc);
        host_refs.retain_marked();
        self.put_heap(heap, host_refs);
    }
}

/// How near to an object's start a word must lead to keep the object alive. Many
/// integers are offsets somewhere in a large object; few are those of a start.
#[derive(Clone, Copy)]
enum Precision {
    /// Exactly there: on the value stack there are references only.
    Start,
    /// At most [`NEAR`] bytes on: a compiler may have added the offset of a field
    /// to a reference before the base of the heap.
    Near,
    /// Anywhere: a pointer.
    Anywhere,
}

/// A field's offset at most, but for the largest structs.
const NEAR: u32 = 1 << 10;

/// There may be references on a native stack that cannot be scanned.
struct CannotScan;

struct Marker {
    base: *const u8,
    types: *const TypeInfo,
    heap: Heap,
    host_refs: HostRefs,
    /// Marked, but not looked into.
    pending: Vec<GcRef>,
    /// Whether an object was left out of `pending`.
    overflowed: bool,
}

impl Marker {
    /// What a precise root or field holds.
    #[inline]
    fn word(&mut self, word: u32) {
        if let Some(object) = GcRef::from_word(word) {
            self.object(object);
        } else if let Some(host) = HostRef::from_slot(word.into()) {
            self.host_refs.mark(host);
        }
    }

    #[inline]
    fn object(&mut self, object: GcRef) {
        if self.heap.mark(object) {
            if self.pending.len() == self.pending.capacity() && self.pending.try_reserve(1).is_err()
            {
                self.overflowed = true;
                return;
            }
            self.pending.push(object);
        }
    }

    /// A word that may be a reference.
    fn perhaps(&mut self, word: u32, precision: Precision) {
        if let Some(host) = HostRef::from_slot(word.into()) {
            self.host_refs.mark(host);
        }
        // SAFETY: the base is the region's, and without one there is no block.
        let Some(object) = (unsafe { self.heap.object_at(self.base, word) }) else {
            return;
        };
        let counts = match precision {
            Precision::Start => object.to_word() == word,
            Precision::Near => word - object.to_word() <= NEAR,
            Precision::Anywhere => true,
        };
        if counts {
            self.object(object);
        }
    }

    /// A word that may also be an address within an object.
    fn perhaps_address(&mut self, word: usize) {
        if let Some(offset) = word.checked_sub(self.base.addr())
            && let Ok(offset) = u32::try_from(offset)
        {
            self.perhaps(offset, Precision::Anywhere);
        }
    }

    /// # Safety
    /// `stack` is readable.
    unsafe fn native_stack(&mut self, stack: Range<usize>) {
        let mut at = stack.start & !7;
        while at < stack.end {
            // SAFETY: as the caller promises. Volatile: to the compiler these
            // are other functions' variables.
            let word = unsafe { ptr::with_exposed_provenance::<usize>(at).read_volatile() };
            self.perhaps_address(word);
            self.perhaps(word as u32, Precision::Near);
            self.perhaps((word as u64 >> 32) as u32, Precision::Near);
            at += size_of::<usize>();
        }
    }

    /// Marks all that marked objects lead to.
    fn finish(&mut self) {
        loop {
            while let Some(object) = self.pending.pop() {
                // SAFETY: only live objects are marked.
                unsafe { self.fields(object) };
            }
            if !std::mem::take(&mut self.overflowed) {
                return;
            }
            // The list has room again for what it had room for before.
            for block in 0..self.heap.blocks.len() {
                for object in self.heap.marked_in(block) {
                    // SAFETY: as above.
                    unsafe { self.fields(object) };
                }
            }
        }
    }

    /// Marks what an object's fields refer to.
    ///
    /// # Safety
    /// The object is live.
    unsafe fn fields(&mut self, object: GcRef) {
        // SAFETY: a live object has a header of its type, whose layout says
        // where there are references; the store knows the types of its objects.
        unsafe {
            let at = self.base.add(object.to_word() as usize);
            let read = |offset: u32| at.add(offset as usize).cast::<u32>().read();
            let ty = type_of(read(0));
            match &*(*self.types.add(ty.as_u32() as usize)).layout {
                Layout::Struct(layout) => {
                    for &offset in &layout.refs {
                        self.word(read(offset));
                    }
                }
                Layout::Exception(layout) => {
                    for &offset in &layout.refs {
                        self.word(read(offset));
                    }
                }
                Layout::Array(layout) if layout.element == Storage::Ref => {
                    let len = read(ARRAY_LEN);
                    for index in 0..len as usize {
                        let elements = at.add(ARRAY_ELEMENTS as usize).cast::<u32>();
                        self.word(elements.add(index).read());
                    }
                }
                Layout::Array(_) => {}
            }
        }
    }
}
