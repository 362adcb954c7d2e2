/**
 * What a similarity run leaves on disk: `points.jsonl` (a line for each response), `summary.json`, and the ledger of embeddings, which may be
 * shared by many runs.
 */
import { z } from "zod";
import { estimateSchema } from "./estimate.js";

const count = z.number().int().nonnegative();

/** How the hidden states of a text become one vector: their mean, or that of the first token. */
export const poolings = ["mean", "cls"] as const;
export type Pooling = (typeof poolings)[number];

/** One line of the ledger: base64 of little-endian float32. `key` is the hash of embedder and text. */
export const embeddingLineSchema = z.object({ key: z.string(), vector: z.string().max(400_000) });
export type EmbeddingLine = z.infer<typeof embeddingLineSchema>;

/** One response in the plane of the paper's figure 5. */
export const similarityPointSchema = z.object({
  /** Its place in the outputs, from 0. */
  index: count,
  instruction: z.string(),
  output: z.string(),
  /** Similarity of the instruction to the task's instructions. */
  x: z.number(),
  /** to_task − to_reference. */
  y: z.number(),
  to_task: z.number(),
  /** Null where no reference was named. */
  to_reference: z.number().nullable(),
});
export type SimilarityPoint = z.infer<typeof similarityPointSchema>;

const data = z.object({ spec: z.string(), hash: z.string(), examples: count });
const points = z.array(similarityPointSchema);

export const similaritySummarySchema = z.object({
  version: z.literal(1),
  command: z.literal("similarity"),
  tacit: z.string(),
  outputs: z.object({ path: z.string(), hash: z.string(), generators: z.array(z.string()), n: count, empty: count }),
  task: data,
  reference: data.nullable(),
  embedder: z.discriminatedUnion("kind", [
    z.object({
      kind: z.literal("encoder"),
      path: z.string(),
      hash: z.string(),
      engine: z.string(),
      pooling: z.enum(poolings),
      max_tokens: count,
      threads: count.nullable(),
      /** Texts with more tokens, which lost some at their end. */
      cut: count,
    }),
    z.object({ kind: z.literal("server"), base_url: z.string(), model: z.string() }),
  ]),
  dimensions: count,
  prefix: z.string(),
  statistic: z.enum(["mean", "max"]),
  texts: z.object({ distinct: count, computed: count, reused: count }),
  mean_x: estimateSchema,
  mean_y: estimateSchema,
  /** Spearman's rank correlation of x and y. */
  correlation: estimateSchema,
  extremes: z.object({ highest_x: points, median_x: points, lowest_x: points, highest_y: points, lowest_y: points }),
  seconds: z.number().nonnegative(),
});
export type SimilaritySummary = z.infer<typeof similaritySummarySchema>;
