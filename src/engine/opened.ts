/**
 * A model that an engine has opened: who it is, what it can do, and how to ask it. Everything goes in and comes out as token ids: text,
 * templates and masks were settled before (`text/render.ts`), with the tokenizer that was opened with it.
 *
 * Opening reads configuration and tokenizer; weights are read when something is first computed. A method that is missing is one that
 * the engine has not for this model, and an option that it cannot honour is refused, never ignored.
 * `test/engine-contract.ts` holds what must hold of all.
 */

import type { Row, Rows } from "../records/row.js";
import type { Pooling } from "../records/similarity.js";
import type { EncoderText } from "../text/encoder.js";
import type { TextModel } from "../text/tokenizer.js";
import type { Words } from "../util/words.js";
import type { Identity } from "./identity.js";
import type {
  Decoding,
  EmbedRequest,
  EmbedResult,
  GenerateRequest,
  GenerateResult,
  ScoreRequest,
  ScoreResult,
  Scoring,
} from "./requests.js";
import type { Training, TuneRun, TuneSummary } from "./tuning.js";

/** How a model is named: a model directory, or `glasshouse`, the one in this package. */
export type ModelRef = string;

/** Told how many bytes of all have been read. */
export type OnHashed = (done: number, total: number) => void;

/** What models and encoders share. */
export interface Opened extends AsyncDisposable {
  /** As it was named. */
  readonly ref: ModelRef;
  /** For messages; `identity` says it as well. */
  readonly engine: string;
  /** Asked for the first time, it reads every file of the model once: their hash is part of it. */
  identity(onHashed?: OnHashed): Promise<Identity>;
  /** What was found in the model that a person should know, a sentence each. */
  readonly notes: readonly string[];
}

export interface OpenedModel extends Opened {
  readonly text: TextModel;
  /** What ends an answer: the EOS, and what the model lists beside it. */
  readonly stopIds: readonly number[];
  readonly dims: ModelSizes;
  readonly limits: {
    /** Prompt and response together; undefined where the engine cannot say. */
    readonly maxPositions: number | undefined;
  };
  readonly capabilities: Capabilities;
  /** What a use of the model takes, from its configuration alone. `refuseTooLarge` refuses what does not fit. */
  plan(use: ModelUse): Plan;
  /** One result a request, in any order. Stops with the signal's reason. */
  readonly generate?: (requests: readonly GenerateRequest[], options: Decoding) => AsyncIterable<GenerateResult>;
  /** As `generate`. Requests that follow each other with the same prompt may share its computation. */
  readonly score?: (requests: readonly ScoreRequest[], options?: Scoring) => AsyncIterable<ScoreResult>;
  /** Tunes all parameters on `rows` and writes a model directory. */
  readonly tune?: (rows: Rows, options: Training, run: TuneRun) => Promise<TuneSummary>;
  /** Why one of the three is absent, where the engine has it under other settings. */
  readonly lacks?: { readonly [Ability in "generate" | "score" | "tune"]?: Lack };
}

export interface Lack {
  readonly reason: string;
  readonly remedy: Words;
}

/** An encoder: whole texts to vectors. A vector does not depend, in any bit, on what is embedded beside it. */
export interface OpenedEncoder extends Opened {
  readonly text: EncoderText;
  /** How hidden states become a vector. */
  readonly pooling: Pooling;
  readonly dims: ModelSizes;
  readonly limits: {
    /** Ids of one text, special ones included. */
    readonly maxTokens: number;
  };
  plan(): Plan;
  /** One result a request, in any order. Stops with the signal's reason. */
  embed(
    requests: readonly EmbedRequest[],
    options?: { readonly signal?: AbortSignal | undefined },
  ): AsyncIterable<EmbedResult>;
}

export interface ModelSizes {
  /** A tied matrix counts once. */
  readonly parameters: number;
}

/** What a loaded model can do beyond having a method for it. */
export interface Capabilities {
  /** Arbitrary per-step changes of the logits, EOS included. */
  readonly logitRules: boolean;
}

/** What a model is wanted for. */
export type ModelUse =
  | {
      readonly for: "generating";
      /** Prompts side by side; undefined: as many as fit, `Plan.batch`. */
      readonly batch: number | undefined;
      /** Ids of each prompt. */
      readonly promptTokens: readonly number[];
      readonly maxNewTokens: number;
    }
  | { readonly for: "scoring" }
  | {
      readonly for: "tuning";
      /** Undefined, before they are read: what tuning takes at the least. */
      readonly work?: { readonly rows: Rows; readonly options: Training; readonly heldOut: readonly Row[] };
    };

/** What a use takes, on the machine where it would run. */
export interface Plan {
  /** For messages: "running", "tuning", "embedding". */
  readonly purpose: string;
  readonly bytes: number;
  readonly freeBytes: number;
  /** What `bytes` is made of, where that is worth saying. */
  readonly parts?: Readonly<Record<string, number>>;
  /** Of generation: prompts that are decoded side by side. */
  readonly batch?: number;
  /** Asked where it does not fit: the same work in a way that does; undefined where there is none. */
  readonly smaller?: () => Words | undefined;
  /** Ids a second, at a rough estimate that measures this machine: a tenth of a second at the first call. */
  tokensPerSecond(): Promise<number>;
}
