// A document, as it is sent either way.

export interface Position {
  x: number;
  y: number;
}

export interface Item {
  id: number;
  name: string;
  active: boolean;
  price: number;
  quantity: number;
  tags: string[];
  position: Position;
  note: string;
}

export interface Document {
  items: Item[];
  checksum: number;
}

export function cents(item: Item): number {
  return Math.round(item.price * 100);
}

// The checksum of this item and those before it, whose checksum is given.
export function checksum(item: Item, before: number): number {
  let sum = before;
  sum = (Math.imul(sum, 31) + item.id) | 0;
  sum = (Math.imul(sum, 31) + cents(item)) | 0;
  sum = (Math.imul(sum, 31) + item.quantity) | 0;
  sum = (Math.imul(sum, 31) + item.position.x) | 0;
  sum = (Math.imul(sum, 31) + item.position.y) | 0;
  sum = (Math.imul(sum, 31) + item.tags.length) | 0;
  return sum >>> 0;
}

function isInteger(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const isUnsigned = (value: unknown) => isInteger(value, 0, 0xffffffff);
const isSigned = (value: unknown) => isInteger(value, -0x80000000, 0x7fffffff);
const isString = (value: unknown) => typeof value === "string";

function isItem(value: unknown): value is Item {
  return (
    isObject(value) &&
    isUnsigned(value.id) &&
    isString(value.name) &&
    typeof value.active === "boolean" &&
    typeof value.price === "number" &&
    isUnsigned(value.quantity) &&
    Array.isArray(value.tags) &&
    value.tags.every(isString) &&
    isObject(value.position) &&
    isSigned(value.position.x) &&
    isSigned(value.position.y) &&
    isString(value.note)
  );
}

export function isDocument(value: unknown): value is Document {
  return (
    isObject(value) &&
    Array.isArray(value.items) &&
    value.items.every(isItem) &&
    isUnsigned(value.checksum)
  );
}
