// Building a document.

import { checksum, type Document, type Item } from "./document.js";
import { ADJECTIVES, NOUNS, TAGS, WORDS } from "./words.js";

// xorshift32.
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  draw(below: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % below;
  }

  choose(words: readonly string[]): string {
    return words[this.draw(words.length)]!;
  }
}

// Draws in the order of the fields.
function buildItem(id: number, random: Random): Item {
  const name = `${random.choose(ADJECTIVES)} ${random.choose(NOUNS)} ${random.draw(1000)}`;
  const active = random.draw(4) !== 0;
  let cents = 1 + random.draw(99_999);
  if (cents % 100 === 0) {
    cents += 1;
  }
  const quantity = 1 + random.draw(1000);
  const tags: string[] = [];
  for (let left = random.draw(5); left > 0; left--) {
    tags.push(random.choose(TAGS));
  }
  const position = { x: random.draw(20_001) - 10_000, y: random.draw(20_001) - 10_000 };
  let note = "";
  const words = 4 + random.draw(9);
  for (let word = 0; word < words; word++) {
    note += (word > 0 ? " " : "") + random.choose(WORDS);
  }
  return { id, name, active, price: cents / 100, quantity, tags, position, note };
}

// A document of so many items.
export function buildDocument(count: number): Document {
  const random = new Random((0x9e3779b9 ^ count) | 0);
  const items: Item[] = [];
  for (let id = 0; id < count; id++) {
    items.push(buildItem(id, random));
  }
  let sum = 0;
  for (const item of items) {
    sum = checksum(item, sum);
  }
  return { items, checksum: sum };
}
