import { describe, expect, it } from "vitest";
import { randomStream } from "../util/random.js";
import { normalQuantile } from "./distributions.js";
import type { LcRows } from "./length-control.js";
import { lengthFit } from "./length-fit.js";

/** Wins and losses in an order that has nothing to do with lengths, which are spread about 0. */
function unrelated(won: number, n: number, difference = (i: number): number => ((i * 37) % 101) - 40): LcRows {
  const random = randomStream(1, "unrelated");
  const order = Array.from({ length: n }, (_, i) => ({ y: i < won ? 1 : 0, at: random.uniform() })).sort(
    (a, b) => a.at - b.at,
  );
  return {
    p: Float64Array.from(order, ({ y }) => y),
    lengthDifference: Float64Array.from({ length: n }, (_, i) => difference(i)),
    difficulty: undefined,
    prompts: Int32Array.from({ length: n }, (_, i) => i),
  };
}
const fitted = (rows: LcRows) => {
  const lc = lengthFit(rows);
  if (lc.kind !== "fitted") throw new Error(lc.reason);
  return { ...lc, low: lc.interval.low!, high: lc.interval.high! };
};
const reasonOf = (rows: LcRows) => {
  const lc = lengthFit(rows);
  return lc.kind === "undefined" ? lc.reason : `fitted: ${lc.winRate}`;
};

describe("the length-controlled win rate of any verdicts", () => {
  it.each([
    [117, 200, 2.5],
    [37, 56, 4], // an order drawn by lot is never quite unrelated
    [40, 200, 2],
    [11, 24, 4],
  ])("%i wins of %i that lengths say nothing of stay near the raw rate", (won, n, near) => {
    const { winRate, standardError, low, high } = fitted(unrelated(won, n));
    const raw = (100 * won) / n;
    expect(Math.abs(winRate - raw)).toBeLessThan(near);
    expect(low).toBeLessThan(raw);
    expect(high).toBeGreaterThan(raw);
    const independent = 100 * Math.sqrt(((won / n) * (1 - won / n)) / n);
    expect(standardError! / independent).toBeGreaterThan(0.9); // controlling costs a little, and never earns
    expect(standardError! / independent).toBeLessThan(1.5);
  });
  it("is the raw rate where all outputs are equally long, and says so", () => {
    const { winRate, note, low, high } = fitted(unrelated(23, 40, () => 0));
    expect(winRate).toBeCloseTo(57.5, 9);
    expect(note).toContain("nothing to control for");
    expect([Math.round(low), Math.round(high)]).toEqual([42, 72]); // Wilson's is [42.2, 71.5]
  });
  it.each([0, 24])("of %i wins of 24 has a finite interval that is not a point", (won) => {
    const { winRate, low, high, standardError } = fitted(unrelated(won, 24));
    const [end, other] = won === 0 ? [low, high] : [100 - high, 100 - low];
    expect(end).toBeGreaterThanOrEqual(0);
    expect(end).toBeLessThan(1);
    expect(other).toBeGreaterThan(8); // the rule of three: 3 / 24 = 12.5 %
    expect(other).toBeLessThan(35);
    expect(Math.min(winRate, 100 - winRate)).toBeGreaterThan(0);
    expect(standardError).toBeGreaterThan(0);
  });
  it("finds what is at equal lengths, of shares as of verdicts", () => {
    const rows = unrelated(0, 400);
    for (const bias of [-1.4, 0, 0.6]) {
      const p = rows.lengthDifference.map((d) => 1 / (1 + Math.exp(1.5 * Math.tanh(d / 30) - bias)));
      const { winRate, low, high } = fitted({ ...rows, p });
      expect(Math.abs(winRate - 100 / (1 + Math.exp(-bias)))).toBeLessThan(1);
      expect(high - low).toBeLessThan(3); // shares that follow the model leave nothing to vary
    }
  });
  it.each([
    [56, 600, true], // two standard deviations off
    [56, 300, false],
    [24, 150, false],
    [200, 600, false],
  ])("of %i rows whose lengths are %i ± 300 characters off says whether it is extrapolated", (n, offset, said) => {
    const spread = (i: number): number => 300 * normalQuantile((i + 0.5) / n);
    const { note, winRate } = fitted(unrelated(Math.round(n / 3), n, (i) => Math.round(offset + spread(i))));
    if (said) expect(note).toMatch(/^only \d of 56 instructions .* extrapolated/);
    else expect(note).toBeUndefined();
    expect(winRate).toBeGreaterThan(0);
  });
  it("counts an instruction once, however often it was asked", () => {
    const rows = unrelated(23, 40);
    const five = (values: ArrayLike<number>): number[] => Array.from({ length: 200 }, (_, i) => values[i % 40]!);
    const again = {
      p: Float64Array.from(five(rows.p)),
      lengthDifference: Float64Array.from(five(rows.lengthDifference)),
      difficulty: undefined,
      prompts: Int32Array.from(five(rows.prompts)),
    };
    const [once, often] = [fitted(rows), fitted(again)];
    expect(Math.abs(often.winRate - once.winRate)).toBeLessThan(1);
    expect((often.high - often.low) / (once.high - once.low)).toBeGreaterThan(0.97);
    expect((often.high - often.low) / (once.high - once.low)).toBeLessThan(1.12);
  });
  it("is not moved by answers that ran to the token limit", () => {
    const rows = unrelated(37, 56);
    const runaway = { ...rows, lengthDifference: rows.lengthDifference.map((d, i) => (i % 9 === 0 ? -9000 : d)) };
    expect(Math.abs(fitted(runaway).winRate - 66.1)).toBeLessThan(4);
  });
  it("takes Student's t where the spread of shares is estimated, and the normal quantile for verdicts", () => {
    const verdicts = unrelated(12, 24, () => 0);
    const almost = verdicts.p.map((y, i) => (i === 0 ? Math.abs(y - 1e-9) : y));
    const reach = ({ high }: { high: number }): number => Math.log(high / (100 - high));
    const ratio = reach(fitted({ ...verdicts, p: almost })) / reach(fitted(verdicts));
    expect(ratio).toBeCloseTo(2.0687 / 1.96, 2); // t with 23 degrees of freedom; the tail of the likelihood is not quite a parabola
  });
  it("has influences whose squares make its standard error", () => {
    const { influence, standardError } = fitted(unrelated(30, 70));
    const squares = [...influence.values()].reduce((sum, value) => sum + value ** 2, 0);
    expect(Math.sqrt((squares * 70) / 69)).toBeCloseTo(standardError!, 9);
  });
  it("is undefined, with the reason, where the data cannot tell", () => {
    expect(reasonOf({ ...unrelated(3, 9), p: new Float64Array(9).fill(Number.NaN) })).toBe("no row has a verdict");
    expect(reasonOf(unrelated(3, 7))).toContain("needs verdicts on 8 instructions, and there are 7");
    expect(reasonOf({ ...unrelated(20, 40), prompts: new Int32Array(40) })).toContain("there are 1");
    expect(reasonOf(unrelated(23, 40, () => 20))).toContain("same 20 characters");
    expect(reasonOf(unrelated(23, 40, (i) => 500 + (i % 3)))).toContain("would be extrapolated");
    expect(reasonOf(unrelated(23, 40, (i) => (i % 2 === 0 ? 700 : -700) + i))).toContain("would be extrapolated");
    const byLength = unrelated(0, 40, (i) => (i < 20 ? -150 - 10 * i : 10 * i - 140));
    expect(reasonOf({ ...byLength, p: byLength.lengthDifference.map((d) => (d < 0 ? 1 : 0)) })).toContain(
      "verdicts go by length alone",
    );
    const allLonger = unrelated(0, 56, (i) => (i < 19 ? -1 - 3 * i : -200 - i)); // lost up to 55, won from 219 characters
    expect(reasonOf({ ...allLonger, p: allLonger.lengthDifference.map((d) => (d < -100 ? 1 : 0)) })).toContain(
      "no output is between 55 and 219 characters longer",
    );
  });
  it("tells little, and says how little, where verdicts go by length alone and lengths leave no gap", () => {
    const rows = unrelated(0, 200, (i) => i - 100);
    const { low, high } = fitted({ ...rows, p: rows.lengthDifference.map((d) => (d < 0 ? 1 : 0)) });
    expect(high - low).toBeGreaterThan(60);
  });
});
