/**
 * What a tuning run can be asked for, the defaults of each preset, and how the choices are recorded.
 * May not know: files.
 */
import type { Engine, TuneOptions } from "../../engines/engine.js";
import type { BosChoice, Objective } from "../../text/render.js";
import { type Template, templateFrom } from "../../text/template.js";
import { UserError } from "../../util/errors.js";
import { availableCores } from "../../util/system.js";
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
export type SettledRequest = TuneRequest & { readonly threads: number; readonly template: Template };

export type Preset = "paper" | "reference";

/** Facts of the paper's appendix A, and of its authors' scripts. */
export const presets = {
  paper: { epochs: 5, batch: 64, learningRate: 1e-5, schedule: "cosine", warmup: 0.1, reduction: "paper" },
  reference: { epochs: 5, batch: 64, learningRate: 1e-5, schedule: "linear", warmup: 0.03, reduction: "reference" },
} as const satisfies Record<Preset, Partial<TuneOptions>>;

export const DEFAULT_MICRO_TOKENS = 2048;

/** @throws UserError  a number that makes no sense; the command's flags are checked before, a library's caller's are not */
export function settleRequest(request: TuneRequest): SettledRequest {
  for (const [name, rule] of Object.entries(numberRules)) {
    const value = request[name as keyof typeof numberRules];
    if (value !== undefined && !rule.holds(value)) {
      throw new UserError(`${name} is ${String(value)}`, { remedy: `give ${rule.wanted}` });
    }
  }
  return {
    ...request,
    threads: request.threads ?? availableCores(),
    template: request.template ?? templateFrom(),
  };
}

interface NumberRule {
  readonly holds: (value: unknown) => boolean;
  readonly wanted: string;
}

const wholeFrom = (least: number): NumberRule => ({
  holds: (value) => Number.isSafeInteger(value) && Number(value) >= least,
  wanted: `a whole number of ${least} or more`,
});
const within = (holds: (value: number) => boolean, wanted: string): NumberRule => ({
  holds: (value) => typeof value === "number" && Number.isFinite(value) && holds(value),
  wanted,
});

const numberRules = {
  epochs: wholeFrom(1),
  batch: wholeFrom(1),
  learningRate: within((rate) => rate >= 0, "a number of 0 or more"),
  warmup: within((share) => share >= 0 && share <= 1, "a number from 0 to 1"),
  clip: within((norm) => norm > 0, "a number above 0"),
  seed: wholeFrom(0),
  maxSteps: wholeFrom(1),
  checkpointEvery: wholeFrom(1),
  maxLength: wholeFrom(2),
  maxResponseTokens: wholeFrom(1),
  holdOut: wholeFrom(0),
  microTokens: wholeFrom(1),
  threads: wholeFrom(1),
} as const satisfies Partial<Record<keyof TuneRequest, NumberRule>>;

export function resolveOptions(request: TuneRequest): TuneOptions {
  const preset = presets[request.preset ?? "paper"];
  return {
    epochs: request.epochs ?? preset.epochs,
    batch: request.batch ?? preset.batch,
    learningRate: request.learningRate ?? preset.learningRate,
    schedule: request.schedule ?? preset.schedule,
    warmup: request.warmup ?? preset.warmup,
    reduction: request.reduction ?? preset.reduction,
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
