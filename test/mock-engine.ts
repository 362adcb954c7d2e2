/**
 * A scripted engine: log-probabilities and texts come from functions. It keeps what it was asked for, and answers out of order
 * where it is told to, as the contract allows.
 */
import { join } from "node:path";
import type { Engine } from "../src/engine/engine.js";
import type { OpenedModel, Plan } from "../src/engine/opened.js";
import { refuseRules } from "../src/engine/refusals.js";
import type { GenerateRequest, GenerateResult, ScoreRequest } from "../src/engine/requests.js";
import { openModelFolder } from "../src/model-files/open.js";
import { repositoryRoot } from "./staged-package.js";

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
  /** What it has not. */
  readonly without?: readonly ("generate" | "score")[];
  /** Of its identity; default: no bit depends on them. */
  readonly threads?: number;
  /** What there is to say of the model's files. */
  readonly notes?: readonly string[];
  readonly plan?: Omit<Plan, "tokensPerSecond">;
}

export interface MockEngine extends Engine {
  /** Batches of score requests as they came. */
  readonly scored: ScoreRequest[][];
  /** Models opened and not closed: 0 at the end of every test. */
  held(): number;
}

/** A model directory whose tokenizer it can use; its weights it never reads. */
export const mockModel = join(repositoryRoot, "test", "fixtures", "models", "llama");

export function mockEngine(script: MockScript = {}): MockEngine {
  const { logitRules = false, order = (requests) => requests, without = [] } = script;
  const scored: ScoreRequest[][] = [];
  let held = 0;

  const score: OpenedModel["score"] = async function* (requests, options) {
    scored.push([...requests]);
    for (const request of order(requests)) {
      options?.signal?.throwIfAborted();
      const given = script.logprobs?.(request) ?? request.responseIds.map(() => -Math.log(100));
      yield { id: request.id, logprobs: Float32Array.from(given) };
    }
  };
  const generate: OpenedModel["generate"] = async function* (requests, options): AsyncGenerator<GenerateResult> {
    if (options.rules !== undefined) refuseRules({ engine: "mock", capabilities: { logitRules } });
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
  };
  const identify: Engine["identify"] = (files) => ({
    ...{ files, engine: "mock", precision: "f32", threads: script.threads ?? null, device: "none", version: "1" },
  });
  return {
    name: "mock",
    scored,
    held: () => held,
    identify,
    async open(ref): Promise<OpenedModel> {
      const { text, stopIds, hash } = await openModelFolder(ref);
      held++;
      return {
        ...{ ref, engine: "mock", text, stopIds, notes: script.notes ?? [], capabilities: { logitRules } },
        identity: async (onHashed) => identify(await hash(onHashed)),
        dims: { parameters: 0 },
        limits: { maxPositions: script.maxPositions },
        plan: (use) => ({
          ...{ purpose: "nothing", bytes: 0, freeBytes: 0, tokensPerSecond: async () => 1000 },
          ...(use.for === "generating" ? { batch: use.batch ?? 1 } : {}),
          ...script.plan,
        }),
        ...(without.includes("generate") ? {} : { generate }),
        ...(without.includes("score") ? {} : { score }),
        async [Symbol.asyncDispose]() {
          held--;
        },
      };
    },
  };
}
