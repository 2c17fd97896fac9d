// Checking a document, and what there is to say about it.

import { cents, checksum, type Document, type Item } from "./document.js";

export interface Summary {
  items: number;
  active: number;
  quantity: number;
  value: number;
  tags: Record<string, number>;
  bounds: { min_x: number; min_y: number; max_x: number; max_y: number };
  note_bytes: number;
  checksum: number;
}

export interface Wrong {
  error: string;
  item?: number;
}

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

function wrongField(index: number, item: Item): string | undefined {
  const { position } = item;
  if (item.id !== index) return "id";
  if (!isWithin(Buffer.byteLength(item.name), 1, 64)) return "name";
  if (!isWithin(item.price, 0.01, 1000)) return "price";
  if (!isWithin(item.quantity, 1, 1000)) return "quantity";
  if (item.tags.length > 4) return "tags";
  if (!isWithin(position.x, -10_000, 10_000) || !isWithin(position.y, -10_000, 10_000)) {
    return "position";
  }
  if (Buffer.byteLength(item.note) > 1000) return "note";
  return undefined;
}

// The summary of a document, or the first thing that is wrong with it.
export function summary(document: Document): Summary | Wrong {
  const tags = new Map<string, number>();
  const first = document.items[0]?.position ?? { x: 0, y: 0 };
  const bounds = { min_x: first.x, min_y: first.y, max_x: first.x, max_y: first.y };
  let active = 0;
  let quantity = 0;
  let value = 0;
  let noteBytes = 0;
  let sum = 0;
  for (const [index, item] of document.items.entries()) {
    const error = wrongField(index, item);
    if (error !== undefined) {
      return { error, item: index };
    }
    active += item.active ? 1 : 0;
    quantity += item.quantity;
    value += cents(item) * item.quantity;
    for (const tag of item.tags) {
      tags.set(tag, (tags.get(tag) ?? 0) + 1);
    }
    const { x, y } = item.position;
    bounds.min_x = Math.min(bounds.min_x, x);
    bounds.min_y = Math.min(bounds.min_y, y);
    bounds.max_x = Math.max(bounds.max_x, x);
    bounds.max_y = Math.max(bounds.max_y, y);
    noteBytes += Buffer.byteLength(item.note);
    sum = checksum(item, sum);
  }
  if (sum !== document.checksum) {
    return { error: "checksum" };
  }
  const sorted = [...tags].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return {
    items: document.items.length,
    active,
    quantity,
    value,
    tags: Object.fromEntries(sorted),
    bounds,
    note_bytes: noteBytes,
    checksum: sum,
  };
}
