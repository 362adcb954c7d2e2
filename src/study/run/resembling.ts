/**
 * The similarity step as a study calls it.
 * May not know: the graph.
 */
import { existsSync } from "node:fs";
import { similaritySummarySchema } from "../../records/similarity.js";
import { similarity, similarityPaths } from "../../steps/similarity.js";
import { formatCount } from "../../util/progress.js";
import { readRecord } from "../../util/record-file.js";
import { type Done, type Place, type StepWork, UNREADABLE } from "../step.js";
import { defined } from "./requests.js";

export interface SimilarityContext {
  readonly out: string;
  readonly at: (place: Place) => string;
  readonly threads: number;
  readonly say: (text: () => string) => void;
  readonly signal?: AbortSignal;
}

export async function measureSimilarity(
  { similarity: work }: Extract<StepWork, { kind: "similarity" }>,
  { out, at, threads, say, signal }: SimilarityContext,
): Promise<Done> {
  const { points, summary } = similarityPaths(out);
  if (!existsSync(points) || !existsSync(summary)) {
    const { outputs, cache, task, encoder, ...options } = work;
    await similarity(
      {
        ...defined(options),
        task,
        encoder,
        outputs: at(outputs),
        cache: at(cache),
        out,
        force: true, // the folder is this step's alone
        threads,
      },
      {
        onProgress: (done, texts) => say(() => `${formatCount(done)} of ${formatCount(texts)} texts`),
        ...(signal === undefined ? {} : { signal }),
      },
    );
  }
  const { texts } = await readRecord(summary, similaritySummarySchema, UNREADABLE);
  return { work: texts.computed, unit: "texts" }; // the others were embedded by another step
}
