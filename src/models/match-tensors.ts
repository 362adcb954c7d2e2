/**
 * Which stored tensor is which parameter. Published files differ in spellings; nothing that would change the results is left out.
 * May not know: families.
 */
import { UserError } from "../util/errors.js";
import { openDirectoryWeights } from "../weights/open.js";
import type { PiecewiseStore } from "../weights/weight-store.js";
import type { Model, ParameterSpec } from "./model.js";
import { shown, unwrapped } from "./wrapped-names.js";

export interface Naming {
  /** Names under which a parameter may be stored, the first that is there counts. */
  readonly spellings: (name: string) => readonly string[];
  /** Stored tensors that are no parameters, by name. `used` are the names of those that are. */
  readonly isBeside: (name: string, used: ReadonlySet<string>) => boolean;
}

export interface StoredTensors {
  /** Under the names that the tensors have without what a wrapper put in front. */
  readonly weights: PiecewiseStore;
  /** Where each parameter lies: published files differ in prefixes. */
  readonly storedNames: ReadonlyMap<string, string>;
  /** What was found that a person should know, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Opens the weights of a directory, whose tensors are exactly what the model needs.
 *
 * @throws UserError  no weights; a tensor is missing, of another shape than config.json says, or has no place
 */
export async function openTensors(model: Model, directory: string, naming: Naming): Promise<StoredTensors> {
  const weights = await openDirectoryWeights(directory);
  try {
    const { store, note } = unwrapped(weights, (names) => findAll(model, new Set(names), naming) !== undefined);
    const storedNames = matchTensors(model, store, directory, naming);
    return { weights: store, storedNames, notes: note === undefined ? [] : [`${directory}: ${note}`] };
  } catch (error) {
    await weights.close();
    throw error;
  }
}

/** Where each parameter lies, or undefined where one is missing. */
function findAll(model: Model, names: ReadonlySet<string>, { spellings }: Naming): Map<string, string> | undefined {
  const found = new Map<string, string>();
  for (const { name } of model.parameters) {
    const stored = spellings(name).find((spelling) => names.has(spelling));
    if (stored === undefined) return undefined;
    found.set(name, stored);
  }
  return found;
}

/** As `openTensors` does, for tensors that are open. */
export function matchTensors(
  model: Model,
  weights: PiecewiseStore,
  directory: string,
  naming: Naming,
): ReadonlyMap<string, string> {
  const names = new Set(weights.tensors.keys());
  const found = findAll(model, names, naming);
  if (found === undefined) throw missing(model, names, directory, naming);
  for (const spec of model.parameters) {
    checkShape(spec, weights.tensors.get(found.get(spec.name) ?? "")?.shape ?? [], directory);
  }
  const used = new Set(found.values());
  for (const name of names) {
    if (used.has(name) || naming.isBeside(name, used)) continue;
    throw new UserError(`${directory}: tensor ${shown(name)} has no place in the ${model.family} family`, {
      remedy: "leaving it out would change the results, so this model is refused",
    });
  }
  return found;
}

/** A file that lacks a few tensors is not complete; one that has none of them is of another kind. */
function missing(model: Model, names: ReadonlySet<string>, directory: string, { spellings }: Naming): UserError {
  const lacks = model.parameters.filter(({ name }) => !spellings(name).some((spelling) => names.has(spelling)));
  const [first] = lacks;
  const [other] = names;
  if (lacks.length < model.parameters.length) {
    return new UserError(
      `${directory}: tensor ${first?.name} is missing (${lacks.length} of ${model.parameters.length})`,
      {
        remedy: "the weights are not complete: fetch them again, or check that they are those of config.json",
      },
    );
  }
  const called = other === undefined ? "it holds none at all" : `they are called like ${shown(other)}`;
  return new UserError(`${directory}: no tensor has a name of the ${model.family} family (${first?.name}); ${called}`, {
    remedy:
      "save the model with Transformers' save_pretrained, or take one whose config.json and weights belong together",
  });
}

function checkShape(spec: ParameterSpec, shape: readonly number[], directory: string): void {
  if (shape.length === spec.shape.length && shape.every((dim, i) => dim === spec.shape[i])) return;
  throw new UserError(
    `${directory}: tensor ${spec.name} is [${shape.join(", ")}], config.json says [${spec.shape.join(", ")}]`,
  );
}
