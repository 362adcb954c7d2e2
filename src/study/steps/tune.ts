/**
 * Tuning a model with one seed for so many epochs.
 * May not know: the graph.
 */
import { join } from "node:path";
import { studySettings } from "../../options/study-settings.js";
import type { Study } from "../../records/study-file.js";
import { isRunFile, tunePaths } from "../../steps/tune/folder.js";
import type { TuneWork as TuneOptions } from "../../steps/tune/options.js";
import { tuneInOwnFolder } from "../../steps/tune.js";
import { deciding, optionsIn } from "../../util/options.js";
import { type Source, type StepDefinition, type TemplateSettings, TUNING_MEMORY } from "../step.js";
import { templateOptions, timed } from "./computing.js";

type TuneSettings = Study["tune"];

export interface TuneWork {
  readonly kind: "tune";
  readonly model: Source;
  readonly data: Source;
  readonly objective: "instruction" | "response";
  readonly template: TemplateSettings;
  readonly settings: TuneSettings;
  readonly seed: number;
  readonly epochs: number;
  readonly saveEveryEpoch: boolean;
}

const MODEL = "model";

export const tuneStep: StepDefinition<TuneWork> = {
  lane: "computing",
  alone: true, // it takes the memory
  memory: TUNING_MEMORY,
  models: ({ saveEveryEpoch, epochs }) => (saveEveryEpoch ? 1 + epochs : 1),
  result: MODEL,
  leaves: (path) => path.startsWith(`${MODEL}/`) && (path === `${MODEL}/` || isRunFile(path.slice(MODEL.length + 1))),
  inputs: ({ model, data }) => [model, data],
  request({ model, data, objective, template, settings, seed, epochs, saveEveryEpoch }) {
    const { limit: _, ...decided } = deciding(studySettings.tune, settings); // the limit is in what identifies the data
    return {
      ...{ model: model.is, data: data.is, objective, template, settings: decided },
      ...{ seed, epochs, every_epoch: saveEveryEpoch },
    };
  },
  async run(work, { folder, at, common, watch }) {
    const record = await tuneInOwnFolder(
      { ...tuneOptions(work, at(work.model.at), at(work.data.at)), out: join(folder, MODEL), ...common },
      watch,
    );
    return { work: Math.round(record.tokens_per_second * record.seconds), unit: "tokens" };
  },
  async forecast(work, known) {
    const path = (source: Source): string => ("outside" in source.at ? source.at.outside : "");
    const { tokens, plan } = await known.tuning(tuneOptions({ ...work, seed: 0 }, path(work.model), path(work.data)));
    return timed(known, { tokens, work: tokens }, plan);
  },
  async summarise(result) {
    const { record, metrics } = tunePaths(MODEL);
    return { tuning: { run: result.path(record), metrics: result.path(metrics) } };
  },
  decides: undefined,
};

/** What decides how much there is to do: the study's names are those of the command line. */
function tuneOptions(work: TuneWork, model: string, data: string): TuneOptions {
  return {
    ...optionsIn(studySettings.tune, work.settings),
    model,
    data,
    objective: work.objective,
    ...templateOptions(work.template),
    seed: work.seed,
    epochs: work.epochs,
    saveEveryEpoch: work.saveEveryEpoch,
  };
}
