/**
 * Steps that measure the models of a sweep on the validation set, and choose.
 * May not know: what is tuned.
 */
import { invariant, present } from "../../util/errors.js";
import { inStep, resultNames, type Step } from "../step.js";
import { addGeneration, noteAnswers } from "./graph-answers.js";
import { type ArmAt, type Asked, type Builder, epochsPart, file, path, seedPart, templateOf } from "./graph-builder.js";

/** Measures every model of the sweep on the validation set, and chooses. */
export function addChoice(builder: Builder, at: ArmAt, swept: readonly Asked[]): Step {
  const { selection } = builder.context.study;
  invariant(selection !== undefined, "a choice without a selection");
  const measured = swept.map((asked) => {
    const step = selection.measure === "loss" ? addLoss(builder, asked) : addValidationVerdicts(builder, asked);
    const plan = present(step.plan, step.id);
    const name = selection.measure === "loss" ? resultNames.scores : resultNames.annotations;
    return { step, key: plan.key, epochs: asked.epochs ?? 0, seed: asked.seed ?? 0, file: inStep(plan, name) };
  });
  const { measure } = selection;
  return builder.add(
    {
      id: path("choose", at.model, at.name),
      kind: "choose",
      needs: measured.map(({ step }) => step.id),
      cell: undefined,
    },
    {
      work: {
        kind: "choose",
        model: at.model,
        arm: at.name,
        choose: { measure, measured: measured.map(({ epochs, seed, file: place }) => ({ epochs, seed, file: place })) },
      },
      request: {
        model: at.model,
        arm: at.name,
        measure,
        measured: measured.map(({ epochs, seed, key }) => ({ epochs, seed, key })),
      },
    },
  );
}

function addLoss(builder: Builder, asked: Asked): Step {
  const { context } = builder;
  const { selection } = context.study;
  invariant(selection?.measure === "loss" && asked.place !== undefined, "a loss of nothing");
  const data = context.inputs.get("data", selection.data);
  const template = templateOf(context, asked.at.arm);
  return builder.add(
    {
      id: path("score", "validation", asked.at.model, asked.at.name, seedPart(asked.seed), epochsPart(asked.epochs)),
      kind: "score",
      needs: asked.needs,
      cell: { model: asked.at.model, arm: asked.at.name, seed: asked.seed, epochs: asked.epochs },
    },
    {
      work: { kind: "score", model: asked.place, data: data.spec, limit: selection.limit, template },
      request: { model: asked.identity, data: file(data, selection.limit), template },
    },
  );
}

function addValidationVerdicts(builder: Builder, asked: Asked): Step {
  const { inputs, study } = builder.context;
  const { selection } = study;
  invariant(selection?.measure === "win_rate", "a win rate that was not asked for");
  const { prompts, limit } = selection;
  const answers = addGeneration(builder, asked, "validation", {
    prompts,
    limit,
    settings: { ...asked.at.arm.generation, ...selection.generation },
  });
  noteAnswers(builder, asked, "validation", answers.id);
  const plan = present(answers.plan, answers.id);
  const [judge, baseline] = [inputs.get("judge", "judge"), inputs.get("data", selection.baseline)];
  return builder.add(
    {
      id: path("judge", "validation", asked.at.model, asked.at.name, seedPart(asked.seed), epochsPart(asked.epochs)),
      kind: "judge",
      needs: [answers.id],
      cell: { model: asked.at.model, arm: asked.at.name, seed: asked.seed, epochs: asked.epochs },
    },
    {
      work: {
        kind: "judge",
        judge: judge.spec,
        outputs: inStep(plan, resultNames.outputs),
        baseline: { outside: baseline.path },
      },
      request: { judge: judge.hash, outputs: plan.key, baseline: file(baseline) },
    },
  );
}
