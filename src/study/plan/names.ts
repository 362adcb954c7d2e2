/**
 * What a schema cannot say of a study: that every name means something, and that what is asked for goes together.
 * May not know: files.
 */
import type { Arm, Study } from "../../records/study-file.js";
import { analysisOf } from "./analyses.js";
import { armsOf, epochsOf, isTuned, modelsOf, seedsOf } from "./arms.js";

export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** The first thing that is wrong. */
export function checkNames(study: Study): Problem | undefined {
  return [...problems(study)][0];
}

function* problems(study: Study): Generator<Problem> {
  if (Object.keys(study.models).length === 0) yield { path: ["models"], message: "name at least one model" };
  if (Object.keys(study.arms).length === 0) yield { path: ["arms"], message: "name at least one arm" };
  for (const [name, arm] of Object.entries(study.arms)) yield* armProblems(study, ["arms", name], arm);
  yield* selectionProblems(study);
  if (study.generation !== undefined)
    yield* known(study.data, "data", ["generation", "prompts"], study.generation.prompts);
  yield* comparisonProblems(study);
  yield* analysisProblems(study);
}

function* known(
  table: Readonly<Record<string, unknown>>,
  what: string,
  path: Problem["path"],
  name: string,
): Generator<Problem> {
  if (Object.hasOwn(table, name)) return;
  const names = Object.keys(table);
  yield { path, message: `${what} has no "${name}"; it has ${names.length === 0 ? "nothing" : names.join(", ")}` };
}

function* armProblems(study: Study, path: Problem["path"], arm: Arm): Generator<Problem> {
  for (const [i, model] of (arm.models ?? []).entries())
    yield* known(study.models, "models", [...path, "models", i], model);
  if (!isTuned(arm)) return;
  yield* known(study.data, "data", [...path, "data"], arm.data);
  if (epochsOf(study, arm).length > 1 && study.selection === undefined) {
    yield { path, message: "several numbers of epochs and no `selection` that chooses between them" };
  }
}

function* selectionProblems(study: Study): Generator<Problem> {
  const { selection } = study;
  if (selection === undefined) return;
  if (selection.measure === "loss") {
    yield* known(study.data, "data", ["selection", "data"], selection.data);
  } else {
    yield* known(study.data, "data", ["selection", "prompts"], selection.prompts);
    yield* known(study.data, "data", ["selection", "baseline"], selection.baseline);
  }
  for (const [name, arm] of Object.entries(study.arms)) {
    const seeds = seedsOf(study, arm);
    const chosenBy = selection.seeds ?? seeds;
    if (epochsOf(study, arm).length > 1 && !chosenBy.some((seed) => seeds.includes(seed))) {
      yield { path: ["selection", "seeds"], message: `none of them is a seed of the arm ${name}` };
    }
  }
}

function* comparisonProblems(study: Study): Generator<Problem> {
  for (const [i, { arm, against }] of study.comparisons.entries()) {
    const path = ["comparisons", i] as const;
    if (study.generation === undefined)
      yield { path, message: "there is no `generation` whose answers could be compared" };
    yield* known(study.arms, "arms", [...path, "against"], against);
    for (const name of armsOf(arm)) {
      yield* known(study.arms, "arms", [...path, "arm"], name);
      if (name === against) yield { path: [...path, "arm"], message: `${name} is compared with itself` };
      yield* pairProblems(study, [...path, "arm"], name, against);
    }
  }
}

/** Same seeds, and the same models. */
function* pairProblems(study: Study, path: Problem["path"], name: string, against: string): Generator<Problem> {
  const [one, other] = [study.arms[name], study.arms[against]];
  if (one === undefined || other === undefined) return;
  const missing = modelsOf(study, one).find((model) => !modelsOf(study, other).includes(model));
  if (missing !== undefined) yield { path, message: `${against} has no answers of the model ${missing}` };
  const [seeds, theirs] = [seedsOf(study, one), seedsOf(study, other)];
  const alone = theirs.length === 0 ? undefined : seeds.find((seed) => !theirs.includes(seed));
  if (alone !== undefined) yield { path, message: `${name} has the seed ${alone}, ${against} has not` };
}

function* analysisProblems(study: Study): Generator<Problem> {
  const names = new Set<string>();
  for (const [i, analysis] of study.analyses.entries()) {
    const path = ["analyses", i] as const;
    if (names.has(analysis.name)) yield { path, message: `two analyses are named ${analysis.name}` };
    names.add(analysis.name);
    const { data, refuses } = analysisOf(analysis);
    for (const [at, name] of (analysis.arms ?? []).entries()) {
      yield* known(study.arms, "arms", [...path, "arms", at], name);
      const arm = study.arms[name];
      const reason = arm === undefined ? undefined : refuses(arm);
      if (reason !== undefined) yield { path: [...path, "arms", at], message: reason };
    }
    for (const { key, name } of data(analysis)) yield* known(study.data, "data", [...path, key], name);
  }
}
