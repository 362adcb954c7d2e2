/** Learning rates against Transformers' (test/fixtures/models/*, nine digits) and closed forms. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { trainingOf } from "../../test/parity/fixtures.js";
import { rateFactor, type Schedule } from "./schedule.js";

const schedules = ["cosine", "linear", "constant"] as const;
const factors = (schedule: Schedule, warmup: number, totalSteps: number): number[] =>
  Array.from({ length: totalSteps }, (_, step) => rateFactor(step, { schedule, warmup, totalSteps }));

describe("the rates of Transformers", () => {
  const { options, runs } = trainingOf("llama");
  it.each(runs)("$schedule, warm-up $warmup", ({ schedule, warmup, steps }) => {
    expect(steps.length).toBe(12);
    factors(schedule, warmup, steps.length).forEach((factor, i) => {
      expect(Math.abs(options.lr * factor - steps[i]!.lr)).toBeLessThan(1e-11);
    });
  });
});

describe("rateFactor", () => {
  it("rises from 0 over ceil(warm-up × steps) steps", () => {
    expect(factors("constant", 0.25, 9)).toEqual([0, 1 / 3, 2 / 3, 1, 1, 1, 1, 1, 1]); // ceil(2.25) = 3
    expect(factors("linear", 0.1, 11).slice(0, 3)).toEqual([0, 1 / 2, 1]); // ceil(1.1) = 2
  });
  it("begins at the top without warm-up, and stays below it with nothing but warm-up", () => {
    for (const schedule of schedules) {
      expect(rateFactor(0, { schedule, warmup: 0, totalSteps: 7 })).toBe(1);
      expect(factors(schedule, 1, 4)).toEqual([0, 0.25, 0.5, 0.75]);
    }
  });
  it("is one half in the middle of a decay, and would be 0 after the last step", () => {
    for (const schedule of ["cosine", "linear"] as const) {
      expect(rateFactor(6, { schedule, warmup: 0.2, totalSteps: 10 })).toBeCloseTo(0.5, 15);
      expect(rateFactor(10, { schedule, warmup: 0.2, totalSteps: 10 })).toBeCloseTo(0, 15);
    }
  });
  it("lies between 0 and 1, and never rises after the warm-up", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...schedules),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 200 }),
        (schedule, warmup, totalSteps) => {
          const all = factors(schedule, warmup, totalSteps);
          expect(all.every((factor) => factor >= 0 && factor <= 1)).toBe(true);
          const decay = all.slice(Math.ceil(warmup * totalSteps));
          expect(decay.every((factor, i) => i === 0 || factor <= decay[i - 1]!)).toBe(true);
        },
      ),
    );
  });
});
