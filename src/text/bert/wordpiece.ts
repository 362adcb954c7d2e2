/**
 * WordPiece: a word becomes the longest piece that it begins with, then the longest continuation (`##ing`), and so on; a word that
 * cannot be taken apart to its end is unknown as a whole.
 * May not know: normalizers, added tokens, files.
 * Source: huggingface/tokenizers, `models/wordpiece/mod.rs`.
 */
import type { WordEncoder } from "../word-encoder.js";

export interface WordPieceSpec {
  readonly vocab: ReadonlyMap<string, number>;
  readonly unkId: number;
  /** Stands in front of a piece that continues a word: `##`. */
  readonly continuingPrefix: string;
  /** Words of more characters are unknown. */
  readonly longestWord: number;
  /** Ids that no word may become. */
  readonly forbidden: ReadonlySet<number>;
}

export function createWordPiece(spec: WordPieceSpec): WordEncoder {
  const { vocab, unkId, continuingPrefix, longestWord, forbidden } = spec;
  const idOf = (piece: string): number | undefined => {
    const id = vocab.get(piece);
    return id !== undefined && forbidden.has(id) ? undefined : id;
  };
  const pieces = (characters: readonly string[]): number[] | undefined => {
    const ids: number[] = [];
    for (let start = 0; start < characters.length; ) {
      const prefix = start === 0 ? "" : continuingPrefix;
      let end = characters.length;
      let id: number | undefined;
      for (; end > start; end--) {
        id = idOf(prefix + characters.slice(start, end).join(""));
        if (id !== undefined) break;
      }
      if (id === undefined) return undefined;
      ids.push(id);
      start = end;
    }
    return ids;
  };
  return {
    drops: () => false,
    encodeWord(word, out) {
      if (word === "") return;
      const whole = idOf(word);
      const characters = [...word];
      if (characters.length > longestWord) out.push(unkId);
      else if (whole !== undefined) out.push(whole);
      else out.push(...(pieces(characters) ?? [unkId]));
    },
  };
}
