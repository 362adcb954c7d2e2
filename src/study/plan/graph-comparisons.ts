/**
 * Steps that compare the answers of two arms, by the same seed.
 * May not know: how answers come about.
 */
import { present } from "../../util/errors.js";
import { inStep, resultNames, type Step, type StepPlan, type StepWork } from "../step.js";
import { type Asked, armKey, type Builder, type GraphContext, path, seedPart } from "./graph-builder.js";
import { armsOf, modelsOf } from "./names.js";

export function addComparisons(builder: Builder): void {
  const { study } = builder.context;
  for (const { arm: arms, against } of study.comparisons) {
    for (const name of armsOf(arms)) {
      const arm = present(study.arms[name], name);
      if (study.judge === null) {
        builder.leftOut.push({ what: `${name} against ${against}`, reason: "no judge was named (--judge FILE)" });
        continue;
      }
      for (const model of modelsOf(study, arm)) addComparison(builder, model, name, against);
    }
  }
}

const ofSeed = (finals: readonly Asked[], seed: number | null): Asked =>
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
    return { seed, one, other, judge: addVerdicts(builder, seed, one, other) };
  });
  const plans = pairs.map(({ judge }) => judge.plan);
  const work = {
    model,
    arm: name,
    against,
    pairs: pairs.map(({ one, other, judge }) => ({
      seed: one.seed,
      epochs: one.epochs,
      againstSeed: other.seed,
      againstEpochs: other.epochs,
      annotations: judge.plan === undefined ? { inside: "" } : inStep(judge.plan, resultNames.annotations),
    })),
    lengthControl: lengthControl(context),
    published: context.study.arms[name]?.published,
  };
  const open = plans.includes(undefined);
  builder.add(
    {
      id: path("compare", model, `${name}-against-${against}`),
      kind: "compare",
      needs: pairs.map(({ judge }) => judge.id),
      cell: undefined,
    },
    open ? undefined : { work: { kind: "compare", compare: work }, request: compareRequest(context, work, plans) },
  );
}

function lengthControl({ study, inputs }: GraphContext) {
  const { fit, data } = study.length_control;
  return { fit, data: data === undefined ? undefined : inputs.get("length-control", "length-control").spec };
}

function compareRequest(
  { study, inputs }: GraphContext,
  work: Extract<StepWork, { kind: "compare" }>["compare"],
  plans: readonly (StepPlan | undefined)[],
): Record<string, unknown> {
  const { pairs, lengthControl: control, ...names } = work;
  const data = study.length_control.data === undefined ? null : inputs.get("length-control", "length-control").hash;
  return {
    ...names,
    pairs: pairs.map(({ annotations: _, ...pair }, i) => ({ ...pair, judge: plans[i]?.key })),
    // by name: what a default stands for may change, and results of the one before must not be taken for it
    length_control: { fit: control.fit ?? (data === null ? "length" : "v1 or length"), data },
  };
}

function addVerdicts(builder: Builder, seed: number | null, one: Asked, other: Asked): Step {
  const answersOf = ({ at, seed: own }: Asked): Step => {
    const id = path("generate", "test", at.model, at.name, seedPart(own));
    return present(
      builder.steps.find((step) => step.id === id),
      id,
    );
  };
  const [outputs, baseline] = [answersOf(one), answersOf(other)];
  const judge = builder.context.inputs.get("judge", "judge");
  const planned =
    outputs.plan === undefined || baseline.plan === undefined
      ? undefined
      : {
          work: {
            kind: "judge" as const,
            judge: judge.spec,
            outputs: inStep(outputs.plan, resultNames.outputs),
            baseline: inStep(baseline.plan, resultNames.outputs),
          },
          request: { judge: judge.hash, outputs: outputs.plan.key, baseline: baseline.plan.key },
        };
  return builder.add(
    {
      id: path("judge", "test", one.at.model, `${one.at.name}-against-${other.at.name}`, seedPart(seed)),
      kind: "judge",
      needs: [outputs.id, baseline.id],
      cell: { model: one.at.model, arm: one.at.name, seed: one.seed, epochs: one.epochs },
    },
    planned,
  );
}
