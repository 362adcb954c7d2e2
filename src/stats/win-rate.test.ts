import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStream } from "../util/random.js";
import { clusteredColumnMean, clusteredMean } from "./cluster.js";
import { cohensKappa } from "./kappa.js";
import { type LcRows, lengthControlledWinRate } from "./length-control.js";
import { binomialCdf, mcnemar } from "./mcnemar.js";
import { crossedMean, pairedDifference, spread } from "./runs.js";
import { isExtremeChange, openWinRate, probabilityOf, winRateBounds } from "./win-rate.js";

const rateOf = (preferences: readonly number[]) => {
  const tally = openWinRate();
  for (const preference of preferences) tally.add(probabilityOf(preference)!);
  return tally.totals();
};

describe("the win rate", () => {
  it("a case by hand, with both kinds of draw", () => {
    const rate = rateOf([2, 1, 1.5, 0, 1.75]);
    expect(rate).toMatchObject({ wins: 2, winsBase: 1, draws: 2, total: 5, discreteWinRate: 60 });
    expect(rate.winRate).toBeCloseTo(55, 12);
    expect(rate.standardError).toBeCloseTo(100 * Math.sqrt(0.55 / 4 / 5), 12); // by hand: Σ dev² = 0.55
  });
  it("is undefined without verdicts, and has no error with one", () => {
    expect(rateOf([])).toMatchObject({ winRate: undefined, standardError: undefined, discreteWinRate: undefined });
    expect(rateOf([2])).toMatchObject({ winRate: 100, standardError: undefined });
    expect([3, 0.99, -1, 2.01].map((value) => probabilityOf(value))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
  it("lies within its bounds, whatever the missing rows would have been", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1, max: 2, noNaN: true })),
        fc.array(fc.double({ min: 1, max: 2, noNaN: true })),
        (seen, lost) => {
          fc.pre(seen.length + lost.length > 0);
          const bounds = winRateBounds(rateOf(seen), lost.length)!;
          const all = rateOf([...seen, ...lost]).winRate!;
          expect(all).toBeGreaterThanOrEqual(bounds.low - 1e-9);
          expect(all).toBeLessThanOrEqual(bounds.high + 1e-9);
        },
      ),
    );
  });
  it("is far from the length-controlled one by the official rule", () => {
    expect(isExtremeChange(20, 9.9)).toBe(true);
    expect(isExtremeChange(20, 10.1)).toBe(false);
    expect(isExtremeChange(20, 39.9)).toBe(false);
    expect(isExtremeChange(20, 40.1)).toBe(true);
  });
});

/** Preferences that a known model makes: P = σ(2 tanh(−Δ/sd) + bias), every row its exact probability. */
const madeBy = (bias: number, differences: readonly number[]): LcRows => {
  const mean = differences.reduce((s, d) => s + d, 0) / differences.length;
  const sd = Math.sqrt(differences.reduce((s, d) => s + (d - mean) ** 2, 0) / (differences.length - 1));
  return {
    p: Float64Array.from(differences, (d) => 1 / (1 + Math.exp(2 * Math.tanh(d / sd) - bias))),
    lengthDifference: Float64Array.from(differences),
    difficulty: undefined,
    prompts: Int32Array.from(differences.keys()),
  };
};

describe("length control", () => {
  const differences = Array.from({ length: 200 }, (_, i) => ((i * 37) % 101) - 20);
  it("finds the win rate at equal lengths", () => {
    for (const bias of [-1.5, 0, 0.7]) {
      const lc = lengthControlledWinRate(madeBy(bias, differences), { model: "minimal", c: 1e4 });
      expect(lc.kind === "fitted" && lc.winRate).toBeCloseTo(100 / (1 + Math.exp(-bias)), 1); // the penalty pulls a little
    }
  });
  it("is undefined, with the reason, where lengths say nothing; and not where they are equal", () => {
    const rows = madeBy(0.5, differences);
    const constant = { ...rows, lengthDifference: rows.lengthDifference.map(() => 7) };
    expect(lengthControlledWinRate(constant, { model: "minimal" })).toMatchObject({
      kind: "undefined",
      reason: expect.stringContaining("same 7 characters"),
    });
    const equal = lengthControlledWinRate(
      { ...rows, lengthDifference: rows.lengthDifference.map(() => 0) },
      { model: "minimal", c: 1e4 },
    );
    expect(equal).toMatchObject({ kind: "fitted", weights: { length: 0 } });
    expect(lengthControlledWinRate({ ...rows, p: rows.p.map(() => Number.NaN) }, { model: "minimal" })).toMatchObject({
      kind: "undefined",
    });
    const few = { ...madeBy(0, [1, 2, 3]), prompts: Int32Array.of(0, 1, 2) };
    expect(lengthControlledWinRate(few, { model: "minimal" })).toMatchObject({
      reason: expect.stringContaining("5 instructions"),
    });
    expect(lengthControlledWinRate(few, { model: "minimal", c: 1 }).kind).toBe("fitted");
  });
  it.each([
    [4.5, undefined, 2],
    [5, 1e4, 3],
  ])(
    "is undefined where lengths lie %f spreads off equal and no optimum can be computed (C: %s)",
    (offset, c, seed) => {
      const random = randomStream(seed, `24 ${offset} 0`);
      const normal = () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
      const far: LcRows = {
        p: Float64Array.from({ length: 24 }, () => (random.uniform() < 0.5 ? 1 : 0)),
        lengthDifference: Float64Array.from({ length: 24 }, () => Math.round(1000 * (offset + normal()))),
        difficulty: undefined,
        prompts: Int32Array.from({ length: 24 }, (_, i) => i),
      };
      expect(lengthControlledWinRate(far, { model: "minimal", c })).toEqual({
        kind: "undefined",
        reason: expect.stringContaining("length cannot be told apart from the model itself"),
      });
    },
  );
  it("has an interval that a jackknife agrees with", () => {
    const random = randomStream(3, "jackknife");
    const rows = madeBy(0.4, differences);
    const noisy = { ...rows, p: rows.p.map((p) => (random.uniform() < p ? 1 : 0)) };
    const fit = lengthControlledWinRate(noisy, { model: "minimal", c: 100 });
    if (fit.kind !== "fitted") throw new Error("not fitted");
    const n = differences.length;
    const without = differences.map((_, left) => {
      const keep = <T extends Float64Array | Int32Array>(values: T) => values.filter((_, i) => i !== left) as T;
      const one = lengthControlledWinRate(
        {
          p: keep(noisy.p),
          lengthDifference: keep(noisy.lengthDifference),
          difficulty: undefined,
          prompts: keep(noisy.prompts),
        },
        { model: "minimal", c: 100 },
      );
      return one.kind === "fitted" ? one.winRate : Number.NaN;
    });
    const jackknife = ((n - 1) / Math.sqrt(n)) * spread(without).sd!;
    const half = (fit.interval.high! - fit.interval.low!) / 2;
    expect(half / 1.972 / jackknife).toBeGreaterThan(0.93); // t quantile of 199 degrees of freedom; two first-order approximations
    expect(half / 1.972 / jackknife).toBeLessThan(1.07);
  });
});

describe("means over prompts and runs", () => {
  it("with one run is the ordinary t interval", () => {
    const run = Float64Array.of(1, 4, 2, 5, Number.NaN, 3);
    const plain = clusteredMean([[1], [4], [2], [5], [3]]);
    const crossed = crossedMean([run]);
    expect(crossed).toMatchObject({ estimate: 3, n: 5 });
    expect(crossed.low).toBeCloseTo(plain.low!, 10);
    expect(clusteredColumnMean(run, Int32Array.of(0, 1, 2, 3, 4, 5)).high).toBeCloseTo(plain.high!, 10);
  });
  it("a case by hand: two runs, three prompts", () => {
    // run means 2 and 4, prompt means 1.5, 3, 4.5, noise 0: run variance 2, prompts 2.25 / 3; V = 2 / 2 + 0.75
    const { low, high, estimate } = crossedMean([Float64Array.of(0.5, 2, 3.5), Float64Array.of(2.5, 4, 5.5)]);
    expect(estimate).toBe(3);
    expect((low! + high!) / 2).toBeCloseTo(3, 10);
    expect(high! - low!).toBeGreaterThan(2 * 1.96 * Math.sqrt(1.75));
  });
  it("reports seeds as papers do, and no deviation of one", () => {
    expect(spread([43, 44, 42.9])).toEqual({ mean: expect.closeTo(43.3, 12), sd: expect.closeTo(0.6083, 4), n: 3 });
    expect(spread([5])).toEqual({ mean: 5, sd: undefined, n: 1 });
    expect(spread([])).toEqual({ mean: undefined, sd: undefined, n: 0 });
  });
  it("differences: equal models differ by nothing, the seed decides the bytes, prompts of one side are left out", () => {
    const a = Float64Array.from({ length: 60 }, (_, i) => (i * 7) % 10);
    const b = a.map((value) => value - 2);
    expect(pairedDifference([a], [b])).toMatchObject({ estimate: expect.closeTo(2, 12), n: 60 });
    expect(pairedDifference([a], [b]).low).toBeCloseTo(2, 9);
    const gappy = b.map((value, i) => (i < 10 ? Number.NaN : value * 0.5));
    const once = pairedDifference([a, gappy], [b], { seed: 4, resamples: 300 });
    expect(once.n).toBe(50);
    expect(pairedDifference([a, gappy], [b], { seed: 4, resamples: 300 })).toEqual(once);
    expect(once.low!).toBeLessThan(once.estimate!);
    expect(pairedDifference([], [b]).estimate).toBeUndefined();
  });
});

describe("tests of two raters and two models", () => {
  it("Cohen's kappa: a published table (Fleiss, Statistical Methods, table 18.1) and its edges", () => {
    const kappa = cohensKappa([
      [75, 1, 4],
      [5, 4, 1],
      [0, 0, 10],
    ]); // p_o 0.89, p_e 0.66; its large-sample error is 0.0877
    expect(kappa.estimate).toBeCloseTo(0.23 / 0.34, 4);
    expect((kappa.high! - kappa.low!) / 2 / 1.95996).toBeCloseTo(0.0877, 4);
    expect(
      cohensKappa([
        [9, 0],
        [0, 0],
      ]).estimate,
    ).toBeUndefined();
    expect(
      cohensKappa([
        [3, 0],
        [0, 5],
      ]).estimate,
    ).toBe(1);
    expect(
      cohensKappa([
        [0, 0],
        [0, 0],
      ]),
    ).toMatchObject({ estimate: undefined, n: 0 });
  });
  it("McNemar's test is the sign test of what differs", () => {
    expect(binomialCdf(1, 5)).toBeCloseTo(6 / 32, 12);
    const a = [true, true, true, true, true, false, true, false];
    const b = [false, false, false, false, false, true, true, false];
    expect(mcnemar(a, b)).toMatchObject({ onlyA: 5, onlyB: 1, n: 8, pValue: expect.closeTo(14 / 64, 12) });
    expect(mcnemar([true], [true]).pValue).toBeUndefined();
  });
});
