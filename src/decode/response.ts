/**
 * One response under way: what it has so far, what chance and rules hold for it, and when it is finished.
 * May not know: caches, programs, other responses.
 */

import {
  checkIds,
  type Decoding,
  type GenerateRequest,
  type GenerateResult,
  NOT_FINITE,
  type TraceStep,
} from "../engine/requests.js";
import type { ModelDims } from "../models/model.js";
import { UserError } from "../util/errors.js";
import { type RandomStream, randomStream } from "../util/random.js";
import type { Choice } from "./next-token.js";
import { type RuleProgress, startRules } from "./rule-scores.js";

export interface Response {
  readonly request: GenerateRequest;
  /** Of the request among all. */
  readonly index: number;
  readonly chance: RandomStream;
  readonly rules: RuleProgress | undefined;
  readonly ids: number[];
  readonly trace: TraceStep[];
  /** Tokens that it may have. */
  readonly limit: number;
}

/** @throws UserError  the prompt is empty, or leaves no room for an answer */
export function startResponse(request: GenerateRequest, index: number, options: Decoding, dims: ModelDims): Response {
  const { id, promptIds, conversationIds } = request;
  const { maxPositions } = dims;
  if (promptIds.length === 0) {
    throw new UserError(`prompt ${id} has no tokens at all`, { remedy: "a model needs at least one to continue" });
  }
  if (promptIds.length >= maxPositions) {
    throw new UserError(
      `prompt ${id} has ${promptIds.length} tokens; the model has ${maxPositions} positions for it and its answer`,
      { remedy: "shorten it, or leave it out" },
    );
  }
  checkIds(promptIds, dims.vocabSize, `prompt ${id}`);
  return {
    request,
    index,
    // Named after the request and not after its place: what is drawn for it stays the same when others are finished already.
    chance: randomStream(options.seed, `sampling ${id}`),
    rules: options.rules === undefined ? undefined : startRules(options.rules, conversationIds),
    ids: [],
    trace: [],
    limit: Math.min(options.maxNewTokens, maxPositions - promptIds.length),
  };
}

/** The id that the model is to read next. */
export const nextInput = ({ ids, request }: Response): number => ids.at(-1) ?? request.promptIds.at(-1) ?? 0;

/**
 * Takes one more token; says why the response is finished, where it is. `onScores` gets the ids whose scores changed.
 *
 * @throws UserError  the model computes NaN or infinity
 */
export function takeToken(
  response: Response,
  { token, finite, trace }: Choice,
  options: Decoding,
  onScores: (ids: readonly number[]) => void,
): GenerateResult["stop"] | undefined {
  if (!finite)
    throw new UserError(`${response.request.id}: the model's logits are NaN or infinite`, { remedy: NOT_FINITE });
  if (trace !== undefined) response.trace.push(tracedToken(trace, response.rules));
  if (options.stopIds.includes(token)) return "eos";
  response.ids.push(token);
  options.onToken?.(response.index, token);
  if (response.ids.length >= response.limit) return "length";
  if (response.rules !== undefined) onScores(response.rules.advance(token));
  return undefined;
}

export function decoded(
  { request, ids, trace }: Response,
  stop: GenerateResult["stop"],
  options: Decoding,
): GenerateResult {
  return { id: request.id, ids, stop, ...(options.trace === true ? { trace } : {}) };
}

function tracedToken(
  { taken, best, second }: NonNullable<Choice["trace"]>,
  rules: RuleProgress | undefined,
): TraceStep {
  const other = best.id === taken.id ? second : best;
  return {
    id: taken.id,
    baseLogprob: taken.base,
    logprob: taken.adapted,
    scores: rules?.parts(taken.id) ?? { constant: 0, stop: 0, used: 0 },
    runnerUp: { id: other.id, baseLogprob: other.base, logprob: other.adapted },
  };
}
