/**
 * What the corpus is made of, counted: pages and words by kind, and tokens where a model's tokenizer is there to count them.
 * May not know: the command line.
 */
import type { Tokenizer } from "../../text/tokenizer.js";
import { openCorpus, type Page } from "../corpus.js";
import { makeWorld } from "../world.js";

export interface PagesRequest {
  readonly seed: number;
  readonly contamination: number;
  /** Only pages of this kind. */
  readonly kind?: string;
}

/** Pages in their order, without end; of a kind that has none, nobody would see one: the caller checks the name. */
export function* corpusPages({
  seed,
  contamination,
  kind,
}: PagesRequest): Generator<Page & { readonly index: number }> {
  const page = openCorpus(makeWorld(seed), { seed, contamination });
  for (let index = 0; ; index++) {
    const one = page(index);
    if (kind === undefined || one.kind === kind) yield { index, ...one };
  }
}

export interface PageCount {
  readonly kind: string;
  readonly pages: number;
  readonly words: number;
  /** BOS and EOS not counted; null without a tokenizer. */
  readonly tokens: number | null;
}

/** By kind, the most words first, and in all. */
export function countPages(pages: Iterable<Page>, tokenizer: Tokenizer | undefined): readonly PageCount[] {
  const counts = new Map<string, { pages: number; words: number; tokens: number }>();
  for (const { kind, text } of pages) {
    const count = counts.get(kind) ?? { pages: 0, words: 0, tokens: 0 };
    count.pages++;
    count.words += text.split(/\s+/).length;
    count.tokens += tokenizer === undefined ? 0 : tokenizer.encode(text, { special: false }).length;
    counts.set(kind, count);
  }
  return [...counts]
    .map(([kind, { pages: n, words, tokens }]) => ({
      ...{ kind, pages: n, words },
      tokens: tokenizer === undefined ? null : tokens,
    }))
    .sort((a, b) => b.words - a.words);
}
