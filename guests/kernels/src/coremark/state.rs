//! A state machine that tells numbers apart, character by character: a switch
//! in a loop, and counters in memory.

use super::crc16::Crc16;

/// What the text is made of, over and over.
const WORDS: &[u8] = b"5012,1234,-874,+122,35.54400,.1234500,-110.700,+0.64400,\
    5.500e+3,-.123e-2,-87e+832,+0.6e-12,T0.3e-1F,-T.T++Tq,1T3.4e4z,34.0e-T^,";

const LENGTH: usize = 512;

#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    Start,
    Sign,
    Integer,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    Scientific,
    Invalid,
}

const STATES: usize = State::Invalid as usize + 1;

pub struct Text([u8; LENGTH]);

impl Text {
    pub fn new() -> Self {
        let mut text = [0; LENGTH];
        for (byte, &from) in text.iter_mut().zip(WORDS.iter().cycle()) {
            *byte = from;
        }
        Self(text)
    }

    /// Scans the text, scans it again with some characters spoilt, and puts
    /// them right.
    pub fn exercise(&mut self, seed: u16) -> u16 {
        let mut crc = Crc16::default();
        let step = usize::from(seed) + 7;
        self.scan(&mut crc);
        self.spoil(step, seed as u8);
        self.scan(&mut crc);
        self.spoil(step, seed as u8);
        crc.value()
    }

    /// Flips bits in every `step`th character. A comma is neither spoilt nor
    /// made, so the words stay apart, and doing it twice restores the text.
    fn spoil(&mut self, step: usize, bits: u8) {
        for byte in self.0.iter_mut().step_by(step) {
            if *byte != b',' && *byte ^ bits != b',' {
                *byte ^= bits;
            }
        }
    }

    /// Adds to `crc` how many words ended in each state and how often each
    /// state was entered.
    fn scan(&self, crc: &mut Crc16) {
        let mut ended = [0u16; STATES];
        let mut entered = [0u16; STATES];
        let mut state = State::Start;
        for &byte in &self.0 {
            if byte == b',' {
                ended[state as usize] += 1;
                state = State::Start;
                continue;
            }
            let next = state.after(byte);
            if next != state {
                entered[next as usize] += 1;
            }
            state = next;
        }
        for count in ended.into_iter().chain(entered) {
            crc.add_u16(count);
        }
    }
}

impl State {
    fn after(self, byte: u8) -> Self {
        let digit = byte.is_ascii_digit();
        match self {
            State::Start if matches!(byte, b'+' | b'-') => State::Sign,
            State::Start | State::Sign | State::Integer if digit => State::Integer,
            State::Start | State::Sign if byte == b'.' => State::Point,
            State::Integer if byte == b'.' => State::Fraction,
            State::Point | State::Fraction if digit => State::Fraction,
            State::Fraction | State::Integer if matches!(byte, b'e' | b'E') => State::Exponent,
            State::Exponent if matches!(byte, b'+' | b'-') => State::ExponentSign,
            State::Exponent | State::ExponentSign | State::Scientific if digit => State::Scientific,
            _ => State::Invalid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_in_the_right_state() {
        for (word, state) in [
            ("", State::Start),
            ("-", State::Sign),
            ("5012", State::Integer),
            ("+122", State::Integer),
            (".", State::Point),
            ("35.544", State::Fraction),
            (".5", State::Fraction),
            ("1e", State::Exponent),
            ("1e+", State::ExponentSign),
            ("-110.7e-12", State::Scientific),
            ("T0.3", State::Invalid),
            ("1.2.3", State::Invalid),
        ] {
            let end = word.bytes().fold(State::Start, State::after);
            assert_eq!(end, state, "{word:?}");
        }
    }

    #[test]
    fn exercise_restores_its_input() {
        for seed in 0..16 {
            let mut text = Text::new();
            text.exercise(seed);
            assert_eq!(text.0, Text::new().0, "seed {seed}");
        }
    }
}
