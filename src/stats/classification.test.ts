import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { classificationOf } from "./classification.js";

const pairs = (counts: readonly [number, number, number, number]) =>
  [
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ].flatMap(([found, wanted], i) => Array.from({ length: counts[i]! }, () => ({ found: found!, wanted: wanted! })));

describe("classificationOf", () => {
  it("a case by hand: 20, 5, 10, 15 of 50", () => {
    // observed 35/50; by chance (25·30 + 25·20) / 2500 = 1/2
    const result = classificationOf(pairs([20, 5, 10, 15]));
    expect(result).toMatchObject({ bothYes: 20, falseYes: 5, falseNo: 10, bothNo: 15 });
    expect(result.kappa.estimate).toBeCloseTo(0.4, 12);
    expect([result.agreement.estimate, result.precision.estimate, result.recall.estimate]).toEqual([0.7, 0.8, 20 / 30]);
  });
  it("is undefined where there is nothing to say", () => {
    expect(classificationOf([])).toMatchObject({ kappa: { estimate: undefined }, agreement: { estimate: undefined } });
    expect(classificationOf(pairs([0, 0, 0, 7]))).toMatchObject({
      kappa: { estimate: undefined },
      recall: { estimate: undefined },
    });
  });
  it("is 1 for equal verdicts, and the same from either side", () => {
    const verdicts = fc.array(fc.record({ found: fc.boolean(), wanted: fc.boolean() }));
    fc.assert(
      fc.property(verdicts, (list) => {
        const there = classificationOf(list);
        const back = classificationOf(list.map(({ found, wanted }) => ({ found: wanted, wanted: found })));
        expect(back.kappa.estimate ?? 2).toBeCloseTo(there.kappa.estimate ?? 2, 12);
        expect(back.precision).toEqual(there.recall);
        const same = classificationOf(list.map(({ found }) => ({ found, wanted: found }))).kappa.estimate;
        if (same !== undefined) expect(same).toBeCloseTo(1, 12);
      }),
    );
  });
});
