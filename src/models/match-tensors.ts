/**
 * Which stored tensor is which parameter. Published files differ in spellings; nothing that would change the results is left out.
 * May not know: families.
 */
import { UserError } from "../util/errors.js";
import type { WeightStore } from "../weights/weight-store.js";
import type { Model, ParameterSpec } from "./model.js";

export interface Naming {
  /** Names under which a parameter may be stored, the first that is there counts. */
  readonly spellings: (name: string) => readonly string[];
  /** Stored tensors that are no parameters, by name. `used` are the names of those that are. */
  readonly isBeside: (name: string, used: ReadonlySet<string>) => boolean;
}

/**
 * The stored name of every parameter.
 *
 * @throws UserError  a tensor is missing, of another shape than config.json says, or has no place
 */
export function matchTensors(
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
