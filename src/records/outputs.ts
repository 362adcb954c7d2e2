/**
 * What generation leaves on disk: AlpacaEval's outputs with two fields more, and a trace. `judge` reads the outputs of any tool.
 * May not know: how they were made.
 */
import { z } from "zod";
import { recordedModelSchema } from "./model.js";

const count = z.number().int().nonnegative();

/** One answer in AlpacaEval's output format. */
export const outputSchema = z.object({
  instruction: z.string(),
  output: z.string(),
  generator: z.string(),
  dataset: z.string().optional(),
  /** Ids that were generated, the stop id not counted. */
  tokens: count,
  /** The model ended its answer itself, or ran into the limit. */
  stop: z.enum(["eos", "length"]),
});
export type Output = z.infer<typeof outputSchema>;

const candidate = { id: count, piece: z.string(), base_logprob: z.number(), logprob: z.number() };

/** One step of a trace: why this token. Natural logarithms; `logprob` is under model and rules. */
export const traceStepSchema = z.object({
  ...candidate,
  /** What each kind of rule added to this token's logit. */
  scores: z.object({ constant: z.number(), stop: z.number(), used: z.number() }),
  /** The best token that was not taken. */
  runner_up: z.object(candidate),
});
export type TraceStepRecord = z.infer<typeof traceStepSchema>;

/** One line of a trace file: one answer, its stop id's step included. */
export const traceLineSchema = z.object({
  id: z.string(),
  instruction: z.string(),
  stop: z.enum(["eos", "length"]),
  steps: z.array(traceStepSchema),
});

/** One line of the ledger of a run that is not finished. `key` is the hash of everything that decides the answer. */
export const answerLineSchema = z.object({
  key: z.string(),
  output: z.string(),
  tokens: count,
  stop: z.enum(["eos", "length"]),
  steps: z.array(traceStepSchema).optional(),
});
export type AnswerLine = z.infer<typeof answerLineSchema>;

/** How a run of `generate` came about: written beside its outputs. */
export const generateRunSchema = z.object({
  version: z.literal(1),
  command: z.literal("generate"),
  tacit: z.string(),
  engine: z.string(),
  generator: z.string(),
  model: recordedModelSchema,
  /** sha256 over ids and instructions in their order. */
  prompts: z.object({
    source: z.string(),
    count,
    hash: z.string(),
    /** What was counted in reading them; absent where nothing was. */
    notes: z.array(z.object({ reason: z.string(), count })).optional(),
  }),
  /** The format of a prompt, or null for instructions as they are. */
  template: z.string().nullable(),
  trimmed: z.boolean(),
  bos: z.enum(["auto", "always", "never"]),
  rules: z
    .object({
      name: z.string(),
      path: z.string(),
      hash: z.string(),
      disabled: z.array(z.string()),
      /** Strings that are not one token in this vocabulary and were ignored. */
      unresolved: z.array(z.string()),
    })
    .nullable(),
  options: z.object({
    max_new_tokens: count,
    temperature: z.number(),
    seed: z.number(),
    stop_ids: z.array(count),
    batch: count,
    precision: z.string(),
    threads: count.nullable(),
    limit: count.nullable(),
  }),
  outcome: z.object({
    eos: count,
    length: count,
    tokens: count,
    /** Answers decoded in this run, taken from an interrupted one, and shared with an equal prompt. Their sum is all prompts. */
    computed: count,
    reused: count,
    duplicates: count,
  }),
  /** Seconds in all, and from the first prompt read to the last token. */
  timings: z.object({ seconds: z.number(), decode_seconds: z.number() }),
});
export type GenerateRun = z.infer<typeof generateRunSchema>;
