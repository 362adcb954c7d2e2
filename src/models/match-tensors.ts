/**
 * Which stored tensor is which parameter. Published files differ in spellings; nothing that would change the results is left out.
 * May not know: families.
 */
import { UserError } from "../util/errors.js";
import { openWeights } from "../weights/open.js";
import type { WeightStore } from "../weights/weight-store.js";
import type { Model, ParameterSpec } from "./model.js";

export interface Naming {
  /** Names under which a parameter may be stored, the first that is there counts. */
  readonly spellings: (name: string) => readonly string[];
  /** Stored tensors that are no parameters, by name. `used` are the names of those that are. */
  readonly isBeside: (name: string, used: ReadonlySet<string>) => boolean;
}

export interface StoredTensors {
  readonly weights: WeightStore;
  /** Where each parameter lies: published files differ in prefixes. */
  readonly storedNames: ReadonlyMap<string, string>;
}

/**
 * Opens the weights of a directory, whose tensors are exactly what the model needs.
 *
 * @throws UserError  no weights; a tensor is missing, of another shape than config.json says, or has no place
 */
export async function openTensors(model: Model, directory: string, naming: Naming): Promise<StoredTensors> {
  const weights = await openWeights(directory);
  try {
    return { weights, storedNames: matchTensors(model, weights, directory, naming) };
  } catch (error) {
    await weights.close();
    throw error;
  }
}

function matchTensors(
  model: Model,
  weights: WeightStore,
  directory: string,
  { spellings, isBeside }: Naming,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const spec of model.parameters) {
    const stored = spellings(spec.name).find((name) => weights.tensors.has(name));
    if (stored === undefined)
      throw new UserError(`${directory}: tensor ${spec.name} is missing`, { remedy: "the file is not complete" });
    checkShape(spec, weights.tensors.get(stored)?.shape ?? [], directory);
    names.set(spec.name, stored);
  }
  const used = new Set(names.values());
  for (const name of weights.tensors.keys()) {
    if (used.has(name) || isBeside(name, used)) continue;
    throw new UserError(`${directory}: tensor ${name} has no place in the ${model.family} family`, {
      remedy: "leaving it out would change the results, so this model is refused",
    });
  }
  return names;
}

function checkShape(spec: ParameterSpec, shape: readonly number[], directory: string): void {
  if (shape.length === spec.shape.length && shape.every((dim, i) => dim === spec.shape[i])) return;
  throw new UserError(
    `${directory}: tensor ${spec.name} is [${shape.join(", ")}], config.json says [${spec.shape.join(", ")}]`,
  );
}
