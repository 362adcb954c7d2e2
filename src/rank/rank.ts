/**
 * The response ranking capability: is the right response to an instruction more likely than responses to other instructions,
 * given that instruction? Two readings of "more likely": total log-likelihood (paper, eq. 3) and its mean per token (reference
 * code).
 * May not know: engines beyond their interface, texts, templates, files.
 */
import type { Identity } from "../engine/identity.js";
import type { OpenedModel } from "../engine/opened.js";
import type { Likelihood, RankPair, UnscoredReason, Verdict } from "../records/rank.js";
import { invariant } from "../util/errors.js";
import { type KeyedRequest, type ScoreCache, type Scored, scoreKey, scoreMissing } from "./scoring.js";

/** One response under one prompt as ids, or why it cannot be scored. */
export type RankedText =
  | { readonly kind: "ready"; readonly promptIds: readonly number[]; readonly responseIds: readonly number[] }
  | { readonly kind: "unscored"; readonly reason: UnscoredReason };

export interface RankInput {
  /** Ids of the examples. */
  readonly ids: readonly string[];
  /** The instruction of one example followed by the response of another, by index. Called once for each that is needed. */
  readonly render: (instruction: number, response: number) => RankedText;
  /** Per example the indices of its rivals. */
  readonly rivals: readonly (readonly number[])[];
  /** Part of every key of the cache. */
  readonly computedBy: Identity;
}

export interface RankRun {
  readonly cache: ScoreCache;
  /** Instructions given to the engine at once; default 16: among so many it finds responses of about one length. */
  readonly group?: number;
  readonly signal?: AbortSignal | undefined;
  /** After each group: instructions done, and responses computed so far. */
  readonly onProgress?: (done: number, computed: number) => void;
}

/** All comparisons in order of the examples. Stops with the signal's reason; what was scored is in the cache. */
export async function* rankPairs(
  score: NonNullable<OpenedModel["score"]>,
  input: RankInput,
  run: RankRun,
): AsyncGenerator<RankPair, void, undefined> {
  const { group = 16 } = run;
  invariant(input.rivals.length === input.ids.length, `${input.rivals.length} rows of rivals for ${input.ids.length}`);
  let computed = 0;
  for (let start = 0; start < input.ids.length; start += group) {
    run.signal?.throwIfAborted();
    const plans = input.ids.slice(start, start + group).map((_, i) => planFor(input, start + i));
    const requests = plans.flatMap((plan) => plan.requests);
    computed += await scoreMissing(score, requests, run.cache, { signal: run.signal });
    for (const plan of plans) yield* pairsOf(input, plan, run.cache);
    run.onProgress?.(Math.min(start + group, input.ids.length), computed);
  }
}

/** The instructions, by index, all of whose values are known before anything is computed. Renders what they need. */
export function knownInstructions(input: RankInput, isKnown: (key: string) => boolean): ReadonlySet<number> {
  const known = [...input.ids.keys()].filter((index) => {
    const { requests } = planFor(input, index);
    return requests.length > 0 && requests.every(({ key }) => isKnown(key));
  });
  return new Set(known);
}

/** What one instruction needs: its own response and each distinct rival, once. */
interface Plan {
  readonly index: number;
  readonly requests: readonly KeyedRequest[];
  /** Per index of a response: the key of its value, or why there is none. */
  readonly places: ReadonlyMap<number, { readonly key: string } | { readonly unscored: UnscoredReason }>;
}

function planFor(input: RankInput, index: number): Plan {
  const places = new Map<number, { key: string } | { unscored: UnscoredReason }>();
  const requests: KeyedRequest[] = [];
  const rivals = input.rivals[index] ?? [];
  for (const response of new Set([index, ...rivals])) {
    const text = input.render(index, response);
    if (text.kind === "unscored") {
      places.set(response, { unscored: text.reason });
      if (response === index) break; // no comparison of this instruction can be made: its rivals need not be computed
      continue;
    }
    const key = scoreKey(input.computedBy, text.promptIds, text.responseIds);
    places.set(response, { key });
    requests.push({ key, promptIds: text.promptIds, responseIds: text.responseIds });
  }
  return { index, requests, places };
}

function* pairsOf(input: RankInput, plan: Plan, cache: ScoreCache): Generator<RankPair> {
  const scoredOf = (response: number): Scored => {
    const place = plan.places.get(response);
    invariant(place !== undefined, `no plan for response ${response} of instruction ${plan.index}`);
    if (!("key" in place)) return place;
    const scored = cache.get(place.key);
    invariant(scored !== undefined, `response ${response} of instruction ${plan.index} has no value`);
    return scored;
  };
  const right = scoredOf(plan.index);
  for (const [draw, rivalIndex] of (input.rivals[plan.index] ?? []).entries()) {
    const names = { id: input.ids[plan.index] ?? "", rival_id: input.ids[rivalIndex] ?? "" };
    const pair = { ...names, index: plan.index, rival_index: rivalIndex, draw };
    if ("unscored" in right) yield { ...pair, outcome: "unscored", which: "right", reason: right.unscored };
    else if (rivalIndex === plan.index) yield { ...pair, outcome: "self-draw", right };
    else yield { ...pair, ...compare(right, scoredOf(rivalIndex)) };
  }
}

type Comparison =
  | { outcome: "compared"; right: Likelihood; rival: Likelihood; sum: Verdict; mean: Verdict }
  | { outcome: "unscored"; which: "rival"; reason: UnscoredReason };

function compare(right: Likelihood, rival: Scored): Comparison {
  if ("unscored" in rival) return { outcome: "unscored", which: "rival", reason: rival.unscored };
  return {
    outcome: "compared",
    right,
    rival,
    sum: verdict(right.sum, rival.sum),
    mean: verdict(right.mean, rival.mean),
  };
}

const verdict = (right: number, rival: number): Verdict => (right > rival ? "greater" : right < rival ? "less" : "tie");
