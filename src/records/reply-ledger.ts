/**
 * One line of a ledger of replies: one request to a server that came to an end, with the reply as it came or with the reason why there is none.
 * May not know: what a reply means; it is read again from here each time.
 */
import { z } from "zod";

const common = {
  /** Hash of everything that decides the reply: of a judge's the judge, texts, order and vote; of others the address, the model and the message. */
  key: z.string(),
  /** Which request for this call, from 1; counted again from 1 by each process. */
  attempt: z.number().int().positive(),
  /** Where it went. */
  server: z.string(),
  /** When it was sent. */
  at: z.string(),
  seconds: z.number().nonnegative(),
};

/** Anything that JSON can say: it came from a server, and is looked at when it is read. */
const body = z.custom<unknown>((value) => value !== undefined, "missing");

export const bodyLineSchema = z.object({ ...common, status: z.number().int(), body });

/** A reply that a value could not give back as it came: a stream, numbers beyond what can be computed with, deep nesting. */
export const textLineSchema = z.object({ ...common, status: z.number().int(), text: z.string() });

export const errorLineSchema = z.object({
  ...common,
  /** Of the answer; null where there was none. */
  status: z.number().int().nullable(),
  error: z.string(),
  /** The request itself was refused: sending it again would be refused again. */
  rejected: z.literal(true).optional(),
  /** Whether it was refused for what its texts say. Absent in older ledgers. */
  refused: z.boolean().optional(),
});

export const replyLineSchema = z.union([bodyLineSchema, textLineSchema, errorLineSchema]);
export type ReplyLine = z.infer<typeof replyLineSchema>;
