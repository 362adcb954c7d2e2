import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bf16ToF32, f16ToF32, f16Values, f32ToBf16, f32ToF16 } from "./float16.js";

const f16 = (value: number): number => {
  const out = new Uint16Array(1);
  f32ToF16(Float32Array.of(value), out);
  return out[0]!;
};
const bf16 = (value: number): number => {
  const out = new Uint16Array(1);
  f32ToBf16(Float32Array.of(value), out);
  return out[0]!;
};

describe("binary16", () => {
  it("widens by the definition of the format", () => {
    const values = f16Values();
    const wrong = Array.from({ length: 0x7c00 }, (_, h) => h).filter((h) => {
      const exponent = h >> 10;
      const fraction = h & 0x3ff;
      const value = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
      return !Object.is(values[h], value) || !Object.is(values[h | 0x8000], -value);
    });
    expect(wrong).toEqual([]);
    expect([values[0x7c00], values[0xfc00]]).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    expect(values[0x7e01]).toBeNaN();
  });

  it("narrows what it widened to the same pattern", () => {
    const all = Uint16Array.from({ length: 0x10000 }, (_, h) => h);
    const wide = new Float32Array(all.length);
    const back = new Uint16Array(all.length);
    f16ToF32(all, wide);
    f32ToF16(wide, back);
    const isNan = (h: number): boolean => (h & 0x7c00) === 0x7c00 && (h & 0x3ff) !== 0;
    expect([...all].filter((h) => back[h] !== (isNan(h) ? h | 0x200 : h))).toEqual([]); // a signalling NaN becomes quiet
  });

  it("rounds to the nearest value, ties to even", () => {
    const values = f16Values();
    const finite = fc.float({ min: Math.fround(-65519), max: Math.fround(65519), noNaN: true });
    const tiny = fc
      .integer({ min: 0, max: 0x477fefff })
      .map((bits) => new Float32Array(Uint32Array.of(bits).buffer)[0]!);
    fc.assert(
      fc.property(fc.oneof(finite, tiny), (value) => {
        const pattern = f16(value);
        const error = Math.abs(values[pattern]! - value);
        for (const near of [pattern - 1, pattern + 1]) {
          if ((near & 0x7fff) >= 0x7c00 || (near ^ pattern) & 0x8000 || near < 0) continue;
          const other = Math.abs(values[near]! - value);
          expect(error).toBeLessThanOrEqual(other);
          if (error === other) expect(pattern & 1).toBe(0);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    [65519.996, 0x7bff],
    [65520, 0x7c00],
    [-1e30, 0xfc00],
    [2 ** -25, 0x0000],
    [2 ** -25 * 1.0000001, 0x0001],
    [1.5 * 2 ** -24, 0x0002],
    [2.5 * 2 ** -24, 0x0002],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [-0, 0x8000],
  ])("writes %d as 0x%s", (value, pattern) => expect(f16(value)).toBe(pattern));
});

describe("bfloat16", () => {
  it("narrows what it widened to the same pattern", () => {
    const all = Uint16Array.from({ length: 0x10000 }, (_, h) => h);
    const wide = new Float32Array(all.length);
    const back = new Uint16Array(all.length);
    bf16ToF32(all, wide);
    f32ToBf16(wide, back);
    const isNan = (h: number): boolean => (h & 0x7f80) === 0x7f80 && (h & 0x7f) !== 0;
    expect([...all].filter((h) => back[h] !== (isNan(h) ? h | 0x40 : h))).toEqual([]);
  });

  it.each([
    [1, 0x3f80],
    [1 + 2 ** -8, 0x3f80],
    [1 + 3 * 2 ** -8, 0x3f82],
    [1 + 2 ** -8 + 2 ** -20, 0x3f81],
    [3.4e38, 0x7f80],
    [Number.NEGATIVE_INFINITY, 0xff80],
  ])("writes %d as 0x%s", (value, pattern) => expect(bf16(value)).toBe(pattern));

  it("keeps NaN a NaN", () => expect(bf16(Number.NaN) & 0x7fff).toBeGreaterThan(0x7f80));
});
