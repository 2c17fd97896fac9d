//! What a heap holds at one moment, to come back to.

use super::{BLOCK_BYTES, BLOCK_SHIFT, Block, BlockKind, CLASSES, GcCtx, Heap, Run};
use std::io;
use std::ops::Range;

/// What a heap holds: the objects that an instance's initialisers have made, so
/// mostly nothing.
pub(crate) struct HeapImage {
    runs: [Run; CLASSES],
    /// Where runs come from next, the counters, and the blocks, of a heap without
    /// a region.
    state: Heap,
    /// Contents of the blocks but the first.
    bytes: Vec<u8>,
}

/// Bytes of blocks from the second on, as offsets in the region.
fn offsets(blocks: &[Block]) -> Range<usize> {
    let end = blocks.len() << BLOCK_SHIFT;
    end.min(BLOCK_BYTES as usize)..end
}

impl HeapImage {
    /// What the heap holds now, between calls.
    pub(crate) fn of(ctx: &GcCtx, heap: &Heap) -> Self {
        let bytes = offsets(&heap.blocks);
        let bytes = match ctx.base.is_null() {
            true => Vec::new(),
            // SAFETY: blocks but the first are committed, and nothing writes to
            // them now.
            false => unsafe {
                std::slice::from_raw_parts(ctx.base.add(bytes.start), bytes.len()).to_vec()
            },
        };
        HeapImage {
            runs: ctx.runs,
            state: heap.without_region(),
            bytes,
        }
    }
}

impl Heap {
    /// All but the memory itself.
    fn without_region(&self) -> Heap {
        Heap {
            region: None,
            capacity: self.capacity,
            committed: self.committed,
            blocks: self.blocks.clone(),
            free: self.free.clone(),
            free_from: self.free_from,
            open: self.open,
            partial: self.partial.clone(),
            used: self.used,
            allocated: self.allocated,
            threshold: self.threshold,
            collections: self.collections,
            live: self.live,
            starved: self.starved,
            stress: self.stress,
        }
    }

    /// Becomes what it was; blocks in use since are free, and are zeroed before
    /// they are used again. At most about `resident` bytes of them stay in memory.
    pub(crate) fn reset(
        &mut self,
        ctx: &mut GcCtx,
        image: &HeapImage,
        resident: usize,
    ) -> io::Result<()> {
        let Some(region) = &mut self.region else {
            return Ok(());
        };
        let was = &image.state;
        ctx.runs = image.runs;
        let bytes = &image.bytes;
        // SAFETY: these blocks were committed when the image was made, and stay so.
        unsafe {
            ctx.base
                .add(offsets(&was.blocks).start)
                .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        }
        // The region may be newer than the image, so that there is a first block.
        let known = was.blocks.len().max(1).min(self.blocks.len());
        self.blocks[..was.blocks.len()].clone_from_slice(&was.blocks);
        for block in &mut self.blocks[known..] {
            if block.kind != BlockKind::Free {
                block.free();
            }
        }
        let kept = known + (resident >> BLOCK_SHIFT);
        if self.blocks.iter().skip(kept).any(|block| !block.zeroed) {
            region.decommit(kept << BLOCK_SHIFT..self.blocks.len() << BLOCK_SHIFT)?;
            self.blocks[kept..].fill(Block::FRESH);
        }
        self.free.clear();
        self.free.extend_from_slice(&was.free);
        self.free.resize(self.blocks.len().div_ceil(64), 0);
        self.free_from = was.free_from;
        for index in known as u32..self.blocks.len() as u32 {
            self.set_free(index);
        }
        self.open = was.open;
        self.partial.clone_from(&was.partial);
        (self.used, self.allocated) = (was.used, was.allocated);
        (self.threshold, self.live) = (was.threshold, was.live);
        (self.collections, self.starved) = (was.collections, was.starved);
        Ok(())
    }
}
