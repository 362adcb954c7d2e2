/**
 * One line of a judge's ledger: one request that came to an end, with the reply as it came or with the reason why there is none.
 * May not know: what a reply means; it is read anew from here each time.
 */
import { z } from "zod";

const common = {
  /** Hash of everything that decides the reply: judge, texts, order, vote. */
  key: z.string(),
  /** Which request for this call, from 1; counted anew by each process. */
  attempt: z.number().int().positive(),
  /** Where it went. */
  server: z.string(),
  /** When it was sent. */
  at: z.string(),
  seconds: z.number().nonnegative(),
};

export const judgeReplyLineSchema = z.object({ ...common, status: z.number().int(), body: z.json() });

export const judgeErrorLineSchema = z.object({
  ...common,
  /** Of the answer; null where there was none. */
  status: z.number().int().nullable(),
  error: z.string(),
  /** The request itself was refused: sending it again would be refused again. */
  rejected: z.literal(true).optional(),
});

export const judgeLedgerLineSchema = z.union([judgeReplyLineSchema, judgeErrorLineSchema]);
export type JudgeLedgerLine = z.infer<typeof judgeLedgerLineSchema>;
