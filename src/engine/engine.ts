/**
 * What `rank`, `judge`, `similarity`, `steps` and `study` know of whatever runs a model. Everything goes in and comes out
 * as token ids: text, templates and masks were settled before (`text/render.ts`).
 *
 * An engine declares what it can do and refuses the rest up front, with the reason; it never ignores an option.
 */
import type { Rows } from "../records/row.js";
import type { Pooling } from "../records/similarity.js";
import type {
  EmbedRequest,
  EmbedResult,
  GenerateOptions,
  GenerateRequest,
  GenerateResult,
  Precision,
  ScoreOptions,
  ScoreRequest,
  ScoreResult,
} from "./requests.js";
import type { TuneOptions, TuneRun, TuneSummary } from "./tuning.js";

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

/** A model held in memory by an engine. `test/engine-contract.ts` holds what must hold. */
export interface LoadedModel {
  readonly capabilities: Capabilities;
  /** Prompt and response together; undefined where the engine cannot say. */
  readonly maxPositions: number | undefined;
  /** One result a request, in any order. Stops with the signal's reason. */
  generate(requests: readonly GenerateRequest[], options: GenerateOptions): AsyncIterable<GenerateResult>;
  /** As `generate`. Requests that follow each other with the same prompt may share its computation. */
  score(requests: readonly ScoreRequest[], options?: ScoreOptions): AsyncIterable<ScoreResult>;
  close(): Promise<void>;
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
  ): AsyncIterable<EmbedResult>;
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
  /** What `LoadOptions.onNote` would get, without loading. Records keep it. */
  notes?(directory: string): Promise<readonly string[]>;
  load(directory: string, options: LoadOptions): Promise<LoadedModel>;
  /** There where `capabilities.embed` is. */
  loadEncoder?(directory: string, options: { threads: number; pooling: Pooling }): Promise<LoadedEncoder>;
  /** Tunes all parameters on `rows` and writes a model directory. */
  tune(directory: string, rows: Rows, options: TuneOptions, run: TuneRun): Promise<TuneSummary>;
}
