/** Intervals stay within what is possible, and those that did so before are left alone. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ofPairs, withinRange } from "./bounded.js";
import { wilson } from "./wilson.js";

const of = (estimate: number, half: number, n: number) => ({
  ...{ estimate, low: estimate - half, high: estimate + half, n, method: "t" },
});

describe("an interval within a range", () => {
  it("is left as it is where it lies inside", () => {
    const given = of(33.5, 5.3, 200);
    expect(withinRange(given, [0, 100])).toBe(given);
  });

  it("is Wilson's for shares: with z for t, the same numbers", () => {
    const z = 1.959963984540054;
    for (const [k, n] of [
      [1, 30],
      [29, 30],
      [3, 60],
    ] as const) {
      const p = k / n;
      const found = withinRange(of(100 * p, 100 * z * Math.sqrt((p * (1 - p)) / n), n), [0, 100]);
      const { low, high } = wilson(k, n);
      expect(found.low).toBeCloseTo(100 * low!, 3);
      expect(found.high).toBeCloseTo(100 * high!, 3);
    }
  });

  it("has a width at an end, where all values are equal", () => {
    const none = withinRange(of(0, 0, 4), [0, 100]);
    expect([none.low, Math.round(none.high)]).toEqual([0, 72]); // t² / 4 with 3 degrees of freedom is 2.53; of it and 1 the share
    const all = withinRange(of(100, 0, 805), [0, 100]);
    expect(all.low).toBeGreaterThan(99.5);
    expect(all.high).toBeCloseTo(100, 9);
  });

  it("never leaves the range, holds the estimate, and as a score interval is wider where the standard error is", () => {
    const share = fc.double({ min: -100, max: 100, noNaN: true });
    const width = fc.double({ min: 1e-6, max: 500, noNaN: true });
    fc.assert(
      fc.property(share, width, fc.integer({ min: 2, max: 900 }), (estimate, half, n) => {
        const found = withinRange(of(estimate, half, n), [-100, 100]);
        expect(found.low).toBeGreaterThanOrEqual(-100 - 1e-9);
        expect(found.high).toBeLessThanOrEqual(100 + 1e-9);
        expect(found.low).toBeLessThanOrEqual(estimate + 1e-6);
        expect(found.high).toBeGreaterThanOrEqual(estimate - 1e-6);
        if (found.method === "t") return; // one that fills the range is wider than a score interval of more
        const wider = withinRange(of(estimate, 2 * half, n), [-100, 100]);
        expect(wider.high - wider.low).toBeGreaterThanOrEqual(found.high - found.low - 1e-6);
      }),
    );
  });

  it("is none of fewer than four pairs", () => {
    expect(ofPairs(of(-5, 174, 3), [-100, 100])).toMatchObject({ estimate: -5, low: null, high: null, n: 3 });
    const four = ofPairs(of(-5, 174, 4), [-100, 100]);
    expect(four.low).toBeGreaterThan(-100);
    expect(four.high).toBeLessThan(100);
  });
});
