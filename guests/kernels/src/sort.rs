//! Sorting integers with quicksort and insertion sort: unpredictable branches
//! and recursion.

use crate::random::Random;

const LENGTH: usize = 8192;

/// Shorter runs than this are left to insertion sort.
const SHORT: usize = 16;

/// Sorts 8,192 new random numbers `rounds` times.
pub fn run(rounds: i32) -> i32 {
    let mut random = Random::new(42);
    let mut values = [0u32; LENGTH];
    let mut checksum = 0u32;
    for _ in 0..rounds {
        values.fill_with(|| random.next_u32());
        quicksort(&mut values);
        for (index, &value) in values.iter().enumerate().step_by(97) {
            checksum = checksum.rotate_left(5) ^ value.wrapping_add(index as u32);
        }
    }
    checksum as i32
}

#[inline(never)]
fn quicksort(mut values: &mut [u32]) {
    while values.len() > SHORT {
        let (left, right) = partition(values);
        // Recursion into the shorter part alone bounds the depth by log₂ n.
        let (short, long) = if left.len() < right.len() {
            (left, right)
        } else {
            (right, left)
        };
        quicksort(short);
        values = long;
    }
    insertion_sort(values);
}

/// Hoare's partition around the middle element: everything in the first part is
/// at most what is in the second, and neither part is empty.
fn partition(values: &mut [u32]) -> (&mut [u32], &mut [u32]) {
    let pivot = values[(values.len() - 1) / 2];
    let (mut low, mut high) = (0, values.len() - 1);
    loop {
        while values[low] < pivot {
            low += 1;
        }
        while values[high] > pivot {
            high -= 1;
        }
        if low >= high {
            return values.split_at_mut(high + 1);
        }
        values.swap(low, high);
        low += 1;
        high -= 1;
    }
}

fn insertion_sort(values: &mut [u32]) {
    for end in 1..values.len() {
        let value = values[end];
        let mut hole = end;
        while hole > 0 && values[hole - 1] > value {
            values[hole] = values[hole - 1];
            hole -= 1;
        }
        values[hole] = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_like_the_standard_library() {
        let mut random = Random::new(7);
        for length in 0..300 {
            for modulus in [1, 2, 10, u32::MAX] {
                let mut values = [0u32; 300];
                let values = &mut values[..length];
                values.fill_with(|| random.next_u32() % modulus);
                let mut expected = [0u32; 300];
                let expected = &mut expected[..length];
                expected.copy_from_slice(values);
                expected.sort_unstable();
                quicksort(values);
                assert_eq!(values, expected, "length {length}, modulus {modulus}");
            }
        }
    }

    #[test]
    fn known_checksums() {
        for (rounds, expected) in [(0, 0), (1, -1_878_045_021), (10, -878_359_382)] {
            assert_eq!(run(rounds), expected, "{rounds} rounds");
        }
    }
}
