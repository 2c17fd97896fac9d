//! A mix of integer work in the spirit of EEMBC's CoreMark, written anew: a
//! linked list, small matrices, a state machine, and a CRC over all results.
//!
//! The parts lean on each other as they do there: the list is sorted by values
//! that the matrix and the state machine compute, and every part's result goes
//! through the CRC into the seed of the next.

mod crc16;
mod list;
mod matrix;
mod state;

use crc16::Crc16;
use list::List;
use matrix::Matrices;
use state::Text;

/// Runs the mix `rounds` times.
pub fn run(rounds: i32) -> i32 {
    let mut work = Work {
        matrices: Matrices::new(),
        text: Text::new(),
    };
    let mut list = List::new();
    let mut crc = Crc16::default();
    for round in 0..rounds {
        let result = list.exercise(round as u16, &mut work);
        crc.add_u16(result);
    }
    i32::from(crc.value())
}

/// What the list's items are computed from.
struct Work {
    matrices: Matrices,
    text: Text,
}

impl Work {
    /// The value that an item sorts by: the item's number picks the part that
    /// computes it and that part's seed.
    fn value(&mut self, item: u16) -> u16 {
        let seed = item >> 3 & 0x0F;
        match item & 0x07 {
            0 => self.matrices.exercise(seed),
            1 => self.text.exercise(seed),
            _ => item,
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_checksums() {
        for (rounds, expected) in [(0, 0), (1, 51_073), (10, 56_863)] {
            assert_eq!(super::run(rounds), expected, "{rounds} rounds");
        }
    }
}
