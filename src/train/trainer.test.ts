/** The loop: cut and resumed anywhere it gives the same bits; it stops between steps; it refuses what is no number any more. */
import { describe, expect, it, vi } from "vitest";
import { oneLayerModel } from "../../test/one-layer.js";
import { relativeDifference, rowOf, trainingOf } from "../../test/parity/fixtures.js";
import { runModel } from "../../test/parity/running.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { openSessionCount } from "../runtime/cpu.js";
import { Interrupted, UserError } from "../util/errors.js";
import { freshState, type TrainState } from "./state.js";
import { evaluateLoss, stepsToDo, type TrainOptions, type TrainStep, totalSteps, train } from "./trainer.js";

vi.setConfig({ testTimeout: 240_000 }); // some tests train several times, on whatever machine there is

const directory = oneLayerModel(temporaryFolder());
const { model, device } = await runModel(directory);
const rows = trainingOf("llama-tied").rows.map(rowOf);
const options: TrainOptions = {
  epochs: 2,
  batch: 5,
  learningRate: 1e-3,
  schedule: "cosine",
  warmup: 0.1,
  reduction: "reference",
  adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  seed: 4,
  shuffle: true,
  microTokens: 120,
};
const TOTAL = 6; // 2 × ceil(14 / 5)

const begin = async (): Promise<TrainState> => freshState(model, device, (await runModel(directory)).parameters);

async function run(state: TrainState, changes: Partial<TrainOptions> = {}, signal?: AbortSignal): Promise<TrainStep[]> {
  const found: TrainStep[] = [];
  await train(model, device, rows, { ...options, ...changes }, state, async (step) => void found.push(step), signal);
  return found;
}

async function bitsOf(state: TrainState): Promise<Record<string, Uint32Array>> {
  const bits: Record<string, Uint32Array> = {};
  for (const [name, tensor] of state.parameters)
    bits[name] = new Uint32Array((await device.floats(tensor)).slice().buffer);
  for (const [name, { second }] of state.accumulators)
    bits[`second ${name}`] = new Uint32Array((await device.floats(second)).slice().buffer);
  return bits;
}

const numbersOf = ({ step, loss, gradNorm, learningRate, tokens, supervisedTokens }: TrainStep) => [
  step.index,
  step.epoch,
  loss,
  gradNorm,
  learningRate,
  tokens,
  supervisedTokens,
];

describe("train", () => {
  it("gives the same bits again, and the same bits when it resumes from any step", async () => {
    const whole = await begin();
    const steps = await run(whole);
    expect(steps.map(({ step }) => step.index)).toEqual([0, 1, 2, 3, 4, 5]);
    const wanted = await bitsOf(whole);
    for (const cut of [1, 4]) {
      const state = await begin();
      const first = await run(state, { maxSteps: cut });
      expect(state.step).toBe(cut);
      const rest = await run(state);
      expect([...first, ...rest].map(numbersOf)).toEqual(steps.map(numbersOf));
      expect(await bitsOf(state)).toEqual(wanted);
    }
  });
  it("has the loss fall, counts what it saw, and leaves no session open", async () => {
    const before = openSessionCount();
    const steps = await run(await begin(), { learningRate: 3e-3, epochs: 4 });
    expect(steps.at(-1)!.loss).toBeLessThan(0.7 * steps[0]!.loss);
    const seen = steps.slice(0, 3);
    const count = (pick: (step: TrainStep) => number): number => seen.reduce((sum, step) => sum + pick(step), 0);
    expect(count(({ step }) => step.rows.length)).toBe(rows.length);
    expect(count(({ tokens }) => tokens)).toBe(rows.reduce((sum, row) => sum + row.inputIds.length, 0));
    const supervised = rows.reduce((sum, row) => sum + row.labels.filter((label) => label !== -100).length, 0);
    expect(count(({ supervisedTokens }) => supervisedTokens)).toBe(supervised);
    expect(openSessionCount()).toBe(before);
  });
  it.each(["paper", "reference", "token"] as const)(
    "%s: loss and gradient do not depend on how a step is cut",
    async (reduction) => {
      const [one] = await run(await begin(), { reduction, maxSteps: 1, microTokens: 10_000 });
      for (const microTokens of [1, 40, 97]) {
        const [cut] = await run(await begin(), { reduction, maxSteps: 1, microTokens });
        expect(relativeDifference(cut!.loss, one!.loss)).toBeLessThan(1e-6); // sums in another order, float32
        expect(relativeDifference(cut!.gradNorm, one!.gradNorm)).toBeLessThan(1e-5);
      }
    },
  );
  it("clips the update, not the reported norm", async () => {
    // With ε far above every gradient an update is lr · g / ε: linear in the gradient.
    const linear = { beta1: 0, beta2: 0, epsilon: 1e3 };
    const base = { schedule: "constant", warmup: 0, maxSteps: 1, adam: linear, learningRate: 1e4 } as const;
    const [far, near] = [await begin(), await begin()];
    const [free] = await run(far, base);
    const [clipped] = await run(near, { ...base, clip: free!.gradNorm / 4 });
    expect(clipped!.gradNorm).toBe(free!.gradNorm);
    const name = "model.layers.0.mlp.down_proj.weight";
    const valuesOf = (state: TrainState): Promise<Float32Array> => device.floats(state.parameters.get(name)!);
    const start = await valuesOf(await begin());
    const moved = async (state: TrainState): Promise<number> =>
      (await valuesOf(state)).reduce((sum, value, i) => sum + Math.abs(value - start[i]!), 0);
    expect((await moved(near)) / (await moved(far))).toBeCloseTo(0.25, 3);
  });
  it("stops before the step is complete when it is told to, and stands at the last whole step", async () => {
    const controller = new AbortController();
    const state = await begin();
    const found: number[] = [];
    const stopped = train(
      model,
      device,
      rows,
      options,
      state,
      async ({ step }) => {
        found.push(step.index);
        if (step.index === 2) controller.abort();
      },
      controller.signal,
    );
    await expect(stopped).rejects.toThrow(Interrupted);
    expect([found, state.step]).toEqual([[0, 1, 2], 3]);
  });
  it("refuses to continue from a loss that is NaN or infinite, naming step and remedy", async () => {
    const state = await begin();
    device.fill(state.parameters.get("model.norm.weight")!, Number.NaN);
    const error = await run(state).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).line).toMatch(
      /^the training diverged: step 1: the loss is NaN.*learningRate.*clip: 1$/,
    );
    expect(state.step).toBe(0);
  });
  it("does nothing where all steps are done", async () => {
    const state = await begin();
    state.step = TOTAL;
    const before = await bitsOf(state);
    expect(await run(state)).toEqual([]);
    expect(await bitsOf(state)).toEqual(before);
  });
});

it("counts steps", () => {
  expect(totalSteps(14, options)).toBe(TOTAL);
  expect(stepsToDo(14, { ...options, maxSteps: 4 })).toBe(4);
  expect(stepsToDo(14, { ...options, maxSteps: 40 })).toBe(TOTAL);
});

it("evaluates the loss that training starts from", async () => {
  const state = await begin();
  const [first] = await run(await begin(), { batch: rows.length, maxSteps: 1, reduction: "token" });
  const how = { reduction: "token", microTokens: 120 } as const;
  const loss = await evaluateLoss(model, device, rows, state.parameters, how);
  expect(relativeDifference(loss, first!.loss)).toBeLessThan(1e-6);
  const stopped = AbortSignal.abort();
  await expect(evaluateLoss(model, device, rows, state.parameters, { ...how, signal: stopped })).rejects.toThrow(
    Interrupted,
  );
});
