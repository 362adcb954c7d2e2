/** What every kind of vocabulary does: the ids of one word. `bpe.ts` and `wordpiece.ts` implement it. */
export interface WordEncoder {
  /** Appends the ids of `word` to `out`. */
  encodeWord(word: string, out: number[]): void;
  /** Whether the text holds something that has no token at all, and that encoding therefore leaves out. */
  drops(text: string): boolean;
}
