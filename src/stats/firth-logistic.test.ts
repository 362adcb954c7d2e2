import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitFirth, profileBounds, profileFirth, type Sample } from "./firth-logistic.js";

const odds = (won: number, lost: number): number => Math.log(won / lost);
const sampleOf = (rows: readonly (readonly [y: number, x: number])[]): Sample => ({
  labels: Float64Array.from(rows, ([y]) => y),
  feature: Float64Array.from(rows, ([, x]) => x),
});
const times = <T>(n: number, value: T): T[] => Array<T>(n).fill(value);

describe("Firth's logistic regression", () => {
  it("of a constant alone counts half a won and half a lost row, all won included", () => {
    for (const [won, n] of [
      [3, 12],
      [12, 12],
      [0, 7],
    ] as const) {
      const labels = Float64Array.from([...times(won, 1), ...times(n - won, 0)]);
      expect(fitFirth({ labels, feature: undefined }).a).toBeCloseTo(odds(won + 0.5, n - won + 0.5), 5);
    }
  });
  it("of a table of two by two counts half a row in each cell, empty cells included", () => {
    // Firth (1993), section 3.3: for a saturated model the penalty is a half in every cell
    for (const [w0, l0, w1, l1] of [
      [5, 9, 8, 3],
      [0, 6, 4, 2],
      [7, 0, 0, 5],
    ] as const) {
      const rows = [
        ...times(w0, [1, 0] as const),
        ...times(l0, [0, 0] as const),
        ...times(w1, [1, 1] as const),
        ...times(l1, [0, 1] as const),
      ];
      const { a, b } = fitFirth(sampleOf(rows));
      expect(a).toBeCloseTo(odds(w0 + 0.5, l0 + 0.5), 5);
      expect(b).toBeCloseTo(odds(w1 + 0.5, l1 + 0.5) - odds(w0 + 0.5, l0 + 0.5), 5);
    }
  });
  const rows = fc.array(fc.tuple(fc.constantFrom(0, 0.5, 1, 0.13), fc.integer({ min: -9, max: 9 })), {
    minLength: 9,
    maxLength: 40,
  });
  it("is at a maximum, and its bounds lie where the profile has fallen by what was asked", () => {
    fc.assert(
      fc.property(rows, (drawn) => {
        fc.pre(new Set(drawn.map(([, x]) => x)).size > 3);
        const sample = sampleOf(drawn.map(([y, x]) => [y, Math.tanh(x / 5)]));
        const top = fitFirth(sample);
        expect(Math.hypot(...top.slope)).toBeLessThan(1e-3);
        const [low, high] = profileBounds(sample, top, 1.92);
        expect(low).toBeLessThan(top.a);
        expect(high).toBeGreaterThan(top.a);
        for (const bound of [low, high]) {
          const fallen = top.value - profileFirth(sample, bound, top.b).value;
          if (Math.abs(bound) < 30) expect(fallen).toBeCloseTo(1.92, 2);
        }
      }),
      { numRuns: 60, seed: 4 },
    );
  });
});
