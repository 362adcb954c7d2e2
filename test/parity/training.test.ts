/**
 * Twelve steps of Adam against PyTorch, with Transformers' schedules, for every reduction.
 * Tolerance: the reference in float32 and in float64 agrees to 2e-5 (its script refuses otherwise); 2e-4 is what the project promises.
 */
import { describe, expect, it } from "vitest";
import { freshState } from "../../src/train/state.js";
import { type TrainStep, train } from "../../src/train/trainer.js";
import {
  type ModelName,
  modelFolder,
  modelNames,
  relativeDifference,
  rowOf,
  type Training,
  trainingOf,
} from "./fixtures.js";
import { runModel } from "./running.js";

const TOLERANCE = 2e-4;

describe.each(modelNames)("%s", (name) => {
  const training = trainingOf(name);

  it.each(training.runs)("$reduction, $schedule, clip $clip: losses, rates and norms of the reference", async (run) => {
    const { found, parameters, heads } = await trained(name, training, run);
    expect(found.length).toBe(run.steps.length);
    run.steps.forEach((wanted, i) => {
      expect(relativeDifference(found[i]!.loss, wanted.loss), `loss of step ${i}`).toBeLessThan(TOLERANCE);
      expect(relativeDifference(found[i]!.learningRate, wanted.lr), `rate of step ${i}`).toBeLessThan(TOLERANCE);
      expect(relativeDifference(found[i]!.gradNorm, wanted.grad_norm), `norm of step ${i}`).toBeLessThan(TOLERANCE);
    });
    expect([...parameters.keys()].sort()).toEqual(Object.keys(run.parameters).sort());
    for (const [tensor, all] of parameters) {
      const values = withoutKeyBias(tensor, all, heads);
      const wanted = run.parameters[tensor]!;
      const sum = values.reduce((a, b) => a + b, 0);
      const magnitude = values.reduce((a, b) => a + Math.abs(b), 0);
      // Sums cancel, so their error is measured against the sum of magnitudes.
      expect(Math.abs(magnitude - wanted.abs_sum) / wanted.abs_sum, tensor).toBeLessThan(TOLERANCE);
      expect(Math.abs(sum - wanted.sum) / wanted.abs_sum, tensor).toBeLessThan(TOLERANCE);
    }
  });
});

/**
 * The gradient of key biases is 0 but for rounding, which Adam divides by ε: there is no result to agree on. In GPT-2 they are the
 * middle third, in GPT-NeoX (where it holds of the dimensions that are not turned) the middle third of each head.
 */
function withoutKeyBias(tensor: string, values: Float32Array, heads: number): Float32Array {
  const joint = tensor.endsWith("attn.c_attn.bias") ? 1 : tensor.endsWith("query_key_value.bias") ? heads : 0;
  if (joint === 0) return values;
  const third = values.length / joint / 3;
  return values.filter((_, i) => Math.floor(i / third) % 3 !== 1);
}

/** The package's own loop: what is compared is what `tacit tune` runs. */
async function trained(name: ModelName, { options, rows }: Training, run: Training["runs"][number]) {
  const { model, device, parameters } = await runModel(modelFolder(name));
  const { batch, epochs, lr, beta1, beta2, epsilon } = options;
  const found: TrainStep[] = [];
  await train(
    model,
    device,
    rows.map(rowOf),
    {
      ...{ batch, epochs, learningRate: lr, adam: { beta1, beta2, epsilon } },
      ...{ schedule: run.schedule, warmup: run.warmup, reduction: run.reduction },
      ...(run.clip === null ? {} : { clip: run.clip }),
      ...{ seed: 0, shuffle: false, microTokens: 100 },
    },
    freshState(model, device, parameters),
    async (step) => void found.push(step),
  );
  const values = new Map<string, Float32Array>();
  for (const [parameter, tensor] of parameters) values.set(parameter, await device.floats(tensor));
  return { found, parameters: values, heads: model.dims.heads };
}
