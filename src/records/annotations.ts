/**
 * Annotations: one judged pair of outputs a row, in AlpacaEval's format with a few keys more. `tacit judge` writes them as one JSON
 * array; `tacit winrate` and `tacit agreement` read those of any tool.
 * May not know: how a verdict came about, what is made of it.
 *
 * `preference` is AlpacaEval's: 1 = output_1 (the baseline) wins, 2 = output_2 (the model) wins, in between = 1 + P(the model is
 * better), 1.5 (in old files 0) = a draw, null = no verdict.
 */
import { z } from "zod";

/**
 * What became of a pair, or of one call to a judge.
 *
 * - `judged`: the judge gave a verdict, a draw included
 * - `identical`: the outputs are the same text; a draw without a call
 * - `empty`: an output has no text, and the judge was not asked
 * - `unparsed`: the reply holds no verdict that was offered
 * - `refused`: the judge declined
 * - `truncated`: the reply was cut off before its verdict
 * - `failed`: no reply (network, status, time)
 */
export const verdictOutcomes = ["judged", "identical", "empty", "unparsed", "refused", "truncated", "failed"] as const;
export const verdictOutcomeSchema = z.enum(verdictOutcomes);
export type VerdictOutcome = z.infer<typeof verdictOutcomeSchema>;

/** From 1 to 2, or 0 for a draw, as above. Other numbers are read, counted and no verdict. */
const preference = z.number().nullable();

/** One call to the judge, its order undone: `preference` always speaks of output_1 and output_2. */
export const annotationCallSchema = z.object({
  /** The judge saw output_2, the model's, first. */
  switched: z.boolean(),
  outcome: verdictOutcomeSchema,
  preference,
  /** Why there is no verdict, in words. */
  reason: z.string().optional(),
});
export type AnnotationCall = z.infer<typeof annotationCallSchema>;

/** What a checker makes of one output by itself. */
export const checkedScoreSchema = z.object({
  total: z.number(),
  /** What the total is made of, by name. */
  parts: z.record(z.string(), z.number()).optional(),
});
export type CheckedScore = z.infer<typeof checkedScoreSchema>;

export const annotationSchema = z.object({
  instruction: z.string(),
  /** The subset that the instruction belongs to. */
  dataset: z.string().optional(),
  /** The baseline's. */
  output_1: z.string(),
  generator_1: z.string(),
  /** The model's. */
  output_2: z.string(),
  generator_2: z.string(),
  /** Which judge: its name, and for judges of ours the hash of everything that decides its verdicts. */
  annotator: z.string(),
  preference,
  /** Absent in files of other tools; there null is "no verdict" and a number is "judged". */
  outcome: verdictOutcomeSchema.optional(),
  reason: z.string().optional(),
  /** Of a judge that scores each output by itself: what it gave output_1 and output_2. */
  score_1: checkedScoreSchema.optional(),
  score_2: checkedScoreSchema.optional(),
  /** Every call of which `preference` is the mean, in the order they were asked. */
  calls: z.array(annotationCallSchema).optional(),
  /** The judge's choice as it came, as AlpacaEval keeps it; of several calls a list in the order of `calls`, null for none. */
  raw_completion: z.unknown().optional(),
});
export type Annotation = z.infer<typeof annotationSchema>;

/**
 * A file of annotations, piece by piece: a JSON array with one row a line, keys in the order of the schema, so that equal rows give
 * equal bytes.
 *
 * @throws ZodError  a row that is not an annotation: NaN, for one
 */
export function* annotationsJson(rows: Iterable<Annotation>): Generator<string> {
  let before = "[";
  for (const row of rows) {
    yield `${before}\n${JSON.stringify(annotationSchema.parse(row))}`;
    before = ",";
  }
  yield before === "[" ? "[]\n" : "\n]\n";
}
