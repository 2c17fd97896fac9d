//! Building a document.

use crate::document::{Document, Item, Position};
use crate::words::{ADJECTIVES, NOUNS, TAGS, WORDS};

/// A document of so many items.
pub fn document(count: u32) -> Document {
    let mut random = Random(0x9e37_79b9 ^ count);
    let items: Vec<Item> = (0..count).map(|id| item(id, &mut random)).collect();
    let checksum = items.iter().fold(0, |sum, item| item.checksum(sum));
    Document { items, checksum }
}

/// Draws in the order of the fields.
fn item(id: u32, random: &mut Random) -> Item {
    let adjective = random.choose(&ADJECTIVES);
    let noun = random.choose(&NOUNS);
    let name = format!("{adjective} {noun} {}", random.draw(1000));
    let active = random.draw(4) != 0;
    let mut cents = 1 + random.draw(99_999);
    if cents.is_multiple_of(100) {
        cents += 1;
    }
    let quantity = 1 + random.draw(1000);
    let tags = random.draw(5);
    let tags = (0..tags).map(|_| random.choose(&TAGS).to_owned()).collect();
    let position = Position {
        x: random.coordinate(),
        y: random.coordinate(),
    };
    let words = 4 + random.draw(9);
    let mut note = String::new();
    for word in 0..words {
        if word > 0 {
            note.push(' ');
        }
        note.push_str(random.choose(&WORDS));
    }
    Item {
        id,
        name,
        active,
        price: f64::from(cents) / 100.0,
        quantity,
        tags,
        position,
        note,
    }
}

/// xorshift32.
struct Random(u32);

impl Random {
    fn draw(&mut self, below: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % below
    }

    fn choose(&mut self, words: &[&'static str]) -> &'static str {
        words[self.draw(words.len() as u32) as usize]
    }

    fn coordinate(&mut self) -> i32 {
        self.draw(20_001) as i32 - 10_000
    }
}
