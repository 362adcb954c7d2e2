/**
 * The training loop: full fine-tuning with Adam, micro-batches summed into running totals on the device.
 * May not know: files of models, templates, decoding.
 */
import type { Training } from "../engine/tuning.js";
import type { Model } from "../models/model.js";
import { type Row, type Rows, representatives } from "../records/row.js";
import type { Device, Tensor } from "../runtime/device.js";
import { Interrupted, UserError } from "../util/errors.js";
import { option, words } from "../util/words.js";
import { gradientNorm, updateByAdam } from "./adam.js";
import { type MicroBatch, microBatches, type Step, steps, stepsPerEpoch, supervisedPositions } from "./batches.js";
import { compileLoss, type LossProgram } from "./loss-program.js";
import { rateFactor } from "./schedule.js";
import { gradientsOf, type TrainState } from "./state.js";

export type TrainOptions = Omit<Training, "saveEveryEpoch">;

export interface TrainStep {
  readonly step: Step;
  /** The reduced loss of this step's batch before its update. */
  readonly loss: number;
  readonly learningRate: number;
  readonly gradNorm: number;
  readonly tokens: number;
  readonly supervisedTokens: number;
  readonly seconds: number;
}

export const totalSteps = (rows: number, options: Pick<TrainOptions, "epochs" | "batch">): number =>
  options.epochs * stepsPerEpoch(rows, options.batch);

/** Steps that will be done: `maxSteps` can end a run before its schedule does. */
export const stepsToDo = (rows: number, options: Pick<TrainOptions, "epochs" | "batch" | "maxSteps">): number =>
  Math.min(totalSteps(rows, options), options.maxSteps ?? Number.POSITIVE_INFINITY);

/**
 * Trains `state` in place from where it stands.
 *
 * @param afterStep told of every finished step, awaited before the next begins: checkpoints are written there
 * @throws UserError    the loss is no longer a number
 * @throws Interrupted  `signal` was aborted; the state is that after the last whole step
 */
export async function train(
  model: Model,
  device: Device,
  rows: Rows,
  options: TrainOptions,
  state: TrainState,
  afterStep: (result: TrainStep) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const end = stepsToDo(rows.length, options);
  if (state.step >= end) return;
  const schedule = { ...options, totalSteps: totalSteps(rows.length, options) };
  const maxPositions = largestMicroBatch(representatives(rows, options.batch), options.microTokens);
  await using loss = await compileLoss(model, device, {
    maxPositions,
    gradients: true,
    recompute: options.recompute ?? false,
  });
  const totals = gradientsOf(state.accumulators);
  for (const step of steps(rows, options, state.step)) {
    if (step.index >= end) return;
    const started = performance.now();
    for (const tensor of totals.values()) device.fill(tensor, 0);
    const batches = microBatches(step.rows, options);
    const summed = await sumBatches(loss, state.parameters, batches, totals, signal);
    const gradNorm = await gradientNorm(device, state.accumulators);
    refuseDivergence(summed, gradNorm, step.index);
    const learningRate = options.learningRate * rateFactor(step.index, schedule);
    await updateByAdam(device, options.adam, state.parameters, state.accumulators, {
      step: step.index + 1,
      learningRate,
      gradientScale: clipScale(gradNorm, options.clip),
    });
    state.step = step.index + 1;
    await afterStep({
      step,
      loss: summed,
      learningRate,
      gradNorm,
      tokens: step.rows.reduce((sum, row) => sum + row.inputIds.length, 0),
      supervisedTokens: batches.reduce((sum, { positions }) => sum + positions.length, 0),
      seconds: (performance.now() - started) / 1000,
    });
  }
}

/** The sum of the batches' losses; where there are totals, the gradients are added onto them. */
async function sumBatches(
  program: LossProgram,
  parameters: ReadonlyMap<string, Tensor>,
  batches: readonly MicroBatch[],
  totals?: ReadonlyMap<string, Tensor>,
  signal?: AbortSignal,
): Promise<number> {
  let loss = 0;
  for (const batch of batches) {
    await eventLoopTurn();
    if (signal?.aborted === true) throw new Interrupted("stopped before the step was complete");
    loss += await program.run(parameters, batch, totals);
  }
  return loss;
}

/** Programs run on this thread; a signal is only seen when the event loop gets a turn. */
const eventLoopTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** As `torch.nn.utils.clip_grad_norm_`, which adds 1e-6 to the norm. */
const clipScale = (norm: number, clip: number | undefined): number =>
  clip === undefined ? 1 : Math.min(1, clip / (norm + 1e-6));

function refuseDivergence(loss: number, gradNorm: number, step: number): void {
  if (Number.isFinite(loss) && Number.isFinite(gradNorm)) return;
  throw diverged(`step ${step + 1}: the loss is ${loss}, the norm of its gradient ${gradNorm}`);
}

/** Training that diverged: nothing can be resumed from here. */
export const diverged = (what: string): UserError =>
  new UserError(`the training diverged: ${what}`, {
    remedy: words`start again with a smaller ${option("learningRate")}, or with ${option("clip", 1)}`,
  });

/** Supervised positions that one micro-batch can have. */
export function largestMicroBatch(rows: readonly Row[], microTokens: number): number {
  const longest = rows.reduce((most, row) => Math.max(most, supervisedPositions(row).length), 1);
  return Math.max(longest, microTokens);
}

/**
 * The reduced loss of `rows` as one batch, without a gradient.
 * @throws Interrupted  `options.signal` was aborted
 */
export async function evaluateLoss(
  model: Model,
  device: Device,
  rows: readonly Row[],
  parameters: ReadonlyMap<string, Tensor>,
  options: Pick<TrainOptions, "reduction" | "microTokens"> & { readonly signal?: AbortSignal },
): Promise<number> {
  const maxPositions = largestMicroBatch(rows, options.microTokens);
  await using program = await compileLoss(model, device, { maxPositions, gradients: false });
  const batches = microBatches(rows, options);
  return await sumBatches(program, parameters, batches, undefined, options.signal);
}
