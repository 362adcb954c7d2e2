/**
 * How often the right response is more likely than another one.
 * May not know: how models come about.
 */
import { studySettings } from "../../../options/study-settings.js";
import type { Analysis } from "../../../records/study-file.js";
import { optionsIn } from "../../../util/options.js";
import type { AnalysisDefinition } from "../analysis.js";
import { isTuned } from "../arms.js";
import { templateOf } from "../graph-builder.js";
import { dataSource } from "../sources.js";

export const ranking: AnalysisDefinition<Extract<Analysis, { kind: "ranking" }>> = {
  step: "rank",
  data: ({ data }) => [{ key: "data", name: data }],
  /** Every tuned arm, and the first untuned one. */
  takes({ arms }, name) {
    const firstUntuned = Object.entries(arms).find(([, { kind }]) => kind === "untuned")?.[0];
    const arm = arms[name];
    return name === firstUntuned || (arm !== undefined && isTuned(arm));
  },
  refuses: ({ kind }) => (kind === "rules" ? "ranking is of models; rules are for generation" : undefined),
  encoder: () => undefined,
  withEncoder: (analysis) => analysis,
  plan({ data, ...settings }, { at, source, needs }, context) {
    if (source === undefined) return { needs, work: undefined };
    return {
      needs,
      work: {
        ...{ kind: "rank", model: source, data: dataSource(context.inputs, data) },
        ...{ template: templateOf(context, at.arm), settings: optionsIn(studySettings.rank, settings) },
      },
    };
  },
};
