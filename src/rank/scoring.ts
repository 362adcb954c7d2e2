/**
 * Log-likelihoods of responses, each computed once. Responses of one prompt go to the engine side by side, so that it can
 * compute the prompt once for all of them; equal (prompt, response) ids share one value, so that equal texts are exact ties.
 * May not know: texts, templates, files.
 */
import type { LoadedModel } from "../engine/engine.js";
import type { ScoreOptions, ScoreRequest, ScoreResult } from "../engine/requests.js";
import type { Likelihood, UnscoredReason } from "../records/rank.js";
import { invariant } from "../util/errors.js";
import { sha256 } from "../util/files.js";

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

/** The name of one value: what computes it, the prompt's ids, the response's ids. */
export function scoreKey(prefix: string, promptIds: readonly number[], responseIds: readonly number[]): string {
  return sha256(`${prefix}\n${promptIds.join(",")}\n${responseIds.join(",")}`).slice(0, 32);
}

/**
 * Makes `cache` hold a value for each request.
 *
 * @returns how many were computed; the others were there
 */
export async function scoreMissing(
  model: Pick<LoadedModel, "score">,
  requests: readonly KeyedRequest[],
  cache: ScoreCache,
  options: ScoreOptions = {},
): Promise<number> {
  const missing = new Map<string, KeyedRequest>();
  for (const request of requests) if (cache.get(request.key) === undefined) missing.set(request.key, request);
  if (missing.size === 0) return 0;
  const asked = [...missing.values()].map(
    ({ key, promptIds, responseIds }): ScoreRequest => ({ id: key, promptIds, responseIds }),
  );
  for await (const result of model.score(asked, options)) {
    const request = missing.get(result.id);
    invariant(request !== undefined, `the engine scored ${result.id}, which was not asked for or was scored before`);
    missing.delete(result.id);
    await cache.set(result.id, likelihoodOf(result, request.responseIds.length));
  }
  invariant(missing.size === 0, `the engine left ${missing.size} of ${asked.length} responses unscored without a word`);
  return asked.length;
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
