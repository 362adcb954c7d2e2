/**
 * What tuning is asked and what it answers.
 * May not know: how anything is computed, data sets, templates.
 */
import type { Row } from "../records/row.js";

export interface Training {
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly schedule: "cosine" | "linear" | "constant";
  /** Share of all steps spent warming up. */
  readonly warmup: number;
  readonly reduction: "paper" | "reference" | "token";
  readonly adam: { readonly beta1: number; readonly beta2: number; readonly epsilon: number };
  /** Largest norm of the whole gradient; absent: no clipping. */
  readonly clip?: number;
  readonly seed: number;
  readonly shuffle: boolean;
  /** Stop after this many steps; the schedule is still that of the whole run. */
  readonly maxSteps?: number;
  /** Tokens (padding included) computed at once. */
  readonly microTokens: number;
  /** Keep only the input of each layer for the backward pass, and make the rest again: less memory, more time, the same values. */
  readonly recompute?: boolean;
  readonly saveEveryEpoch: boolean;
}

/**
 * What tuning holds of every parameter: itself, the running total of its gradient, and Adam's two moments. Activations come on top.
 */
export const TUNING_FLOATS_PER_PARAMETER = { weights: 1, gradients: 1, adam: 2 } as const;

/** The same in bytes; all are float32. */
export const TUNING_BYTES_PER_PARAMETER =
  Float32Array.BYTES_PER_ELEMENT *
  Object.values(TUNING_FLOATS_PER_PARAMETER).reduce((sum: number, floats) => sum + floats, 0);

export interface StepMetrics {
  /** From 0, as the schedule counts. */
  readonly step: number;
  /** From 0. */
  readonly epoch: number;
  /** The reduced loss of this step's batch before its update. */
  readonly loss: number;
  readonly learningRate: number;
  readonly gradNorm: number;
  readonly examples: number;
  readonly tokens: number;
  readonly supervisedTokens: number;
  readonly seconds: number;
}

/** Where a tuning run writes and how it is watched and stopped. */
export interface TuneRun {
  /** The model directory to make. Nothing is written there before `onStart` has returned. */
  readonly out: string;
  /** Folder for the engine's own state; it is removed by the caller when the result is recorded. */
  readonly checkpoints: string;
  /** Steps between checkpoints, besides those that the engine makes anyway (every epoch, at least every ten minutes, when interrupted). */
  readonly checkpointEvery?: number;
  /** Resume from the newest checkpoint, where there is one. */
  readonly resume: boolean;
  /** Hash of all that determines the result: a checkpoint under another one is refused. */
  readonly fingerprint: string;
  /** How weights are written; default: as they were read. */
  readonly dtype?: "F32" | "F16" | "BF16";
  /** Bytes that the run may take; default: what this machine has free. */
  readonly free?: { readonly memory: number; readonly disk: number };
  readonly onStart?: (plan: { readonly resumedAt: number; readonly total: number }) => Promise<void>;
  /** Awaited: when it has returned, the step may become part of a checkpoint. */
  readonly onStep?: (metrics: StepMetrics, progress: { readonly total: number }) => Promise<void>;
  /** Rows that are not trained on; their mean NLL per token is measured before the first step and after every epoch. */
  readonly heldOut?: readonly Row[];
  readonly onHeldOut?: (measured: {
    readonly step: number;
    readonly epoch: number;
    readonly loss: number;
  }) => Promise<void>;
  readonly signal?: AbortSignal;
}

export interface TuneSummary {
  readonly steps: number;
  /** Hash over the names and values of all parameters after the last step. */
  readonly weightsHash: string;
}
