import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseC } from "./choose-c.js";
import { groupedFolds, scikitLearnFolds } from "./folds.js";
import { fitL1Logistic, objective, optimalityGap, type Rows } from "./l1-logistic.js";

const finite = (min: number, max: number) => fc.double({ min, max, noNaN: true });

/** Rows of three features, soft labels and weights, constant and all-zero columns included. */
const problems = fc
  .array(fc.tuple(finite(-3, 3), finite(-3, 3), finite(0, 1), finite(0, 2)), { minLength: 1, maxLength: 25 })
  .chain((rows) =>
    fc.constantFrom("bias", "zero", "copy").map((third): Rows => {
      const column = (of: (row: (typeof rows)[number]) => number) => Float64Array.from(rows, of);
      const last = { bias: () => 1, zero: () => 0, copy: (row: (typeof rows)[number]) => row[0] }[third];
      return {
        columns: [column((row) => row[0]), column((row) => row[1]), column(last)],
        labels: column((row) => row[2]),
        weights: column((row) => row[3]),
      };
    }),
  );

describe("the L1 logistic fit", () => {
  it("meets the Karush-Kuhn-Tucker conditions, and no step away from it lowers the objective", () => {
    fc.assert(
      fc.property(
        problems,
        fc.integer({ min: -4, max: 4 }),
        fc.array(finite(-1, 1), { minLength: 3, maxLength: 3 }),
        (rows, power, step) => {
          const c = 10 ** power;
          const w = fitL1Logistic(rows, c)!;
          expect(optimalityGap(rows, c, w)).toBeLessThan(1e-9); // of the largest gradient there could be
          const least = objective(rows, c, w);
          for (const size of [1e-3, 0.1, 1]) {
            const moved = objective(
              rows,
              c,
              w.map((wj, j) => wj + size * step[j]!),
            );
            expect(moved).toBeGreaterThanOrEqual(least - 1e-9 * (1 + Math.abs(least)));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("does not depend on where it starts", () => {
    const rows = {
      columns: [Float64Array.of(1, -2, 0.5, 3), Float64Array.of(1, 1, 1, 1)],
      labels: Float64Array.of(1, 0.2, 0.9, 0.1),
      weights: Float64Array.of(1, 1, 2, 1),
    };
    const here = fitL1Logistic(rows, 50)!;
    const there = fitL1Logistic(rows, 50, [30, -40])!;
    here.forEach((wj, j) => {
      expect(there[j]).toBeCloseTo(wj, 9);
    });
  });

  it("a case by hand: one constant column, s n (σ(w) − y) C = −1", () => {
    const rows = {
      columns: [new Float64Array(10).fill(1)],
      labels: new Float64Array(10).fill(1),
      weights: new Float64Array(10).fill(1),
    };
    // separable: C n (1 − σ(w)) = 1, so w = ln(C n − 1)
    expect(fitL1Logistic(rows, 1000)![0]).toBeCloseTo(Math.log(9999), 9);
    // |gradient at 0| = C n / 2 ≤ 1 keeps the weight at exactly 0
    expect(fitL1Logistic(rows, 0.2)).toEqual([0]);
    expect(fitL1Logistic(rows, 0.21)![0]).toBeGreaterThan(0);
  });

  it("a soft label is the row twice, as a 1 and as a 0, with its weight shared out", () => {
    const soft = {
      columns: [Float64Array.of(1, -1, 2)],
      labels: Float64Array.of(0.8, 0.3, 0.5),
      weights: Float64Array.of(1, 0.5, 1),
    };
    const hard = {
      columns: [Float64Array.of(1, -1, 2, 1, -1, 2)],
      labels: Float64Array.of(1, 1, 1, 0, 0, 0),
      weights: Float64Array.of(0.8, 0.15, 0.5, 0.2, 0.35, 0.5),
    };
    expect(fitL1Logistic(soft, 20)![0]).toBeCloseTo(fitL1Logistic(hard, 20)![0]!, 10);
  });
});

describe("cross-validation", () => {
  it("prefers no effect where there is none, and an effect where there is one", () => {
    const n = 100;
    const x = Float64Array.from({ length: n }, (_, i) => (i % 2 === 0 ? 1 : -1));
    const ones = new Float64Array(n).fill(1);
    const folds = groupedFolds(Array.from({ length: n }, (_, i) => i));
    const noise = Float64Array.from({ length: n }, (_, i) => (i % 4 < 2 ? 0.9 : 0.1));
    const effect = x.map((value) => 0.5 + 0.4 * value);
    const chosen = (labels: Float64Array) => chooseC({ columns: [x], labels, weights: ones }, folds)!;
    const clear = chosen(effect);
    expect(clear.losses[clear.index]).toBe(Math.min(...clear.losses));
    expect(clear.c).toBeGreaterThan(1);
    expect(chosen(noise).losses[9]).toBeGreaterThanOrEqual(chosen(noise).losses[0]! - 1e-9);
  });

  it("deals groups out evenly and keeps them together", () => {
    const groups = [7, 7, 3, 9, 3, 1, 2, 5, 7];
    expect([...groupedFolds(groups)]).toEqual([0, 0, 1, 2, 1, 3, 4, 0, 0]);
  });

  it("scikit-learn's folds of few rows are dealt from the last", () => {
    expect([...scikitLearnFolds(7)]).toEqual([1, 0, 4, 3, 2, 1, 0]);
    const many = scikitLearnFolds(2415);
    expect([0, 1, 2, 3, 4].map((fold) => many.filter((f) => f === fold).length)).toEqual([483, 483, 483, 483, 483]);
  });
});
