/**
 * The kinds of analyses that a study has, and their steps.
 * May not know: how models and answers come about.
 */
import type { Analysis } from "../../records/study-file.js";
import { ranking } from "./analyses/ranking.js";
import { similarity } from "./analyses/similarity.js";
import type { AnalysisDefinition } from "./analysis.js";
import { modelsOf } from "./arms.js";
import { armKey, type Builder, cellOf, type FinalModel } from "./graph-builder.js";

type Of<K> = Extract<Analysis, { kind: K }>;

const analyses: { readonly [K in Analysis["kind"]]: AnalysisDefinition<Of<K>> } = { ranking, similarity };

const ofKind = <K extends Analysis["kind"]>(kind: K): AnalysisDefinition<Of<K>> => analyses[kind];

/** Its definition, to be asked with analyses of its kind. */
export const analysisOf = ({ kind }: Analysis): AnalysisDefinition<Analysis> => ofKind(kind);

export function addAnalyses(builder: Builder): void {
  const { study } = builder.context;
  for (const analysis of study.analyses) {
    const { takes } = analysisOf(analysis);
    for (const [name, arm] of Object.entries(study.arms)) {
      if (!(analysis.arms?.includes(name) ?? takes(study, name))) continue;
      for (const model of modelsOf(study, arm)) {
        for (const final of builder.finals.get(armKey(model, name)) ?? []) addAnalysis(builder, analysis, final);
      }
    }
  }
}

function addAnalysis(builder: Builder, analysis: Analysis, model: FinalModel): void {
  const { step, plan } = analysisOf(analysis);
  const planned = plan(analysis, model, builder.context);
  const { at, seed } = model;
  if ("lacking" in planned) {
    const what = `${analysis.name} of ${at.name}`;
    if (!builder.leftOut.some((one) => one.what === what)) builder.leftOut.push({ what, reason: planned.lacking }); // seeds are left out together
    return;
  }
  const name = { kind: step, of: analysis.name, model: at.model, arm: at.name, seed };
  builder.add({ name, needs: planned.needs, cell: cellOf(model) }, planned.work);
}
