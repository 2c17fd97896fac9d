//! What is known of one block, beside the heap: the objects themselves are not
//! touched to find out what is free.

use super::classes::{MAX_CELLS, cells_per_block};

/// One bit per cell.
type Bits = [u64; MAX_CELLS / 64];

/// A block's use, and which of its cells hold objects.
#[derive(Clone)]
pub(super) struct Block {
    pub(super) kind: BlockKind,
    /// Whether a free block's memory is known to be zeros.
    pub(super) zeroed: bool,
    /// Cells that were marked by the last collection or handed out since. The
    /// first stands for a whole large object.
    live: Bits,
    /// Cells marked by the running collection.
    mark: Bits,
}

/// What a block is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockKind {
    /// Nothing.
    Free,
    /// Cells of a class.
    Cells(usize),
    /// The beginning of a large object of so many bytes.
    Large(u32),
    /// More of the large object that begins in that block.
    Tail(u32),
}

impl Block {
    /// A free block of zeros.
    pub(super) const FRESH: Block = Block {
        kind: BlockKind::Free,
        zeroed: true,
        live: [0; MAX_CELLS / 64],
        mark: [0; MAX_CELLS / 64],
    };

    /// Whether a cell may hold an object.
    #[inline]
    pub(super) fn is_live(&self, cell: u32) -> bool {
        self.live[cell as usize / 64] >> (cell % 64) & 1 != 0
    }

    /// Notes that a cell may hold an object.
    pub(super) fn set_live(&mut self, cell: u32) {
        self.live[cell as usize / 64] |= 1 << (cell % 64);
    }

    /// Marks a cell; returns whether it was not marked before.
    #[inline]
    pub(super) fn mark(&mut self, cell: u32) -> bool {
        let word = &mut self.mark[cell as usize / 64];
        let bit = 1 << (cell % 64);
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }

    /// The marked cells.
    pub(super) fn marked(&self) -> impl Iterator<Item = u32> + use<> {
        let words = self.mark;
        (0..MAX_CELLS as u32).filter(move |&cell| words[cell as usize / 64] >> (cell % 64) & 1 != 0)
    }

    /// Ends a collection: what is marked is live, nothing else. Returns how many
    /// cells are.
    pub(super) fn retain_marked(&mut self) -> u32 {
        self.live = std::mem::replace(&mut self.mark, [0; MAX_CELLS / 64]);
        self.live.iter().map(|word| word.count_ones()).sum()
    }

    /// Makes it free.
    pub(super) fn free(&mut self) {
        self.kind = BlockKind::Free;
        self.zeroed = false;
        self.live = [0; MAX_CELLS / 64];
    }

    /// The first run of free cells from cell `from` on, of at most `most`, in a
    /// block of that class.
    pub(super) fn hole(&self, class: usize, from: u32, most: u32) -> Option<(u32, u32)> {
        let cells = cells_per_block(class);
        let start = find(&self.live, from, cells, false)?;
        let end = find(&self.live, start, cells, true).unwrap_or(cells);
        Some((start, end.min(start.saturating_add(most))))
    }
}

/// The first bit of `from..end` that is `wanted`.
fn find(bits: &Bits, from: u32, end: u32, wanted: bool) -> Option<u32> {
    let mut at = from;
    while at < end {
        let word = bits[at as usize / 64];
        let word = if wanted { word } else { !word } >> (at % 64);
        if word != 0 {
            return Some(at + word.trailing_zeros()).filter(|&at| at < end);
        }
        at = (at / 64 + 1) * 64;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::classes::CLASSES;
    use super::*;

    #[test]
    fn holes_lie_between_live_cells() {
        let mut block = Block::FRESH;
        let cells = cells_per_block(0);
        for cell in [0, 1, 5, 63, 64, 130, cells - 1] {
            block.set_live(cell);
        }
        let mut holes = Vec::new();
        let mut at = 0;
        while let Some((start, end)) = block.hole(0, at, u32::MAX) {
            holes.push((start, end));
            at = end;
        }
        assert_eq!(holes, [(2, 5), (6, 63), (65, 130), (131, cells - 1)]);
        assert_eq!(block.hole(0, 6, 1), Some((6, 7)));
        let last = CLASSES - 1;
        assert_eq!(Block::FRESH.hole(last, 0, u32::MAX), Some((0, 2)));
        assert_eq!(Block::FRESH.hole(last, 2, u32::MAX), None);
    }

    #[test]
    fn what_is_marked_is_retained() {
        let mut block = Block::FRESH;
        for cell in [1, 64, 2000] {
            block.set_live(cell);
        }
        block.set_live(3);
        assert!(block.mark(1) && block.mark(2000) && !block.mark(1));
        assert_eq!(block.marked().collect::<Vec<_>>(), [1, 2000]);
        assert_eq!(block.retain_marked(), 2);
        assert!(block.is_live(1) && block.is_live(2000));
        assert!(!block.is_live(64) && !block.is_live(3));
        assert_eq!(block.marked().count(), 0);
    }
}
