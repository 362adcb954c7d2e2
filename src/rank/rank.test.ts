import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type MockScript, mockEngine, mockModel } from "../../test/mock-engine.js";
import { type RankPair, rankPairSchema, rankTotalsSchema } from "../records/rank.js";
import { Interrupted } from "../util/errors.js";
import { type RankInput, rankPairs } from "./rank.js";
import { drawRivals } from "./rivals.js";
import { type Scored, scoreKey } from "./scoring.js";
import { openTally } from "./totals.js";

const computedBy = (files: string) => mockEngine().identify(files);

/** Prompt of example i is [1, 10 + i]; its response as given, EOS 2 last. */
function inputOf(responses: readonly (readonly number[])[], rivals: RankInput["rivals"]): RankInput {
  return {
    ids: responses.map((_, i) => `e${i}`),
    rivals,
    computedBy: computedBy("m"),
    render: (i, j) =>
      (responses[j] ?? []).length === 0
        ? { kind: "unscored", reason: "empty-response" }
        : { kind: "ready", promptIds: [1, 10 + i], responseIds: [...(responses[j] ?? []), 2] },
  };
}

async function rankAll(input: RankInput, script: MockScript = {}, group = 2) {
  const engine = mockEngine(script);
  const { score } = await engine.open(mockModel);
  const cache = new Map<string, Scored>();
  const store = {
    get: (key: string) => cache.get(key),
    set: (key: string, value: Scored) => void cache.set(key, value),
  };
  const pairs: RankPair[] = [];
  const tally = openTally();
  for await (const pair of rankPairs(score!, input, { cache: store, group })) {
    rankPairSchema.parse(pair);
    pairs.push(pair);
    tally.add(pair);
  }
  return { pairs, totals: rankTotalsSchema.parse(tally.totals()), asked: engine.scored, cache };
}

describe("rivals", () => {
  it("are fixed by the seed, the index and the number of examples; more of them keep the first", () => {
    expect(drawRivals(1000, 5, 0)).toEqual(drawRivals(1000, 5, 0));
    expect(drawRivals(1000, 7, 0).map((row) => row.slice(0, 5))).toEqual(drawRivals(1000, 5, 0));
    expect(drawRivals(1000, 5, 1)).not.toEqual(drawRivals(1000, 5, 0));
    expect(drawRivals(1000, 5, 0)[0]).not.toEqual(drawRivals(1000, 5, 0)[1]);
  });

  it("are uniform with replacement and hit the example itself once in n draws", () => {
    const rivals = drawRivals(200, 50, 3); // 10,000 draws, 50 expected of each
    const hits = new Array<number>(200).fill(0);
    for (const index of rivals.flat()) hits[index] = (hits[index] ?? 0) + 1;
    const chiSquare = hits.reduce((sum, count) => sum + (count - 50) ** 2 / 50, 0);
    expect(chiSquare).toBeGreaterThan(130); // 199 degrees of freedom: 0.1 % points 140 and 267
    expect(chiSquare).toBeLessThan(270);
    const self = rivals.reduce((sum, row, i) => sum + row.filter((index) => index === i).length, 0);
    expect(self).toBeGreaterThan(25); // Poisson with mean 50
    expect(self).toBeLessThan(80);
    expect(rivals.some((row) => new Set(row).size < row.length)).toBe(true);
  });
});

describe("both readings of one comparison", () => {
  it("total and mean can disagree; every number by hand", async () => {
    // right: 2 tokens and EOS, -1 each: sum -3, mean -1. rival: 1 token and EOS, -1.25 each: sum -2.5, mean -1.25.
    const { pairs, totals } = await rankAll(inputOf([[5, 6], [7]], [[1], [0]]), {
      logprobs: ({ responseIds }) => responseIds.map(() => (responseIds.length === 3 ? -1 : -1.25)),
    });
    const long = { sum: -3, mean: -1, tokens: 3 };
    const short = { sum: -2.5, mean: -1.25, tokens: 2 };
    expect(pairs).toEqual([
      {
        id: "e0",
        rival_id: "e1",
        index: 0,
        rival_index: 1,
        draw: 0,
        outcome: "compared",
        right: long,
        rival: short,
        sum: "less",
        mean: "greater",
      },
      {
        id: "e1",
        rival_id: "e0",
        index: 1,
        rival_index: 0,
        draw: 0,
        outcome: "compared",
        right: short,
        rival: long,
        sum: "greater",
        mean: "less",
      },
    ]);
    expect(totals.sum).toMatchObject({ greater: 1, less: 1, ties: 0, rate: { estimate: 0.5, n: 2 } });
    expect(totals.mean).toMatchObject({ greater: 1, less: 1, ties: 0, rate: { estimate: 0.5, n: 2 } });
  });

  it("self-draws and ties count as not greater and are told apart", async () => {
    // example 2 has the response of example 0: a tie, computed once
    const { pairs, totals, asked } = await rankAll(
      inputOf(
        [[5], [6, 7], [5]],
        [
          [0, 2, 1],
          [1, 1, 0],
          [0, 2, 2],
        ],
      ),
      { logprobs: ({ responseIds }) => responseIds.map((id) => -id) },
      1,
    );
    expect(pairs.map((pair) => (pair.outcome === "compared" ? pair.sum : pair.outcome))).toEqual([
      ...["self-draw", "tie", "greater"],
      ...["self-draw", "self-draw", "less"],
      ...["tie", "self-draw", "self-draw"],
    ]);
    expect(totals).toMatchObject({ instructions: 3, pairs: 9, self_draws: 5, unscored: 0, unscored_reasons: {} });
    expect(totals.sum).toMatchObject({ greater: 1, less: 1, ties: 2 });
    expect(totals.sum.rate).toMatchObject({ estimate: 1 / 9, n: 9 });
    expect(totals.sum.rate_without_self_draws).toMatchObject({ estimate: 1 / 4, n: 4 });
    expect(asked.map((batch) => batch.length)).toEqual([2, 2, 1]); // distinct (prompt, response) ids only
  });

  it("an empty response is an outcome with a reason, on either side", async () => {
    const { pairs, totals, asked } = await rankAll(
      inputOf(
        [[5], [], [6]],
        [
          [1, 2],
          [0, 2],
          [1, 1],
        ],
      ),
    );
    expect(pairs.map((pair) => (pair.outcome === "unscored" ? `${pair.which} ${pair.reason}` : pair.outcome))).toEqual([
      ...["rival empty-response", "compared"],
      ...["right empty-response", "right empty-response"],
      ...["rival empty-response", "rival empty-response"],
    ]);
    expect(totals).toMatchObject({ pairs: 6, unscored: 5, unscored_reasons: { "empty-response": 5 } });
    expect(totals.sum.rate).toMatchObject({ estimate: 0, n: 1, low: null, high: null });
    expect(asked.flat().map((request) => request.promptIds[1])).toEqual([10, 10, 12]);
  });

  it("a log-likelihood that is not finite is an outcome and no number", async () => {
    const { pairs, totals } = await rankAll(inputOf([[5], [6]], [[1], [0]]), {
      logprobs: ({ responseIds }) => responseIds.map((id) => (id === 6 ? Number.NEGATIVE_INFINITY : -1)),
    });
    expect(pairs.map((pair) => pair.outcome === "unscored" && pair.which)).toEqual(["rival", "right"]);
    expect(totals.unscored_reasons).toEqual({ "not-finite": 2 });
  });
});

describe("the engine's work", () => {
  it("responses of one prompt are side by side, each once, whatever order they come back in", async () => {
    const responses = Array.from({ length: 9 }, (_, i) => [20 + i, 30 + (i % 4)]);
    const input = inputOf(responses, drawRivals(9, 6, 5));
    const logprobs: MockScript["logprobs"] = ({ promptIds, responseIds }) =>
      responseIds.map((id) => -((id * 7 + (promptIds[1] ?? 0) * 13) % 17) - 0.5);
    const plain = await rankAll(input, { logprobs }, 4);
    const reversed = await rankAll(input, { logprobs, order: (requests) => [...requests].reverse() }, 3);
    expect(reversed.pairs).toEqual(plain.pairs);
    const prompts = plain.asked.flat().map((request) => request.promptIds[1]);
    expect(prompts.filter((prompt, i) => prompt !== prompts[i - 1])).toHaveLength(9);
    expect(new Set(plain.asked.flat().map((request) => request.id)).size).toBe(plain.asked.flat().length);
    expect(plain.asked.length).toBe(3);
  });

  it("what the cache holds is not asked for again, and a stop keeps it", async () => {
    const responses = Array.from({ length: 6 }, (_, i) => [20 + i]);
    const input = inputOf(responses, drawRivals(6, 3, 1));
    const whole = await rankAll(input, {}, 2);
    const engine = mockEngine();
    const { score } = await engine.open(mockModel);
    const cache = new Map<string, Scored>();
    const store = {
      get: (key: string) => cache.get(key),
      set: (key: string, value: Scored) => void cache.set(key, value),
    };
    const controller = new AbortController();
    const first: RankPair[] = [];
    await expect(async () => {
      const run = {
        cache: store,
        group: 2,
        signal: controller.signal,
        onProgress: () => controller.abort(new Interrupted("kept")),
      };
      for await (const pair of rankPairs(score!, input, run)) first.push(pair);
    }).rejects.toThrow(Interrupted);
    expect(first).toEqual(whole.pairs.slice(0, 6));
    const second: RankPair[] = [];
    for await (const pair of rankPairs(score!, input, { cache: store, group: 2 })) second.push(pair);
    expect(second).toEqual(whole.pairs);
    expect(engine.scored.flat()).toHaveLength(whole.asked.flat().length);
  });

  it("an engine that leaves a response out, or answers twice, is a defect", async () => {
    const input = inputOf([[5], [6]], [[1], [0]]);
    await expect(rankAll(input, { order: (requests) => requests.slice(1) })).rejects.toThrow(
      /1 of 4 were left without a result/,
    );
    await expect(rankAll(input, { order: (requests) => [...requests, ...requests] })).rejects.toThrow(
      /came back before/,
    );
    await expect(rankAll(input, { logprobs: () => [-1] })).rejects.toThrow(/1 log-probabilities for 2 tokens/);
  });

  it("keys tell the model, the prompt and the response apart", () => {
    const ids = fc.array(fc.nat(20), { maxLength: 4 });
    fc.assert(
      fc.property(ids, ids, ids, ids, (a, b, c, d) => {
        const same = JSON.stringify([a, b]) === JSON.stringify([c, d]);
        expect(scoreKey(computedBy("m"), a, b) === scoreKey(computedBy("m"), c, d)).toBe(same);
        expect(scoreKey(computedBy("m"), a, b)).not.toBe(scoreKey(computedBy("n"), a, b));
      }),
    );
  });
});

it("every pair is accounted for, and the rate is greater over all but the unscored", async () => {
  const response = fc.array(fc.integer({ min: 5, max: 8 }), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(response, { minLength: 2, maxLength: 8 }),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(9),
      async (responses, against, seed) => {
        const { totals } = await rankAll(inputOf(responses, drawRivals(responses.length, against, seed)), {
          logprobs: ({ promptIds, responseIds }) => responseIds.map((id) => -((id + (promptIds[1] ?? 0)) % 5)),
        });
        expect(totals.pairs).toBe(responses.length * against);
        for (const { greater, less, ties, rate, rate_without_self_draws: others } of [totals.sum, totals.mean]) {
          expect(greater + less + ties + totals.self_draws + totals.unscored).toBe(totals.pairs);
          expect(rate.n).toBe(totals.pairs - totals.unscored);
          expect(others.n).toBe(rate.n - totals.self_draws);
          expect(rate.estimate).toBe(rate.n === 0 ? null : greater / rate.n);
          if (rate.estimate !== null && others.estimate !== null)
            expect(others.estimate).toBeGreaterThanOrEqual(rate.estimate);
        }
      },
    ),
    { numRuns: 60 },
  );
});
