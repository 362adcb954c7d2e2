/**
 * Tuning on the embedded engine: a model directory and rows in, a model directory out, checkpoints in between.
 * May not know: data sets, templates, the command line.
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import type { ModelRef } from "../engine/opened.js";
import { refuseTooLarge } from "../engine/refusals.js";
import type { StepMetrics, Training, TuneRun, TuneSummary } from "../engine/tuning.js";
import type { ModelFolder } from "../model-files/open.js";
import { epochFolder, writeModel, writeModelDirectory } from "../model-files/write.js";
import { type OpenModel, parameterCount, readParameters } from "../models/open.js";
import { type Rows, representatives } from "../records/row.js";
import type { Device } from "../runtime/device.js";
import { stepsPerEpoch } from "../train/batches.js";
import {
  CHECKPOINT_BYTES_PER_PARAMETER,
  freshState,
  loadCheckpoint,
  saveCheckpoint,
  type TrainState,
} from "../train/state.js";
import { diverged, evaluateLoss, stepsToDo, type TrainStep, train } from "../train/trainer.js";
import { Interrupted, UserError } from "../util/errors.js";
import { availableMemory, freeDisk } from "../util/system.js";
import { option, words } from "../util/words.js";
import { planUse } from "./plan.js";
import { heldDisk, refuseForeignEpochs, refuseForeignRows, refuseFullDisk, refusingForeign } from "./tune-checks.js";

const MOST_SECONDS = 600;
const FEWEST_SECONDS = 10;
/** 0.5 % of the time goes into checkpoints on a disk that takes 500 MB a second. */
const BYTES_PER_SECOND = 2.5e6;

/** Seconds between checkpoints: a run that is killed loses at most this much work, or one step where that takes longer. */
export const checkpointSeconds = (parameters: number): number =>
  Math.min(MOST_SECONDS, Math.max(FEWEST_SECONDS, (CHECKPOINT_BYTES_PER_PARAMETER * parameters) / BYTES_PER_SECOND));

/** A model that is to be tuned. */
export interface Source {
  readonly ref: ModelRef;
  readonly folder: Pick<ModelFolder, "directory">;
  readonly opened: OpenModel;
  readonly device: Device;
}

/**
 * @throws UserError    rows that do not go with the model, a run that does not fit, another run's checkpoint, a loss that is NaN or infinite
 * @throws Interrupted  `run.signal` was aborted; a checkpoint of the last whole step has been kept
 */
export async function tuneModel(
  { ref, folder, opened, device }: Source,
  rows: Rows,
  options: Training,
  run: TuneRun,
): Promise<TuneSummary> {
  const { model } = opened;
  refuseForeignRows(model, [...representatives(rows, options.batch), ...(run.heldOut ?? [])], ref);
  const work = { rows, options, heldOut: run.heldOut ?? [] };
  const freeBytes = run.free?.memory ?? availableMemory().free;
  refuseTooLarge({ ref }, planUse(model, { for: "tuning", work }, { precision: "f32", threads: 1, freeBytes }));
  const freeOnDisk = run.free?.disk ?? (await freeDisk(run.out)) + (await heldDisk(run, options));
  refuseFullDisk(model, options, freeOnDisk);
  if (options.saveEveryEpoch) await refuseForeignEpochs(run.out, options.epochs); // before hours of training
  const state = await firstState(opened, device, run);
  const total = stepsToDo(rows.length, options);
  if (state.step > total) {
    throw new UserError(`${state.step} steps are done already, more than the ${total} asked for`, {
      remedy: words`raise ${option("maxSteps")}, or pass ${option("force")} to train from the start`,
    });
  }
  await run.onStart?.({ resumedAt: state.step, total });
  return tuneFrom(state, {
    ...{ directory: folder.directory, opened, device, options, run, total },
    rows: refusingForeign(model, rows, ref),
  });
}

async function firstState(opened: OpenModel, device: Device, run: TuneRun): Promise<TrainState> {
  const loaded = run.resume ? await loadCheckpoint(run.checkpoints, opened.model, device, run.fingerprint) : undefined;
  return loaded ?? freshState(opened.model, device, await readParameters(opened, device));
}

interface Tuning {
  readonly directory: string;
  readonly opened: OpenModel;
  readonly device: Device;
  readonly rows: Rows;
  readonly options: Training;
  readonly run: TuneRun;
  /** Steps to do, those before a resumption included. */
  readonly total: number;
}

async function tuneFrom(state: TrainState, tuning: Tuning): Promise<TuneSummary> {
  const { directory, opened, device, rows, options, run, total } = tuning;
  const tuned = { device, parameters: state.parameters, dtype: run.dtype };
  const checkpoints = checkpointsOf(state, device, run, checkpointSeconds(parameterCount(opened.model)));
  const perEpoch = stepsPerEpoch(rows.length, options.batch);
  /** What is due between two epochs. Also done where a run resumes from there: it may have been stopped before. */
  const betweenEpochs = async (): Promise<void> => {
    const [epoch, whole] = [Math.ceil(state.step / perEpoch), state.step % perEpoch === 0];
    if (!whole && state.step !== total) return;
    await measureHeldOut(state, epoch, tuning);
    if (whole && epoch > 0 && options.saveEveryEpoch) {
      for await (const _ of finiteValues(state, device)); // refuses to write a model of NaN
      await writeModelDirectory(directory, opened, tuned, join(run.out, epochFolder(epoch)));
    }
  };
  const afterStep = async (result: TrainStep): Promise<void> => {
    await run.onStep?.(metricsOf(result), { total });
    if (state.step !== total && (result.step.endsEpoch || checkpoints.due())) await checkpoints.save();
    await betweenEpochs();
  };
  try {
    await betweenEpochs();
    await train(opened.model, device, rows, options, state, afterStep, run.signal);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    await checkpoints.save();
    throw new Interrupted(
      state.step === 0
        ? "before the first step was complete"
        : `after step ${state.step} of ${total}; give the same command again to resume`,
    );
  }
  const weightsHash = await hashState(state, device);
  await writeModel(directory, opened, tuned, run.out);
  return { steps: state.step, weightsHash };
}

/** When a checkpoint is due, and the writing of one. */
function checkpointsOf(state: TrainState, device: Device, run: TuneRun, seconds: number) {
  let [savedAt, savedStep] = [performance.now(), state.step];
  return {
    due: (): boolean =>
      performance.now() - savedAt > seconds * 1000 ||
      (run.checkpointEvery !== undefined && state.step % run.checkpointEvery === 0),
    async save(): Promise<void> {
      if (state.step === savedStep) return;
      await saveCheckpoint(run.checkpoints, state, device, run.fingerprint);
      [savedAt, savedStep] = [performance.now(), state.step];
    },
  };
}

/** Mean NLL per token of the rows held out, before training (epoch 0) and after each epoch. */
async function measureHeldOut(
  state: TrainState,
  epoch: number,
  { opened, device, options, run }: Tuning,
): Promise<void> {
  if (run.heldOut === undefined || run.heldOut.length === 0) return;
  const loss = await evaluateLoss(opened.model, device, run.heldOut, state.parameters, {
    reduction: "token",
    microTokens: options.microTokens,
    ...(run.signal === undefined ? {} : { signal: run.signal }),
  });
  if (!Number.isFinite(loss)) throw diverged(`after step ${state.step} the loss of the rows held out is ${loss}`);
  await run.onHeldOut?.({ step: state.step, epoch, loss });
}

function metricsOf({ step, ...result }: TrainStep): StepMetrics {
  return { step: step.index, epoch: step.epoch, examples: step.rows.length, ...result };
}

/**
 * Names and values of all parameters.
 * @throws UserError  a value is NaN or infinite: the last update went too far, and no loss was computed after it
 */
async function* finiteValues(state: TrainState, device: Device) {
  for (const [name, tensor] of state.parameters) {
    const values = await device.floats(tensor);
    const bad = values.find((value) => !Number.isFinite(value));
    if (bad !== undefined) throw diverged(`after step ${state.step} a value of ${name} is ${bad}`);
    yield [name, values] as const;
  }
}

/** sha256 over names and values of all parameters, which are finite. */
async function hashState(state: TrainState, device: Device): Promise<string> {
  const hash = createHash("sha256");
  for await (const [name, values] of finiteValues(state, device)) {
    hash.update(name).update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest("hex");
}
