//! Where a function begins, so that its loops lie well.
//!
//! Processors fetch code, and cache what they decoded, by aligned blocks. A short
//! loop across one block more than it needs takes an access more in every
//! iteration; which loops do is a matter of luck, and of each other function, where
//! functions begin anywhere (`docs/RATIONALE.md` has what that cost). Cranelift does
//! not align loops. So the function as a whole begins where its innermost loops
//! lie across the fewest blocks.

use crate::arch;
use smallvec::SmallVec;
use std::ops::Range;

/// Bytes of a block: the cache of decoded instructions has entries of 64 bytes of
/// code on AMD's Zen (Software Optimization Guide for the family 19h, section 2.9)
/// and since Ice Lake on Intel's processors.
const BLOCK: u32 = 64;

/// What beginnings are tried. With smaller steps there is little more to win.
const STEP: usize = 4;

/// Loops that are longer, in blocks, lose little by one more.
const LONGEST: u32 = 8;

/// Loops of one function that are looked at, from its beginning.
const MOST_LOOPS: usize = 64;

/// Where code may begin: at addresses `offset` behind multiples of `align`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// A power of two.
    pub(crate) align: u32,
    /// Less than that.
    pub(crate) offset: u32,
}

impl Place {
    /// Any multiple of `align`, a power of two.
    pub(crate) fn aligned(align: u32) -> Self {
        Place { align, offset: 0 }
    }

    /// The best one for code that must be aligned to `required` and begins at
    /// multiples of `preferred` if it has no loops.
    pub(crate) fn of(code: &[u8], required: u32, preferred: u32) -> Self {
        let loops = innermost(arch::backward_branches(code));
        if loops.is_empty() || required > BLOCK {
            return Place::aligned(required.max(preferred));
        }
        let step = STEP.max(required as usize);
        let offsets = (0..BLOCK).step_by(step);
        // The first of equals.
        let best =
            offsets.min_by_key(|&offset| loops.iter().map(|l| excess(l, offset)).sum::<u32>());
        Place {
            align: BLOCK,
            offset: best.unwrap_or(0),
        }
    }

    /// The first such place from `at` on.
    pub(crate) fn from(self, at: usize) -> usize {
        let shift = (self.align - self.offset) as usize;
        (at + shift).next_multiple_of(self.align as usize) - shift
    }
}

/// The loops without loops in them that are short, of the branches back in a
/// function: from where to where.
fn innermost(branches: impl Iterator<Item = Range<u32>>) -> SmallVec<[Range<u32>; 8]> {
    let mut loops: SmallVec<[Range<u32>; 8]> = branches
        .filter(|range| range.len() <= (LONGEST * BLOCK) as usize)
        .take(MOST_LOOPS)
        .collect();
    // Of loops with one head, which are one with several ways back, the longest
    // comes last and stays.
    loops.sort_unstable_by_key(|range| (range.start, range.end));
    loops.reverse();
    loops.dedup_by_key(|range| range.start);
    let mut inner: SmallVec<[Range<u32>; 8]> = SmallVec::new();
    for range in loops {
        if inner.last().is_none_or(|next| next.start >= range.end) {
            inner.push(range);
        }
    }
    inner
}

/// What a loop loses where the function begins at `offset` in a block: the share
/// of its blocks that are more than it needs.
fn excess(range: &Range<u32>, offset: u32) -> u32 {
    let first = (range.start + offset) / BLOCK;
    let end = (range.end + offset).div_ceil(BLOCK);
    let needed = (range.end - range.start).div_ceil(BLOCK);
    (end - first - needed) * BLOCK / needed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found() {
        let place = Place {
            align: 64,
            offset: 20,
        };
        for (at, found) in [(0, 20), (20, 20), (21, 84), (83, 84), (84, 84), (85, 148)] {
            assert_eq!(place.from(at), found, "{at}");
        }
        assert_eq!(Place::aligned(16).from(33), 48);
        assert_eq!(Place::aligned(1).from(33), 33);
    }

    #[test]
    fn inner_loops_count() {
        // An outer loop with two in it, of which one has two ways back.
        let branches = [10..300, 20..60, 100..130, 100..160];
        let inner = innermost(branches.into_iter());
        assert_eq!(inner.as_slice(), &[100..160, 20..60]);
        // Too long to gain by it.
        assert!(innermost(std::iter::once(0..4096)).is_empty());
    }

    #[test]
    fn a_loop_lies_in_as_few_blocks_as_it_can() {
        for start in 0..200 {
            for len in [2, 30, 61, 64, 65, 200] {
                let range = start..start + len;
                let offsets = (0..BLOCK).step_by(STEP);
                let least = offsets.map(|offset| excess(&range, offset)).min();
                // A loop of whole blocks needs more than steps of four bytes.
                let whole = len % BLOCK == 0 || len % BLOCK > BLOCK - STEP as u32;
                assert!(whole || least == Some(0), "{range:?}");
            }
        }
    }

    #[test]
    #[cfg(all(target_arch = "x86_64", unix))]
    fn a_short_loop_begins_in_a_block_that_it_ends_in() {
        // 50 bytes, then a loop of 40 that a `jne` ends.
        let mut code = vec![0x90; 50 + 34];
        code.extend([0x0f, 0x85]);
        code.extend((-40_i32).to_le_bytes());
        code.push(0xc3);
        let place = Place::of(&code, 1, 32);
        assert_eq!(place.align, BLOCK);
        let start = place.from(1000) + 50;
        assert_eq!(start / 64, (start + 39) / 64);
        // Without it, whatever is preferred.
        assert_eq!(Place::of(&code[..80], 1, 32), Place::aligned(32));
    }
}
