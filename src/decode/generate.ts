/**
 * Generation: prompts side by side, each stopping by itself, its place taken by the next.
 * What a prompt gets does not depend, in any bit, on what shares its batch: prompts are read in chunks of one width, decoding is
 * one token a row, no sum runs over rows, and chance comes from a stream of the request's own.
 * May not know: texts, templates, files.
 */

import { checkOptions, type Decoding, type GenerateRequest, type GenerateResult } from "../engine/requests.js";
import type { Program } from "../runtime/device.js";
import { activeIn, admit, openBatch, shrunk, step } from "./batch.js";
import type { Body } from "./body.js";
import type { NextTokenKind } from "./head.js";
import { startResponse } from "./response.js";

export interface Generator {
  readonly body: Body;
  /** The program for the next token, compiled when it is first asked for. */
  readonly head: (kind: NextTokenKind) => Promise<Program>;
}

/**
 * Answers as they are finished, not in the order of the requests.
 *
 * @throws UserError  a prompt is empty or leaves no room for an answer, or an id is not the model's; before anything is computed
 * @throws UserError  the model's logits are NaN or infinite
 * @throws the signal's reason, between two steps
 */
export async function* generateResponses(
  { body, head }: Generator,
  requests: readonly GenerateRequest[],
  options: Decoding,
): AsyncGenerator<GenerateResult, void, undefined> {
  checkOptions(options, body.model.dims.vocabSize);
  // Prompts of about one length side by side waste the least; the longest come first, so that what does not fit fails early.
  const waiting = requests
    .map((request, index) => startResponse(request, index, options, body.model.dims))
    .sort((a, b) => a.request.promptIds.length - b.request.promptIds.length || b.index - a.index);
  if (waiting.length === 0) return;
  const kind = { rules: options.rules !== undefined, sampling: options.temperature > 0, trace: options.trace === true };
  const program = await head(kind);
  let batch = openBatch(body, Math.min(options.batch, waiting.length), options);
  while (waiting.length > 0 || activeIn(batch) > 0) {
    options.signal?.throwIfAborted();
    await admit(batch, waiting);
    if (waiting.length === 0) batch = shrunk(batch);
    yield* await step(batch, program, kind);
  }
}
