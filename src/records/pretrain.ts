/**
 * What pre-training leaves beside a model: `run.json`, everything that determined it and what came out. While it is under way
 * `unfinished.json` says what it is.
 */
import { z } from "zod";
import { heldOutLineSchema } from "./tune.js";

const count = z.number().int().nonnegative();
const share = z.number().min(0).max(1);

/** How often a model finds what is true more likely than what is not. */
export const knowledgeSchema = z.object({
  /** Facts asked about. */
  facts: count,
  /** Wrong values that each right one is compared with. */
  against: count,
  /** Asked as pages with questions ask, and under the default template. */
  forms: z.record(
    z.string(),
    z.object({
      /** Share of facts whose right statement is the most likely of all. */
      first: share,
      /** Share of all comparisons in which the right statement is more likely. */
      pairs: share,
    }),
  ),
  /** `first` of the pages' form, by the kind of entity. */
  kinds: z.record(z.string(), share),
});
export type Knowledge = z.infer<typeof knowledgeSchema>;

export const PRETRAIN_RUN_VERSION = 1;

/** What was asked for, resolved. */
export const pretrainPlanSchema = z.object({
  version: z.literal(PRETRAIN_RUN_VERSION),
  command: z.literal("glasshouse pretrain"),
  engine: z.string(),
  device: z.string(),
  options: z.record(z.string(), z.unknown()),
  /** sha256 of the tokenizer that was learnt from the first pages. */
  tokenizer_sha256: z.string(),
  parameters: count,
  /** Hash of all that determines the trained values. */
  fingerprint: z.string(),
  versions: z.record(z.string(), z.string()),
});
export type PretrainPlan = z.infer<typeof pretrainPlanSchema>;

export const pretrainRunSchema = pretrainPlanSchema.extend({
  steps: count,
  /** Tokens read. */
  tokens: count,
  final_loss: z.number(),
  /** Mean NLL per token (nats) on pages that were never read, before the first step and after the last. */
  held_out: z.array(heldOutLineSchema),
  /** Mean loss of the steps around some points of the run. */
  curve: z.array(z.object({ tokens: count, loss: z.number() })),
  knowledge: knowledgeSchema,
  weights_sha256: z.string(),
  /** Wall-clock seconds of all steps together; of an interrupted run, of all its parts. */
  seconds: z.number(),
  tokens_per_second: z.number(),
  peak_memory_bytes: count,
  finished: z.string(),
});
export type PretrainRun = z.infer<typeof pretrainRunSchema>;
