//! CRC-32 (the polynomial of Ethernet and zip), table driven: one dependent
//! load per byte.

use crate::random::Random;

const BUFFER: usize = 16 * 1024;

/// Sums up a buffer of 16 KiB `rounds` times, each sum going on from the last.
pub fn run(rounds: i32) -> i32 {
    let mut random = Random::new(1);
    let mut buffer = [0u8; BUFFER];
    for byte in &mut buffer {
        *byte = random.next_u16() as u8;
    }
    let table = table();
    let mut crc = 0;
    for _ in 0..rounds {
        crc = update(&table, crc, &buffer);
    }
    crc as i32
}

/// The checksums of all single bytes. Made at run time: the loop of shifts is
/// part of the kernel.
fn table() -> [u32; 256] {
    let mut table = [0; 256];
    for (byte, entry) in table.iter_mut().enumerate() {
        let mut crc = byte as u32;
        for _ in 0..8 {
            crc = if crc & 1 != 0 {
                crc >> 1 ^ 0xEDB8_8320
            } else {
                crc >> 1
            };
        }
        *entry = crc;
    }
    table
}

#[inline(never)]
fn update(table: &[u32; 256], crc: u32, bytes: &[u8]) -> u32 {
    let mut crc = !crc;
    for &byte in bytes {
        crc = crc >> 8 ^ table[(crc as u8 ^ byte) as usize];
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_value() {
        // The check value that catalogues of CRCs give for this polynomial.
        assert_eq!(update(&table(), 0, b"123456789"), 0xCBF4_3926);
        let halves = update(&table(), update(&table(), 0, b"1234"), b"56789");
        assert_eq!(halves, 0xCBF4_3926);
    }

    #[test]
    fn known_checksums() {
        for (rounds, expected) in [(0, 0), (1, -1_148_591_421), (10, -474_832_786)] {
            assert_eq!(run(rounds), expected, "{rounds} rounds");
        }
    }
}
