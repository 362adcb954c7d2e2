/**
 * What a tuning run can be asked for, the defaults of each preset, and how the choices are recorded.
 * May not know: files.
 */
import type { Engine } from "../../engine/engine.js";
import type { TuneOptions } from "../../engine/tuning.js";
import type { BosChoice, Objective } from "../../text/render.js";
import { type Template, templateFrom } from "../../text/template.js";
import { checkOptions, decimal, flag, type KindsOf, needed, oneOf, whole } from "../../util/options.js";
import { availableCores } from "../../util/system.js";
import { bos, count, dtype, engine, limit, path, preset, seed, template, threads } from "../option-kinds.js";
import { DEFAULT_MAX_LENGTH } from "../render.js";

export interface TuneRequest {
  /** Model directory. */
  readonly model: string;
  /** `PATH` or `NAME:PATH`. */
  readonly data: string;
  /** `response` replaces every instruction by the empty text. */
  readonly objective: Objective;
  /** The model directory to make. */
  readonly out: string;
  /** Default `tulu`. */
  readonly template?: Template;
  /** Names a set of defaults; what is given beside it wins. Default `paper`. */
  readonly preset?: Preset;
  readonly epochs?: number;
  /** Rows a step. */
  readonly batch?: number;
  /** The highest rate of the schedule. */
  readonly learningRate?: number;
  readonly schedule?: TuneOptions["schedule"];
  /** Share of all steps in which the rate rises. */
  readonly warmup?: number;
  readonly reduction?: TuneOptions["reduction"];
  /** Largest norm of the whole gradient. Default: none. */
  readonly clip?: number;
  /** Default 0. */
  readonly seed?: number;
  /** Default true: rows in a new random order each epoch. */
  readonly shuffle?: boolean;
  /** Stop early; the schedule stays that of the whole. */
  readonly maxSteps?: number;
  /** Also keep `epoch-N` in `out`. */
  readonly saveEveryEpoch?: boolean;
  /** Steps between checkpoints, besides those after every epoch, every ten minutes and on interruption. */
  readonly checkpointEvery?: number;
  readonly bos?: BosChoice;
  /** Longest row in ids; the rest is cut off on the right. Default 2048. */
  readonly maxLength?: number;
  readonly skipEmpty?: boolean;
  /** Leaves out, and counts, rows with a response of more tokens than this, EOS not counted. */
  readonly maxResponseTokens?: number;
  /** Rows held back, drawn by the seed: their loss is measured, they are not trained on. */
  readonly holdOut?: number;
  /** At most this many examples from the front. Default: the data set's own. */
  readonly limit?: number | "all";
  /** Positions computed at once, padding included. Default 2048. */
  readonly microTokens?: number;
  /** Keep only the input of each layer for the backward pass: less memory, more time, the same values. */
  readonly recompute?: boolean;
  /** Default: the cores there are. */
  readonly threads?: number;
  /** Of the written weights. Default: as they were read. */
  readonly dtype?: "F32" | "F16" | "BF16";
  /** Where the run in `out` is finished, take it as the answer. One that is not finished is resumed without this. */
  readonly resume?: boolean;
  /** Replace a finished run in `out`, and an unfinished one that was asked for differently. */
  readonly force?: boolean;
  /** Default: the embedded engine. */
  readonly engine?: Engine;
}

/** A request of which nothing that the rows depend on is left open. */
export type SettledRequest = TuneRequest & Settled;
interface Settled {
  readonly threads: number;
  readonly template: Template;
}

/** What of a request decides how much there is to do: all but where the model goes. */
export type TuneWork = Omit<TuneRequest, "out">;
export type SettledWork = TuneWork & Settled;

export type Preset = "paper" | "reference";

/** Facts of the paper's appendix A, and of its authors' scripts. */
export const presets = {
  paper: { epochs: 5, batch: 64, learningRate: 1e-5, schedule: "cosine", warmup: 0.1, reduction: "paper" },
  reference: { epochs: 5, batch: 64, learningRate: 1e-5, schedule: "linear", warmup: 0.03, reduction: "reference" },
} as const satisfies Record<Preset, Partial<TuneOptions>>;

export const DEFAULT_MICRO_TOKENS = 2048;

export const tuneKinds: KindsOf<TuneRequest> = {
  model: needed(path),
  data: needed(path),
  objective: needed(oneOf("instruction", "response")),
  out: needed(path),
  ...{ template, preset, bos, limit, seed, threads, engine, dtype },
  epochs: count,
  batch: count,
  learningRate: decimal({ min: 0 }),
  schedule: oneOf("cosine", "linear", "constant"),
  warmup: decimal({ min: 0, max: 1 }),
  reduction: oneOf("paper", "reference", "token"),
  clip: decimal({ above: 0 }),
  shuffle: flag,
  maxSteps: count,
  saveEveryEpoch: flag,
  checkpointEvery: count,
  maxLength: whole({ min: 2 }),
  skipEmpty: flag,
  maxResponseTokens: count,
  holdOut: whole({ min: 0 }),
  microTokens: count,
  recompute: flag,
  resume: flag,
  force: flag,
};

/** @throws UserError  an option is unknown, or its value makes no sense */
export function settleRequest(request: TuneRequest): SettledRequest {
  checkOptions("tune", tuneKinds, request);
  return { ...request, ...settledOf(request) };
}

/** @throws UserError  as `settleRequest` */
export function settleWork(work: TuneWork): SettledWork {
  const { out: _, ...kinds } = tuneKinds;
  checkOptions("tune", kinds, work);
  return { ...work, ...settledOf(work) };
}

const settledOf = ({ threads, template }: TuneWork): Settled => ({
  threads: threads ?? availableCores(),
  template: template ?? templateFrom(),
});

export function resolveOptions(request: TuneWork): TuneOptions {
  const defaults = presets[request.preset ?? "paper"];
  return {
    epochs: request.epochs ?? defaults.epochs,
    batch: request.batch ?? defaults.batch,
    learningRate: request.learningRate ?? defaults.learningRate,
    schedule: request.schedule ?? defaults.schedule,
    warmup: request.warmup ?? defaults.warmup,
    reduction: request.reduction ?? defaults.reduction,
    adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    ...(request.clip === undefined ? {} : { clip: request.clip }),
    seed: request.seed ?? 0,
    shuffle: request.shuffle ?? true,
    ...(request.maxSteps === undefined ? {} : { maxSteps: request.maxSteps }),
    microTokens: request.microTokens ?? DEFAULT_MICRO_TOKENS,
    ...(request.recompute === true ? { recompute: true } : {}),
    saveEveryEpoch: request.saveEveryEpoch ?? false,
  };
}

/** As they stand in `run.json`. */
export const recordedOptions = (request: SettledRequest, options: TuneOptions): Record<string, unknown> => ({
  objective: request.objective,
  preset: request.preset ?? "paper",
  epochs: options.epochs,
  batch: options.batch,
  lr: options.learningRate,
  schedule: options.schedule,
  warmup: options.warmup,
  reduction: options.reduction,
  adam: options.adam,
  clip: options.clip ?? null,
  seed: options.seed,
  shuffle: options.shuffle,
  max_steps: options.maxSteps ?? null,
  limit: request.limit ?? null,
  max_length: request.maxLength ?? DEFAULT_MAX_LENGTH,
  max_response_tokens: request.maxResponseTokens ?? null,
  hold_out: request.holdOut ?? 0,
  skip_empty: request.skipEmpty ?? false,
  bos: request.bos ?? "auto",
  micro_tokens: options.microTokens,
  recompute: options.recompute ?? false,
  threads: request.threads,
  dtype: request.dtype ?? "as read",
});

/** Options that leave the trained values as they are: how many of the steps are done, and how the result is written. */
export const WITHOUT_EFFECT_ON_VALUES: readonly string[] = ["preset", "max_steps", "dtype", "recompute"];
