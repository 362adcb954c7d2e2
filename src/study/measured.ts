/**
 * Values by prompt, out of what a step leaves: losses out of scores, preferences out of annotations.
 * May not know: what they are for.
 */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { annotationSchema } from "../records/annotations.js";
import { scoreOutputSchema } from "../records/scores.js";
import { probabilityOf } from "../stats/win-rate.js";
import { readJson } from "../util/json.js";

/** Mean NLL per token (nats) of each row. */
export async function readLosses(path: string): Promise<number[]> {
  const lines = (await readFile(path, "utf8")).split("\n").slice(0, -1);
  return lines.map((line) => -scoreOutputSchema.parse(JSON.parse(line)).mean);
}

/** P(the model is better than the baseline) of each row in percent; null where there is no verdict. */
export async function readPreferences(path: string): Promise<(number | null)[]> {
  const rows = z.array(annotationSchema).parse(await readJson(path));
  return rows.map(({ preference, outcome }) => {
    const counts = preference !== null && (outcome === undefined || outcome === "judged" || outcome === "identical");
    const probability = counts ? probabilityOf(preference) : undefined;
    return probability === undefined ? null : 100 * probability;
  });
}
