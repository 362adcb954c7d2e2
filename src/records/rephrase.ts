/** What removing restated instructions leaves on disk beside its rows. (Until it is done, a ledger of replies: `reply-ledger.ts`.) */
import { z } from "zod";
import { estimateSchema } from "./estimate.js";

const count = z.number().int().nonnegative();
const reasons = z.record(z.string(), count);

const classificationSchema = z.object({
  both_yes: count,
  false_yes: count,
  false_no: count,
  both_no: count,
  agreement: estimateSchema,
  kappa: estimateSchema,
  precision: estimateSchema,
  recall: estimateSchema,
});
export type ClassificationRecord = z.infer<typeof classificationSchema>;

export const rephraseSummarySchema = z.object({
  version: z.literal(1),
  command: z.literal("data rephrase"),
  tacit: z.string(),
  data: z.object({ spec: z.string(), hash: z.string() }),
  method: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("overlap"), threshold: z.number() }),
    z.object({ kind: z.literal("llm"), base_url: z.string(), model: z.string(), prompts_hash: z.string() }),
  ]),
  /** Equal: no row is lost. */
  rows_in: count,
  rows_out: count,
  /** rewritten + kept + plain + unjudged = exchanges. */
  exchanges: count,
  rewritten: count,
  plain: count,
  /** Restate the instruction and stay as they were, by reason. */
  kept: reasons,
  unjudged: reasons,
  /** Rows of which a response was rewritten. */
  rows_rewritten: count,
  /** Against published verdicts, where a file of them was named. */
  agreement: z
    .object({
      verdicts: z.string(),
      exchanges: count,
      /** Verdicts of exchanges that the data do not have. */
      absent: count,
      measured: classificationSchema,
      /** Of the overlap measure: the threshold chosen on nine tenths of the verdicts, judged on the tenth. */
      cross_validated: classificationSchema.nullable(),
    })
    .nullable(),
  calls: z.object({ asked: count, reused: count, failed: count }),
  seconds: z.number().nonnegative(),
});
export type RephraseSummary = z.infer<typeof rephraseSummarySchema>;
