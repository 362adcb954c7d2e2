/**
 * Steps that measure the models of a sweep on the validation set, and choose.
 * May not know: what is tuned.
 */

import { studySettings } from "../../options/study-settings.js";
import { invariant, present } from "../../util/errors.js";
import { optionsIn } from "../../util/options.js";
import { type Step, type StepName, sourceOf } from "../steps.js";
import { addGeneration } from "./graph-answers.js";
import { type ArmAt, type ArmModel, type Builder, cellOf, templateOf } from "./graph-builder.js";
import { dataSource, fileSource, judging } from "./sources.js";

/** Measures every model of the sweep on the validation set, and chooses. */
export function addChoice(builder: Builder, at: ArmAt, swept: readonly ArmModel[]): Step {
  const { selection } = builder.context.study;
  invariant(selection !== undefined, "a choice without a selection");
  const measured = swept.map((model) => {
    const step = selection.measure === "loss" ? addLoss(builder, model) : addValidationVerdicts(builder, model);
    const [epochs, seed] = [present(model.epochs, "epochs"), present(model.seed, "a seed")];
    return { step, epochs, seed, file: sourceOf(present(step.plan, step.id)) };
  });
  return builder.add(
    {
      name: { kind: "choose", model: at.model, arm: at.name },
      needs: measured.map(({ step }) => step.id),
      cell: undefined,
    },
    {
      ...{ kind: "choose", model: at.model, arm: at.name, measure: selection.measure },
      measured: measured.map(({ epochs, seed, file }) => ({ epochs, seed, file })),
    },
  );
}

/** Of the model of a sweep. */
const validation = (kind: StepName["kind"], { at, seed, epochs }: ArmModel): StepName => ({
  ...{ kind, of: "validation", model: at.model, arm: at.name, seed, epochs },
});

function addLoss(builder: Builder, model: ArmModel): Step {
  const { context } = builder;
  const { selection } = context.study;
  invariant(selection?.measure === "loss" && model.source !== undefined, "a loss of nothing");
  return builder.add(
    { name: validation("score", model), needs: model.needs, cell: cellOf(model) },
    {
      kind: "score",
      model: model.source,
      data: dataSource(context.inputs, selection.data, selection.limit),
      limit: selection.limit,
      template: templateOf(context, model.at.arm),
      settings: optionsIn(studySettings.score, selection),
    },
  );
}

function addValidationVerdicts(builder: Builder, model: ArmModel): Step {
  const { context } = builder;
  const { selection } = context.study;
  invariant(selection?.measure === "win_rate", "a win rate that was not asked for");
  const { prompts, limit } = selection;
  const answers = addGeneration(builder, model, "validation", {
    prompts,
    limit,
    settings: { ...model.at.arm.generation, ...selection.generation },
  });
  const baseline = context.inputs.get("data", selection.baseline);
  return builder.add(
    { name: validation("judge", model), needs: [answers.id], cell: cellOf(model) },
    {
      kind: "judge",
      ...judging(context.study, context.inputs),
      outputs: sourceOf(present(answers.plan, answers.id)),
      baseline: { ...fileSource(baseline), at: { outside: baseline.path } },
    },
  );
}
