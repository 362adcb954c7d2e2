/**
 * Every family against Transformers: logits, log-probabilities, loss and all gradients of tiny random models.
 * Tolerances: two orders of single-precision sums over some hundred terms differ by about 1e-5 here; 2e-4 is what the project promises.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelFromConfig } from "../../src/models/open.js";
import type { Tensor } from "../../src/runtime/device.js";
import { type MicroBatch, microBatches } from "../../src/train/batches.js";
import { compileLoss } from "../../src/train/loss-program.js";
import { openSafetensors } from "../../src/weights/safetensors.js";
import {
  expectedOf,
  largestDifference,
  type ModelName,
  modelFolder,
  modelNames,
  relativeDifference,
  rowOf,
} from "./fixtures.js";
import { compileLogits, logitsOf, logSoftmax, runModel } from "./running.js";

const TOLERANCE = 2e-4;

describe.each(modelNames)("%s", (name) => {
  const expected = expectedOf(name);

  it("gives the logits and log-probabilities of the reference", async () => {
    const running = await runModel(modelFolder(name));
    const program = await compileLogits(running);
    const size = running.model.dims.vocabSize;
    for (const { input_ids: ids, logprobs, logits } of expected.forward) {
      const found = await logitsOf(running, program, ids);
      if (logits !== undefined) expect(largestDifference(found, logits.flat())).toBeLessThan(TOLERANCE);
      const steps = ids.slice(1).map((id, t) => logSoftmax(found.subarray(t * size, (t + 1) * size))[id]!);
      expect(largestDifference(steps, logprobs)).toBeLessThan(TOLERANCE);
    }
    await program[Symbol.asyncDispose]();
  });

  let training: Awaited<ReturnType<typeof openTraining>>;
  beforeAll(async () => {
    training = await openTraining(name);
  });
  afterAll(() => training.close());

  it("gives loss and gradient norm of every reduction, however a step is cut", async () => {
    const rows = expected.loss.rows.map(rowOf);
    for (const reduction of ["paper", "reference", "token"] as const) {
      for (const microTokens of [1, 10_000]) {
        const { loss, norm } = await training.step(microBatches(rows, { reduction, microTokens }));
        expect(relativeDifference(loss, expected.loss.losses[reduction])).toBeLessThan(TOLERANCE);
        expect(relativeDifference(norm, expected.loss.grad_norms[reduction])).toBeLessThan(TOLERANCE);
      }
    }
  });

  it("gives every gradient of the reference", async () => {
    const wanted = await openSafetensors(join(modelFolder(name), "gradients.safetensors"));
    const cut = { reduction: "token", microTokens: 10_000 } as const;
    const { gradients } = await training.step(microBatches(expected.loss.rows.map(rowOf), cut));
    expect([...gradients.keys()].sort()).toEqual([...wanted.tensors.keys()].sort());
    for (const [tensor, values] of gradients) {
      const reference = await wanted.read(tensor);
      const largest = reference.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      expect(largest).toBeGreaterThan(0);
      expect(largestDifference(values, reference) / largest, tensor).toBeLessThan(TOLERANCE);
    }
    await wanted.close();
  });
});

it.each(modelNames.filter((name) => name !== "gpt2"))(
  "%s: a config with the keys of Transformers 4 says the same",
  (name) => {
    const shapes = ["config.json", "config.legacy.json"].map((file) => {
      const path = join(modelFolder(name), file);
      const { family, dims, parameters, ropes } = modelFromConfig(JSON.parse(readFileSync(path, "utf8")), path);
      return { family, dims, parameters, ropes };
    });
    expect(shapes[0]).toEqual(shapes[1]);
  },
);

const ropes = (sliding: number, full: number) => ({
  rope_parameters: { sliding_attention: { rope_theta: sliding }, full_attention: { rope_theta: full } },
});
const SLIDING = "sliding_attention";
it.each([
  ["llama", { rope_parameters: { rope_theta: 10_000 } }],
  ["llama", { rms_norm_eps: 1e-2 }],
  ["gemma3", { sliding_window: 9 }],
  ["gemma3", { layer_types: [SLIDING, SLIDING, SLIDING, "full_attention"] }],
  ["gemma3", { query_pre_attn_scalar: 8 }],
  ["gemma3", ropes(100, 100)],
  ["gemma3", ropes(10_000, 100)],
  ["gpt2", { layer_norm_epsilon: 1e-2 }],
  ["gpt2", { activation_function: "gelu" }],
  ["mistral", { sliding_window: 9 }],
  ["olmo", { clip_qkv: 1.6 }],
  ["olmo2", { rope_parameters: { rope_theta: 10_000 } }],
  ["qwen2", { layer_types: [SLIDING, SLIDING, SLIDING] }],
  ["qwen2", { sliding_window: 9 }],
  ["qwen3", { rope_parameters: { rope_theta: 10_000 } }],
  ["gpt-neox", { use_parallel_residual: false }],
  ["gpt-neox", { hidden_act: "gelu_new" }],
  ["gpt-neox", { rope_parameters: { partial_rotary_factor: 0.25 } }],
] as const)("a wrong reading would be noticed: %s with %o", async (name, changes) => {
  const running = await runModel(modelFolder(name), changes);
  const program = await compileLogits(running);
  const row = expectedOf(name).forward.find(({ logits }) => logits !== undefined)!;
  const found = await logitsOf(running, program, row.input_ids);
  expect(largestDifference(found, row.logits!.flat())).toBeGreaterThan(5 * TOLERANCE); // the forms of GELU differ least
  await program[Symbol.asyncDispose]();
});

/** The loss of a step and its gradients, summed over micro-batches. */
async function openTraining(name: ModelName) {
  const { model, device, parameters } = await runModel(modelFolder(name));
  const program = await compileLoss(model, device, { maxPositions: 1000, gradients: true });
  return {
    async step(batches: readonly MicroBatch[]) {
      const totals = new Map<string, Tensor>(model.parameters.map((spec) => [spec.name, device.zeros(spec.shape)]));
      let loss = 0;
      for (const batch of batches) loss += await program.run(parameters, batch, totals);
      const gradients = new Map<string, Float32Array>();
      for (const [parameter, total] of totals) gradients.set(parameter, await device.floats(total));
      const squares = [...gradients.values()].flatMap((values) => Array.from(values, (value) => value ** 2));
      return { loss, gradients, norm: Math.sqrt(squares.reduce((a, b) => a + b, 0)) };
    },
    close: () => program[Symbol.asyncDispose](),
  };
}
