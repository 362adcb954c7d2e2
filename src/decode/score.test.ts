/** Scoring under a bound on memory: what fits side by side, values that do not depend on it, a stop within a row. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ScoreRequest } from "../engine/requests.js";
import { openModel, readParameters } from "../models/open.js";
import { createCpuDevice } from "../runtime/cpu.js";
import { present } from "../util/errors.js";
import { randomStream } from "../util/random.js";
import { compileBody } from "./body.js";
import { compileLogprobs } from "./head.js";
import { positionsWithin, rowsThatFit, scoringBytes } from "./memory.js";
import { type Scorer, type ScoreSettings, scoreResponses } from "./score.js";

describe("rows that fit side by side", () => {
  it.each([
    [[10, 10, 10], 30, 3],
    [[10, 10, 10], 29, 2],
    [[10, 11, 1], 30, 2], // each takes as many as the longest
    [[10, 40], 30, 1],
    [[40, 1], 30, 1], // one is computed whatever it takes
    [[1, 1, 1, 1, 1], 100, 4],
    [[], 100, 0],
  ])("%j in %i positions: %i of at most 4", (lengths, positions, expected) => {
    expect(rowsThatFit(lengths, { most: 4, positions })).toBe(expected);
  });

  it("the budget is a share of what is free, and bounded", () => {
    expect(scoringBytes(1e9)).toBe(3e8);
    expect(scoringBytes(1e12)).toBe(2 ** 30);
  });
});

describe("a tiny model", () => {
  const folder = join(import.meta.dirname, "..", "..", "test", "fixtures", "models", "llama");
  const random = randomStream(5, "rows");
  const idsOf = (length: number): number[] => Array.from({ length }, () => random.integer(397));
  const prompts = [3, 60, 17, 33, 1].map(idsOf);
  const requests: ScoreRequest[] = prompts.flatMap((promptIds, i) =>
    [40, 2, 21].map((length, j) => ({ id: `${i}.${j}`, promptIds, responseIds: idsOf(length) })),
  );
  let scorer: Scorer;
  let close: () => Promise<void>;
  beforeAll(async () => {
    const device = createCpuDevice(1);
    const opened = await openModel(folder);
    const parameters = await readParameters(opened, device);
    await opened.weights.close();
    const read = (names: readonly string[]) =>
      new Map(names.map((name) => [name, present(parameters.get(name), name)]));
    const body = await compileBody(opened.model, device, async (names) => read(names));
    const head = await compileLogprobs(device, present(parameters.get(body.headName), "head"));
    scorer = { body, head: async () => head };
    close = async () => {
      await head[Symbol.asyncDispose]();
      await body[Symbol.asyncDispose]();
    };
  });
  afterAll(() => close());

  async function score(settings: ScoreSettings): Promise<Record<string, number[]>> {
    const found: Record<string, number[]> = {};
    for await (const { id, logprobs } of scoreResponses(scorer, requests, settings)) found[id] = [...logprobs];
    return found;
  }

  it("gives the same bits with room for everything, for some rows, and for none", async () => {
    const everything = await score({ cacheBytes: 2 ** 30 });
    expect(Object.keys(everything).length).toBe(requests.length);
    const bytes = [1, 400, 900].find((kib) => {
      const positions = positionsWithin(scorer.body.model.dims, kib * 512);
      return positions > 100 && positions < 1600;
    });
    expect(bytes).toBeDefined(); // the middle case is one
    expect(await score({ cacheBytes: bytes! * 1024 })).toEqual(everything);
    expect(await score({ cacheBytes: 0 })).toEqual(everything);
  });

  it("stops between two chunks of one row", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    let chunks = 0;
    const { body, head } = scorer;
    const run: typeof body.run = (...given) => {
      if (++chunks === 1) controller.abort(reason);
      return body.run(...given);
    };
    const watched: Scorer = { body: { ...body, run }, head };
    const [long] = [{ id: "long", promptIds: idsOf(100), responseIds: idsOf(5) }];
    const all = async () => {
      for await (const _ of scoreResponses(watched, [long], { cacheBytes: 1e9, signal: controller.signal }));
    };
    await expect(all()).rejects.toBe(reason);
    expect(chunks).toBe(1);
  });
});
