/**
 * What `tacit winrate` says with `--json`: AlpacaEval's own key names, percentages from 0 to 100, null where a figure is undefined.
 * May not know: how any of it is computed.
 */
import { z } from "zod";
import { lcModels } from "../options/lc-models.js";
import { verdictOutcomes } from "./annotations.js";
import { estimateSchema } from "./estimate.js";

const count = z.number().int().nonnegative();
const figure = z.number().nullable();

/**
 * Every row of the files. `n` is their number and that of the outcomes together: `judged` to `failed` as in the annotations, `unexplained` without a
 * preference or a word why, `out_of_range` with a number that is no preference.
 */
export const winrateLedgerSchema = z.object({
  n: count,
  ...(Object.fromEntries(verdictOutcomes.map((outcome) => [outcome, count])) as Record<
    (typeof verdictOutcomes)[number],
    typeof count
  >),
  unexplained: count,
  out_of_range: count,
  /** Verdicts of exactly one half, identical outputs included. */
  ties: count,
  /** Instructions of the list that no row belongs to; null where no list is known. */
  absent: count.nullable(),
  /** Rows whose instruction has been there before. */
  repeated: count,
  /** Rows whose instruction is that of the list, or of a row before, but for white space and line ends. Absent in older records. */
  normalised: count.optional(),
});
export type WinrateLedger = z.infer<typeof winrateLedgerSchema>;

export const lcRecordSchema = z.object({
  /** What was fitted; null where nothing was, or the model is its own baseline. */
  model: z.enum(lcModels).nullable(),
  /** Where the penalty's strength comes from; null where nothing is penalised. */
  c_from: z.enum(["given", "cross-validation"]).nullable(),
  /** Mean held-out log loss for each strength of the grid. */
  losses: z.array(z.number()).nullable(),
  difficulty_by: z.enum(["instruction", "row"]).nullable(),
  /** How the file's instructions were found in the list of `--lc-data`, by row; null where there is no list. Absent in older records. */
  matched: z.object({ exact: count, normalised: count, foreign: count }).nullable().optional(),
  /** Why it is another model than the one asked for, or why there is no value. */
  note: z.string().nullable(),
});
export type LcRecord = z.infer<typeof lcRecordSchema>;

export const winrateEntrySchema = z.object({
  name: z.string(),
  baseline: z.string(),
  annotator: z.string(),
  file: z.string(),
  win_rate: figure,
  standard_error: figure,
  discrete_win_rate: figure,
  n_wins: count,
  n_wins_base: count,
  n_draws: count,
  n_total: count,
  length_controlled_winrate: figure,
  /** Of `length` the standard error of the rate; of AlpacaEval's fits how predictions spread over instructions, as it has it. */
  lc_standard_error: figure,
  /** Mean characters of the model's outputs, rounded down. */
  avg_length: count.nullable(),
  mean_length: z.object({ model: figure, baseline: figure }),
  /** Penalty strength and coefficients of the fit. */
  c: figure,
  weights: z.object({ length: z.number(), difficulty: z.number().optional(), bias: z.number() }).nullable(),
  lc: lcRecordSchema,
  ledger: winrateLedgerSchema,
  /** The win rate had all rows without a verdict been lost, and had they been won; null where there is no such row. */
  bounds: z.object({ low: z.number(), high: z.number() }).nullable(),
  intervals: z.object({
    win_rate: estimateSchema,
    discrete_win_rate: estimateSchema,
    length_controlled_winrate: estimateSchema,
  }),
  /** Length-controlled and raw win rate are so far apart that the fit should be doubted. */
  extreme_change: z.boolean(),
  warnings: z.array(z.string()),
});
export type WinrateEntry = z.infer<typeof winrateEntrySchema>;

const spreadSchema = z.object({ mean: figure, sd: figure, n: count });

/** Several runs (seeds) of one model. */
export const winrateRunsSchema = z.object({
  name: z.string(),
  win_rate: spreadSchema,
  length_controlled_winrate: spreadSchema,
  /** Over prompts and runs. */
  interval: estimateSchema,
});
export type WinrateRuns = z.infer<typeof winrateRunsSchema>;

/** Two models on the prompts that both were judged on; differences are of a less b, in points. */
export const winrateComparisonSchema = z.object({
  a: z.string(),
  b: z.string(),
  prompts: count,
  /** Prompts of either that the other has no verdict on. */
  left_out: count,
  difference: estimateSchema,
  length_controlled_difference: estimateSchema,
  mcnemar: z.object({ only_a: count, only_b: count, n: count, p_value: figure, method: z.string() }),
});
export type WinrateComparison = z.infer<typeof winrateComparisonSchema>;

export const winrateSummarySchema = z.object({
  version: z.literal(1),
  command: z.literal("winrate"),
  compat: z.literal("alpaca_eval").nullable(),
  models: z.array(winrateEntrySchema),
  runs: z.array(winrateRunsSchema),
  comparisons: z.array(winrateComparisonSchema),
  seconds: z.number().nonnegative(),
  tacit: z.string(),
});
export type WinrateSummary = z.infer<typeof winrateSummarySchema>;
