/**
 * One arm against another, out of the verdicts of all seeds: mean and standard deviation over seeds as in the paper, and an interval
 * with prompts and seeds as levels.
 * May not know: how verdicts came about.
 */
import { type ComparisonResult, comparisonResultSchema, type Spread } from "../records/study.js";
import { clusteredMean } from "../stats/cluster.js";
import { toEstimateRecord } from "../stats/estimate.js";
import { writeFileAtomic } from "../util/files.js";
import type { Done } from "./carry-out.js";
import { readPreferences } from "./measured.js";
import type { Place, StepWork } from "./step.js";

/** Preferences in percent, one a prompt in the order of the prompts, null without a verdict. */
export interface SeedValues {
  readonly seed: number | null;
  readonly values: readonly (number | null)[];
}

export function spreadOf(seeds: readonly SeedValues[]): Spread {
  const means = seeds.map(({ seed, values }) => ({ seed, value: meanOf(values.filter((value) => value !== null)) }));
  const known = means.flatMap(({ value }) => (value === null ? [] : [value]));
  const mean = meanOf(known);
  const prompts = Math.max(0, ...seeds.map(({ values }) => values.length));
  const clusters = Array.from({ length: prompts }, (_, i) => seeds.flatMap(({ values }) => values[i] ?? []));
  return { seeds: means, mean, sd: deviation(known, mean), interval: toEstimateRecord(clusteredMean(clusters)) };
}

const meanOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

function deviation(values: readonly number[], mean: number | null): number | null {
  if (mean === null || values.length < 2) return null;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

export async function compareArms(
  { compare }: Extract<StepWork, { kind: "compare" }>,
  { out, at }: { readonly out: string; readonly at: (place: Place) => string },
): Promise<Done> {
  const seeds: SeedValues[] = [];
  for (const { seed, againstSeed, annotations } of compare.pairs) {
    seeds.push({ seed: seed ?? againstSeed, values: await readPreferences(at(annotations)) });
  }
  const result: ComparisonResult = {
    model: compare.model,
    arm: compare.arm,
    against: compare.against,
    pairs: compare.pairs.map(({ seed, epochs, againstSeed, againstEpochs, annotations }) => ({
      seed,
      epochs,
      against_seed: againstSeed,
      against_epochs: againstEpochs,
      annotations: "inside" in annotations ? annotations.inside : annotations.outside,
      summary: {},
    })),
    win_rate: spreadOf(seeds),
    length_controlled: null,
    published: compare.published ?? null,
  };
  await writeFileAtomic(out, `${JSON.stringify(comparisonResultSchema.parse(result), null, 2)}\n`);
  return { work: compare.pairs.length, unit: "pairs" };
}
