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

/**
 * Rows that are made when their step comes, where holding all of them would fill the memory (pre-training). The same index gives the same
 * row at any time.
 */
export interface MadeRows {
  readonly length: number;
  at(index: number): Row;
  /** As long as the longest: what memory is reckoned with before the first step. */
  readonly longest: Row;
}

/** The rows of a run in the order of their file. */
export type Rows = readonly Row[] | MadeRows;

/** Rows that stand for all of them before the first step: themselves, or as many of the longest as a step has. */
export const representatives = (rows: Rows, batch: number): readonly Row[] =>
  "longest" in rows ? Array.from({ length: Math.min(batch, rows.length) }, () => rows.longest) : rows;

export const toRowRecord = (row: Row): RowRecord => ({
  id: row.id,
  input_ids: [...row.inputIds],
  labels: [...row.labels],
  prompt_tokens: row.promptTokens,
  merged: row.merged,
  cut: row.cut,
});
