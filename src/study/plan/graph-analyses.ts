/**
 * Steps of the analyses: ranking of models, similarity of answers.
 * May not know: how models and answers come about.
 */
import type { Arm, Study } from "../../records/study-file.js";
import { present } from "../../util/errors.js";
import { sha256 } from "../../util/files.js";
import { inStep, resultNames, type StepPlan } from "../step.js";
import { type Asked, armKey, type Builder, file, type Planned, path, seedPart, templateOf } from "./graph-builder.js";
import { isTuned, modelsOf } from "./names.js";

export function addAnalyses(builder: Builder): void {
  const { study } = builder.context;
  for (const analysis of study.analyses) {
    for (const [name, arm] of Object.entries(study.arms)) {
      if (analysis.kind === "ranking" ? !ranks(study, analysis.arms, name) : !resembles(analysis.arms, name, arm))
        continue;
      for (const model of modelsOf(study, arm)) {
        for (const asked of builder.finals.get(armKey(model, name)) ?? []) {
          if (analysis.kind === "ranking") addRanking(builder, asked, analysis);
          else addSimilarity(builder, asked, analysis);
        }
      }
    }
  }
}

type Analysis<K> = Extract<Study["analyses"][number], { kind: K }>;

/** Without a list: every tuned arm, and the first untuned one. */
function ranks(study: Study, arms: readonly string[] | undefined, name: string): boolean {
  if (arms !== undefined) return arms.includes(name);
  const arm = present(study.arms[name], name);
  const firstUntuned = Object.entries(study.arms).find(([, one]) => one.kind === "untuned")?.[0];
  return isTuned(arm) || name === firstUntuned;
}

const resembles = (arms: readonly string[] | undefined, name: string, arm: Arm): boolean =>
  arms?.includes(name) ?? arm.kind === "single-task";

function addRanking(builder: Builder, asked: Asked, analysis: Analysis<"ranking">): void {
  const { context } = builder;
  const data = context.inputs.get("data", analysis.data);
  const template = templateOf(context, asked.at.arm);
  const { against, limit, seed, max_length: maxLength } = analysis;
  const settings = { against, limit, seed, maxLength };
  builder.add(
    {
      id: path("rank", analysis.name, asked.at.model, asked.at.name, seedPart(asked.seed)),
      kind: "rank",
      needs: asked.needs,
      cell: { model: asked.at.model, arm: asked.at.name, seed: asked.seed, epochs: asked.epochs },
    },
    asked.place === undefined
      ? undefined
      : {
          work: { kind: "rank", model: asked.place, data: data.spec, template, settings },
          request: { model: asked.identity, data: file(data), template, settings },
        },
  );
}

function addSimilarity(builder: Builder, asked: Asked, analysis: Analysis<"similarity">): void {
  const { inputs } = builder.context;
  const { name, arm, model } = asked.at;
  const answers = builder.steps.find(({ id }) => id === path("generate", "test", model, name, seedPart(asked.seed)));
  const task = analysis.task ?? (isTuned(arm) ? arm.data : undefined);
  if (answers === undefined || task === undefined || analysis.encoder === undefined) {
    const lacking =
      analysis.encoder === undefined ? "no encoder was named (--encoder DIR)" : "it has no answers, or no task";
    const what = `${analysis.name} of ${name}`;
    if (!builder.leftOut.some((one) => one.what === what)) builder.leftOut.push({ what, reason: lacking }); // seeds are left out together
    return;
  }
  const taskData = inputs.get("data", task);
  const reference = analysis.reference === undefined ? undefined : inputs.get("data", analysis.reference);
  const encoder = inputs.all.find((input) => input.role === "encoder" && input.name === analysis.name);
  const identity = encoder?.hash ?? analysis.encoder;
  const { pooling, prefix, limit, statistic } = analysis;
  const settings = { pooling, prefix, limit, statistic };
  const id = path("similarity", analysis.name, model, name, seedPart(asked.seed));
  const cell = { model, arm: name, seed: asked.seed, epochs: asked.epochs };
  const planned = (outputs: StepPlan): Planned => ({
    work: {
      kind: "similarity",
      similarity: {
        encoder: encoder?.spec ?? analysis.encoder ?? "",
        ...settings,
        outputs: inStep(outputs, resultNames.outputs),
        task: taskData.spec,
        reference: reference?.spec,
        cache: { inside: `embeddings/${sha256(identity).slice(0, 16)}.jsonl` },
      },
    },
    request: {
      encoder: identity,
      settings,
      outputs: outputs.key,
      task: file(taskData),
      reference: reference === undefined ? null : file(reference),
    },
  });
  builder.add(
    { id, kind: "similarity", needs: [answers.id], cell },
    answers.plan === undefined ? undefined : planned(answers.plan),
  );
}
