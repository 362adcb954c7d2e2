/**
 * The mask certificate: what was checked of every rendered row, and what was counted. Lies beside the rows of
 * `tacit render` and inside the record of a tuning run.
 */
import { z } from "zod";

const count = z.number().int().nonnegative();

export const CERTIFICATE_VERSION = 1;

export const certificateSchema = z.object({
  version: z.literal(CERTIFICATE_VERSION),
  /** The whole format: `{BOS}<|user|>\n{instruction}\n<|assistant|>\n{response}{EOS}`. */
  template: z.string(),
  /** sha256 of tokenizer.json. */
  tokenizer: z.string(),
  objective: z.enum(["instruction", "response"]),
  /** Ids in front of and behind every row; `bos` is null where rows begin without one. */
  bos_id: count.nullable(),
  eos_id: count,
  max_length: count.nullable(),
  rows: count,
  /** Rows whose response was encoded apart, because the tokenizer would have joined it with the prompt. */
  rows_merged: count,
  /** Rows that lost their end to `max_length`. */
  rows_cut: count,
  /** Rows left out because nothing that carries loss was left of them (`--skip-empty`). */
  rows_skipped: count,
  /** Rows with characters for which the vocabulary has no token, so that they are missing from the ids. */
  rows_lossy: count,
  /** Responses that carry loss, over all turns. */
  responses: count,
  /** Of these, responses that have no text: their EOS alone carries loss. */
  responses_empty: count,
  /** Responses whose stop token carries loss: all but those cut off. */
  responses_stopped: count,
  tokens: count,
  supervised_tokens: count,
  longest_row: count,
});
export type Certificate = z.infer<typeof certificateSchema>;
