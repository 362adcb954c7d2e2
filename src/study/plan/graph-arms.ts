/**
 * The steps of an arm: tuning for every seed and number of epochs, the choice between them, and the answers of what was chosen.
 * May not know: other arms.
 */
import { invariant, present } from "../../util/errors.js";
import { inStep, resultNames } from "../step.js";
import { addGeneration, noteAnswers } from "./graph-answers.js";
import { type ArmAt, type Asked, armKey, type Builder, file, type Planned, path, templateOf } from "./graph-builder.js";
import { addChoice } from "./graph-choices.js";
import { epochsOf, isTuned, seedsOf } from "./names.js";

export function addArm(builder: Builder, at: ArmAt): void {
  const { context } = builder;
  const finals = isTuned(at.arm) ? addTunedArm(builder, at) : [addPlainArm(builder, at)];
  builder.finals.set(armKey(at.model, at.name), finals);
  const { generation } = context.study;
  if (generation === undefined) return;
  const { prompts, limit } = generation;
  for (const asked of finals) {
    const { id } = addGeneration(builder, asked, "test", { prompts, limit, settings: at.arm.generation });
    noteAnswers(builder, asked, "test", id);
  }
}

function addPlainArm(builder: Builder, at: ArmAt): Asked {
  const input = builder.context.inputs.get("model", at.model);
  const key = { model: at.model, arm: at.name, seed: null, epochs: null };
  builder.cells.push({ node: { key, chosen: true, tune: undefined, answers: [] } });
  return { at, seed: null, epochs: null, place: { outside: input.spec }, identity: { sha256: input.hash }, needs: [] };
}

/** Tunes for every seed and number of epochs, chooses, and gives the chosen model of each seed. */
function addTunedArm(builder: Builder, at: ArmAt): Asked[] {
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
function addOpenTuning(builder: Builder, at: ArmAt, seed: number, swept: boolean, choice: string): Asked {
  const open = { at, seed, epochs: null, place: undefined, identity: undefined };
  if (swept) return { ...open, needs: [choice] };
  const cell = { model: at.model, arm: at.name, seed, epochs: null };
  const { id } = builder.add(
    { id: path("tune", at.model, at.name, `seed-${seed}`), kind: "tune", needs: [choice], cell },
    undefined,
  );
  builder.cells.push({ node: { key: cell, chosen: true, tune: undefined, answers: [] } });
  return { ...open, needs: [id, choice] };
}

function addTuning(
  builder: Builder,
  at: ArmAt,
  seed: number,
  epochs: number,
  chosen: boolean,
  needs: readonly string[] = [],
): Asked {
  const { study } = builder.context;
  const longest = Math.max(...epochsOf(study, at.arm));
  const oneRun = study.epochs_from === "checkpoints" && epochsOf(study, at.arm).length > 1;
  const cell = { model: at.model, arm: at.name, seed, epochs };
  const id = path("tune", at.model, at.name, `seed-${seed}`, oneRun ? undefined : `epochs-${epochs}`);
  const made = builder.steps.find((step) => step.id === id);
  const planned = planTuning(builder, at, seed, oneRun ? longest : epochs, oneRun);
  const tune =
    made ?? builder.add({ id, kind: "tune", needs, cell: oneRun ? { ...cell, epochs: longest } : cell }, planned);
  const plan = present(tune.plan, "the plan of a tuning");
  const part = oneRun && epochs !== longest ? `/epoch-${epochs}` : "";
  const place = inStep(plan, `${resultNames.model}${part}`);
  builder.cells.push({ node: { key: cell, chosen, tune: { step: id, model: place }, answers: [] } });
  return { at, seed, epochs, place, identity: { tune: plan.key, part }, needs: [id] };
}

function planTuning(builder: Builder, at: ArmAt, seed: number, epochs: number, saveEveryEpoch: boolean): Planned {
  const { context } = builder;
  const { study, inputs } = context;
  const { arm } = at;
  invariant(isTuned(arm), `${at.name} is not tuned`);
  const settings = { ...study.tune, ...study.models[at.model]?.tune, ...arm.tune };
  const { checkpoint_every: _, limit, ...determining } = settings;
  const [model, data] = [inputs.get("model", at.model), inputs.get("data", arm.data)];
  const objective = arm.kind === "response" ? "response" : "instruction";
  const template = templateOf(context, arm);
  return {
    work: {
      kind: "tune",
      model: { outside: model.spec },
      data: data.spec,
      objective,
      template,
      settings,
      seed,
      epochs,
      saveEveryEpoch,
    },
    request: {
      model: { sha256: model.hash },
      data: file(data, limit),
      objective,
      template,
      settings: determining,
      seed,
      epochs,
      every_epoch: saveEveryEpoch,
    },
  };
}
