/**
 * Tuning on the embedded engine: a model directory and rows in, a model directory out, checkpoints in between.
 * May not know: data sets, templates, the command line.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Model } from "../models/model.js";
import { type OpenModel, openModel, readParameters } from "../models/open.js";
import type { Row } from "../records/row.js";
import { createCpuDevice } from "../runtime/cpu.js";
import type { Device, Tensor } from "../runtime/device.js";
import { estimateMemory } from "../train/memory.js";
import { freshState, loadCheckpoint, saveCheckpoint, type TrainState } from "../train/state.js";
import { evaluateLoss, stepsToDo, type TrainStep, train } from "../train/trainer.js";
import { Interrupted, present, UserError } from "../util/errors.js";
import { formatBytes } from "../util/progress.js";
import { availableMemory } from "../util/system.js";
import { writeModelWeights } from "../weights/safetensors-write.js";
import type { WeightDtype } from "../weights/weight-store.js";
import type { StepMetrics, TuneOptions, TuneRun, TuneSummary } from "./engine.js";

const CHECKPOINTS = "checkpoints";
/** What a model directory has besides config and weights; copied as it is. */
const COMPANIONS = ["generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"];
/** A run that is killed loses at most this much work, or one step where that takes longer. */
const CHECKPOINT_SECONDS = 600;

export async function tuneEmbedded(
  directory: string,
  rows: readonly Row[],
  options: TuneOptions,
  run: TuneRun,
): Promise<TuneSummary> {
  const device = createCpuDevice(run.threads);
  const opened = await openModel(directory);
  try {
    refuseForeignIds(opened.model, rows, directory);
    const longest = rows.reduce((most, { inputIds }) => Math.max(most, inputIds.length - 1), 1);
    if (longest > opened.model.dims.maxPositions) {
      throw new UserError(`a row has ${longest + 1} ids; the model has ${opened.model.dims.maxPositions} positions`, {
        remedy: `pass --max-length ${opened.model.dims.maxPositions}`,
      });
    }
    refuseWhatDoesNotFit(opened.model, longest, options.microTokens);
    await mkdir(run.out, { recursive: true });
    return await tuneOpen(directory, opened, device, rows, options, run);
  } finally {
    await opened.weights.close();
  }
}

async function tuneOpen(
  directory: string,
  opened: OpenModel,
  device: Device,
  rows: readonly Row[],
  options: TuneOptions,
  run: TuneRun,
): Promise<TuneSummary> {
  const { model } = opened;
  const folder = join(run.out, CHECKPOINTS);
  if (!run.resume) await rm(folder, { recursive: true, force: true });
  const loaded = await loadCheckpoint(folder, model, device, run.fingerprint);
  const state = loaded ?? freshState(model, device, await readParameters(opened, device));
  const total = stepsToDo(rows.length, options);
  await run.onStart?.({ resumedAt: state.step, total });
  const write = (out: string): Promise<void> => writeModel(directory, out, opened, state.parameters, device, run.dtype);
  const save = (): Promise<void> => saveCheckpoint(folder, state, device, run.fingerprint);
  let [finalLoss, savedAt, saved] = [Number.NaN, performance.now(), state.step];
  const measure = async (epoch: number): Promise<void> => {
    if (run.heldOut === undefined || run.heldOut.length === 0) return;
    const how = { reduction: "token", microTokens: options.microTokens } as const;
    const loss = await evaluateLoss(model, device, run.heldOut, state.parameters, how);
    await run.onHeldOut?.({ step: state.step, epoch, loss });
  };
  if (state.step === 0) await measure(0);
  const afterStep = async (result: TrainStep): Promise<void> => {
    finalLoss = result.loss;
    await run.onStep?.(metricsOf(result), { total });
    const last = state.step === total;
    if (result.step.endsEpoch || last) await measure(result.step.epoch + 1);
    if (result.step.endsEpoch && options.saveEveryEpoch) await write(join(run.out, `epoch-${result.step.epoch + 1}`));
    const due = result.step.endsEpoch || performance.now() - savedAt > CHECKPOINT_SECONDS * 1000;
    if (last || !due) return;
    await save();
    [savedAt, saved] = [performance.now(), state.step];
  };
  try {
    await train(model, device, rows, options, state, afterStep, run.signal);
  } catch (error) {
    if (error instanceof Interrupted && state.step > saved) await save();
    throw error;
  }
  await write(run.out);
  await rm(folder, { recursive: true, force: true });
  return { steps: state.step, finalLoss, weightsHash: await hashState(state, device) };
}

function metricsOf({ step, ...result }: TrainStep): StepMetrics {
  return { step: step.index, epoch: step.epoch, examples: step.rows.length, ...result };
}

/** A model directory that Transformers loads: what was read, with the tuned values in place of the old ones. */
async function writeModel(
  source: string,
  out: string,
  { model, weights, storedNames }: OpenModel,
  parameters: ReadonlyMap<string, Tensor>,
  device: Device,
  dtype: WeightDtype | undefined,
): Promise<void> {
  await mkdir(out, { recursive: true });
  for (const name of ["config.json", ...COMPANIONS]) {
    if (existsSync(join(source, name))) await copyFile(join(source, name), join(out, name));
  }
  const tensors = model.parameters.map(({ name, shape }) => {
    const stored = present(storedNames.get(name), name);
    return {
      name: stored,
      shape,
      dtype: dtype ?? writable(weights.tensors.get(stored)?.dtype),
      values: () => device.floats(present(parameters.get(name), name)),
    };
  });
  await writeModelWeights(out, tensors, { dtype: dtype ?? "F32" });
}

const writable = (dtype: string | undefined): WeightDtype => (dtype === "F16" || dtype === "BF16" ? dtype : "F32");

function refuseForeignIds(model: Model, rows: readonly Row[], directory: string): void {
  const { vocabSize } = model.dims;
  for (const row of rows) {
    const foreign = row.inputIds.find((id) => id >= vocabSize);
    if (foreign === undefined) continue;
    throw new UserError(`row ${row.id} has id ${foreign}; the model has ${vocabSize} entries`, {
      remedy: `render with the tokenizer of ${directory}`,
    });
  }
}

/** Says before anything starts whether it can end, and what could. */
function refuseWhatDoesNotFit(model: Model, longest: number, microTokens: number): void {
  const { free } = availableMemory();
  const needs = (tokens: number) => estimateMemory(model, Math.max(1, Math.floor(tokens / longest)), longest);
  const need = needs(microTokens);
  if (need.total <= free) return;
  const parts = `weights ${formatBytes(need.weights)}, gradients ${formatBytes(need.gradients)}, Adam ${formatBytes(need.adam)}, activations ${formatBytes(need.activations)}`;
  const smaller = [1024, 512, 256].find((tokens) => tokens < microTokens && needs(tokens).total <= free);
  throw new UserError(`tuning needs about ${formatBytes(need.total)} (${parts}); ${formatBytes(free)} are free`, {
    remedy:
      smaller === undefined
        ? "take a smaller model or shorter rows (--max-length)"
        : `pass --micro-tokens ${smaller}, which needs about ${formatBytes(needs(smaller).total)}`,
  });
}

/** sha256 over names and values of all parameters. */
async function hashState(state: TrainState, device: Device): Promise<string> {
  const hash = createHash("sha256");
  for (const [name, tensor] of state.parameters) {
    const values = await device.floats(tensor);
    hash.update(name).update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest("hex");
}
