/**
 * A scripted engine: log-probabilities and texts come from functions. It keeps what it was asked for, and answers out of order
 * where it is told to, as the contract allows.
 */
import type { Capabilities, Engine, LoadedModel } from "../src/engine/engine.js";
import { refuseMissing } from "../src/engine/refusals.js";
import type { GenerateRequest, GenerateResult, ScoreRequest } from "../src/engine/requests.js";

export interface MockScript {
  /** Natural log-probability of each response id. Default: uniform over 100 ids. */
  readonly logprobs?: (request: ScoreRequest) => readonly number[];
  /** Default: every prompt is answered by its own last id, then EOS. */
  readonly answer?: (request: GenerateRequest) => readonly number[];
  /** Whether rules are taken (and do nothing). Default: they are refused. */
  readonly logitRules?: boolean;
  /** Prompt and response together. Default: not known. */
  readonly maxPositions?: number;
  /** The order in which a batch of requests is answered. Default: as asked. */
  readonly order?: <T>(requests: readonly T[]) => readonly T[];
}

export interface MockEngine extends Engine {
  /** Batches of score requests as they came. */
  readonly scored: ScoreRequest[][];
  /** Models loaded and not closed: 0 at the end of every test. */
  open(): number;
}

export function mockEngine(script: MockScript = {}): MockEngine {
  const capabilities: Capabilities = {
    tune: false,
    generate: true,
    score: true,
    embed: false,
    logitRules: script.logitRules ?? false,
    precisions: ["f32"],
  };
  const order = script.order ?? ((requests) => requests);
  const scored: ScoreRequest[][] = [];
  let open = 0;

  const load = (): LoadedModel => ({
    capabilities,
    maxPositions: script.maxPositions,
    async *score(requests, options) {
      scored.push([...requests]);
      for (const request of order(requests)) {
        options?.signal?.throwIfAborted();
        const given = script.logprobs?.(request) ?? request.responseIds.map(() => -Math.log(100));
        yield { id: request.id, logprobs: Float32Array.from(given) };
      }
    },
    async *generate(requests, options): AsyncGenerator<GenerateResult> {
      refuseMissing({ name: "mock", capabilities }, { logitRules: options.rules !== undefined });
      for (const request of order(requests)) {
        const ids = script.answer?.(request) ?? request.promptIds.slice(-1);
        const kept = ids.slice(0, options.maxNewTokens);
        for (const id of kept) {
          options.signal?.throwIfAborted();
          options.onToken?.(requests.indexOf(request), id);
        }
        options.signal?.throwIfAborted();
        yield { id: request.id, ids: kept, stop: ids.length > kept.length ? "length" : "eos" };
      }
    },
    async close() {
      open--;
    },
  });
  return {
    name: "mock",
    capabilities,
    scored,
    open: () => open,
    async load() {
      open++;
      return load();
    },
    async tune() {
      throw new Error("the mock engine does not tune");
    },
  };
}
