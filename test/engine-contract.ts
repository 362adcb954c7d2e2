/**
 * What must hold of every engine's model (`OpenedModel` in `src/engine/opened.ts`); each engine runs it in a test of its own.
 * May not know: any one engine.
 */
import { expect, it } from "vitest";
import { keyOf } from "../src/engine/identity.js";
import type { OpenedModel } from "../src/engine/opened.js";
import { ability } from "../src/engine/refusals.js";
import type { Decoding, GenerateRequest, GenerateResult, ScoreRequest, Scoring } from "../src/engine/requests.js";
import type { Ramp, ResolvedRules } from "../src/rules/rules.js";
import { UserError } from "../src/util/errors.js";

export interface ContractOptions {
  /** Opens a model whose vocabulary has more than 64 ids. */
  readonly make: () => Promise<OpenedModel>;
  /** How many models hold something at the moment. */
  readonly open: () => number;
  /** Tests that an engine cannot take, by name, each with the reason. */
  readonly skip?: Readonly<Partial<Record<keyof typeof contract, string>>>;
}

const EOS = 2;
/** Nothing at the first token, and all that there is at the second. */
const STEEP: Ramp = { score: 1e4, tokens: 1, after: "hold" };
const prompts: readonly GenerateRequest[] = [[5], [6, 7, 8], [9, 10], [11], [12, 13, 14, 15]].map((promptIds, i) => ({
  id: `prompt ${i}`,
  promptIds: [1, ...promptIds],
  conversationIds: promptIds,
}));
const greedy: Decoding = { maxNewTokens: 6, stopIds: [EOS], temperature: 0, seed: 1, batch: 2 };
/** Two prompts, the first with three responses, one of them asked for twice under two names. */
const rows: readonly ScoreRequest[] = [
  { id: "a", promptIds: [1, 20, 21], responseIds: [30, 31, EOS] },
  { id: "b", promptIds: [1, 20, 21], responseIds: [32] },
  { id: "a again", promptIds: [1, 20, 21], responseIds: [30, 31, EOS] },
  { id: "c", promptIds: [1, 22], responseIds: [33, 34] },
];

async function generate(model: OpenedModel, requests = prompts, options: Partial<Decoding> = {}) {
  const found: GenerateResult[] = [];
  for await (const result of ability(model, "generate")(requests, { ...greedy, ...options })) found.push(result);
  return found;
}

async function score(model: OpenedModel, requests = rows, options?: Scoring) {
  const found: [string, number[]][] = [];
  for await (const { id, logprobs } of ability(model, "score")(requests, options)) found.push([id, [...logprobs]]);
  return found;
}

const contract = {
  async "says who it is: the same to everybody who asks, in words that make a key"(model: OpenedModel) {
    const identity = await model.identity();
    expect(await model.identity()).toEqual(identity);
    expect(identity.engine).toBe(model.engine);
    expect(identity.files).toMatch(/^[0-9a-f]{64}$/);
    expect(keyOf(identity, { ids: [1] })).not.toBe(keyOf(identity, { ids: [2] }));
    expect(keyOf({ ...identity, files: "" }, { ids: [1] })).not.toBe(keyOf(identity, { ids: [1] }));
  },

  async "plans what it does without doing it"(model: OpenedModel, open: () => number) {
    const before = open();
    const use = { for: "generating", batch: undefined, promptTokens: [3, 5], maxNewTokens: 6 } as const;
    for (const plan of [model.plan(use), model.plan({ for: "scoring" })]) {
      expect(plan.bytes).toBeGreaterThanOrEqual(0);
      expect(plan.freeBytes).toBeGreaterThanOrEqual(0);
    }
    expect(open()).toBe(before);
  },

  async "answers every prompt once, under its id, in whatever order"(model: OpenedModel) {
    const results = await generate(model);
    expect(results.map(({ id }) => id).sort()).toEqual(prompts.map(({ id }) => id));
    for (const { ids, stop } of results) {
      expect(ids).not.toContain(EOS);
      expect(ids.length).toBeLessThanOrEqual(6);
      if (stop === "length") expect(ids.length).toBe(6);
    }
    expect(await generate(model, [])).toEqual([]);
  },

  async "honours an EOS rule, or refuses it before the first token"(model: OpenedModel) {
    let tokens = 0;
    const onToken = () => void tokens++;
    const run = async (more: Partial<ResolvedRules>) => {
      const rules = { eosId: EOS, constant: new Map<number, number>(), eosRamps: [], usedTokens: [], ...more };
      const results = await generate(model, prompts, { rules, onToken });
      return results.map(({ ids, stop }) => [ids.length, stop]);
    };
    const [atOnce, afterOne] = [
      { constant: new Map([[EOS, 1e4]]) },
      { eosRamps: [STEEP], constant: new Map([[EOS, -1e3]]) },
    ];
    if (!model.capabilities.logitRules) {
      for (const rules of [atOnce, afterOne]) await expect(run(rules)).rejects.toThrow(UserError);
      expect(tokens).toBe(0);
      return;
    }
    expect(await run(atOnce)).toEqual(prompts.map(() => [0, "eos"]));
    expect(tokens).toBe(0);
    expect(await run(afterOne)).toEqual(prompts.map(() => [1, "eos"]));
  },

  async "tells of every token as it is generated, by the prompt's place"(model: OpenedModel) {
    const told = prompts.map((): number[] => []);
    const results = await generate(model, prompts, { onToken: (index, id) => told[index]!.push(id) });
    const ids = new Map(results.map((result) => [result.id, result.ids]));
    expect(told).toEqual(prompts.map(({ id }) => ids.get(id)));
    expect(told.flat().length).toBeGreaterThan(0);
  },

  async "stops with the signal's reason, before a start and between two tokens"(model: OpenedModel) {
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    await expect(generate(model, prompts, { signal })).rejects.toBe(reason);
    await expect(score(model, rows, { signal })).rejects.toBe(reason);
    const controller = new AbortController();
    const onToken = () => controller.abort(reason);
    await expect(generate(model, prompts, { onToken, signal: controller.signal })).rejects.toBe(reason);
    expect((await generate(model)).length).toBe(prompts.length); // the model is as good as before
  },

  async "scores every response once, one value an id, in whatever order"(model: OpenedModel) {
    const found = new Map(await score(model));
    expect([...found.keys()].sort()).toEqual(rows.map(({ id }) => id).sort());
    for (const { id, responseIds } of rows) {
      expect(found.get(id)!.length).toBe(responseIds.length);
      expect(found.get(id)!.every((logprob) => Number.isFinite(logprob) && logprob <= 0)).toBe(true);
    }
    expect(found.get("a again")).toEqual(found.get("a"));
    expect(await score(model, [])).toEqual([]);
  },

  async "gives a response after a shared prompt what it gets alone"(model: OpenedModel) {
    const found = new Map(await score(model));
    for (const row of rows) expect(await score(model, [row])).toEqual([[row.id, found.get(row.id)]]);
  },

  async "holds nothing once it is closed"(model: OpenedModel, open: () => number) {
    await generate(model, prompts.slice(0, 1));
    await score(model, rows.slice(0, 1));
    await model[Symbol.asyncDispose]();
    expect(open()).toBe(0);
  },
};

/** Each test has a model of its own, and leaves nothing open. */
export function runEngineContract({ make, open, skip = {} }: ContractOptions): void {
  for (const [name, test] of Object.entries(contract)) {
    const reason = skip[name as keyof typeof contract];
    it.skipIf(reason !== undefined)(reason === undefined ? name : `${name} (${reason})`, async () => {
      const model = await make();
      await test(model, open).finally(() => (open() === 0 ? undefined : model[Symbol.asyncDispose]()));
      expect(open()).toBe(0);
    });
  }
}
