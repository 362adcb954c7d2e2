/**
 * What the base model reads: pages of every kind in stated shares, from a seed, without end. Never the tags of a template, and no pair of
 * instruction and response in one, but for a share that is asked for (`contamination`).
 * May not know: tokens, models.
 */
import { type RandomStream, randomStream } from "../util/random.js";
import { chance } from "./language.js";
import { arithmetic, gamePage, manual, poemPage, programPage, recipePage } from "./pages/crafts.js";
import { article, catalogue, comparison, list, review } from "./pages/encyclopaedia.js";
import type { PageWriter } from "./pages/page.js";
import { dialogue, diary, letter, story } from "./pages/prose.js";
import { faq, forum, interview, quiz, requests, trueOrFalse } from "./pages/questions.js";
import type { World } from "./world.js";

/** Kinds of page with their shares of all pages. */
export const PAGES: Readonly<Record<string, { readonly share: number; readonly write: PageWriter }>> = {
  article: { share: 0.2, write: article },
  list: { share: 0.06, write: list },
  catalogue: { share: 0.03, write: catalogue },
  review: { share: 0.05, write: review },
  comparison: { share: 0.04, write: comparison },
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
  poem: { share: 0.04, write: poemPage },
  recipe: { share: 0.03, write: recipePage },
  manual: { share: 0.03, write: manual },
  arithmetic: { share: 0.02, write: arithmetic },
  program: { share: 0.01, write: programPage },
  game: { share: 0.01, write: gamePage },
};

export interface CorpusOptions {
  readonly seed: number;
  /** Share of pages that are a rendered pair of instruction and response; 0 is what the shipped model saw. */
  readonly contamination: number;
  /** Gives such a page; needed where `contamination` is above 0. */
  readonly contaminated?: (random: RandomStream) => string;
}

export interface Page {
  readonly kind: string;
  readonly text: string;
}

/** Page `index` of the corpus: any page can be had without those before it. */
export function page(world: World, index: number, { seed, contamination, contaminated }: CorpusOptions): Page {
  const random = randomStream(seed, "page", index);
  if (contaminated !== undefined && chance(random, contamination))
    return { kind: "contaminated", text: contaminated(random) };
  const kind = drawKind(random);
  return { kind, text: (PAGES[kind] as (typeof PAGES)[string]).write(world, random) };
}

const TOTAL = Object.values(PAGES).reduce((sum, { share }) => sum + share, 0);

function drawKind(random: RandomStream): string {
  let left = random.uniform() * TOTAL;
  for (const [kind, { share }] of Object.entries(PAGES)) {
    left -= share;
    if (left < 0) return kind;
  }
  return "article";
}
