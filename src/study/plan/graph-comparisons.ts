/**
 * Steps that compare the answers of two arms, by the same seed.
 * May not know: how answers come about.
 */
import { studySettings } from "../../options/study-settings.js";
import { present } from "../../util/errors.js";
import { optionsIn } from "../../util/options.js";
import { type Step, type StepName, sourceOf } from "../steps.js";
import { armsOf, modelsOf } from "./arms.js";
import { armKey, type Builder, cellOf, type FinalModel } from "./graph-builder.js";
import { judging, namedSource } from "./sources.js";

export function addComparisons(builder: Builder): void {
  const { study } = builder.context;
  for (const { arm: arms, against } of study.comparisons) {
    for (const name of armsOf(arms)) {
      const arm = present(study.arms[name], name);
      if (study.judge === null) {
        builder.leftOut.push({ what: `${name} against ${against}`, reason: "no judge was named" });
        continue;
      }
      for (const model of modelsOf(study, arm)) addComparison(builder, model, name, against);
    }
  }
}

const ofSeed = (finals: readonly FinalModel[], seed: number | null): FinalModel =>
  present(
    finals.find((one) => one.seed === seed || one.seed === null),
    `seed ${seed}`,
  );

function addComparison(builder: Builder, model: string, name: string, against: string): void {
  const { context, finals } = builder;
  const mine = present(finals.get(armKey(model, name)), name);
  const theirs = present(finals.get(armKey(model, against)), against);
  const seeds = mine.some(({ seed }) => seed !== null) ? mine : theirs; // where one side has no seeds, the other's count
  const pairs = seeds.map(({ seed }) => {
    const [one, other] = [ofSeed(mine, seed), ofSeed(theirs, seed)];
    return { one, other, judge: addVerdicts(builder, seed, one, other) };
  });
  const judged = pairs.flatMap(({ one, other, judge }) => {
    if (judge.plan === undefined) return [];
    const numbers = { seed: one.seed, epochs: one.epochs, againstSeed: other.seed, againstEpochs: other.epochs };
    return [{ ...numbers, annotations: sourceOf(judge.plan) }];
  });
  const { length_control, winrate = {} } = context.study;
  const { fit, data } = length_control;
  builder.add(
    {
      name: { kind: "compare", model, arm: name, against },
      needs: pairs.map(({ judge }) => judge.id),
      cell: undefined,
    },
    judged.length < pairs.length
      ? undefined
      : {
          ...{ kind: "compare", model, arm: name, against, pairs: judged },
          lengthControl: { fit, data: namedSource(context.inputs, "length-control", data) },
          settings: optionsIn(studySettings.winrate, winrate),
          folds: namedSource(context.inputs, "folds", winrate.folds),
          published: context.study.arms[name]?.published,
        },
  );
}

function addVerdicts(builder: Builder, seed: number | null, one: FinalModel, other: FinalModel): Step {
  const [outputs, baseline] = [present(one.answers, one.at.name), present(other.answers, other.at.name)];
  const name: StepName = {
    ...{ kind: "judge", of: "test", model: one.at.model, arm: one.at.name, against: other.at.name, seed },
  };
  return builder.add(
    { name, needs: [outputs.id, baseline.id], cell: cellOf(one) },
    outputs.plan === undefined || baseline.plan === undefined
      ? undefined
      : {
          kind: "judge",
          ...judging(builder.context.study, builder.context.inputs),
          outputs: sourceOf(outputs.plan),
          baseline: sourceOf(baseline.plan),
        },
  );
}
