/**
 * Every family under many configs against Transformers: rope scaling, windows, biases, tied heads, activations, and both layouts of the
 * fields. Weights are made on both sides from the parameters' names (`python/fixtures/make_variants.py`). Tolerance as in models.test.ts.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { modelFromConfig } from "../../src/models/open.js";
import { createCpuDevice } from "../../src/runtime/cpu.js";
import { largestDifference, modelsFolder } from "./fixtures.js";
import { compileLogits, logitsOf, logSoftmax } from "./running.js";

const TOLERANCE = 2e-4;

interface Variants {
  readonly ids: readonly number[];
  readonly variants: readonly {
    readonly name: string;
    readonly config: { readonly model_type: string; readonly [key: string]: unknown };
    readonly logprobs: readonly number[];
  }[];
}
const { ids, variants } = JSON.parse(readFileSync(join(modelsFolder, "variants.json"), "utf8")) as Variants;
const device = createCpuDevice(1);

/** FNV-1a of the name starts a linear congruential generator; numbers in [-0.5, 0.5). */
function sequence(name: string, count: number): Float64Array {
  let state = 2166136261;
  for (const byte of new TextEncoder().encode(name)) state = Math.imul(state ^ byte, 16777619) >>> 0;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

function values(name: string, shape: readonly number[]): Float32Array {
  const noise = sequence(
    name,
    shape.reduce((a, b) => a * b, 1),
  );
  const scale = shape[0] === 40 ? 1.7 : 4.5 / Math.sqrt(shape[1] ?? 1);
  if (shape.length > 1) return Float32Array.from(noise, (x) => scale * x);
  return Float32Array.from(noise, (x) => (name.endsWith("weight") ? 1 : 0) + 0.6 * x);
}

it.each(variants.map((variant) => [variant.config.model_type, variant.name, variant] as const))(
  "%s: %s",
  async (_family, _name, { config, logprobs }) => {
    const model = modelFromConfig(config, "config.json");
    const parameters = new Map(
      model.parameters.map(({ name, shape }) => [name, device.fromFloats(values(name, shape), shape)]),
    );
    const running = { model, device, parameters };
    const program = await compileLogits(running);
    const found = await logitsOf(running, program, ids);
    const size = model.dims.vocabSize;
    const steps = ids.slice(1).map((id, t) => logSoftmax(found.subarray(t * size, (t + 1) * size))[id]!);
    expect(largestDifference(steps, logprobs)).toBeLessThan(TOLERANCE);
    await program[Symbol.asyncDispose]();
  },
);

it("tells every two variants of a family apart, or says the same thing in two layouts", () => {
  const seen = new Map<string, string>();
  for (const { name, config, logprobs } of variants) {
    const before = seen.get(`${config.model_type} ${logprobs.join()}`);
    if (before !== undefined) expect([before, name]).toEqual(SAME.find((pair) => pair[1] === name));
    seen.set(`${config.model_type} ${logprobs.join()}`, name);
  }
});

const SAME = [
  ["linear rope, keys of Transformers 4", "linear rope, keys of Transformers 5"],
  ["plain", "dynamic rope within its positions"],
];
