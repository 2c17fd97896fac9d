//! The sizes of cells.

/// Binary logarithm of a block's size.
pub(super) const BLOCK_SHIFT: u32 = 15;
/// Bytes of a block.
pub(super) const BLOCK_BYTES: u32 = 1 << BLOCK_SHIFT;

/// Number of size classes.
pub const CLASSES: usize = 32;

/// Bytes of a cell by class: four steps from one power of two to the next, so
/// that at most a fifth of a cell is lost, and from 2 KiB on what divides a block
/// well. All are multiples of 8.
const CELL_BYTES: [u32; CLASSES] = [
    16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768,
    896, 1024, 1280, 1536, 2048, 2728, 4096, 5456, 8192, 10920, 16384,
];

/// The largest object that shares a block with others.
pub(super) const MAX_CELL: u32 = CELL_BYTES[CLASSES - 1];
/// Cells of a block at most.
pub(super) const MAX_CELLS: usize = (BLOCK_BYTES / CELL_BYTES[0]) as usize;

/// Class by size in units of 8 bytes, rounded up.
static CLASS_OF: [u8; MAX_CELL as usize / 8 + 1] = {
    let mut table = [0; MAX_CELL as usize / 8 + 1];
    let mut units = 0;
    let mut class = 0;
    while units < table.len() {
        if units as u32 * 8 > CELL_BYTES[class] {
            class += 1;
        }
        table[units] = class as u8;
        units += 1;
    }
    table
};

/// The class of objects of `bytes` bytes; `None` if they are large.
#[inline]
pub fn class_of(bytes: u32) -> Option<usize> {
    let class = CLASS_OF.get(bytes.div_ceil(8) as usize)?;
    Some(usize::from(*class))
}

/// Bytes of a cell of that class.
#[inline]
pub fn cell_bytes(class: usize) -> u32 {
    CELL_BYTES[class]
}

/// Cells of a block of that class.
pub(super) fn cells_per_block(class: usize) -> u32 {
    BLOCK_BYTES / CELL_BYTES[class]
}

/// The cell that byte `at` of a block of that class lies in: a division, as a
/// multiplication that is exact for every offset in a block (see the test).
#[inline]
pub(super) fn cell_at(class: usize, at: u32) -> u32 {
    const RECIPROCALS: [u64; CLASSES] = {
        let mut table = [0; CLASSES];
        let mut class = 0;
        while class < CLASSES {
            table[class] = (1 << 32) / CELL_BYTES[class] as u64 + 1;
            class += 1;
        }
        table
    };
    ((u64::from(at) * RECIPROCALS[class]) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_class_that_fits_is_chosen() {
        for bytes in 0..=MAX_CELL {
            let class = class_of(bytes).unwrap();
            assert!(cell_bytes(class) >= bytes);
            assert!(class == 0 || cell_bytes(class - 1) < bytes.next_multiple_of(8));
        }
        assert_eq!(class_of(MAX_CELL + 1), None);
        assert_eq!(class_of(u32::MAX), None);
    }

    #[test]
    fn every_byte_of_a_block_is_in_its_cell() {
        for class in 0..CLASSES {
            for at in 0..BLOCK_BYTES {
                assert_eq!(cell_at(class, at), at / cell_bytes(class), "{class} {at}");
            }
        }
    }
}
