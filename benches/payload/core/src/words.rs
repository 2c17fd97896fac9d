//! The words that documents are made of.

/// What names begin with.
pub const ADJECTIVES: [&str; 16] = [
    "amber", "bold", "calm", "dusty", "eager", "faint", "gentle", "hollow", "icy", "jolly", "keen",
    "lucid", "mellow", "nimble", "opal", "proud",
];

/// What names go on with.
pub const NOUNS: [&str; 16] = [
    "anchor", "beacon", "canyon", "delta", "ember", "falcon", "garden", "harbor", "island",
    "jungle", "kettle", "lantern", "meadow", "needle", "orchard", "pillar",
];

/// The tags.
pub const TAGS: [&str; 12] = [
    "archived",
    "bulk",
    "clearance",
    "digital",
    "export",
    "fragile",
    "gift",
    "heavy",
    "imported",
    "limited",
    "new",
    "sale",
];

/// What notes are made of.
pub const WORDS: [&str; 32] = [
    "the",
    "order",
    "ships",
    "within",
    "three",
    "days",
    "of",
    "payment",
    "and",
    "returns",
    "are",
    "accepted",
    "for",
    "thirty",
    "please",
    "keep",
    "this",
    "receipt",
    "with",
    "your",
    "records",
    "handle",
    "gently",
    "when",
    "opening",
    "box",
    "\"fragile\"",
    "café",
    "Grüße",
    "東京",
    "line\nbreak",
    "back\\slash",
];
