/**
 * A tokenizer made of a list of pieces, for tests that need a vocabulary and no merges. Encodes by the longest piece.
 * `▁` and `Ġ` stand for a space, `<0xNN>` for that byte, `<s>` and the like (listed in `special`) for nothing.
 */
import type { Tokenizer } from "../src/text/tokenizer.js";

export interface FakeOptions {
  readonly special?: readonly string[];
  /** Pieces whose text is taken as it is: added tokens. */
  readonly literal?: readonly string[];
}

export function fakeTokenizer(pieces: readonly (string | undefined)[], options: FakeOptions = {}): Tokenizer {
  const special = new Set(options.special);
  const literal = new Set(options.literal);
  const bytesOf = (piece: string | undefined): Uint8Array | undefined => {
    if (piece === undefined || special.has(piece)) return undefined;
    if (literal.has(piece)) return Buffer.from(piece, "utf8");
    const byte = /^<0x([0-9A-F]{2})>$/.exec(piece)?.[1];
    if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16));
    return Buffer.from(piece.replaceAll(/[▁Ġ]/g, " ").replaceAll("Ċ", "\n"), "utf8");
  };
  const bytes = pieces.map(bytesOf);
  const encode = (text: string): number[] => {
    const rest = Buffer.from(text, "utf8");
    const ids: number[] = [];
    for (let at = 0; at < rest.length; ) {
      let best = -1;
      for (const [id, piece] of bytes.entries()) {
        if (piece === undefined || piece.length === 0) continue;
        const fits = rest.subarray(at, at + piece.length).equals(piece);
        // ">=": of two tokens with the same bytes the later one, as added tokens win in real tokenizers
        if (fits && (best < 0 || piece.length >= (bytes[best]?.length ?? 0))) best = id;
      }
      if (best < 0) throw new Error(`no piece for byte ${rest[at]}`);
      ids.push(best);
      at += bytes[best]?.length ?? 1;
    }
    return ids;
  };
  return {
    vocabSize: pieces.length,
    encode,
    decode: (ids) => Buffer.concat(ids.map((id) => bytes[id] ?? new Uint8Array())).toString("utf8"),
    piece: (id) => pieces[id],
    idOf: (piece) => {
      const id = pieces.indexOf(piece);
      return id < 0 ? undefined : id;
    },
    bytes: (id) => bytes[id],
    isSpecial: (id) => special.has(pieces[id] ?? ""),
  };
}
