/**
 * The steps of an arm: tuning for every seed and number of epochs, the choice between them, and the answers of what was chosen.
 * May not know: other arms.
 */
import { invariant, present } from "../../util/errors.js";
import { idOf, resultOf, type StepName, type StepWork } from "../steps.js";
import { epochsOf, isTuned, seedsOf } from "./arms.js";
import { addGeneration } from "./graph-answers.js";
import {
  type ArmAt,
  type ArmModel,
  armKey,
  type Builder,
  cellOf,
  type FinalModel,
  templateOf,
} from "./graph-builder.js";
import { addChoice } from "./graph-choices.js";
import { dataSource } from "./sources.js";

export function addArm(builder: Builder, at: ArmAt): void {
  const { generation } = builder.context.study;
  const models = isTuned(at.arm) ? addTunedArm(builder, at) : [addPlainArm(builder, at)];
  const finals = models.map((model): FinalModel => {
    if (generation === undefined) return { ...model, answers: undefined };
    const { prompts, limit } = generation;
    return {
      ...model,
      answers: addGeneration(builder, model, "test", { prompts, limit, settings: at.arm.generation }),
    };
  });
  builder.finals.set(armKey(at.model, at.name), finals);
}

function addPlainArm(builder: Builder, at: ArmAt): ArmModel {
  const model = { at, seed: null, epochs: null, source: baseModel(builder, at), needs: [] };
  builder.cells.push({ node: { key: cellOf(model), chosen: true, tune: undefined, answers: [] } });
  return model;
}

function baseModel({ context: { inputs } }: Builder, at: ArmAt) {
  const { spec, hash } = inputs.get("model", at.model);
  return { at: { outside: spec }, is: { sha256: hash } };
}

/** Tunes for every seed and number of epochs, chooses, and gives the chosen model of each seed. */
function addTunedArm(builder: Builder, at: ArmAt): ArmModel[] {
  const { study, choices } = builder.context;
  const [epochs, seeds] = [epochsOf(study, at.arm), seedsOf(study, at.arm)];
  const [only, ...others] = epochs;
  if (others.length === 0)
    return seeds.map((seed) => addTuning(builder, at, seed, present(only ?? null, "epochs"), true));
  const selection = present(study.selection, "selection");
  const chosen = choices.get(armKey(at.model, at.name));
  const sweeping = seeds.filter((seed) => selection.seeds?.includes(seed) ?? true);
  const swept = sweeping.flatMap((seed) => epochs.map((n) => addTuning(builder, at, seed, n, n === chosen)));
  const choice = addChoice(builder, at, swept);
  return seeds.map((seed) => {
    const known = swept.find((one) => one.seed === seed && one.epochs === chosen);
    if (known !== undefined) return { ...known, needs: [...known.needs, choice.id] };
    if (chosen === undefined) return addOpenTuning(builder, at, seed, sweeping.includes(seed), choice.id);
    const tuned = addTuning(builder, at, seed, chosen, true, [choice.id]);
    return { ...tuned, needs: [...tuned.needs, choice.id] };
  });
}

/** Until it is chosen: the model of a seed that is known to be needed. */
function addOpenTuning(builder: Builder, at: ArmAt, seed: number, swept: boolean, choice: string): ArmModel {
  const open: ArmModel = { at, seed, epochs: null, source: undefined, needs: [choice] };
  if (swept) return open;
  const name: StepName = { kind: "tune", model: at.model, arm: at.name, seed };
  const { id } = builder.add({ name, needs: [choice], cell: cellOf(open) }, undefined);
  builder.cells.push({ node: { key: cellOf(open), chosen: true, tune: undefined, answers: [] } });
  return { ...open, needs: [id, choice] };
}

function addTuning(
  builder: Builder,
  at: ArmAt,
  seed: number,
  epochs: number,
  chosen: boolean,
  needs: readonly string[] = [],
): ArmModel {
  const { study } = builder.context;
  const longest = Math.max(...epochsOf(study, at.arm));
  const oneRun = study.epochs_from === "checkpoints" && epochsOf(study, at.arm).length > 1;
  const cell = { model: at.model, arm: at.name, seed, epochs };
  const named: StepName = { kind: "tune", model: at.model, arm: at.name, seed };
  const name = oneRun ? named : { ...named, epochs };
  const tune =
    builder.steps.find(({ id }) => id === idOf(name)) ?? // of the same run, for another number of epochs
    builder.add(
      { name, needs, cell: oneRun ? { ...cell, epochs: longest } : cell },
      tuning(builder, at, seed, oneRun ? longest : epochs, oneRun),
    );
  const plan = present(tune.plan, "the plan of a tuning");
  const part = oneRun && epochs !== longest ? `/epoch-${epochs}` : "";
  const place = { inside: `${resultOf(plan).inside}${part}` };
  builder.cells.push({ node: { key: cell, chosen, tune: { step: tune.id, model: place }, answers: [] } });
  return { at, seed, epochs, source: { at: place, is: { tune: plan.key, part } }, needs: [tune.id] };
}

function tuning(builder: Builder, at: ArmAt, seed: number, epochs: number, saveEveryEpoch: boolean): StepWork {
  const { context } = builder;
  const { study } = context;
  const { arm } = at;
  invariant(isTuned(arm), `${at.name} is not tuned`);
  const settings = { ...study.tune, ...study.models[at.model]?.tune, ...arm.tune };
  return {
    kind: "tune",
    model: baseModel(builder, at),
    data: dataSource(context.inputs, arm.data, settings.limit),
    objective: arm.kind === "response" ? "response" : "instruction",
    template: templateOf(context, arm),
    settings,
    seed,
    epochs,
    saveEveryEpoch,
  };
}
