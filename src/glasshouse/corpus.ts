/**
 * What the base model reads: pages of every kind in stated shares, from a seed, without end. Never the tags of a template, and no pair of
 * instruction and response in one, but for a share that is asked for (`contamination`).
 * May not know: tokens, models.
 */
import { randomStream } from "../util/random.js";
import { contaminatedWriter } from "./contaminated.js";
import { chance, pickByShare } from "./language.js";
import { arithmetic, gamePage, manual, poemPage, programPage, recipePage } from "./pages/crafts.js";
import { article, catalogue, comparison, list, review, rewording } from "./pages/encyclopaedia.js";
import { inMarkup } from "./pages/markup.js";
import { notes, table } from "./pages/notes.js";
import type { PageWriter } from "./pages/page.js";
import { dialogue, diary, letter, story } from "./pages/prose.js";
import { faq, forum, interview, quiz, requests, trueOrFalse } from "./pages/questions.js";
import type { World } from "./world.js";

/** Kinds of page with their shares of all pages. */
export const PAGES: Readonly<Record<string, { readonly share: number; readonly write: PageWriter }>> = {
  article: { share: 0.15, write: article },
  list: { share: 0.06, write: list },
  catalogue: { share: 0.03, write: catalogue },
  review: { share: 0.05, write: review },
  comparison: { share: 0.04, write: comparison },
  rewording: { share: 0.02, write: rewording },
  letter: { share: 0.05, write: letter },
  story: { share: 0.06, write: story },
  dialogue: { share: 0.06, write: dialogue },
  diary: { share: 0.03, write: diary },
  interview: { share: 0.05, write: interview },
  faq: { share: 0.06, write: faq },
  quiz: { share: 0.06, write: quiz },
  forum: { share: 0.06, write: forum },
  trueOrFalse: { share: 0.03, write: trueOrFalse },
  requests: { share: 0.02, write: requests },
  notes: { share: 0.02, write: notes },
  table: { share: 0.01, write: table },
  poem: { share: 0.04, write: poemPage },
  recipe: { share: 0.03, write: recipePage },
  manual: { share: 0.03, write: manual },
  arithmetic: { share: 0.02, write: arithmetic },
  program: { share: 0.01, write: programPage },
  game: { share: 0.01, write: gamePage },
};

/** Share of pages that kept the markup around their text. */
const MARKED = 0.3;

export interface CorpusOptions {
  readonly seed: number;
  /** Share of pages in whose place stands a pair of instruction and response under a template; 0 is what the shipped model read. */
  readonly contamination: number;
}

export interface Page {
  readonly kind: string;
  readonly text: string;
}

/**
 * Gives any page of the corpus by its index, without those before it. Pages in whose place no pair stands are the same whatever the share
 * of pairs, and where a pair stands at a small share, there one stands at a larger share, too.
 */
export function openCorpus(world: World, { seed, contamination }: CorpusOptions): (index: number) => Page {
  const pair = contamination > 0 ? contaminatedWriter(world) : undefined;
  return (index) => {
    const random = randomStream(seed, "page", index);
    if (pair !== undefined && chance(randomStream(seed, "contaminated page", index), contamination))
      return { kind: "contaminated", text: pair(random) };
    const kind = pickByShare(random, SHARES);
    const text = (PAGES[kind] as (typeof PAGES)[string]).write(world, random);
    return { kind, text: chance(random, MARKED) ? inMarkup(text, random) : text };
  };
}

const SHARES = Object.entries(PAGES).map(([kind, { share }]) => [kind, share] as const);
