/**
 * The loss of a model on instructions with responses.
 * May not know: the graph.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { studySettings } from "../../options/study-settings.js";
import { scoreRunSchema } from "../../records/scores.js";
import { score, scorePaths } from "../../steps/score.js";
import { scorePairs } from "../../steps/score-rows.js";
import { deciding, type OptionsOf } from "../../util/options.js";
import { readRecord } from "../../util/record-file.js";
import {
  type Limit,
  leavesFiles,
  READING_MEMORY,
  type Source,
  type StepDefinition,
  type TemplateSettings,
  UNREADABLE,
} from "../step.js";
import { isWhole, modelOf, templateOptions, timed, whereGiven } from "./computing.js";

export interface ScoreWork {
  readonly kind: "score";
  readonly model: Source;
  readonly data: Source;
  readonly limit: Limit | undefined;
  readonly template: TemplateSettings;
  readonly settings: Partial<OptionsOf<typeof studySettings.score>>;
}

const SCORES = "scores.jsonl";

export const scoreStep: StepDefinition<ScoreWork> = {
  lane: "computing",
  alone: false,
  memory: READING_MEMORY,
  models: () => 0,
  result: SCORES,
  leaves: leavesFiles(scorePaths(SCORES)),
  inputs: ({ model, data }) => [model, data],
  request: ({ model, data, template, settings }) => ({
    ...{ model: model.is, data: data.is, template },
    ...whereGiven({ settings: deciding(studySettings.score, settings) }),
  }),
  async run(work, { folder, at, common, watch }) {
    const out = join(folder, SCORES);
    const paths = scorePaths(out);
    if (!isWhole(paths.scores, paths.run)) {
      await score(
        {
          model: at(work.model.at),
          input: await scorePairs(at(work.data.at), work.limit),
          out,
          force: true, // the folder is this step's alone
          ...templateOptions(work.template),
          ...work.settings,
          ...common,
        },
        watch,
      );
    }
    await rm(paths.partial, { force: true });
    const { outcome } = await readRecord(paths.run, scoreRunSchema, UNREADABLE);
    return { work: outcome.tokens, unit: "tokens" };
  },
  async forecast({ data, limit, settings: { precision } }, known) {
    const { promptTokens, responseTokens } = await known.pairs(data.at, limit);
    const tokens = promptTokens + responseTokens;
    const model = await known.open(modelOf(known), precision);
    return timed(known, { tokens, work: tokens }, model.plan({ for: "scoring" }));
  },
  summarise: async () => ({}),
  decides: undefined,
};
