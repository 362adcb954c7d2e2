/** One rendered row: the ids a model sees and where the loss falls. The file format of `tacit render`. */
import { z } from "zod";

const id = z.number().int().nonnegative();

/** The label of a position without loss (PyTorch's `ignore_index`). */
export const IGNORE = -100;

export const rowSchema = z.object({
  id: z.string(),
  input_ids: z.array(id),
  /** Per position the id itself where the loss falls on that token, else -100; not shifted. */
  labels: z.array(z.number().int().min(IGNORE)),
  /** Ids before the first response. */
  prompt_tokens: id,
  /** The tokenizer would have joined prompt and response at their border; the prompt's ids were kept intact. */
  merged: z.boolean(),
  /** The row was longer than the limit and lost its end. */
  cut: z.boolean(),
});
export type RowRecord = z.infer<typeof rowSchema>;

export interface Row {
  readonly id: string;
  readonly inputIds: readonly number[];
  readonly labels: readonly number[];
  readonly promptTokens: number;
  readonly merged: boolean;
  readonly cut: boolean;
}

export const toRowRecord = (row: Row): RowRecord => ({
  id: row.id,
  input_ids: [...row.inputIds],
  labels: [...row.labels],
  prompt_tokens: row.promptTokens,
  merged: row.merged,
  cut: row.cut,
});
