//! CRC-16/ARC, bit by bit: shifts, tests and branches.

/// A running checksum.
#[derive(Default)]
pub struct Crc16(u16);

impl Crc16 {
    pub fn add_u8(&mut self, byte: u8) {
        let mut byte = byte;
        for _ in 0..8 {
            let differs = (self.0 as u8 ^ byte) & 1 == 1;
            self.0 >>= 1;
            byte >>= 1;
            if differs {
                self.0 ^= 0xA001;
            }
        }
    }

    pub fn add_u16(&mut self, value: u16) {
        self.add_u8(value as u8);
        self.add_u8((value >> 8) as u8);
    }

    pub fn value(&self) -> u16 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Crc16;

    #[test]
    fn check_value() {
        let mut crc = Crc16::default();
        for &byte in b"123456789" {
            crc.add_u8(byte);
        }
        assert_eq!(crc.value(), 0xBB3D);
    }
}
