//! Checking a document, and what there is to say about it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::document::{Document, Item};

/// What a document that is right is answered with.
#[derive(Serialize)]
pub struct Summary<'a> {
    items: usize,
    active: usize,
    quantity: u64,
    /// In cents.
    value: u64,
    tags: BTreeMap<&'a str, u32>,
    bounds: Bounds,
    note_bytes: usize,
    checksum: u32,
}

#[derive(Default, Serialize)]
struct Bounds {
    min_x: i32,
    min_y: i32,
    max_x: i32,
    max_y: i32,
}

/// What is wrong with a document, or with a request.
#[derive(Serialize)]
pub struct Wrong {
    pub error: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<usize>,
}

/// The summary of a document, or the first thing that is wrong with it.
pub fn summary(document: &Document) -> Result<Summary<'_>, Wrong> {
    let mut summary = Summary {
        items: document.items.len(),
        active: 0,
        quantity: 0,
        value: 0,
        tags: BTreeMap::new(),
        bounds: Bounds::default(),
        note_bytes: 0,
        checksum: 0,
    };
    for (index, item) in document.items.iter().enumerate() {
        if let Some(error) = wrong_field(index, item) {
            let item = Some(index);
            return Err(Wrong { error, item });
        }
        summary.active += usize::from(item.active);
        summary.quantity += u64::from(item.quantity);
        summary.value += u64::from(item.cents()) * u64::from(item.quantity);
        for tag in &item.tags {
            *summary.tags.entry(tag).or_default() += 1;
        }
        summary.bounds.take(index, item);
        summary.note_bytes += item.note.len();
        summary.checksum = item.checksum(summary.checksum);
    }
    if summary.checksum != document.checksum {
        let error = "checksum";
        return Err(Wrong { error, item: None });
    }
    Ok(summary)
}

fn wrong_field(index: usize, item: &Item) -> Option<&'static str> {
    let area = -10_000..=10_000;
    let checks = [
        ("id", item.id as usize == index),
        ("name", (1..=64).contains(&item.name.len())),
        ("price", (0.01..=1000.0).contains(&item.price)),
        ("quantity", (1..=1000).contains(&item.quantity)),
        ("tags", item.tags.len() <= 4),
        (
            "position",
            area.contains(&item.position.x) && area.contains(&item.position.y),
        ),
        ("note", item.note.len() <= 1000),
    ];
    checks.iter().find(|(_, right)| !right).map(|check| check.0)
}

impl Bounds {
    fn take(&mut self, index: usize, item: &Item) {
        let (x, y) = (item.position.x, item.position.y);
        if index == 0 {
            (self.min_x, self.max_x) = (x, x);
            (self.min_y, self.max_y) = (y, y);
        }
        self.min_x = self.min_x.min(x);
        self.min_y = self.min_y.min(y);
        self.max_x = self.max_x.max(x);
        self.max_y = self.max_y.max(y);
    }
}
