/**
 * What a tuning run leaves: `metrics.jsonl`, one line a step, and `run.json`, everything that determined it and what came out. While it
 * is under way `unfinished.json` says what it is.
 */
import { z } from "zod";
import { certificateSchema } from "./certificate.js";
import { recordedModelSchema } from "./model.js";

const count = z.number().int().nonnegative();

export const metricsLineSchema = z.object({
  /** From 0, as the schedule counts: how many updates the model had had when this loss was computed. */
  step: count,
  /** From 1, as the folders epoch-N count. */
  epoch: count,
  /** The reduced loss of this step's batch before its update. */
  loss: z.number(),
  lr: z.number(),
  /** Of the whole gradient, before clipping. */
  grad_norm: z.number(),
  examples: count,
  tokens: count,
  supervised_tokens: count,
  seconds: z.number(),
});
export type MetricsLine = z.infer<typeof metricsLineSchema>;

/** Mean NLL per token (nats) of rows that were not trained on, after `step` updates; epoch 0 is before training. */
export const heldOutLineSchema = z.object({ step: count, epoch: count, loss: z.number() });
export type HeldOutLine = z.infer<typeof heldOutLineSchema>;

export const TUNE_RUN_VERSION = 1;

/** What was asked for, resolved. */
export const tunePlanSchema = z.object({
  version: z.literal(TUNE_RUN_VERSION),
  command: z.literal("tune"),
  engine: z.string(),
  device: z.string(),
  model: recordedModelSchema,
  data: z.object({
    spec: z.string(),
    sha256: z.string(),
    /** Rows trained on (all of them, where max_steps lets a run get through them). */
    rows: count,
    /** sha256 over ids and labels of all rows, those held out included. */
    rows_sha256: z.string(),
    /** Rows left out because their response was longer than asked for. */
    too_long: count,
    held_out: count,
    /** What the data set's own reading leaves out. */
    left_out: z.array(z.object({ reason: z.string(), count })),
  }),
  options: z.record(z.string(), z.unknown()),
  template: z.string(),
  /** Of the rows trained on; rows left out or held back count in none or in the next. */
  certificate: certificateSchema,
  /** Of the rows held out; absent where there are none, and in older records, whose `certificate` counts all rows. */
  held_out_certificate: certificateSchema.optional(),
  /** Hash of all that determines the trained values. */
  fingerprint: z.string(),
  versions: z.record(z.string(), z.string()),
});
export type TunePlan = z.infer<typeof tunePlanSchema>;

export const tuneRunSchema = tunePlanSchema.extend({
  steps: count,
  final_loss: z.number(),
  held_out: z.array(heldOutLineSchema),
  weights_sha256: z.string(),
  /** Wall-clock seconds of all steps together; of an interrupted run, of all its parts. */
  seconds: z.number(),
  tokens_per_second: z.number(),
  peak_memory_bytes: count,
  finished: z.string(),
});
export type TuneRunRecord = z.infer<typeof tuneRunSchema>;
