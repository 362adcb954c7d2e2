/**
 * Log-likelihoods of responses, each computed once. Responses of one prompt go to the engine side by side, so that it can
 * compute the prompt once for all of them; equal (prompt, response) ids share one value, so that equal texts are exact ties.
 * May not know: texts, templates, files.
 */
import { type Identity, keyOf } from "../engine/identity.js";
import type { OpenedModel } from "../engine/opened.js";
import type { ScoreRequest, ScoreResult, Scoring } from "../engine/requests.js";
import type { Likelihood, UnscoredReason } from "../records/rank.js";
import { invariant } from "../util/errors.js";
import { computeMissing } from "../util/missing.js";

export type Scored = Likelihood | { readonly unscored: UnscoredReason };

/** Values by key. A ledger on disk fills it before a run and is fed by it. */
export interface ScoreCache {
  get(key: string): Scored | undefined;
  set(key: string, scored: Scored): Promise<void> | void;
}

export interface KeyedRequest {
  readonly key: string;
  readonly promptIds: readonly number[];
  readonly responseIds: readonly number[];
}

/** The name of one value. */
export const scoreKey = (computedBy: Identity, promptIds: readonly number[], responseIds: readonly number[]): string =>
  keyOf(computedBy, { promptIds, responseIds });

/**
 * Makes `cache` hold a value for each request.
 *
 * @returns how many were computed; the others were there
 */
export function scoreMissing(
  score: NonNullable<OpenedModel["score"]>,
  requests: readonly KeyedRequest[],
  cache: ScoreCache,
  options: Scoring = {},
): Promise<number> {
  return computeMissing({
    items: requests,
    key: (request) => request.key,
    known: (key) => cache.get(key) !== undefined,
    id: (request) => request.key,
    compute: (missing) =>
      score(
        missing.map(({ key, promptIds, responseIds }): ScoreRequest => ({ id: key, promptIds, responseIds })),
        options,
      ),
    keep: (key, result: ScoreResult, request) => cache.set(key, likelihoodOf(result, request.responseIds.length)),
  });
}

function likelihoodOf(result: ScoreResult, tokens: number): Scored {
  invariant(
    tokens > 0 && result.logprobs.length === tokens,
    `${result.logprobs.length} log-probabilities for ${tokens} tokens`,
  );
  let sum = 0;
  for (const logprob of result.logprobs) sum += logprob;
  return Number.isFinite(sum) ? { sum, mean: sum / tokens, tokens } : { unscored: "not-finite" };
}
