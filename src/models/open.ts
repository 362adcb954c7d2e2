/**
 * From a model directory to a model: which family it is, whether its tensors are exactly what the family needs, its parameters.
 * Adding a family is one file and one entry in `families`.
 */
import { join } from "node:path";
import type { Device, Tensor } from "../runtime/device.js";
import { present, UserError } from "../util/errors.js";
import { readJson } from "../util/json.js";
import { modelDirectory } from "../util/model-directory.js";
import { gemma3 } from "./gemma3.js";
import { gptNeox } from "./gpt-neox.js";
import { gpt2 } from "./gpt2.js";
import { llama } from "./llama.js";
import { type Naming, openTensors, type StoredTensors } from "./match-tensors.js";
import { mistral } from "./mistral.js";
import type { AnyFamily, Model } from "./model.js";
import { olmo } from "./olmo.js";
import { olmo2 } from "./olmo2.js";
import { qwen2 } from "./qwen2.js";
import { qwen3 } from "./qwen3.js";

export const families: readonly AnyFamily[] = [llama, mistral, olmo, olmo2, qwen2, qwen3, gemma3, gpt2, gptNeox];

export interface OpenModel extends StoredTensors {
  readonly model: Model;
}

/** Tensors that some published files carry although they are computed or shared, not learned. */
const DERIVED = /(rotary_emb\.inv_freq|\.(attn|attention)\.(bias|masked_bias))$/;

/** What a model directory says of itself in `config.json`; weights are not looked at. Takes `glasshouse` as well. */
export async function readModelConfig(named: string): Promise<Model> {
  const path = join(modelDirectory(named), "config.json");
  return modelFromConfig(await readJson(path), path);
}

/**
 * Opens a model directory in Hugging Face layout, or `glasshouse`.
 *
 * @throws UserError  unknown family, a config value that is not honoured, a tensor missing, of another shape, or unknown
 */
export async function openModel(named: string): Promise<OpenModel> {
  const directory = modelDirectory(named);
  const model = await readModelConfig(directory);
  return { model, ...(await openTensors(model, directory, naming)) };
}

export function modelFromConfig(config: unknown, path: string): Model {
  const type = typeof config === "object" && config !== null && "model_type" in config ? config.model_type : undefined;
  const family = families.find(({ modelTypes }) => modelTypes.includes(String(type)));
  if (family === undefined) {
    const known = families.flatMap(({ modelTypes }) => modelTypes).join(", ");
    throw new UserError(`${path}: model_type ${JSON.stringify(type)} is not a family that is read here`, {
      remedy: `known: ${known}`,
    });
  }
  return family.open(config, path);
}

/** Names of an output matrix of its own; Transformers 5 knows GPT-NeoX's by both. */
export const HEADS: readonly string[] = ["lm_head.weight", "embed_out.weight"];

/** A base model is sometimes saved without the prefix that its causal form has. */
const naming: Naming = {
  spellings: (name) =>
    HEADS.includes(name) ? [name, ...HEADS] : [name, name.replace(/^(model|transformer|gpt_neox)\./, "")],
  isBeside: (name, used) => DERIVED.test(name) || (HEADS.includes(name) && !HEADS.some((head) => used.has(head))), // a tied head
};

/** All parameters as tensors of `device`, by their published names. */
export async function readParameters(
  { model, weights, storedNames }: OpenModel,
  device: Device,
): Promise<Map<string, Tensor>> {
  const tensors = new Map<string, Tensor>();
  for (const { name, shape } of model.parameters) {
    tensors.set(name, device.fromFloats(await weights.read(present(storedNames.get(name), name)), shape));
  }
  return tensors;
}

export const parameterCount = (model: Model): number =>
  model.parameters.reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0);
