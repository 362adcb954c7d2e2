/**
 * The choice of one number of epochs for an arm, out of what was measured on the validation set.
 * May not know: the graph.
 */
import { join } from "node:path";
import { type Choice, choiceSchema } from "../../records/study.js";
import { writeFileAtomic } from "../../util/files.js";
import { choose, type Measured } from "../results/choose.js";
import { readLosses, readPreferences } from "../results/measured.js";
import { leavesFiles, NO_MEMORY, NOTHING, type Source, type StepDefinition } from "../step.js";

export interface ChooseWork {
  readonly kind: "choose";
  readonly model: string;
  readonly arm: string;
  readonly measure: "win_rate" | "loss";
  /** One for each number of epochs and seed: the annotations, or the scores. */
  readonly measured: readonly { readonly epochs: number; readonly seed: number; readonly file: Source }[];
}

const CHOICE = "choice.json";

export const chooseStep: StepDefinition<ChooseWork> = {
  lane: "light",
  alone: false,
  memory: NO_MEMORY,
  models: () => 0,
  result: CHOICE,
  leaves: leavesFiles({ CHOICE }),
  inputs: ({ measured }) => measured.map(({ file }) => file),
  request: ({ model, arm, measure, measured }) => ({
    ...{ model, arm, measure },
    measured: measured.map(({ epochs, seed, file }) => ({ epochs, seed, key: file.is })),
  }),
  async run({ model, arm, measure, measured: files }, { folder, at }) {
    const read = measure === "loss" ? readLosses : readPreferences;
    const measured: Measured[] = [];
    for (const { epochs, seed, file } of files) measured.push({ epochs, seed, values: await read(at(file.at)) });
    const choice: Choice = { model, arm, ...choose(measure, measured) };
    await writeFileAtomic(join(folder, CHOICE), `${JSON.stringify(choiceSchema.parse(choice), null, 2)}\n`);
    return { work: measured.length, unit: "models" };
  },
  forecast: async () => NOTHING,
  summarise: async (result) => ({ choice: await result.read(CHOICE, choiceSchema) }),
  decides: (result) => result.read(CHOICE, choiceSchema),
};
