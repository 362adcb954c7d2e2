/**
 * The merges of a BPE vocabulary as one open-addressing hash table over pairs of ids: a JavaScript `Map` would need a
 * string or a boxed number per look-up, and encoding is nothing but look-ups.
 * May not know: text, vocabularies, files.
 */

/** Joining `left` and `right` gives `product`; lower ranks are joined first. */
export interface Merge {
  readonly left: number;
  readonly right: number;
  readonly rank: number;
  readonly product: number;
}

export interface MergeTable {
  readonly size: number;
  /** Slot of the pair, or -1: no such merge. */
  find(left: number, right: number): number;
  rankAt(slot: number): number;
  productAt(slot: number): number;
}

/** Where a pair occurs twice the later one counts, as in the Rust core (it collects into a hash map). */
export function mergeTable(merges: readonly Merge[]): MergeTable {
  let capacity = 16;
  while (capacity < merges.length * 2) capacity *= 2;
  const mask = capacity - 1;
  const lefts = new Int32Array(capacity).fill(-1);
  const rights = new Int32Array(capacity);
  const ranks = new Int32Array(capacity);
  const products = new Int32Array(capacity);
  let size = 0;

  /** The slot that holds the pair or is free for it; the table is never more than half full, so the walk ends. */
  const slotOf = (left: number, right: number): number => {
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    let slot = (hash ^ (hash >>> 13)) & mask;
    while (lefts[slot] !== -1 && (lefts[slot] !== left || rights[slot] !== right)) slot = (slot + 1) & mask;
    return slot;
  };

  for (const merge of merges) {
    const slot = slotOf(merge.left, merge.right);
    if (lefts[slot] === -1) size += 1;
    lefts[slot] = merge.left;
    rights[slot] = merge.right;
    ranks[slot] = merge.rank;
    products[slot] = merge.product;
  }

  return {
    size,
    find: (left, right) => {
      const slot = slotOf(left, right);
      return lefts[slot] === -1 ? -1 : slot;
    },
    rankAt: (slot) => ranks[slot] ?? 0,
    productAt: (slot) => products[slot] ?? 0,
  };
}
