/**
 * What `rank`, `judge`, `similarity`, `steps` and `study` know of whatever runs a model. Everything goes in and comes out
 * as token ids: text, templates and masks were settled before (`text/render.ts`).
 *
 * An engine declares what it can do and refuses the rest up front, with the reason; it never ignores an option.
 */
import type { Precision } from "../decode/body.js";
import type {
  Decoded,
  DecodeOptions,
  PromptRequest,
  Scored,
  ScoredRequest,
  ScoringOptions,
} from "../decode/requests.js";
import type { Pooling } from "../models/encoders/open.js";
import type { Row, Rows } from "../records/row.js";

export type { Precision } from "../decode/body.js";
export type {
  Decoded as GenerateResult,
  DecodeOptions as GenerateOptions,
  PromptRequest as GenerateRequest,
  Scored as ScoreResult,
  ScoredRequest as ScoreRequest,
  ScoringOptions as ScoreOptions,
  TracedToken as TraceStep,
} from "../decode/requests.js";

export type { Pooling } from "../models/encoders/open.js";

export interface Capabilities {
  readonly tune: boolean;
  readonly generate: boolean;
  /** Log-probabilities of given response ids. */
  readonly score: boolean;
  /** Vectors of whole texts, from an encoder's directory. */
  readonly embed: boolean;
  /** Arbitrary per-step changes of the logits, EOS included. */
  readonly logitRules: boolean;
  readonly precisions: readonly Precision[];
}

export interface TuneOptions {
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
  readonly maxSteps?: number;
  /** Tokens (padding included) computed at once. */
  readonly microTokens: number;
  /** Keep only the input of each layer for the backward pass, and make the rest again: less memory, more time, the same values. */
  readonly recompute?: boolean;
  readonly saveEveryEpoch: boolean;
}

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

/** A model held in memory by an engine. `test/engine-contract.ts` holds what must hold. */
export interface LoadedModel {
  readonly capabilities: Capabilities;
  /** Prompt and response together; undefined where the engine cannot say. */
  readonly maxPositions: number | undefined;
  /** One result a request, in any order. Stops with the signal's reason. */
  generate(requests: readonly PromptRequest[], options: DecodeOptions): AsyncIterable<Decoded>;
  /** As `generate`. Requests that follow each other with the same prompt may share its computation. */
  score(requests: readonly ScoredRequest[], options?: ScoringOptions): AsyncIterable<Scored>;
  close(): Promise<void>;
}

export interface EmbedRequest {
  readonly id: string;
  /** As the encoder takes them, special ones included. */
  readonly ids: readonly number[];
}

export interface Embedded {
  readonly id: string;
  /** Pooled, not normalised: f32 [D]. */
  readonly vector: Float32Array;
}

/** An encoder held in memory by an engine. A vector does not depend, in any bit, on what is embedded beside it. */
export interface LoadedEncoder {
  readonly dimensions: number;
  /** Ids of one text, special ones included. */
  readonly maxPositions: number;
  /** One result a request, in any order. Stops with the signal's reason. */
  embed(
    requests: readonly EmbedRequest[],
    options?: { readonly signal?: AbortSignal | undefined },
  ): AsyncIterable<Embedded>;
  close(): Promise<void>;
}

/** What a model is wanted for, as far as memory goes. */
export type ModelUse =
  | {
      readonly for: "running";
      readonly precision: Precision;
      /** Rows side by side, and ids of the longest prompt among them; default: one of no length. */
      readonly rows?: number;
      readonly positions?: number;
    }
  | { readonly for: "tuning" }
  | { readonly for: "embedding" };

export interface LoadOptions {
  readonly threads: number;
  readonly precision: Precision;
  /** Gets what was found in the model that a person should know, a sentence each. */
  readonly onNote?: ((text: string) => void) | undefined;
}

export interface Engine {
  readonly name: string;
  readonly capabilities: Capabilities;
  /**
   * Refuses a model that does not fit into memory, from its configuration alone: before anything is read or hashed at length.
   *
   * @throws UserError  what it needs, what is free, and what to do
   */
  refuseTooLarge?(directory: string, use: ModelUse): Promise<void>;
  load(directory: string, options: LoadOptions): Promise<LoadedModel>;
  /** There where `capabilities.embed` is. */
  loadEncoder?(directory: string, options: { threads: number; pooling: Pooling }): Promise<LoadedEncoder>;
  /** Tunes all parameters on `rows` and writes a model directory. */
  tune(directory: string, rows: Rows, options: TuneOptions, run: TuneRun): Promise<TuneSummary>;
}

/** Where a tuning run writes and how it is watched and stopped. */
export interface TuneRun {
  /** The model directory to make. Nothing is written there before `onStart` has returned. */
  readonly out: string;
  /** Folder for the engine's own state; whoever began the run removes it when the result is recorded. */
  readonly checkpoints: string;
  /** Steps between checkpoints, besides those that the engine makes anyway (every epoch, at least every ten minutes, when interrupted). */
  readonly checkpointEvery?: number;
  readonly threads: number;
  /** Go on from the newest checkpoint, where there is one. */
  readonly resume: boolean;
  /** Hash of all that determines the result: a checkpoint under another one is refused. */
  readonly fingerprint: string;
  /** How weights are written; default: as they were read. */
  readonly dtype?: "F32" | "F16" | "BF16";
  /** Bytes that the run may take; default: what this machine has free. */
  readonly free?: { readonly memory: number; readonly disk: number };
  /** As for `load`. */
  readonly onNote?: ((text: string) => void) | undefined;
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
