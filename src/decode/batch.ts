/**
 * Responses side by side: a row of the cache and a row of scores for each, given on when one is finished.
 * May not know: the order of requests, files.
 */

import type { Decoding, GenerateResult } from "../engine/requests.js";
import type { Program } from "../runtime/device.js";
import { present } from "../util/errors.js";
import type { Body } from "./body.js";
import { type Cache, createCache } from "./cache.js";
import type { NextTokenKind } from "./head.js";
import { chooseTokens } from "./next-token.js";
import { prefill } from "./prefill.js";
import { ROW_MULTIPLE } from "./quantize.js";
import { decoded, nextInput, type Response, takeToken } from "./response.js";
import { createScoreTable, type ScoreTable } from "./rule-scores.js";

export interface Batch {
  readonly body: Body;
  readonly options: Decoding;
  /** Responses that it may hold. */
  readonly places: number;
  readonly cache: Cache;
  readonly table: ScoreTable | undefined;
  /** By row. */
  readonly held: (Response | undefined)[];
}

export function openBatch(body: Body, places: number, options: Decoding): Batch {
  const { model, device } = body;
  const rows = Math.max(1, Math.ceil(places / ROW_MULTIPLE)) * ROW_MULTIPLE;
  return {
    body,
    options,
    places,
    cache: createCache(device, model.dims, rows),
    table: options.rules === undefined ? undefined : createScoreTable(device, rows, model.dims.vocabSize),
    held: new Array<Response | undefined>(rows).fill(undefined),
  };
}

export const activeIn = ({ held }: Batch): number => held.filter((response) => response !== undefined).length;

/** Gives free places to waiting responses, taken from the end, and reads their prompts. */
export async function admit(batch: Batch, waiting: Response[]): Promise<void> {
  const { body, options, held } = batch;
  const free = held.flatMap((response, row) => (response === undefined && row < batch.places ? [row] : []));
  const admitted = waiting.splice(Math.max(0, waiting.length - free.length)).reverse();
  if (admitted.length === 0) return;
  // The last id of a prompt is the first that decoding is fed: so all tokens come from steps of one width.
  const prompts = admitted.map(({ request }) => request.promptIds.slice(0, -1));
  const read = createCache(body.device, body.model.dims, admitted.length);
  await prefill(body, read, prompts, { signal: options.signal });
  admitted.forEach((response, i) => {
    place(batch, present(free[i], "place"), response, read, i);
  });
}

function place({ held, cache, table }: Batch, row: number, response: Response, from: Cache, fromRow: number): void {
  held[row] = response;
  cache.take(row, from, fromRow);
  if (response.rules !== undefined) table?.start(row, response.rules);
}

/** Below this share of rows in use they are moved together; moving costs about as much as one step. */
const SPARSE = 0.75;

/** The batch, or a smaller one with the same responses where rows enough are free. */
export function shrunk(batch: Batch): Batch {
  const count = activeIn(batch);
  if (batch.held.length === ROW_MULTIPLE || count > SPARSE * batch.held.length) return batch;
  const smaller = openBatch(batch.body, count, batch.options);
  let next = 0;
  batch.held.forEach((response, row) => {
    if (response !== undefined) place(smaller, next++, response, batch.cache, row);
  });
  return smaller;
}

/** One token for every response; gives those that are finished, and frees their places. */
export async function step(batch: Batch, program: Program, kind: NextTokenKind): Promise<GenerateResult[]> {
  const { body, cache, table, held, options } = batch;
  // A free row reads an id of no meaning, so that rows of states, of scores and of the cache stay the same.
  const hidden = await body.run(
    cache,
    held.map((response) => [response === undefined ? 0 : nextInput(response)]),
    1,
  );
  const choices = await chooseTokens(body.device, program, kind, {
    hidden,
    scores: table?.tensor,
    temperature: options.temperature,
    uniforms: kind.sampling ? held.map((response) => response?.chance.uniform() ?? 0) : [],
  });
  return held.flatMap((response, row) => {
    if (response === undefined) {
      cache.lengths[row] = 0;
      return [];
    }
    const stop = takeToken(response, present(choices[row], "choice"), options, (changed) => {
      if (response.rules !== undefined) table?.update(row, response.rules, changed);
    });
    if (stop === undefined) return [];
    held[row] = undefined;
    cache.lengths[row] = 0;
    return [decoded(response, stop, options)];
  });
}
