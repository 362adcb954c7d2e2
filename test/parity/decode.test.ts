/**
 * Decoding with a cache, in batches, against Transformers: greedy ids, ids and traces under the rules, log-probabilities of responses.
 * Ids are exact: the fixtures' smallest margin between two tokens is 1e-3, far above single-precision noise. Log-probabilities: 2e-4.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { embeddedEngine } from "../../src/embedded/embedded.js";
import type { OpenedModel } from "../../src/engine/opened.js";
import type { Decoding, GenerateRequest, GenerateResult } from "../../src/engine/requests.js";
import { resolveRules } from "../../src/rules/resolve.js";
import type { RuleSet } from "../../src/rules/rules.js";
import { loadTextModel } from "../../src/text/load.js";
import { expectedOf, largestDifference, modelFolder, modelNames, ruleSetOf } from "./fixtures.js";

const TOLERANCE = 2e-4;
const GREEDY = { temperature: 0, seed: 0 } as const;

describe.each(modelNames)("%s", (name) => {
  const expected = expectedOf(name);
  const { rules } = expected;
  let model: OpenedModel;
  beforeAll(async () => {
    model = await embeddedEngine({ threads: 1, precision: "f32" }).open(modelFolder(name));
  });
  afterAll(() => model[Symbol.asyncDispose]());

  /** In the order of the requests. */
  async function generate(requests: readonly GenerateRequest[], options: Decoding): Promise<GenerateResult[]> {
    const found = new Map<string, GenerateResult>();
    for await (const result of model.generate!(requests, options)) found.set(result.id, result);
    return requests.map((request) => found.get(request.id)!);
  }

  it.each([1, 2, 6])("gives the greedy ids of ragged prompts, %i side by side", async (batch) => {
    const requests = expected.greedy.map((c, i) => ({ id: `${i}`, promptIds: c.prompt_ids, conversationIds: [] }));
    const free = await generate(requests, { ...GREEDY, maxNewTokens: 20, stopIds: [], batch });
    expect(free.map((result) => result.ids)).toEqual(expected.greedy.map((c) => c.ids));
    const stopping = await generate(requests, { ...GREEDY, maxNewTokens: 20, stopIds: [rules.eos_id], batch });
    expect(stopping.map(({ ids, stop }) => ({ ids, stop }))).toEqual(
      expected.greedy.map(({ stopped, stop }) => ({ ids: stopped, stop })),
    );
  });

  it.each(Object.entries(rules.variants))(
    "gives the ids and scores of a logits processor: %s",
    async (variant, list) => {
      const set: RuleSet = ruleSetOf(variant, list);
      const { resolved } = resolveRules(set, await loadTextModel(modelFolder(name)));
      const runs = rules.runs.filter((run) => run.variant === variant);
      const requests = runs.map((run, i) => ({
        id: `${i}`,
        promptIds: run.prompt_ids,
        conversationIds: run.conversation_ids,
      }));
      const limits = { maxNewTokens: rules.max_new_tokens, stopIds: [rules.eos_id], batch: 3 };
      const results = await generate(requests, { ...GREEDY, ...limits, rules: resolved, trace: true });
      expect(results.map(({ ids, stop }) => ({ ids, stop }))).toEqual(runs.map(({ ids, stop }) => ({ ids, stop })));
      runs.forEach(({ trace }, i) => {
        if (trace === undefined) return;
        const found = results[i]!.trace!;
        expect(found.map((step) => step.id)).toEqual(trace.map((step) => step.id));
        const pairs = [
          [found.map((step) => step.baseLogprob), trace.map((step) => step.base_logprob)],
          [found.map((step) => step.logprob), trace.map((step) => step.logprob)],
          [found.map((step) => step.scores.constant), trace.map((step) => step.constant)],
          [found.map((step) => step.scores.stop), trace.map((step) => step.stop)],
          [found.map((step) => step.scores.used), trace.map((step) => step.used)],
        ] as const;
        for (const [ours, theirs] of pairs) expect(largestDifference(ours, theirs)).toBeLessThan(TOLERANCE);
      });
    },
  );

  it("scores responses of any length after prompts of any length, shared prompts included", async () => {
    const cut = (ids: readonly number[], at: number) => ({ promptIds: ids.slice(0, at), responseIds: ids.slice(at) });
    const rows = expected.forward.filter((row) => row.input_ids.length > 1);
    const requests = rows
      .flatMap((row, i) =>
        [1, Math.floor(row.input_ids.length / 2), row.input_ids.length - 1].map((at, j) => ({
          id: `${i}.${j}`,
          ...cut(row.input_ids, at),
          wanted: row.logprobs.slice(at - 1),
        })),
      )
      .filter((request) => request.promptIds.length > 0);
    const found = new Map<string, Float32Array>();
    for await (const { id, logprobs } of model.score!(requests)) found.set(id, logprobs);
    expect(found.size).toBe(requests.length);
    for (const { id, wanted } of requests)
      expect(largestDifference(found.get(id)!, wanted), id).toBeLessThan(TOLERANCE);
  });
});
