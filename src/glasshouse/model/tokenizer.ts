/**
 * The world's own tokenizer: byte-level pair encoding learnt from its pages, as a `tokenizer.json` that the whole ecosystem reads.
 * Source: Sennrich et al. 2016, algorithm 1, over GPT-2's words and byte alphabet.
 * May not know: the world.
 */

import { addedToken, bpeModel, startWith } from "../../records/tokenizer-json.js";
import { BYTE_CHARACTERS, toByteCharacters } from "../../text/bpe.js";
import { preTokenizerFrom } from "../../text/pre-tokenize.js";
import { invariant } from "../../util/errors.js";

export const BOS = "<s>";
export const EOS = "</s>";

interface Word {
  symbols: string[];
  readonly count: number;
}

const SEPARATOR = "\u0000";

/**
 * @param size  entries in all: two special tokens, 256 bytes, and what was merged most often
 * @returns     the merges in the order in which they were learnt
 */
export function learnMerges(texts: Iterable<string>, size: number): (readonly [string, string])[] {
  const words = countWords(texts);
  const pairs = new Map<string, { count: number; words: Set<Word> }>();
  const addPairs = (word: Word, sign: 1 | -1): void => {
    for (let i = 0; i + 1 < word.symbols.length; i++) {
      const key = `${word.symbols[i]}${SEPARATOR}${word.symbols[i + 1]}`;
      const pair = pairs.get(key) ?? { count: 0, words: new Set<Word>() };
      pair.count += sign * word.count;
      if (sign === 1) pair.words.add(word);
      pairs.set(key, pair);
    }
  };
  for (const word of words) addPairs(word, 1);
  const merges: (readonly [string, string])[] = [];
  while (merges.length < size - 2 - BYTE_CHARACTERS.length) {
    const best = mostFrequent(pairs);
    if (best === undefined) break;
    const [left, right] = best.split(SEPARATOR) as [string, string];
    merges.push([left, right]);
    for (const word of pairs.get(best)?.words ?? []) {
      addPairs(word, -1);
      word.symbols = merged(word.symbols, left, right);
      addPairs(word, 1);
    }
    pairs.delete(best);
  }
  return merges;
}

function countWords(texts: Iterable<string>): Word[] {
  const { split } = preTokenizerFrom(PRE_TOKENIZER);
  const counts = new Map<string, number>();
  for (const text of texts)
    for (const word of split(text, { first: true, continued: false })) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => ({ symbols: [...toByteCharacters(word)], count }));
}

/** The pair that occurs most often, at least twice; of equals the first by code units, so that the order of pages plays no part. */
function mostFrequent(pairs: ReadonlyMap<string, { readonly count: number }>): string | undefined {
  let best: string | undefined;
  let most = 1;
  for (const [key, { count }] of pairs) {
    if (count > most || (count === most && best !== undefined && key < best)) {
      most = count;
      best = key;
    }
  }
  return best;
}

function merged(symbols: readonly string[], left: string, right: string): string[] {
  const result: string[] = [];
  for (let i = 0; i < symbols.length; i++) {
    if (symbols[i] === left && symbols[i + 1] === right) {
      result.push(left + right);
      i++;
    } else result.push(symbols[i] as string);
  }
  return result;
}

const PRE_TOKENIZER = { type: "ByteLevel", fields: { add_prefix_space: false, trim_offsets: true, use_regex: true } };

/** `tokenizer.json`. */
export function tokenizerJson(merges: readonly (readonly [string, string])[]): Record<string, unknown> {
  const pieces = [BOS, EOS, ...BYTE_CHARACTERS, ...merges.map(([left, right]) => left + right)];
  const vocab = Object.fromEntries([...new Set(pieces)].map((piece, id) => [piece, id]));
  invariant(Object.keys(vocab).length === pieces.length, "two merges give one piece");
  const { type, fields } = PRE_TOKENIZER;
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [addedToken(0, BOS), addedToken(1, EOS)],
    normalizer: null,
    pre_tokenizer: { type, ...fields },
    post_processor: startWith(BOS, 0),
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: bpeModel({ vocab, merges }),
  };
}

export const tokenizerConfig = (maxLength: number): Record<string, unknown> => ({
  tokenizer_class: "PreTrainedTokenizerFast",
  bos_token: BOS,
  eos_token: EOS,
  model_max_length: maxLength,
  clean_up_tokenization_spaces: false,
});
