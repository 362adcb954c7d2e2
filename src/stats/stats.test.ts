import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStream } from "../util/random.js";
import { clusteredMean, clusteredProbability, clusteredShare } from "./cluster.js";
import { incompleteBeta, logGamma, normalCdf, normalQuantile, studentCdf, studentQuantile } from "./distributions.js";
import { formatShare, toEstimateRecord } from "./estimate.js";
import { wilson, wilsonBounds } from "./wilson.js";

describe("distributions", () => {
  it("published values (Abramowitz and Stegun, tables 6.1, 26.1, 26.10)", () => {
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 14);
    expect(logGamma(11)).toBeCloseTo(Math.log(3628800), 13);
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 12);
    expect(normalQuantile(0.995)).toBeCloseTo(2.5758293035489, 12);
    expect(normalCdf(-1)).toBeCloseTo(0.158655253931457, 14);
    expect(normalCdf(-6)).toBeCloseTo(9.865876450377e-10, 20);
    expect(studentQuantile(0.975, 1)).toBeCloseTo(12.706204736174694, 9);
    expect(studentQuantile(0.975, 4)).toBeCloseTo(2.7764451051977934, 11);
    expect(studentQuantile(0.975, 30)).toBeCloseTo(2.0422724563012373, 11);
    expect(studentQuantile(0.5, 7)).toBe(0);
  });

  it("closed forms: one and two degrees of freedom, and I_x(a, 1) = x^a", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -50, max: 50, noNaN: true }),
        fc.double({ min: 0.2, max: 30, noNaN: true }),
        (t, a) => {
          expect(studentCdf(t, 1)).toBeCloseTo(0.5 + Math.atan(t) / Math.PI, 12);
          expect(studentCdf(t, 2)).toBeCloseTo(0.5 + t / (2 * Math.sqrt(2 + t * t)), 12);
          const x = 1 / (1 + Math.exp(-t / 10));
          expect(incompleteBeta(x, a, 1)).toBeCloseTo(x ** a, 11);
          expect(normalCdf(t / 10) + normalCdf(-t / 10)).toBeCloseTo(1, 14);
        },
      ),
    );
  });

  it("Student's t nears the normal with many degrees of freedom", () => {
    expect(studentQuantile(0.975, 1e7)).toBeCloseTo(normalQuantile(0.975), 6);
  });
});

const values = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 2, maxLength: 40 });

describe("the clustered mean", () => {
  it("a case by hand: clusters {1, 3}, {5}, {2, 2, 5}", () => {
    // mean 3; cluster sums of deviations -2, 2, 0; variance 3/2 · 8 / 36 = 1/3; with two degrees of freedom t² = 2 · 0.95² / (1 - 0.95²)
    const half = Math.sqrt(1.805 / 0.0975 / 3);
    const result = clusteredMean([[1, 3], [5], [], [2, 2, 5]]);
    expect(result.estimate).toBe(3);
    expect(result.n).toBe(6);
    expect(result.low).toBeCloseTo(3 - half, 10);
    expect(result.high).toBeCloseTo(3 + half, 10);
    expect(result.method).toBe("95 % t interval, clustered (3 clusters)");
  });

  it("clusters of one are the ordinary t interval", () => {
    fc.assert(
      fc.property(values, (ys) => {
        const result = clusteredMean(ys.map((y) => [y]));
        const mean = ys.reduce((sum, y) => sum + y, 0) / ys.length;
        const sd = Math.sqrt(ys.reduce((sum, y) => sum + (y - mean) ** 2, 0) / (ys.length - 1));
        const half = (studentQuantile(0.975, ys.length - 1) * sd) / Math.sqrt(ys.length);
        expect(result.estimate).toBeCloseTo(mean, 10);
        expect((result.high ?? Number.NaN) - mean).toBeCloseTo(half, 9);
      }),
    );
  });

  it("copies within a cluster change nothing; order changes nothing", () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 5 }), (ys, copies) => {
        const once = clusteredMean(ys.map((y) => [y]));
        const many = clusteredMean(ys.map((y) => Array<number>(copies).fill(y)).reverse());
        expect(many.n).toBe(copies * once.n);
        for (const key of ["estimate", "low", "high"] as const)
          expect(many[key]).toBeCloseTo(once[key] ?? Number.NaN, 9);
      }),
    );
  });

  it("agrees with a bootstrap over clusters on 300 clusters", () => {
    const random = randomStream(7, "test");
    const clusters = Array.from({ length: 300 }, () => {
      const share = random.uniform();
      return Array.from({ length: 5 }, (): number => (random.uniform() < share ? 1 : 0));
    });
    const closed = clusteredMean(clusters);
    const boot = percentileBootstrap(clusters, 2000);
    const width = (closed.high ?? 0) - (closed.low ?? 0);
    expect(boot.estimate).toBeCloseTo(closed.estimate ?? Number.NaN, 12);
    // Monte Carlo error of a 2.5 % quantile with 2000 draws: about 2 % of the width
    expect(Math.abs(boot.low - (closed.low ?? 0))).toBeLessThan(0.05 * width);
    expect(Math.abs(boot.high - (closed.high ?? 0))).toBeLessThan(0.05 * width);
    // and is wider than an interval that takes the 1,500 observations as independent
    const naive = wilson(
      clusters.flat().reduce((sum, y) => sum + y, 0),
      1500,
    );
    expect(width).toBeGreaterThan(1.3 * ((naive.high ?? 0) - (naive.low ?? 0)));
  });

  it("of probabilities stays within 0 and 1", () => {
    const clusters = [[0.99], [0.95], [0.2]];
    const free = clusteredMean(clusters);
    expect(free.high).toBeGreaterThan(1);
    expect(clusteredProbability(clusters)).toEqual({ ...free, low: 0, high: 1 });
  });

  it("is undefined, not 0, without enough clusters", () => {
    expect(clusteredMean([])).toMatchObject({ estimate: undefined, low: undefined, high: undefined, n: 0 });
    expect(clusteredMean([[], []])).toMatchObject({ estimate: undefined, n: 0 });
    expect(clusteredMean([[1, 0, 1, 1]])).toMatchObject({ estimate: 0.75, low: undefined, high: undefined, n: 4 });
    expect(toEstimateRecord(clusteredShare([[1]]))).toMatchObject({ estimate: 1, low: null, high: null });
  });
});

describe("the clustered share", () => {
  it("stays within 0 and 1 and contains its estimate", () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.constantFrom(0, 1), { maxLength: 6 }), { maxLength: 30 }), (clusters) => {
        const { estimate, low, high } = clusteredShare(clusters);
        if (low === undefined || high === undefined || estimate === undefined) return;
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(estimate);
        expect(high).toBeGreaterThanOrEqual(estimate);
        expect(high).toBeGreaterThan(low);
      }),
    );
  });

  it("ten clusters without a single failure are not certainty", () => {
    const result = clusteredShare(Array.from({ length: 10 }, () => [1, 1, 1, 1, 1]));
    // Wilson with 10 of 10: 1 / (1 + z²/10)
    expect(result.low).toBeCloseTo(1 / (1 + 1.959963984540054 ** 2 / 10), 10);
    expect(result.high).toBe(1);
    const thirds = clusteredShare(Array.from({ length: 7 }, () => [1, 0, 0]));
    expect(thirds.method).toBe("95 % Wilson interval over 7 clusters that do not differ");
    expect(thirds.low).toBe(wilsonBounds(1 / 3, 7, 0.95).low);
  });
});

describe("Wilson's interval", () => {
  it("the bounds solve (p - q)² = z² q (1 - q) / n", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 500 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
        const successes = Math.round(share * n);
        const { estimate = 0, low = -1, high = -1 } = wilson(successes, n);
        for (const q of [low, high]) {
          if (q === 0 || q === 1) continue;
          expect((estimate - q) ** 2).toBeCloseTo((1.959963984540054 ** 2 * q * (1 - q)) / n, 10);
        }
        const mirrored = wilson(n - successes, n);
        expect(mirrored.low).toBeCloseTo(1 - high, 12);
      }),
    );
  });

  it("a published case: 81 of 263 (Newcombe 1998, table I): 0.2553 to 0.3662", () => {
    const { low, high } = wilson(81, 263);
    expect(low).toBeCloseTo(0.2553, 4);
    expect(high).toBeCloseTo(0.3662, 4);
  });

  it("is undefined for fewer than two trials", () => {
    expect(wilson(0, 0)).toMatchObject({ estimate: undefined, low: undefined, n: 0 });
    expect(wilson(1, 1)).toMatchObject({ estimate: 1, low: undefined, high: undefined, n: 1 });
  });
});

it("shares are shown in percent, undefined ones as such", () => {
  expect(formatShare({ estimate: 0.804, low: 0.79, high: 0.8181 })).toBe("80.4 % [79.0, 81.8]");
  expect(formatShare({ estimate: 1, low: null, high: null })).toBe("100.0 %");
  expect(formatShare({ estimate: null, low: null, high: null })).toBe("-");
});

/** Means of samples of clusters drawn with replacement, between their 2.5 % and 97.5 % quantiles: the slow way to an interval. */
function percentileBootstrap(clusters: readonly (readonly number[])[], draws: number) {
  const mean = (sample: readonly (readonly number[])[]): number => {
    const all = sample.flat();
    return all.reduce((sum, y) => sum + y, 0) / all.length;
  };
  const random = randomStream(1, "test: bootstrap over clusters");
  const again = () => clusters.map(() => clusters[random.integer(clusters.length)]!);
  const means = Array.from({ length: draws }, () => mean(again())).sort((a, b) => a - b);
  const quantile = (p: number): number => means[Math.round((draws - 1) * p)]!;
  return { estimate: mean(clusters), low: quantile(0.025), high: quantile(0.975) };
}
