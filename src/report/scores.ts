/**
 * What a judge that scores every answer by itself gave the answers of an arm. The same answer has the same score in every comparison, so
 * one is enough.
 * May not know: what is scored, markup.
 */
import type { CheckedScore } from "../records/annotations.js";
import { readVerdicts, type StudyFolder } from "./read.js";

export interface ScoredAnswers {
  readonly seed: number | null;
  /** By instruction. */
  readonly scores: ReadonlyMap<string, CheckedScore>;
}

/** One a seed, or that of one seed; those without a score left out, none where the judge gives no scores. Reads annotations. */
export async function scoredAnswers(
  study: StudyFolder,
  { model, arm }: { readonly model: string; readonly arm: string },
  only?: { readonly seed: number | null },
): Promise<ScoredAnswers[]> {
  const all = study.results.comparisons.filter((one) => one.model === model);
  const own = all.find((one) => one.arm === arm);
  const made = new Map<number | null, ScoredAnswers>();
  for (const pair of (own ?? all.find((one) => one.against === arm))?.pairs ?? []) {
    const seed = own === undefined ? pair.against_seed : pair.seed;
    if (made.has(seed)) continue; // a baseline without seeds stands in the pairs of all
    if (only !== undefined && only.seed !== seed) continue;
    const scores = new Map<string, CheckedScore>();
    for (const { instruction, outcome, score_1, score_2 } of await readVerdicts(study, pair.annotations)) {
      const score = own === undefined ? score_1 : score_2;
      if (score !== undefined) scores.set(instruction, score);
      else if (outcome === "judged") return []; // a judge without scores has none in the other files either
    }
    if (scores.size > 0) made.set(seed, { seed, scores });
  }
  return [...made.values()];
}

/** Of a score whose every part is whole. */
export const losesNothing = ({ total }: CheckedScore): boolean => total > 1 - 1e-9;

/** Null of nothing: of an arm that was never scored, or a part that its answers were never scored on. */
export const meanOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
