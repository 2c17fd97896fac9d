// The words that documents are made of.

export const ADJECTIVES = [
  "amber", "bold", "calm", "dusty", "eager", "faint", "gentle", "hollow", "icy", "jolly", "keen",
  "lucid", "mellow", "nimble", "opal", "proud",
] as const;

export const NOUNS = [
  "anchor", "beacon", "canyon", "delta", "ember", "falcon", "garden", "harbor", "island",
  "jungle", "kettle", "lantern", "meadow", "needle", "orchard", "pillar",
] as const;

export const TAGS = [
  "archived", "bulk", "clearance", "digital", "export", "fragile", "gift", "heavy", "imported",
  "limited", "new", "sale",
] as const;

export const WORDS = [
  "the", "order", "ships", "within", "three", "days", "of", "payment", "and", "returns", "are",
  "accepted", "for", "thirty", "please", "keep", "this", "receipt", "with", "your", "records",
  "handle", "gently", "when", "opening", "box", "\"fragile\"", "café", "Grüße", "東京",
  "line\nbreak", "back\\slash",
] as const;
