/**
 * Byte-pair encoding of one word (a piece of text that no merge crosses) into ids, exactly as Hugging Face's Rust core
 * does it: characters to ids first, with byte fallback and unknowns; then the merge of lowest rank, leftmost on ties,
 * until none is left. A heap over a linked list keeps long words at O(n log n).
 * May not know: normalizers, added tokens, templates, files.
 * Source: huggingface/tokenizers, `models/bpe/model.rs` (merge_word) and `models/bpe/word.rs` (merge_all).
 */
import { type Merge, type MergeTable, mergeTable } from "./merge-table.js";
import type { WordEncoder } from "./word-encoder.js";

export interface BpeSpec {
  readonly vocab: ReadonlyMap<string, number>;
  readonly merges: readonly Merge[];
  /** The id for what has none; undefined: such text is left out, see `drops`. */
  readonly unkId: number | undefined;
  /** Consecutive unknown characters become one unknown token. */
  readonly fuseUnk: boolean;
  /** An unknown character becomes its UTF-8 bytes as `<0xNN>` pieces. */
  readonly byteFallback: boolean;
  /** A word that is a piece as a whole is that piece, whatever the merges say. */
  readonly ignoreMerges: boolean;
  /** The alphabet is GPT-2's 256 byte characters: words come as text and are taken byte by byte. */
  readonly byteLevel: boolean;
  /** Ids that no word may become, however it is merged. */
  readonly forbidden: ReadonlySet<number>;
}

const CACHED_WORDS = 65_536;
const CACHED_LENGTH = 64; // UTF-16 units
const POSITIONS = 2 ** 32; // a heap key is rank × POSITIONS + position: exact in a double for ranks below 2^21

export function createBpe(spec: BpeSpec): WordEncoder {
  const table = mergeTable(spec.merges.filter((merge) => !spec.forbidden.has(merge.product)));
  const symbols = spec.byteLevel ? byteSymbols(spec) : characterSymbols(spec);
  const split = spec.byteLevel ? undefined : wordCutter(spec);
  const merge = merger(table);
  const cache = new Map<string, readonly number[]>();

  const encodePart = (part: string): readonly number[] => {
    const known = cache.get(part);
    if (known !== undefined) return known;
    const ids = merge(symbols(part));
    if (part.length <= CACHED_LENGTH) {
      if (cache.size >= CACHED_WORDS) cache.clear(); // a bound is what matters; a finer policy costs more than it saves
      cache.set(copied(part), ids);
    }
    return ids;
  };

  return {
    drops: dropper(spec),
    encodeWord(word, out) {
      if (word.length === 0) return;
      const whole = spec.ignoreMerges ? wholeWord(spec, word) : undefined;
      if (whole !== undefined) {
        out.push(whole);
        return;
      }
      if (split === undefined || word.length < 2) {
        append(out, encodePart(word));
        return;
      }
      for (let start = 0; start < word.length; ) {
        const end = split(word, start);
        append(out, encodePart(word.slice(start, end)));
        start = end;
      }
    },
  };
}

/** V8 keeps the whole text for as long as a piece of it is kept; a word in the cache must not hold its document. */
const copied = (text: string): string => Buffer.from(text, "utf16le").toString("utf16le");

function append(out: number[], ids: readonly number[]): void {
  for (const id of ids) out.push(id); // no spread: a word may have more ids than a call takes arguments
}

function wholeWord(spec: BpeSpec, word: string): number | undefined {
  const id = spec.vocab.get(spec.byteLevel ? toByteCharacters(word) : word);
  return id !== undefined && !spec.forbidden.has(id) ? id : undefined;
}

const utf8 = new TextEncoder();

/** GPT-2's printable stand-ins for the 256 bytes: visible Latin-1 characters for themselves, the rest from U+0100 on. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const visible = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCharCode(visible ? byte : next++);
  });
})();

export function toByteCharacters(text: string): string {
  let result = "";
  for (const byte of utf8.encode(text)) result += BYTE_CHARACTERS[byte];
  return result;
}

/**
 * The Rust core leaves out what has neither token nor unknown token (SmolLM2's vocabulary lacks a dozen bytes of rare
 * planes), without a word. Ids must agree with it, so we do the same, and say so.
 */
function dropper(spec: BpeSpec): (text: string) => boolean {
  if (spec.unkId !== undefined) return () => false;
  const byByte = (pieces: readonly string[]): boolean[] => pieces.map((piece) => spec.vocab.has(piece));
  if (spec.byteLevel) {
    const known = byByte(BYTE_CHARACTERS);
    // 0xC0, 0xC1 and 0xF5 to 0xFF stand in no UTF-8 text: vocabularies do without them.
    const lacking = known.some((has, byte) => !has && byte !== 0xc0 && byte !== 0xc1 && byte < 0xf5);
    return lacking ? (text) => utf8.encode(text).some((byte) => known[byte] === false) : () => false;
  }
  const allBytes = spec.byteFallback && byByte(BYTE_CHARACTERS.map((_, byte) => bytePiece(byte))).every((has) => has);
  if (allBytes) return () => false;
  const fallback = BYTE_CHARACTERS.map((_, byte) => spec.vocab.get(bytePiece(byte)));
  return (text) =>
    [...text].some((character) => {
      if (spec.vocab.has(character)) return false;
      return !spec.byteFallback || idsOfBytes(character, fallback) === undefined;
    });
}

/** Text to the ids of its bytes. */
function byteSymbols(spec: BpeSpec): (word: string) => number[] {
  const byByte = BYTE_CHARACTERS.map((character) => spec.vocab.get(character));
  return (word) => {
    const ids: number[] = [];
    const unknown = unknownRun(spec, ids);
    for (const byte of utf8.encode(word)) {
      const id = byByte[byte];
      if (id === undefined) unknown.add();
      else unknown.flush(id);
    }
    unknown.end();
    return ids;
  };
}

/** Text to the ids of its characters, of their bytes where a character has none, else the unknown id. */
function characterSymbols(spec: BpeSpec): (word: string) => number[] {
  const byByte = BYTE_CHARACTERS.map((_, byte) => spec.vocab.get(bytePiece(byte)));
  return (word) => {
    const ids: number[] = [];
    const unknown = unknownRun(spec, ids);
    for (const character of word) {
      const id = spec.vocab.get(character);
      if (id !== undefined) {
        unknown.flush(id);
        continue;
      }
      const bytes = spec.byteFallback ? idsOfBytes(character, byByte) : undefined;
      // The Rust core does not end a run of unknowns here, so the bytes come before it; kept, since ids must agree.
      if (bytes !== undefined) append(ids, bytes);
      else unknown.add();
    }
    unknown.end();
    return ids;
  };
}

/** `<0x0A>` for 10. */
export const bytePiece = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;

function idsOfBytes(character: string, byByte: readonly (number | undefined)[]): number[] | undefined {
  const ids: number[] = [];
  for (const byte of utf8.encode(character)) {
    const id = byByte[byte];
    if (id === undefined) return undefined; // all bytes or none
    ids.push(id);
  }
  return ids;
}

/** Unknown characters wait until a known one or the end: fused into one token where the vocabulary says so. */
function unknownRun(spec: BpeSpec, ids: number[]) {
  let waiting = false;
  const release = (): void => {
    if (waiting && spec.unkId !== undefined) ids.push(spec.unkId);
    waiting = false;
  };
  return {
    add(): void {
      if (!spec.fuseUnk) release();
      waiting = true;
    },
    flush(id: number): void {
      release();
      ids.push(id);
    },
    end: release,
  };
}

/**
 * Cuts a word where no merge can reach across: between two characters that stand side by side in no piece. Without a
 * pre-tokenizer (Llama, Gemma) a word is a whole document; its cuts (before almost every `▁`) are what makes caching work.
 * Only next to characters that are pieces themselves: byte pieces and runs of unknowns are never divided.
 * Returns the end of the part that begins at `start`.
 */
function wordCutter(spec: BpeSpec): (word: string, start: number) => number {
  const products = new Set(spec.merges.map((merge) => merge.product));
  const pairs: Merge[] = [];
  const known = new Uint8Array(0x10000); // by UTF-16 unit; a half of a surrogate pair is never a piece
  for (const [piece, id] of spec.vocab) {
    if (piece.length === 1) known[piece.charCodeAt(0)] = 1;
    if (!products.has(id)) continue;
    for (let i = 0; i + 1 < piece.length; i++) {
      pairs.push({ left: piece.charCodeAt(i), right: piece.charCodeAt(i + 1), rank: 0, product: 0 });
    }
  }
  const neighbours = mergeTable(pairs);
  return (word, start) => {
    let previous = word.charCodeAt(start);
    for (let i = start + 1; i < word.length; i++) {
      const unit = word.charCodeAt(i);
      if (known[previous] === 1 && known[unit] === 1 && neighbours.find(previous, unit) === -1) return i;
      previous = unit;
    }
    return word.length;
  };
}

/** Joins the ids of a word until no merge applies: pairs wait in a heap by rank, then place. */
function merger(table: MergeTable): (symbols: number[]) => readonly number[] {
  const chain = openChain();
  const heap = keyHeap();
  /** The merge of the symbol at a place with its right neighbour, -1 where there is none. */
  const slotAt = (symbols: readonly number[], place: number): number => {
    const right = chain.after(place);
    return right < 0 ? -1 : table.find(symbols[place] ?? -1, symbols[right] ?? -1);
  };
  return (symbols) => {
    if (symbols.length < 2) return symbols;
    chain.reset(symbols.length);
    heap.clear();
    const offer = (place: number): void => {
      const slot = slotAt(symbols, place);
      if (slot !== -1) heap.push(table.rankAt(slot) * POSITIONS + place);
    };
    for (let place = 0; place + 1 < symbols.length; place++) offer(place);
    for (let key = heap.pop(); key >= 0; key = heap.pop()) {
      const place = key % POSITIONS;
      const slot = slotAt(symbols, place);
      // Swallowed since, or the pair has changed since it was offered: its new form was offered then.
      if (slot === -1 || table.rankAt(slot) !== Math.floor(key / POSITIONS)) continue;
      symbols[place] = table.productAt(slot);
      symbols[chain.swallow(place)] = -1;
      const before = chain.before(place);
      if (before >= 0) offer(before);
      offer(place);
    }
    return symbols.filter((id) => id !== -1);
  };
}

/** The symbols of a word that are left, as a list linked both ways. The arrays grow to the longest word and are kept. */
function openChain() {
  let next = new Int32Array(0); // place of the symbol to the right, -1 at the end
  let previous = new Int32Array(0);
  return {
    after: (place: number): number => next[place] ?? -1,
    before: (place: number): number => previous[place] ?? -1,
    reset(length: number): void {
      if (next.length < length) [next, previous] = [new Int32Array(length * 2), new Int32Array(length * 2)];
      for (let place = 0; place < length; place++) {
        previous[place] = place - 1;
        next[place] = place + 1 < length ? place + 1 : -1;
      }
    },
    /** Takes the right neighbour out, which there must be, and gives its place. */
    swallow(place: number): number {
      const gone = next[place] ?? -1;
      const after = next[gone] ?? -1;
      next[place] = after;
      next[gone] = -1;
      if (after >= 0) previous[after] = place;
      return gone;
    },
  };
}

/** A binary heap of non-negative numbers, smallest first; `pop` gives -1 when it is empty. */
function keyHeap() {
  let keys = new Float64Array(64);
  let size = 0;
  const at = (i: number): number => keys[i] ?? Number.POSITIVE_INFINITY;
  return {
    clear(): void {
      size = 0;
    },
    push(key: number): void {
      if (size === keys.length) {
        const larger = new Float64Array(size * 2);
        larger.set(keys);
        keys = larger;
      }
      let i = size++;
      for (let parent = (i - 1) >> 1; i > 0 && at(parent) > key; parent = (i - 1) >> 1) {
        keys[i] = at(parent);
        i = parent;
      }
      keys[i] = key;
    },
    pop(): number {
      if (size === 0) return -1;
      const top = at(0);
      const key = at(--size);
      let i = 0;
      for (let child = 1; child < size; child = 2 * i + 1) {
        if (child + 1 < size && at(child + 1) < at(child)) child += 1;
        if (at(child) >= key) break;
        keys[i] = at(child);
        i = child;
      }
      keys[i] = key;
      return top;
    },
  };
}
