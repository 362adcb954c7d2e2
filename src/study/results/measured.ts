/**
 * Values by prompt, out of what a step leaves: losses out of scores, preferences out of annotations.
 * May not know: what they are for.
 */
import { z } from "zod";
import { annotationSchema } from "../../records/annotations.js";
import { scoreOutputSchema } from "../../records/scores.js";
import { probabilityOf } from "../../stats/win-rate.js";
import { readRecord, readRecordLines } from "../../util/record-file.js";

const REMEDY = "`tacit study run` says how its step is done again";

/** Mean NLL per token (nats) of each row. */
export async function readLosses(path: string): Promise<number[]> {
  const lines = await readRecordLines(path, scoreOutputSchema, REMEDY);
  return lines.map(({ mean }) => -mean);
}

/** P(the model is better than the baseline) of each row in percent; null where there is no verdict. */
export async function readPreferences(path: string): Promise<(number | null)[]> {
  const rows = await readRecord(path, z.array(annotationSchema), REMEDY);
  return rows.map(({ preference, outcome }) => {
    const counts = preference !== null && (outcome === undefined || outcome === "judged" || outcome === "identical");
    const probability = counts ? probabilityOf(preference) : undefined;
    return probability === undefined ? null : 100 * probability;
  });
}
