/** Tacit as a peer of train.mjs and epoch.mjs: what `tacit tune` does in a step; "go" in, one step's seconds out. */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { openModel, readParameters } from "../../dist/models/open.js";
import { createCpuDevice } from "../../dist/runtime/cpu.js";
import { gradientNorm, updateByAdam } from "../../dist/train/adam.js";
import { microBatches } from "../../dist/train/batches.js";
import { compileLoss } from "../../dist/train/loss-program.js";
import { freshState, gradientsOf } from "../../dist/train/state.js";
import { largestMicroBatch } from "../../dist/train/trainer.js";
import { packageVersion, peakMemory } from "../../dist/util/system.js";

const text = { type: "string" };
const { values } = parseArgs({ options: { model: text, work: text, threads: text, recompute: { type: "boolean" } } });
const { rows, microTokens, learningRate } = JSON.parse(readFileSync(values.work, "utf8"));
const device = createCpuDevice(Number(values.threads));
const opened = await openModel(values.model);
const { model } = opened;
const state = freshState(model, device, await readParameters(opened, device));
await opened.weights.close();
const totals = gradientsOf(state.accumulators);

const loss = await compileLoss(model, device, {
  maxPositions: largestMicroBatch(rows, microTokens),
  gradients: true,
  recompute: values.recompute ?? false,
});
const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

async function once() {
  const started = performance.now();
  for (const total of totals.values()) device.fill(total, 0);
  let value = 0;
  for (const batch of microBatches(rows, { reduction: "token", microTokens })) {
    value += await loss.run(state.parameters, batch, totals);
  }
  const norm = await gradientNorm(device, state.accumulators);
  state.step += 1;
  const at = { step: state.step, learningRate, gradientScale: 1 };
  await updateByAdam(device, adam, state.parameters, state.accumulators, at);
  const peak = peakMemory();
  return { seconds: (performance.now() - started) / 1000, loss: value, norm, peak };
}

process.stdout.write(
  `${JSON.stringify({ peer: `Tacit ${packageVersion()}${values.recompute ? ", --recompute" : ""}` })}\n`,
);
for await (const _ of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(await once())}\n`);
await loss[Symbol.asyncDispose]();
