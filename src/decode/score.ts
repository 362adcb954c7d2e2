/**
 * Log-probabilities of given responses. A prompt that several responses share is read once; its cache is copied to each of them.
 * May not know: texts, templates, files.
 */

import { checkIds, NOT_FINITE, type ScoreRequest, type ScoreResult, type Scoring } from "../engine/requests.js";
import type { ModelDims } from "../models/model.js";
import type { Program, Tensor } from "../runtime/device.js";
import { present, UserError } from "../util/errors.js";
import type { Body } from "./body.js";
import { type Cache, createCache } from "./cache.js";
import { positionsWithin, rowsThatFit } from "./memory.js";
import { prefill } from "./prefill.js";
import { ROW_MULTIPLE } from "./quantize.js";

export interface Scorer {
  readonly body: Body;
  /** The program for log-probabilities, compiled when it is first asked for. */
  readonly head: () => Promise<Program>;
}

/** Prompts read, or responses computed, side by side at most. */
const ROWS = 16;
/** Responses whose prompts are held at once, at most: among so many, those of about one length are put side by side. */
const WINDOW = 96;
/** Logits that exist at once, in numbers: 64 Mi floats are 256 MB. */
const LOGITS = 64 * 2 ** 20;

export interface ScoreSettings extends Scoring {
  /** What caches may take: half for prompts that are held, half for rows under way. One row is computed whatever it takes. */
  readonly cacheBytes: number;
}

/**
 * Results in any order. Requests that follow each other with the same prompt share its computation, which changes no bit.
 *
 * @throws UserError  an empty prompt, or a row longer than the model has positions; before anything is computed
 * @throws the signal's reason, between two chunks
 */
export async function* scoreResponses(
  scorer: Scorer,
  requests: readonly ScoreRequest[],
  settings: ScoreSettings,
): AsyncGenerator<ScoreResult, void, undefined> {
  const { dims } = scorer.body.model;
  for (const request of requests) check(request, dims);
  const scored = requests.filter(({ responseIds }) => responseIds.length > 0);
  for (const { id, responseIds } of requests) {
    if (responseIds.length === 0) yield { id, logprobs: new Float32Array(0) };
  }
  if (scored.length === 0) return;
  settings.signal?.throwIfAborted();
  const run = { body: scorer.body, program: await scorer.head(), signal: settings.signal };
  const positions = positionsWithin(dims, settings.cacheBytes / 2);
  for (const prompts of windows(samePrompts(scored), positions)) yield* scoreWindow(run, prompts, positions);
}

function check({ id, promptIds, responseIds }: ScoreRequest, { maxPositions, vocabSize }: ModelDims): void {
  if (promptIds.length === 0) {
    throw new UserError(`row ${id} has no prompt ids: nothing predicts the first token of its response`, {
      remedy: "give at least one, for instance the BOS id",
    });
  }
  const length = promptIds.length + responseIds.length;
  if (length > maxPositions) {
    throw new UserError(`row ${id} has ${length} tokens; the model has ${maxPositions} positions`, {
      remedy: "shorten it, or leave it out",
    });
  }
  checkIds(promptIds, vocabSize, `row ${id}`);
  checkIds(responseIds, vocabSize, `row ${id}`);
}

interface Prompt {
  readonly ids: readonly number[];
  readonly requests: ScoreRequest[];
}

/** Prompts in their order, as many at a time as may be held. */
function* windows(prompts: readonly Prompt[], positions: number): Generator<Prompt[]> {
  let held: Prompt[] = [];
  let [responses, used] = [0, 0];
  for (const prompt of prompts) {
    const fits = responses + prompt.requests.length <= WINDOW && used + prompt.ids.length <= positions;
    if (held.length > 0 && !fits) {
      yield held;
      held = [];
      [responses, used] = [0, 0];
    }
    held.push(prompt);
    responses += prompt.requests.length;
    used += prompt.ids.length;
  }
  if (held.length > 0) yield held;
}

interface Run {
  readonly body: Body;
  readonly program: Program;
  readonly signal: AbortSignal | undefined;
}

async function* scoreWindow(run: Run, prompts: readonly Prompt[], positions: number): AsyncGenerator<ScoreResult> {
  const { device, model } = run.body;
  const responses: { request: ScoreRequest; read: Cache }[] = [];
  const idCount = ({ ids }: Prompt): number => ids.length;
  for (const group of sideBySide(prompts, { order: idCount, length: idCount }, positions)) {
    const caches = await readPrompts(run, group);
    group.forEach(({ requests }, i) => {
      const read = present(caches[i], "prompt");
      responses.push(...requests.map((request) => ({ request, read })));
    });
  }
  const sizes = {
    order: ({ request }: { request: ScoreRequest }) => request.responseIds.length,
    length: ({ request }: { request: ScoreRequest }) => request.promptIds.length + request.responseIds.length,
  };
  for (const group of sideBySide(responses, sizes, positions)) {
    const cache = createCache(device, model.dims, group.length);
    group.forEach(({ read }, row) => {
      cache.take(row, read, 0);
    });
    yield* await scoreRows(
      run,
      cache,
      group.map(({ request }) => request),
    );
  }
}

/**
 * Those with about as many tokens to compute together, the longest first.
 *
 * @param order   tokens to compute
 * @param length  positions in a cache
 */
function* sideBySide<T>(
  items: readonly T[],
  { order, length }: { readonly order: (item: T) => number; readonly length: (item: T) => number },
  positions: number,
): Generator<T[]> {
  const waiting = [...items].sort((a, b) => order(b) - order(a));
  while (waiting.length > 0) {
    yield waiting.splice(0, rowsThatFit(waiting.map(length), { most: ROWS, positions }));
  }
}

/** A cache of one row for each, no longer than its prompt. */
async function readPrompts({ body, signal }: Run, prompts: readonly Prompt[]): Promise<Cache[]> {
  const { device, model } = body;
  const cache = createCache(device, model.dims, prompts.length);
  // The last id of a prompt predicts the first of a response and is read with it.
  const rows = prompts.map(({ ids }) => ids.slice(0, -1));
  await prefill(body, cache, rows, { signal });
  return prompts.map((_, row) => {
    const own = createCache(device, model.dims, 1);
    own.take(0, cache, row);
    return own;
  });
}

function samePrompts(requests: readonly ScoreRequest[]): Prompt[] {
  const prompts: Prompt[] = [];
  for (const request of requests) {
    const last = prompts.at(-1);
    if (last !== undefined && sameIds(last.ids, request.promptIds)) last.requests.push(request);
    else prompts.push({ ids: request.promptIds, requests: [request] });
  }
  return prompts;
}

const sameIds = (a: readonly number[], b: readonly number[]): boolean =>
  a === b || (a.length === b.length && a.every((id, i) => id === b[i]));

async function scoreRows(
  { body, program, signal }: Run,
  cache: Cache,
  requests: readonly ScoreRequest[],
): Promise<ScoreResult[]> {
  const results = requests.map(({ id, responseIds }) => ({ id, logprobs: new Float32Array(responseIds.length) }));
  const inputs = requests.map(({ promptIds, responseIds }) => [...promptIds.slice(-1), ...responseIds.slice(0, -1)]);
  await prefill(body, cache, inputs, {
    signal,
    async onChunk(hidden, done, counts) {
      const places = counts.flatMap((count, row) => Array.from({ length: count }, (_, i) => ({ row, at: done + i })));
      const targets = places.map(({ row, at }) => present(requests[row]?.responseIds[at], "target"));
      const logprobs = await logprobsOf(body, program, hidden, targets);
      places.forEach(({ row, at }, i) => {
        present(results[row], "result").logprobs[at] = finite(present(logprobs[i], "logprob"));
      });
    },
  });
  return results;
}

function finite(logprob: number): number {
  if (Number.isFinite(logprob)) return logprob;
  throw new UserError(`a log-probability is ${logprob}`, { remedy: NOT_FINITE });
}

/** Log-probabilities of `targets` at the first rows of `hidden` [N, D], a bounded number of logits at a time. */
async function logprobsOf(
  { model, device }: Body,
  program: Program,
  hidden: Tensor,
  targets: readonly number[],
): Promise<number[]> {
  const { vocabSize, hiddenSize } = model.dims;
  const rows = present(hidden.shape[0], "rows");
  const most = Math.max(ROW_MULTIPLE, Math.floor(LOGITS / vocabSize / ROW_MULTIPLE) * ROW_MULTIPLE);
  const found: number[] = [];
  for (let at = 0; at < targets.length; at += most) {
    const count = Math.min(most, rows - at); // both are whole multiples
    const ids = Array.from({ length: count }, (_, i) => targets[at + i] ?? 0);
    const results = await program.run({
      hidden: device.view(hidden, at * hiddenSize, [count, hiddenSize]),
      targets: device.fromInts(ids, [count]),
    });
    found.push(...(await device.floats(present(results.logprobs, "logprobs"))).subarray(0, targets.length - at));
  }
  return found;
}
