/** Adam and the sum of squares against the formulas in double precision, at every length, and at the edges of the numbers. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStream } from "../util/random.js";
import type { AdamStep } from "./device.js";
import { type AdamArrays, createUpdates } from "./update.js";

const updates = createUpdates();
const PIECE = 16 * 1024;
const step: AdamStep = {
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  gradientScale: 0.5,
  stepSize: 0.01,
  secondScale: 1.25,
};
/** Lengths around four and around a piece, where the last turn of a loop is a short one. */
const lengths = fc.oneof(fc.integer({ min: 1, max: 13 }), fc.integer({ min: PIECE - 5, max: PIECE + 5 }));

function arraysOf(length: number): AdamArrays {
  const stream = randomStream(length, "adam");
  const draw = (low: number, high: number) =>
    Float32Array.from({ length }, () => low + (high - low) * stream.uniform());
  return { parameter: draw(-1, 1), gradient: draw(-1, 1), first: draw(-0.1, 0.1), second: draw(0, 0.1) };
}
const copyOf = ({ parameter, gradient, first, second }: AdamArrays): AdamArrays => ({
  parameter: parameter.slice(),
  gradient: gradient.slice(),
  first: first.slice(),
  second: second.slice(),
});
/** One element through `adam`. */
function one(values: Record<keyof AdamArrays, number>, changes: Partial<AdamStep> = {}): Record<string, number> {
  const arrays = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Float32Array.of(value)]),
  ) as unknown as AdamArrays;
  updates.adam(arrays, { ...step, ...changes });
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, (array as Float32Array)[0]!]));
}

describe("adam", () => {
  it("is the formula, for every element of every length, and leaves the gradient alone", () => {
    fc.assert(
      fc.property(lengths, (length) => {
        const before = arraysOf(length);
        const after = copyOf(before);
        updates.adam(after, step);
        expect(after.gradient).toEqual(before.gradient);
        let worst = 0; // in units of what is allowed: a few roundings of 6e-8 each
        for (let i = 0; i < length; i++) {
          const gradient = before.gradient[i]! * step.gradientScale;
          const first = 0.9 * before.first[i]! + 0.1 * gradient;
          const second = 0.999 * before.second[i]! + 0.001 * gradient ** 2;
          const moved = (step.stepSize * first) / (Math.sqrt(second) * step.secondScale + step.epsilon);
          const errors = [
            Math.abs(after.first[i]! - first) / 2e-7,
            Math.abs(after.second[i]! - second) / (2e-7 * second + 1e-12),
            Math.abs(after.parameter[i]! - (before.parameter[i]! - moved)) / 3e-7,
          ];
          worst = Math.max(worst, ...errors);
        }
        expect(worst).toBeLessThan(1);
      }),
      { numRuns: 12 },
    );
  });
  it("gives the same bits for an element wherever it stands", () => {
    const whole = arraysOf(PIECE + 7);
    const tail = Object.fromEntries(
      Object.entries(copyOf(whole)).map(([name, array]) => [name, (array as Float32Array).slice(PIECE + 2)]),
    ) as unknown as AdamArrays;
    updates.adam(whole, step);
    updates.adam(tail, step);
    expect(whole.parameter.slice(PIECE + 2)).toEqual(tail.parameter);
  });
  it("sets decayed moments to 0, and so stands still without a gradient", () => {
    const smallest = 2 ** -126;
    const found = one({ parameter: 1, gradient: 0, first: -smallest, second: smallest });
    expect([found.first, found.second, found.parameter]).toEqual([0, 0, 1]);
    expect(one({ parameter: 1, gradient: 0, first: 2 * smallest, second: 2 * smallest }).first).toBeGreaterThan(0);
  });
  it("does not hide what is no number", () => {
    const { first, second, parameter } = one({ parameter: 1, gradient: Number.NaN, first: 0, second: 0 });
    expect([first, second, parameter]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });
  it.each([
    ["one memory", undefined],
    ["several, and one parameter too large for any", 2 ** 19],
  ])(
    "gives the same bits where accumulators lie in its own memory (%s), and touches nothing beside them",
    (_, most) => {
      const own = createUpdates(most);
      const sizes = [PIECE + 5, 1, 7, PIECE, 5, 2 * PIECE];
      const kept = own.accumulators(sizes);
      const memories = new Set(kept.map(({ first }) => first.buffer)).size;
      expect(memories).toBe(most === undefined ? 1 : 3);
      const [wanted, found] = [sizes.map(arraysOf), sizes.map(arraysOf)];
      found.forEach(({ gradient, first, second }, i) => {
        kept[i]!.gradient.set(gradient);
        kept[i]!.first.set(first);
        kept[i]!.second.set(second);
      });
      found.forEach(({ parameter, gradient }, i) => {
        expect(own.sumOfSquares(kept[i]!.gradient)).toBe(updates.sumOfSquares(gradient));
        own.adam({ parameter, ...kept[i]! }, step);
        updates.adam(wanted[i]!, step);
      });
      wanted.forEach((arrays, i) => {
        expect({ parameter: found[i]!.parameter, ...kept[i]! }).toEqual(arrays);
      });
    },
  );
  it("takes a view that begins where an accumulator does for what it is, and arrays from anywhere beside it", () => {
    const own = createUpdates();
    const [kept] = own.accumulators([9]);
    const [before, wanted] = [arraysOf(9), arraysOf(9)];
    kept!.first.set(before.first);
    expect(own.sumOfSquares(kept!.first.subarray(0, 3))).toBe(updates.sumOfSquares(before.first.slice(0, 3)));
    own.adam({ ...before, first: kept!.first }, step);
    updates.adam(wanted, step);
    expect({ ...before, first: kept!.first }).toEqual(wanted);
  });
  it("refuses arrays of different lengths", () => {
    expect(() => updates.adam({ ...arraysOf(4), gradient: new Float32Array(3) }, step)).toThrow("different lengths");
  });
});

it("sums squares of any length in double precision", () => {
  fc.assert(
    fc.property(lengths, (length) => {
      const { parameter } = arraysOf(length);
      const wanted = parameter.reduce((sum, x) => sum + x * x, 0);
      expect(Math.abs(updates.sumOfSquares(parameter) - wanted)).toBeLessThan(1e-12 * wanted);
    }),
    { numRuns: 30 },
  );
  expect(updates.sumOfSquares(Float32Array.of(1e20, 3, 1e-20))).toBeGreaterThan(9.9e39); // beyond single precision
  expect(updates.sumOfSquares(Float32Array.of(1, Number.NaN, 1))).toBeNaN();
  expect(updates.sumOfSquares(new Float32Array(0))).toBe(0);
});
