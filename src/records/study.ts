/**
 * What a study leaves in its folder. `docs/decisions/studies.md` shows the layout.
 *
 *   study.json          what was asked for: the study with its scale and flags applied, hashes of all inputs, settings
 *   results.json        what came out: every step and its state, cells, chosen epochs, comparisons, analyses; no timings
 *   steps/KIND-KEY/     one folder a step; `step.json` is written last and says that the step is done, or why it failed
 *
 * Paths in `results.json` are relative to the folder and use forward slashes. All else is in the records of the single commands:
 * `run.json` and `metrics.jsonl` of tune, outputs and their run of generate, annotations and ledger of judge, pairs of rank.
 * May not know: how a step is carried out.
 */
import { z } from "zod";
import { estimateSchema } from "./estimate.js";
import { rankTotalsSchema } from "./rank.js";
import { similaritySummarySchema } from "./similarity.js";
import { publishedSchema, studySchema } from "./study-file.js";
import { winrateEntrySchema } from "./winrate.js";

const count = z.number().int().nonnegative();
const path = z.string();

export const stepKinds = ["tune", "generate", "score", "judge", "choose", "compare", "rank", "similarity"] as const;
export const stepKindSchema = z.enum(stepKinds);
export type StepKind = z.infer<typeof stepKindSchema>;

/**
 * Where an answer, a score or a model of a study belongs. A seed and epochs are null where the arm is not tuned; epochs are also
 * null where they are not chosen yet.
 */
export const cellKeySchema = z.object({
  model: z.string(),
  arm: z.string(),
  seed: count.nullable(),
  epochs: count.nullable(),
});
export type CellKey = z.infer<typeof cellKeySchema>;

/** Of `study.json` and `results.json`. */
export const RECORD_VERSION = 1;
/** Of `step.json`. Since 2 it always has `results`: without that key it is damaged, where in 1 it may only be old. */
export const STEP_VERSION = 2;

/** Flags that were given with a study's file, as on the command line; paths are absolute. */
export const studyFlagsSchema = z
  .strictObject({
    models: z.array(z.string()),
    data: z.array(z.string()),
    data_dir: path,
    judge: z.string(),
    encoder: z.string(),
    seeds: z.array(count),
    lc_data: path,
  })
  .partial();
export type StudyFlags = z.infer<typeof studyFlagsSchema>;

/** `study.json`. */
export const studyRecordSchema = z.strictObject({
  version: z.literal(RECORD_VERSION),
  command: z.literal("study"),
  tacit: z.string(),
  /** The file as it was read, by which name if it came with the package, and the scale that was laid over it. `path` is null where a script gave the study itself; the hash is then of its JSON. */
  source: z.strictObject({ path: path.nullable(), sha256: z.string(), shipped: z.string().optional() }),
  scale: z.string().nullable(),
  /** So that `status` and `clean` need not be told again, and a report can say how to repeat it. */
  flags: studyFlagsSchema,
  study: studySchema,
  /** Everything from outside that a step reads. `name` is the study's; data of several arms stands here once. */
  inputs: z.array(
    z.object({
      role: z.enum(["model", "data", "judge", "rules", "encoder", "length-control", "prompt-file", "prices", "folds"]),
      name: z.string(),
      path,
      hash: z.string(),
    }),
  ),
  settings: z.object({ engine: z.string(), threads: count }),
});
export type StudyRecord = z.infer<typeof studyRecordSchema>;

/** How a step ended. `defect`: the failure is ours, not the world's. */
export const outcomeSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("done") }),
  z.object({ kind: z.literal("failed"), reason: z.string(), remedy: z.string().nullable(), defect: z.boolean() }),
]);
export type Outcome = z.infer<typeof outcomeSchema>;

const stepFields = {
  kind: stepKindSchema,
  /** sha256 of everything that determines the result: `request` as it stands here. The folder has its first 16 digits. */
  key: z.string(),
  request: z.record(z.string(), z.unknown()),
  outcome: outcomeSchema,
  /** Of the last attempt: seconds that it took, and when it ended. What to expect of the next like it is read off here. */
  timings: z.object({
    seconds: z.number().nonnegative(),
    finished: z.string(),
    /** What the step went through, in `unit`s. */
    work: count,
    unit: z.string(),
    /** It resumed what an interrupted attempt had left: the seconds are not of all the work. */
    resumed: z.boolean(),
  }),
};

/** Every file that a finished step left, by its path in the step's folder. */
const stepResults = z.array(z.object({ path, bytes: count, sha256: z.string() }));

/** `steps/KIND-KEY/step.json`. */
export const stepRecordSchema = z.discriminatedUnion("version", [
  z.strictObject({ version: z.literal(STEP_VERSION), ...stepFields, results: stepResults }),
  /** The first ones had no hashes of their results. */
  z.strictObject({ version: z.literal(1), ...stepFields, results: stepResults.optional() }),
]);
export type StepRecord = z.infer<typeof stepRecordSchema>;

/**
 * - `done`, `failed`: as its `step.json` says
 * - `to-do`: not carried out
 * - `open`: what it will read is not decided before an epoch is chosen
 * - `blocked`: something that it needs has failed
 */
export const stepStateSchema = z.enum(["done", "failed", "to-do", "open", "blocked"]);
export type StepState = z.infer<typeof stepStateSchema>;

export const stepEntrySchema = z.strictObject({
  /** Stable and readable: `tune/base/response/seed-1/epochs-5`. */
  id: z.string(),
  kind: stepKindSchema,
  key: z.string().nullable(),
  folder: path.nullable(),
  needs: z.array(z.string()),
  state: stepStateSchema,
  /** Why it failed, or what it waits for. */
  reason: z.string().nullable(),
  /** What to do about a failure; absent where nothing failed or nobody knows. */
  remedy: z.string().optional(),
});
export type StepEntry = z.infer<typeof stepEntrySchema>;

/** What can be said of answers without judging them. */
export const answerCountsSchema = z.object({
  answers: count,
  stopped: count,
  echoes: count,
  tags: count,
  empty: count,
  mean_tokens: z.number().nullable(),
});
export type AnswerCountsRecord = z.infer<typeof answerCountsSchema>;

/** One model of the study (base, or tuned with one seed for so many epochs) and what is known of it. */
export const cellSchema = cellKeySchema.extend({
  /** Its epochs are those chosen for the arm (true where there is nothing to choose): its answers are the arm's. */
  chosen: z.boolean(),
  /** Null for arms that are not tuned, and where tuning failed or is not done. */
  tuning: z
    .object({
      step: z.string(),
      /** The model directory; `run`, `metrics` and `held_out` are of the whole run that it comes from. */
      model: path,
      run: path,
      metrics: path,
    })
    .nullable(),
  answers: z.array(
    z.object({
      split: z.enum(["test", "validation"]),
      step: z.string(),
      outputs: path,
      run: path,
      counts: answerCountsSchema,
    }),
  ),
});
export type Cell = z.infer<typeof cellSchema>;

/** `choice.json` of a step, and in the results: the number of epochs of one arm. */
export const choiceSchema = z.object({
  model: z.string(),
  arm: z.string(),
  measure: z.enum(["win_rate", "loss"]),
  /** In the order of the study. */
  epochs: z.array(
    z.object({
      epochs: count,
      /** Over all seeds and prompts: percent for win_rate, nats a token for loss. */
      value: estimateSchema,
      /** Paired difference to the best by prompt and seed, positive where this one is worse; null for the best itself. */
      worse_by: estimateSchema.nullable(),
      /** The interval of the difference holds 0: not told apart from the best. */
      tied: z.boolean(),
      seeds: z.array(z.object({ seed: count, value: z.number().nullable() })),
    }),
  ),
  chosen: count,
  /** All that are statistically tied with the chosen one, itself included. */
  tied: z.array(count),
  /** Seeds and prompts that the choice rests on; prompts without a value under some epoch are left out of all, and counted. */
  seeds: z.array(count),
  prompts: count,
  prompts_left_out: count,
  method: z.string(),
});
export type Choice = z.infer<typeof choiceSchema>;

/** A quantity over seeds: mean and standard deviation as in the paper, and an interval with prompts and seeds as levels. */
export const spreadSchema = z.object({
  seeds: z.array(z.object({ seed: count.nullable(), value: z.number().nullable() })),
  mean: z.number().nullable(),
  /** Sample standard deviation (n - 1); null for fewer than two seeds. */
  sd: z.number().nullable(),
  interval: estimateSchema,
});
export type Spread = z.infer<typeof spreadSchema>;

/** `comparison.json` of a step, and in the results: one arm against another. Win rates are percentages of `arm`'s. */
export const comparisonResultSchema = z.object({
  model: z.string(),
  arm: z.string(),
  against: z.string(),
  /** One a seed. `annotations` is a path from the study's folder. `summary` is what `tacit winrate` says of it. */
  pairs: z.array(
    z.object({
      seed: count.nullable(),
      epochs: count.nullable(),
      against_seed: count.nullable(),
      against_epochs: count.nullable(),
      annotations: path,
      summary: winrateEntrySchema,
    }),
  ),
  win_rate: spreadSchema,
  /** Null where it was not asked for, or is undefined for a seed. */
  length_controlled: spreadSchema.nullable(),
  published: publishedSchema.nullable(),
});
export type ComparisonResult = z.infer<typeof comparisonResultSchema>;

const analysed = cellKeySchema.extend({ name: z.string(), step: z.string() });

/** `results.json`. */
export const studyResultsSchema = z.strictObject({
  version: z.literal(RECORD_VERSION),
  name: z.string(),
  /** `finished`: every step is done. `failed`: what could be done is, some steps failed. Else `unfinished`. */
  state: z.enum(["finished", "failed", "unfinished"]),
  steps: z.array(stepEntrySchema),
  cells: z.array(cellSchema),
  choices: z.array(choiceSchema),
  comparisons: z.array(comparisonResultSchema),
  rankings: z.array(analysed.extend({ summary: path, pairs: path, totals: rankTotalsSchema })),
  similarities: z.array(
    analysed.extend({
      folder: path,
      summary: path,
      totals: similaritySummarySchema.pick({ mean_x: true, mean_y: true, correlation: true }),
    }),
  ),
  /** What the study asks for and this folder does not have, with the reason: comparisons without a judge, for one. */
  left_out: z.array(z.object({ what: z.string(), reason: z.string() })),
});
export type StudyResults = z.infer<typeof studyResultsSchema>;

/** Names of the files. */
export const studyFiles = { study: "study.json", results: "results.json", steps: "steps", step: "step.json" } as const;
