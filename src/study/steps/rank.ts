/**
 * Ranking: whether a model finds the right response more likely than others.
 * May not know: how models come about.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { studySettings } from "../../options/study-settings.js";
import { rankSummarySchema, rankTotalsSchema } from "../../records/rank.js";
import { rank, rankPaths } from "../../steps/rank.js";
import { type OptionsOf, withDefaults } from "../../util/options.js";
import { readRecord } from "../../util/record-file.js";
import {
  leavesFiles,
  READING_MEMORY,
  type Source,
  type StepDefinition,
  type TemplateSettings,
  UNREADABLE,
} from "../step.js";
import { isWhole, modelOf, templateOptions, timed } from "./computing.js";

export interface RankWork {
  readonly kind: "rank";
  readonly model: Source;
  readonly data: Source;
  readonly template: TemplateSettings;
  readonly settings: Partial<OptionsOf<typeof studySettings.rank>>;
}

const RANK = "rank";

export const rankStep: StepDefinition<RankWork> = {
  lane: "computing",
  alone: false,
  memory: READING_MEMORY,
  models: () => 0,
  result: RANK,
  leaves: leavesFiles(rankPaths(RANK)),
  inputs: ({ model, data }) => [model, data],
  request: ({ model, data, template, settings }) => ({ model: model.is, data: data.is, template, settings }),
  async run(work, { folder, at, common, watch }) {
    const out = join(folder, RANK);
    const { summary, pairs, partial } = rankPaths(out);
    if (!isWhole(pairs, summary)) {
      await rank(
        {
          model: at(work.model.at),
          data: at(work.data.at),
          out,
          force: true, // the folder is this step's alone
          ...templateOptions(work.template),
          ...work.settings,
          ...common,
        },
        watch,
      );
    }
    await rm(partial, { force: true });
    const record = await readRecord(summary, rankSummarySchema, UNREADABLE);
    return { work: record.pairs, unit: "pairs" };
  },
  async forecast({ data, settings }, known) {
    const { limit, against } = withDefaults(studySettings.rank, settings);
    const { rows, promptTokens, responseTokens } = await known.pairs(data.at, limit);
    const size = { tokens: promptTokens + (1 + against) * responseTokens, work: rows * against };
    const model = await known.open(modelOf(known), settings.precision);
    return timed(known, size, model.plan({ for: "scoring" }));
  },
  async summarise(result) {
    const { summary, pairs } = rankPaths(RANK);
    const totals = rankTotalsSchema.parse(await result.read(summary, rankSummarySchema));
    return { ranking: { summary: result.path(summary), pairs: result.path(pairs), totals } };
  },
  decides: undefined,
};
