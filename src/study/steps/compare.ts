/**
 * One arm against another, out of the verdicts of all seeds.
 * May not know: the graph.
 */
import { join } from "node:path";
import type { LcChoice } from "../../options/lc-models.js";
import { studySettings } from "../../options/study-settings.js";
import { comparisonResultSchema } from "../../records/study.js";
import type { Arm } from "../../records/study-file.js";
import { writeFileAtomic } from "../../util/files.js";
import { deciding, type OptionsOf } from "../../util/options.js";
import { comparisonOf } from "../results/compare.js";
import { leavesFiles, NO_MEMORY, NOTHING, type Source, type StepDefinition } from "../step.js";
import { whereGiven } from "./computing.js";

export interface CompareWork {
  readonly kind: "compare";
  readonly model: string;
  readonly arm: string;
  readonly against: string;
  readonly pairs: readonly {
    readonly seed: number | null;
    readonly epochs: number | null;
    readonly againstSeed: number | null;
    readonly againstEpochs: number | null;
    readonly annotations: Source;
  }[];
  readonly lengthControl: { readonly fit: LcChoice | undefined; readonly data: Source | undefined };
  readonly settings: Partial<OptionsOf<typeof studySettings.winrate>>;
  readonly folds: Source | undefined;
  readonly published: Arm["published"];
}

const COMPARISON = "comparison.json";

export const compareStep: StepDefinition<CompareWork> = {
  lane: "light",
  alone: false,
  memory: NO_MEMORY,
  models: () => 0,
  result: COMPARISON,
  leaves: leavesFiles({ COMPARISON }),
  inputs: ({ pairs, lengthControl: { data }, folds }) => [
    ...pairs.map(({ annotations }) => annotations),
    ...[data, folds].filter((source) => source !== undefined),
  ],
  request({ model, arm, against, published, pairs, lengthControl: { fit, data }, settings, folds }) {
    const { folds: _, ...decided } = deciding(studySettings.winrate, settings); // by what it says, not by where it lies
    return {
      ...{ model, arm, against, published },
      pairs: pairs.map(({ annotations, ...pair }) => ({ ...pair, judge: annotations.is })),
      // by name: what a default stands for may change, and results of the one before must not be taken for it
      length_control: { fit: fit ?? (data === undefined ? "length" : "v1 or length"), data: data?.is ?? null },
      ...whereGiven({ settings: decided, folds: folds === undefined ? undefined : { sha256: folds.is } }),
    };
  },
  async run({ kind: _, pairs, lengthControl: { fit, data }, settings, folds, ...names }, { folder, at }) {
    const result = await comparisonOf({
      ...names,
      pairs: pairs.map(({ annotations, ...pair }) => ({
        ...pair,
        file: at(annotations.at),
        recorded: "inside" in annotations.at ? annotations.at.inside : annotations.at.outside,
      })),
      lengthControl: { fit, data: data === undefined ? undefined : at(data.at) },
      settings: { ...settings, ...(folds === undefined ? {} : { folds: at(folds.at) }) },
    });
    await writeFileAtomic(
      join(folder, COMPARISON),
      `${JSON.stringify(comparisonResultSchema.parse(result), null, 2)}\n`,
    );
    return { work: pairs.length, unit: "pairs" };
  },
  forecast: async () => NOTHING,
  summarise: async (result) => ({ comparison: await result.read(COMPARISON, comparisonResultSchema) }),
  decides: undefined,
};
