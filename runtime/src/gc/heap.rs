//! Allocation: blocks of the region, and runs of cells in them.

mod image;

pub(crate) use image::HeapImage;

use super::block::{Block, BlockKind};
use super::classes::{BLOCK_BYTES, BLOCK_SHIFT, CLASSES, cell_at, cell_bytes, cells_per_block};
use super::layout::TypeInfo;
use super::object::GcRef;
use crate::sys::mmap::Mapping;
use crate::tunables::{GC_COMMIT_STEP, GC_MIN_THRESHOLD, GC_REGION, GC_REGION_LEAST};
use std::ptr;

/// The part of a heap that running code uses: a field of
/// [`crate::layout::StoreCtx`].
///
/// Mutability: `base` is set once, before the first object exists; `types` when
/// types come into the store, old arrays staying valid; `runs` by allocation.
#[derive(Debug)]
#[repr(C)]
pub struct GcCtx {
    /// Where the region begins; null as long as there is none.
    pub base: *mut u8,
    /// What is known of each type, by id. It covers the types of all objects.
    pub types: *const TypeInfo,
    /// By size class: where objects are allocated.
    pub runs: [Run; CLASSES],
}

/// Free zeroed memory, as offsets in the region.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Run {
    /// The next object's place.
    pub cursor: u32,
    /// The end. A run that is used up has `end - cursor` below a cell's size.
    pub end: u32,
}

impl GcCtx {
    pub(crate) const fn new() -> Self {
        GcCtx {
            base: ptr::null_mut(),
            types: ptr::null(),
            runs: [Run { cursor: 0, end: 0 }; CLASSES],
        }
    }

    /// Leaves nothing to allocate from without the slow path.
    pub(super) fn discard_runs(&mut self) {
        self.runs = [Run { cursor: 0, end: 0 }; CLASSES];
    }
}

/// There is no room, within the limit or in the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// The heap of a store, but for what code uses.
pub(crate) struct Heap {
    /// Reserved when first needed.
    region: Option<Mapping>,
    /// Blocks that the region has room for. The last one of 4 GiB is never used,
    /// so that the end of a run has 32 bits.
    capacity: u32,
    /// Bytes of the region that are accessible.
    committed: usize,
    /// The blocks that were ever used. The first is none, so that no object is
    /// at offset 0.
    pub(super) blocks: Vec<Block>,
    /// One bit per block of `blocks`: whether it is free.
    free: Vec<u64>,
    /// Words of `free` below this one are zero.
    free_from: usize,
    /// By class: the block where the next hole is looked for, and from which cell.
    open: [Option<(u32, u32)>; CLASSES],
    /// By class: blocks with holes, not looked at since the last collection.
    partial: [Vec<u32>; CLASSES],
    /// Bytes of the blocks that hold cells and of large objects.
    pub(crate) used: u64,
    /// Bytes handed out since the last collection.
    pub(super) allocated: u64,
    /// How many of these make the next allocation collect.
    pub(super) threshold: u64,
    /// Collections so far.
    pub(super) collections: u64,
    /// Bytes that the last collection found alive.
    pub(super) live: u64,
    /// Collections in a row that the limit forced soon after one another.
    pub(super) starved: u32,
    /// Collect at every allocation, and hand out cells one by one.
    pub(super) stress: bool,
}

impl Heap {
    pub(crate) const fn new() -> Self {
        Heap {
            region: None,
            capacity: 0,
            committed: 0,
            blocks: Vec::new(),
            free: Vec::new(),
            free_from: 0,
            open: [None; CLASSES],
            partial: [const { Vec::new() }; CLASSES],
            used: 0,
            allocated: 0,
            threshold: GC_MIN_THRESHOLD,
            collections: 0,
            live: 0,
            starved: 0,
            stress: false,
        }
    }

    /// Reserves the region, if that was not done.
    pub(crate) fn reserve(&mut self, ctx: &mut GcCtx) -> std::io::Result<()> {
        if self.region.is_some() {
            return Ok(());
        }
        let mut bytes = GC_REGION;
        let region = loop {
            match Mapping::reserve(bytes) {
                Ok(region) => break region,
                // A smaller one where address space is scarce.
                Err(_) if bytes > GC_REGION_LEAST => bytes /= 2,
                Err(error) => return Err(error),
            }
        };
        self.capacity =
            (bytes as u64 / u64::from(BLOCK_BYTES)).min((1 << (32 - BLOCK_SHIFT)) - 1) as u32;
        self.blocks.push(Block::FRESH);
        self.free.push(0);
        ctx.base = region.base();
        self.region = Some(region);
        Ok(())
    }

    /// Replaces the run of a class, which is used up, by the next one.
    pub(super) fn refill(&mut self, ctx: &mut GcCtx, class: usize, limit: u64) -> Result<(), Full> {
        let most = if self.stress { 1 } else { u32::MAX };
        loop {
            if let Some((block, from)) = self.open[class] {
                if let Some((start, end)) = self.blocks[block as usize].hole(class, from, most) {
                    self.open[class] = Some((block, end));
                    self.take_run(ctx, class, block, start..end);
                    return Ok(());
                }
                self.open[class] = None;
            }
            let block = match self.partial[class].pop() {
                Some(block) => block,
                None => {
                    let block = self.take_blocks(1, BLOCK_BYTES.into(), limit)?;
                    self.blocks[block as usize].kind = BlockKind::Cells(class);
                    block
                }
            };
            self.open[class] = Some((block, 0));
        }
    }

    /// Hands out cells of a block.
    fn take_run(&mut self, ctx: &mut GcCtx, class: usize, index: u32, cells: std::ops::Range<u32>) {
        let size = cell_bytes(class);
        let base = index << BLOCK_SHIFT;
        let block = &mut self.blocks[index as usize];
        let run = Run {
            cursor: base + cells.start * size,
            end: base + cells.end * size,
        };
        if !block.zeroed {
            // SAFETY: the cells are in a committed block and hold no objects.
            unsafe {
                ctx.base
                    .add(run.cursor as usize)
                    .write_bytes(0, (run.end - run.cursor) as usize);
            }
        }
        for cell in cells {
            block.set_live(cell);
        }
        self.allocated += u64::from(run.end - run.cursor);
        ctx.runs[class] = run;
    }

    /// Zeroed memory for a large object.
    pub(super) fn alloc_large(
        &mut self,
        ctx: &GcCtx,
        bytes: u32,
        limit: u64,
    ) -> Result<GcRef, Full> {
        let blocks = bytes.div_ceil(BLOCK_BYTES);
        let first = self.take_blocks(blocks, bytes.into(), limit)?;
        for index in first..first + blocks {
            let block = &mut self.blocks[index as usize];
            if !block.zeroed {
                // SAFETY: the block is committed and was free.
                unsafe {
                    ctx.base
                        .add((index << BLOCK_SHIFT) as usize)
                        .write_bytes(0, BLOCK_BYTES as usize);
                }
            }
            block.kind = BlockKind::Tail(first);
        }
        let block = &mut self.blocks[first as usize];
        block.kind = BlockKind::Large(bytes);
        block.set_live(0);
        self.allocated += u64::from(bytes);
        Ok(GcRef::from_word(first << BLOCK_SHIFT).expect("the first block is never taken"))
    }

    /// Takes consecutive free blocks, for which `charge` bytes are counted.
    fn take_blocks(&mut self, count: u32, charge: u64, limit: u64) -> Result<u32, Full> {
        if self.used + charge > limit {
            return Err(Full);
        }
        let first = match self.find_free(count) {
            Some(first) => first,
            None => self.extend(count)?,
        };
        for index in first..first + count {
            self.free[index as usize / 64] &= !(1 << (index % 64));
        }
        self.used += charge;
        Ok(first)
    }

    /// The lowest run of `count` free blocks.
    fn find_free(&mut self, count: u32) -> Option<u32> {
        while self.free.get(self.free_from) == Some(&0) {
            self.free_from += 1;
        }
        let mut run = 0;
        for (word, at) in self.free[self.free_from..]
            .iter()
            .zip(self.free_from as u32..)
        {
            if *word == 0 {
                run = 0;
                continue;
            }
            for bit in 0..64 {
                run = if word >> bit & 1 != 0 { run + 1 } else { 0 };
                if run == count {
                    return Some(at * 64 + bit + 1 - count);
                }
            }
        }
        None
    }

    /// Adds `count` blocks that were never used, as free ones.
    fn extend(&mut self, count: u32) -> Result<u32, Full> {
        let region = self.region.as_mut().ok_or(Full)?;
        let first = self.blocks.len() as u32;
        if count > self.capacity.saturating_sub(first) {
            return Err(Full);
        }
        let end = first + count;
        let bytes = (end as usize) << BLOCK_SHIFT;
        if bytes > self.committed {
            let ample = bytes.next_multiple_of(GC_COMMIT_STEP);
            let ample = ample.min((self.capacity as usize) << BLOCK_SHIFT);
            // The first block stays inaccessible, against stray null references.
            let from = self.committed.max(BLOCK_BYTES as usize);
            region.commit(from..ample).map_err(|_| Full)?;
            self.committed = ample;
        }
        self.blocks.try_reserve(count as usize).map_err(|_| Full)?;
        self.blocks.resize_with(end as usize, || Block::FRESH);
        self.free.resize((end as usize).div_ceil(64), 0);
        for index in first..end {
            self.set_free(index);
        }
        Ok(first)
    }

    fn set_free(&mut self, index: u32) {
        let word = index as usize / 64;
        self.free[word] |= 1 << (index % 64);
        self.free_from = self.free_from.min(word);
    }

    /// The object that holds the byte at `offset`, if a live one does.
    ///
    /// # Safety
    /// `base` is the region's.
    pub(super) unsafe fn object_at(&self, base: *const u8, offset: u32) -> Option<GcRef> {
        let block = offset >> BLOCK_SHIFT;
        let (start, cell) = match self.blocks.get(block as usize)?.kind {
            BlockKind::Free => return None,
            BlockKind::Cells(class) => {
                let cell = cell_at(class, offset % BLOCK_BYTES);
                // What is left over behind the last cell is no cell.
                if cell >= cells_per_block(class) {
                    return None;
                }
                ((block << BLOCK_SHIFT) + cell * cell_bytes(class), cell)
            }
            BlockKind::Large(_) => (block << BLOCK_SHIFT, 0),
            BlockKind::Tail(first) => (first << BLOCK_SHIFT, 0),
        };
        if !self.blocks[(start >> BLOCK_SHIFT) as usize].is_live(cell) {
            return None;
        }
        // SAFETY: the start of a cell or large object in a committed block.
        let header = unsafe { base.add(start as usize).cast::<u32>().read() };
        // Part of a run, but not allocated yet.
        (header != 0).then(|| GcRef::from_word(start).expect("cells are aligned"))
    }

    /// Marks an object; returns whether it was not marked before.
    #[inline]
    pub(super) fn mark(&mut self, object: GcRef) -> bool {
        let offset = object.to_word();
        let block = &mut self.blocks[(offset >> BLOCK_SHIFT) as usize];
        let cell = match block.kind {
            BlockKind::Cells(class) => cell_at(class, offset % BLOCK_BYTES),
            BlockKind::Large(_) => 0,
            BlockKind::Free | BlockKind::Tail(_) => {
                unreachable!("a reference to what is no object: {offset:#x}")
            }
        };
        debug_assert!(block.is_live(cell));
        block.mark(cell)
    }

    /// The objects that were marked in a block until now.
    pub(super) fn marked_in(&self, index: usize) -> impl Iterator<Item = GcRef> + use<> {
        let block = &self.blocks[index];
        let size = match block.kind {
            BlockKind::Cells(class) => cell_bytes(class),
            _ => 0,
        };
        let start = (index as u32) << BLOCK_SHIFT;
        let cells = block.marked();
        cells.filter_map(move |cell| GcRef::from_word(start + cell * size))
    }

    /// Ends a collection: what was not marked is free.
    pub(super) fn retain_marked(&mut self, ctx: &mut GcCtx) {
        ctx.discard_runs();
        self.open = [None; CLASSES];
        self.partial.iter_mut().for_each(Vec::clear);
        self.live = 0;
        // From the top, so that lower blocks are used again first.
        for index in (1..self.blocks.len() as u32).rev() {
            let block = &mut self.blocks[index as usize];
            match block.kind {
                BlockKind::Free | BlockKind::Tail(_) => {}
                BlockKind::Cells(class) => {
                    let count = block.retain_marked();
                    block.zeroed = false;
                    self.live += u64::from(count) * u64::from(cell_bytes(class));
                    if count == 0 {
                        block.free();
                        self.used -= u64::from(BLOCK_BYTES);
                        self.set_free(index);
                    } else if count < cells_per_block(class) {
                        self.partial[class].push(index);
                    }
                }
                BlockKind::Large(bytes) => {
                    block.zeroed = false;
                    if block.retain_marked() > 0 {
                        self.live += u64::from(bytes);
                        continue;
                    }
                    self.used -= u64::from(bytes);
                    for tail in index..index + bytes.div_ceil(BLOCK_BYTES) {
                        self.blocks[tail as usize].free();
                        self.set_free(tail);
                    }
                }
            }
        }
        self.collections += 1;
        self.allocated = 0;
        self.threshold = self.live.max(GC_MIN_THRESHOLD);
        self.decommit();
    }

    /// Gives memory back to the system beyond what the guest may use before the
    /// next collection.
    fn decommit(&mut self) {
        let Some(region) = &mut self.region else {
            return;
        };
        let mut keep = self.threshold + self.threshold / 4;
        let mut at = 1;
        while at < self.blocks.len() {
            let is_dirty = |block: &Block| block.kind == BlockKind::Free && !block.zeroed;
            let run = self.blocks[at..].iter().take_while(|block| is_dirty(block));
            let run = run.count();
            let kept = run.min((keep >> BLOCK_SHIFT) as usize);
            keep -= (kept as u64) << BLOCK_SHIFT;
            let range = at + kept..at + run;
            let bytes = range.start << BLOCK_SHIFT..range.end << BLOCK_SHIFT;
            if !range.is_empty() && region.decommit(bytes).is_ok() {
                for block in &mut self.blocks[range] {
                    block.zeroed = true;
                }
            }
            at += run.max(1);
        }
    }
}
