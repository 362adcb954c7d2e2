/** What a tuning run leaves: `metrics.jsonl`, one line a step, and `run.json`, everything that determined it. */
import { z } from "zod";
import { certificateSchema } from "./certificate.js";

const count = z.number().int().nonnegative();

export const metricsLineSchema = z.object({
  /** From 1: how many updates have been made. */
  step: count,
  /** From 1. */
  epoch: count,
  loss: z.number(),
  lr: z.number(),
  grad_norm: z.number(),
  examples: count,
  tokens: count,
  supervised_tokens: count,
  seconds: z.number(),
});
export type MetricsLine = z.infer<typeof metricsLineSchema>;

/** Mean NLL per token (nats) of rows that were not trained on. */
export const heldOutLineSchema = z.object({ step: count, epoch: count, loss: z.number() });
export type HeldOutLine = z.infer<typeof heldOutLineSchema>;

export const TUNE_RUN_VERSION = 1;

export const tuneRunSchema = z.object({
  version: z.literal(TUNE_RUN_VERSION),
  command: z.literal("tune"),
  engine: z.string(),
  device: z.string(),
  model: z.object({ path: z.string(), hash: z.string() }),
  data: z.object({
    spec: z.string(),
    sha256: z.string(),
    rows: count,
    /** Rows left out because their response was longer than asked for. */
    too_long: count,
    held_out: count,
  }),
  options: z.record(z.string(), z.unknown()),
  template: z.string(),
  certificate: certificateSchema,
  fingerprint: z.string(),
  steps: count,
  final_loss: z.number(),
  held_out: z.array(heldOutLineSchema),
  weights_sha256: z.string(),
  /** Wall-clock seconds of all steps together; of an interrupted run, of all its parts. */
  seconds: z.number(),
  tokens_per_second: z.number(),
  peak_memory_bytes: count,
  versions: z.record(z.string(), z.string()),
  finished: z.string(),
});
export type TuneRunRecord = z.infer<typeof tuneRunSchema>;
