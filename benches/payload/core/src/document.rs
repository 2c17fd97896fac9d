//! A document, as it is sent either way.

use serde::{Deserialize, Serialize};

/// Many items, and a checksum.
#[derive(Serialize, Deserialize)]
pub struct Document {
    pub items: Vec<Item>,
    pub checksum: u32,
}

/// One of the things that a document lists.
#[derive(Serialize, Deserialize)]
pub struct Item {
    pub id: u32,
    pub name: String,
    pub active: bool,
    pub price: f64,
    pub quantity: u32,
    pub tags: Vec<String>,
    pub position: Position,
    pub note: String,
}

#[derive(Serialize, Deserialize)]
pub struct Position {
    pub x: i32,
    pub y: i32,
}

impl Item {
    /// The checksum of this item and those before it, whose checksum is given.
    pub fn checksum(&self, before: u32) -> u32 {
        let values = [
            self.id,
            self.cents(),
            self.quantity,
            // In two's complement.
            self.position.x as u32,
            self.position.y as u32,
            self.tags.len() as u32,
        ];
        let step = |sum: u32, value: u32| sum.wrapping_mul(31).wrapping_add(value);
        values.into_iter().fold(before, step)
    }

    /// The price in cents.
    pub fn cents(&self) -> u32 {
        (self.price * 100.0).round() as u32
    }
}
