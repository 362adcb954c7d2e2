/** Tables as llama.cpp's converter writes them, written here a second time by wave length as that script does. */
import { describe, expect, it } from "vitest";
import { UserError } from "../util/errors.js";
import { scalingOfDivisors } from "./gguf-rope.js";

function converted(headDim: number, theta: number, factor: number): Float32Array {
  const [low, high, original] = [1, 4, 8192];
  return Float32Array.from({ length: headDim / 2 }, (_, i) => {
    const wavelength = (2 * Math.PI) / Math.fround(1 / Math.fround(theta ** Math.fround((2 * i) / headDim)));
    if (wavelength < original / high) return 1;
    if (wavelength > original / low) return factor;
    const smooth = (original / wavelength - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

const at = (theta: number, headDim: number) => ({ theta, headDim, file: "m.gguf" });
const llama3 = (factor: number) => ({
  rope_type: "llama3",
  factor,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
});

describe("a table of rope divisors", () => {
  it.each([
    ["Llama-3.1-8B", 128, 500_000, 8],
    ["Llama-3.2-1B", 64, 500_000, 32],
    ["Llama-3.2-3B", 128, 500_000, 32],
  ])("gives the published settings of %s", (_name, headDim, theta, factor) => {
    expect(scalingOfDivisors(converted(headDim, theta, factor), at(theta, headDim))).toEqual(llama3(factor));
  });

  it("of ones changes nothing", () => {
    expect(scalingOfDivisors(new Float32Array(32).fill(1), at(10_000, 64))).toBeNull();
  });

  it("of other settings, of another base or of another width is refused", () => {
    const table = converted(64, 500_000, 32);
    const off = table.slice();
    off[20] = 1.02 * (off[20] ?? 0);
    const infinite = table.slice();
    infinite[31] = Number.POSITIVE_INFINITY;
    const cases: readonly (readonly [Float32Array, number, number])[] = [
      [off, 500_000, 64],
      [table, 10_000, 64],
      [table, 500_000, 128],
      [infinite, 500_000, 64],
      [new Float32Array(32), 500_000, 64],
      [new Float32Array(32).fill(Number.NaN), 500_000, 64],
    ];
    for (const [divisors, theta, headDim] of cases)
      expect(() => scalingOfDivisors(divisors, at(theta, headDim))).toThrow(UserError);
  });
});
