/** How fast is a training step? Loss and gradients alone, and with Adam; random weights and ids, half of the tokens supervised. */
import { createCpuDevice } from "../dist/runtime/cpu.js";
import { gradientNorm, updateByAdam } from "../dist/train/adam.js";
import { microBatches } from "../dist/train/batches.js";
import { compileLoss } from "../dist/train/loss-program.js";
import { freshState, gradientsOf } from "../dist/train/state.js";
import { largestMicroBatch } from "../dist/train/trainer.js";
import { besidePeak, median, repeat, result, seconds } from "./measure.mjs";
import { halfSupervisedRows, modelOfShape, randomValues, shapes, trainingOperations } from "./shapes.mjs";
import { openTrial } from "./trial.mjs";

const jobs = [
  { shape: "134.5M", rows: 2, time: 512 },
  { shape: "5.9M", rows: 32, time: 256 },
];
const quickJobs = [{ shape: "0.1M", rows: 2, time: 32 }];

export async function benchTrain(options) {
  const trial = options.trial === undefined ? undefined : openTrial(options.trial);
  const results = [];
  try {
    if (trial === undefined) options.note("train: without another implementation's step (--trial DIR adds it)");
    for (const job of options.quick ? quickJobs : jobs) {
      const full = { ...job, supervised: (job.rows * job.time) / 2 };
      results.push(...(await benchStep(full, options)));
      if (trial !== undefined) results.push(await benchTrial(full, trial, results.at(-2), options));
    }
  } finally {
    trial?.close();
  }
  return results;
}

const titleOf = ({ shape, rows, time }) => `train ${shape}, ${rows} × ${time}`;

async function benchStep(job, options) {
  options.note(`${titleOf(job)} (steps: ${options.runs})`);
  const model = modelOfShape(job.shape);
  const { value: steps, peak } = await besidePeak(options, () => timeSteps(model, job, options));
  const shared = { unit: "tokens/s", amount: job.rows * job.time, operations: trainingOperations(model, job), peak };
  const times = { gradients: steps.map(({ gradients }) => gradients), whole: steps.map((s) => s.gradients + s.adam) };
  return [
    result({ ...shared, work: `${titleOf(job)}: loss and gradients`, times: times.gradients }),
    result({ ...shared, work: `${titleOf(job)}: whole step, with Adam`, times: times.whole }),
  ];
}

/**
 * What `tacit tune` does in a step, in its two parts, in seconds.
 *
 * @param job.microTokens  positions computed at once, default: all
 */
export async function timeSteps(model, job, { threads, runs }) {
  const { microTokens = job.rows * job.time, recompute = false } = job;
  const device = createCpuDevice(threads);
  const rows = halfSupervisedRows(job, model.dims.vocabSize);
  const batches = microBatches(rows, { reduction: "token", microTokens });
  const supervised = batches.reduce((sum, { positions }) => sum + positions.length, 0);
  if (supervised !== job.supervised) throw new Error("internal: not the step wanted");
  const parameters = new Map(model.parameters.map((p) => [p.name, device.fromFloats(randomValues(p), p.shape)]));
  const { accumulators } = freshState(model, device, parameters);
  const totals = gradientsOf(accumulators);
  const loss = await compileLoss(model, device, {
    maxPositions: largestMicroBatch(rows, microTokens),
    gradients: true,
    recompute,
  });
  const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
  let step = 0;
  const gradientsOnce = async () => {
    for (const total of totals.values()) device.fill(total, 0);
    for (const batch of batches) {
      const value = await loss.run(parameters, batch, totals);
      if (!Number.isFinite(value)) throw new Error(`internal: the loss is ${value}`);
    }
  };
  const adamOnce = async () => {
    await gradientNorm(device, accumulators);
    const at = { step: ++step, learningRate: 1e-5, gradientScale: 1 };
    await updateByAdam(device, adam, parameters, accumulators, at);
  };
  try {
    return await repeat(runs, async () => ({ gradients: await seconds(gradientsOnce), adam: await seconds(adamOnce) }));
  } finally {
    await loss[Symbol.asyncDispose]();
  }
}

async function benchTrial(job, trial, ours, options) {
  const work = `${titleOf(job)}: loss and gradients, the trial`;
  options.note(work);
  const model = modelOfShape(job.shape);
  const { value: times, peak } = await besidePeak(options, () => trial.time(shapes[job.shape], job, options));
  const operations = trainingOperations(model, job);
  const row = result({ work, unit: "tokens/s", amount: job.rows * job.time, times, operations, peak });
  const speedup = median(times) / ours.seconds;
  return { ...row, note: `${titleOf(job)}: ${speedup.toFixed(2)} times the speed of the trial`, speedup };
}
