/**
 * Log-probabilities of given responses. A prompt that several responses share is read once; its cache is copied to each of them.
 * May not know: texts, templates, files.
 */
import type { ModelDims } from "../models/model.js";
import type { Program, Tensor } from "../runtime/device.js";
import { present, UserError } from "../util/errors.js";
import { type Body, CHUNK } from "./body.js";
import { type Cache, createCache } from "./cache.js";
import { prefill } from "./prefill.js";
import { checkIds, type Scored, type ScoredRequest } from "./requests.js";

export interface Scorer {
  readonly body: Body;
  /** The program for log-probabilities, compiled when it is first asked for. */
  readonly head: () => Promise<Program>;
}

/** Responses computed side by side. */
const ROWS = 16;
/** Responses whose prompts are held at once: among so many, those of about one length are put side by side. */
const WINDOW = 64;
/** Logits that exist at once, in numbers: 16 Mi floats are 64 MB. */
const LOGITS = 16 * 2 ** 20;

/**
 * Results in any order. Requests that follow each other with the same prompt share its computation, which changes no bit.
 *
 * @throws UserError  an empty prompt, or a row longer than the model has positions; before anything is computed
 */
export async function* scoreResponses(
  scorer: Scorer,
  requests: readonly ScoredRequest[],
): AsyncGenerator<Scored, void, undefined> {
  for (const request of requests) check(request, scorer.body.model.dims);
  const scored = requests.filter(({ responseIds }) => responseIds.length > 0);
  for (const { id, responseIds } of requests) {
    if (responseIds.length === 0) yield { id, logprobs: new Float32Array(0) };
  }
  if (scored.length === 0) return;
  const program = await scorer.head();
  for (let at = 0; at < scored.length; at += WINDOW) {
    yield* scoreWindow(scorer.body, program, scored.slice(at, at + WINDOW));
  }
}

function check({ id, promptIds, responseIds }: ScoredRequest, { maxPositions, vocabSize }: ModelDims): void {
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
  readonly requests: ScoredRequest[];
}

async function* scoreWindow(body: Body, program: Program, requests: readonly ScoredRequest[]): AsyncGenerator<Scored> {
  const prompts = samePrompts(requests);
  const read: { cache: Cache; row: number }[] = [];
  for (let at = 0; at < prompts.length; at += ROWS) {
    const group = prompts.slice(at, at + ROWS);
    const cache = createCache(body.device, body.model.dims, group.length);
    // The last id of a prompt predicts the first of a response and is read with it.
    await prefill(
      body,
      cache,
      group.map(({ ids }) => ids.slice(0, -1)),
    );
    group.forEach((_, row) => {
      read.push({ cache, row });
    });
  }
  const responses = prompts
    .flatMap((prompt, i) => prompt.requests.map((request) => ({ request, from: present(read[i], "prompt") })))
    .sort((a, b) => b.request.responseIds.length - a.request.responseIds.length);
  for (let at = 0; at < responses.length; at += ROWS) {
    const group = responses.slice(at, at + ROWS);
    const cache = createCache(body.device, body.model.dims, group.length);
    group.forEach(({ from }, row) => {
      cache.take(row, from.cache, from.row);
    });
    yield* await scoreRows(
      body,
      program,
      cache,
      group.map(({ request }) => request),
    );
  }
}

function samePrompts(requests: readonly ScoredRequest[]): Prompt[] {
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
  body: Body,
  program: Program,
  cache: Cache,
  requests: readonly ScoredRequest[],
): Promise<Scored[]> {
  const results = requests.map(({ id, responseIds }) => ({ id, logprobs: new Float32Array(responseIds.length) }));
  const inputs = requests.map(({ promptIds, responseIds }) => [...promptIds.slice(-1), ...responseIds.slice(0, -1)]);
  await prefill(body, cache, inputs, {
    async onChunk(hidden, done, counts) {
      const places = counts.flatMap((count, row) => Array.from({ length: count }, (_, i) => ({ row, step: i })));
      const targets = places.map(({ row, step }) => present(requests[row]?.responseIds[done + step], "target"));
      const positions = places.map(({ row, step }) => row * CHUNK + step);
      const logprobs = await logprobsAt(body, program, hidden, positions, targets);
      places.forEach(({ row, step }, i) => {
        present(results[row], "result").logprobs[done + step] = present(logprobs[i], "logprob");
      });
    },
  });
  return results;
}

/** Log-probabilities of `targets` at some positions of `hidden` [rows*CHUNK, D], a bounded number of logits at a time. */
async function logprobsAt(
  { model, device }: Body,
  program: Program,
  hidden: Tensor,
  positions: readonly number[],
  targets: readonly number[],
): Promise<number[]> {
  const { vocabSize, hiddenSize } = model.dims;
  const most = Math.max(2, Math.floor(LOGITS / vocabSize));
  const found: number[] = [];
  for (let at = 0; at < positions.length; at += most) {
    const here = positions.slice(at, at + most);
    const rows = Math.max(2, here.length); // one row would be multiplied by another kernel
    const wanted = device.zeros([rows, hiddenSize]);
    device.copy(
      wanted,
      hidden,
      here.map((position, i) => ({ from: position * hiddenSize, to: i * hiddenSize, length: hiddenSize })),
    );
    const ids = Array.from({ length: rows }, (_, i) => targets[at + i] ?? 0);
    const results = await program.run({ hidden: wanted, targets: device.fromInts(ids, [rows]) });
    const logprobs = await device.floats(present(results.logprobs, "logprobs"));
    for (let i = 0; i < here.length; i++) found.push(present(logprobs[i], "logprob"));
  }
  return found;
}
