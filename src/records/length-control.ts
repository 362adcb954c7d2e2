/**
 * What a length-controlled fit needs beside annotations, as it lies on disk: how hard each instruction is, the gamed baselines, the
 * instructions themselves, and folds. Of others' making; Tacit reads it and ships none.
 * May not know: what is fitted with it.
 */
import { z } from "zod";

/** More instructions than any such set has; a bound on what is believed of a file. */
export const MAX_ROWS = 1_000_000;

/** Difficulties and standardised lengths are a few units large; what is beyond this is damage, and would drown every other row. */
export const LARGEST = 1000;

/** Characters of an output, and more than any has. */
const length = z.number().int().nonnegative().max(1e9);
/** A place in a list of rows. */
const place = z.number().int().nonnegative().max(MAX_ROWS);
const shares = z.array(z.number().min(0).max(1)).min(1).max(MAX_ROWS);

/** `instruction-difficulty.json`: one number per place in the list of instructions. */
export const difficultySchema = z.array(z.number().min(-LARGEST).max(LARGEST)).min(1).max(MAX_ROWS);

/** `gamed-baseline.json`: the baseline against itself, asked to be wordy and asked to be terse. Rows in the order of the instructions. */
export const gamedBaselineSchema = z.object({
  /** What a gamed row counts where a row of the model counts 1. */
  rowWeight: z.number().positive().max(1),
  models: z
    .array(
      z
        .object({
          name: z.string(),
          lenModel: z.array(length).min(2).max(MAX_ROWS),
          lenBaseline: z.array(length),
          /** P(the gamed model is better), or numbers with the same sums. */
          preferenceStandIn: shares,
        })
        .refine(
          ({ lenModel, lenBaseline, preferenceStandIn }) =>
            lenModel.length === lenBaseline.length && lenModel.length === preferenceStandIn.length,
          "lenModel, lenBaseline and preferenceStandIn differ in length",
        ),
    )
    .min(1),
});
export type GamedBaseline = z.infer<typeof gamedBaselineSchema>;

/** `prompts.json`: the instructions in order. */
export const promptListSchema = z
  .array(z.object({ instruction: z.string() }))
  .min(1)
  .max(MAX_ROWS);

/** A file of folds: for a number of rows, a string with one digit per row. */
export const foldsSchema = z.record(z.string().regex(/^[1-9]\d*$/), z.string().regex(/^\d+$/));

/**
 * One model's annotations without their texts: preferences and lengths by row, for publishing and keeping. `promptIndex` says which
 * instruction each row belongs to; without it, row i is instruction i.
 */
export const compactAnnotationsSchema = z
  .object({
    model: z.string(),
    baseline: z.string(),
    annotator: z.string(),
    preference: z.array(z.number().nullable()).min(1).max(MAX_ROWS),
    lenModel: z.array(length),
    lenBaseline: z.array(length),
    promptIndex: z.array(place).optional(),
  })
  .refine(
    ({ preference, lenModel, lenBaseline, promptIndex }) =>
      [lenModel, lenBaseline, promptIndex ?? preference].every((list) => list.length === preference.length),
    "preference, lenModel, lenBaseline and promptIndex differ in length",
  );
