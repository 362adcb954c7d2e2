/**
 * From a model directory to a model: which family it is, whether its tensors are exactly what the family needs, its parameters.
 * Adding a family is one file and one entry in `families`.
 */
import { join } from "node:path";
import type { Device, Tensor } from "../runtime/device.js";
import { invariant, present, UserError } from "../util/errors.js";
import { CONFIG } from "../util/model-files.js";
import { requireConfig } from "../util/model-kinds.js";
import { excerpt } from "../util/terminal.js";
import type { PiecewiseStore } from "../weights/weight-store.js";
import { gemma3 } from "./gemma3.js";
import { gptNeox } from "./gpt-neox.js";
import { gpt2 } from "./gpt2.js";
import { llama } from "./llama.js";
import { matchTensors, type Naming, openTensors, type StoredTensors } from "./match-tensors.js";
import { mistral } from "./mistral.js";
import { type AnyFamily, headName, type Model } from "./model.js";
import { olmo } from "./olmo.js";
import { olmo2 } from "./olmo2.js";
import { qwen2 } from "./qwen2.js";
import { qwen3 } from "./qwen3.js";

export const families: readonly AnyFamily[] = [llama, mistral, olmo, olmo2, qwen2, qwen3, gemma3, gpt2, gptNeox];

export interface OpenModel extends StoredTensors {
  readonly model: Model;
  /** Fields of config.json that hold for these weights in place of what it says. */
  readonly configChanges: Readonly<Record<string, unknown>>;
}

/** Tensors that some published files carry although they are computed or shared, not learned. */
const DERIVED = /(rotary_emb\.inv_freq|\.(attn|attention)\.(bias|masked_bias))$/;

/** What a model directory says of itself in `config.json`; weights are not looked at. Takes `glasshouse` as well. */
export async function readModelConfig(named: string): Promise<Model> {
  const { directory, config } = await requireConfig(named, ["config"]);
  return modelFromConfig(config, join(directory, CONFIG));
}

/**
 * Opens a model directory in Hugging Face layout, or `glasshouse`.
 *
 * @throws UserError  unknown family, a config value that is not honoured, a tensor missing, of another shape, or unknown
 */
export async function openModel(named: string): Promise<OpenModel> {
  const { directory, config } = await requireConfig(named, ["config", "weights"]);
  return openModelIn(directory, config);
}

/** The same where `config.json` was read before. */
export async function openModelIn(directory: string, config: unknown): Promise<OpenModel> {
  const path = join(directory, CONFIG);
  const model = modelFromConfig(config, path);
  const opened = await openTensors(model, directory, namingOf(model));
  try {
    const head = await ownHead(model, opened);
    if (head === undefined) return { model, ...opened, configChanges: {} };
    const configChanges = { tie_word_embeddings: false };
    const untied = modelFromConfig({ ...(config as object), ...configChanges }, path);
    const storedNames = matchTensors(untied, opened.weights, directory, namingOf(untied));
    const note = `${directory}: config.json ties the output to the embedding, but ${head} is stored and differs; it is used, as in Transformers 5`;
    return { ...opened, model: untied, storedNames, notes: [...opened.notes, note], configChanges };
  } catch (error) {
    await opened.weights.close();
    throw error;
  }
}

/**
 * The output matrix that is stored beside a tied embedding and differs from it, where there is one: then the file knows better than
 * config.json.
 */
async function ownHead(model: Model, { weights, storedNames }: StoredTensors): Promise<string | undefined> {
  const embedding = headName(model);
  if (HEADS.includes(embedding)) return undefined;
  const stored = present(storedNames.get(embedding), embedding);
  for (const head of HEADS) {
    if (weights.tensors.has(head) && !(await sameValues(weights, stored, head))) return head;
  }
  return undefined;
}

/** Whether two tensors hold the same numbers; neither is in memory as a whole. */
async function sameValues(weights: PiecewiseStore, a: string, b: string): Promise<boolean> {
  const [one, other] = [weights.tensors.get(a), weights.tensors.get(b)];
  if (one?.shape.join() !== other?.shape.join()) return false;
  const others = weights.pieces(b)[Symbol.asyncIterator]();
  let rest = new Float32Array(0);
  for await (const piece of weights.pieces(a)) {
    for (let from = 0; from < piece.length; ) {
      if (rest.length === 0) rest = ((await others.next()).value ?? new Float32Array(0)) as Float32Array<ArrayBuffer>;
      const count = Math.min(piece.length - from, rest.length);
      invariant(count > 0, `${b} ends before ${a}`);
      for (let i = 0; i < count; i++) if (piece[from + i] !== rest[i]) return false;
      rest = rest.subarray(count);
      from += count;
    }
  }
  return true;
}

export function modelFromConfig(config: unknown, path: string): Model {
  const type = typeof config === "object" && config !== null && "model_type" in config ? config.model_type : undefined;
  const family = families.find(({ modelTypes }) => modelTypes.includes(String(type)));
  if (family === undefined) {
    const known = families.flatMap(({ modelTypes }) => modelTypes).join(", ");
    throw new UserError(`${path}: model_type ${JSON.stringify(type)} is not a supported family`, {
      remedy: `known: ${known}`,
    });
  }
  return family.open(config, path);
}

/** Names of an output matrix of its own; Transformers 5 knows GPT-NeoX's by both. */
export const HEADS: readonly string[] = ["lm_head.weight", "embed_out.weight"];

/**
 * A base model is sometimes saved without the prefix that its causal form has, and a tied matrix under the name of the output alone, which
 * Transformers 5 takes as well.
 */
function namingOf(model: Model): Naming {
  const head = headName(model); // builds the whole graph
  return {
    spellings(name) {
      if (HEADS.includes(name)) return [name, ...HEADS];
      const spellings = [name, name.replace(/^(model|transformer|gpt_neox)\./, "")];
      return name === head ? [...spellings, ...HEADS] : spellings;
    },
    isBeside: (name, used) => DERIVED.test(name) || (HEADS.includes(name) && !HEADS.some((one) => used.has(one))), // a tied head
  };
}

/** All parameters as tensors of `device`, by their published names. */
export async function readParameters(
  { model, weights, storedNames }: OpenModel,
  device: Device,
): Promise<Map<string, Tensor>> {
  const tensors = new Map<string, Tensor>();
  for (const { name, shape } of model.parameters) {
    tensors.set(name, device.fromFloats(await readParameter({ weights, storedNames }, name), shape));
  }
  return tensors;
}

/**
 * The values of one parameter.
 *
 * @throws UserError  one of them is NaN or infinite: whatever is computed with it would be
 */
export async function readParameter(
  { weights, storedNames }: Pick<StoredTensors, "weights" | "storedNames">,
  name: string,
): Promise<Float32Array> {
  const values = await weights.read(present(storedNames.get(name), name));
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] ?? 0) * 0; // of finite values 0
  if (sum === 0) return values;
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  throw new UserError(`${weights.name}: tensor ${excerpt(name)} holds ${values[wrong]} at ${wrong}`, {
    remedy: "the weights are damaged or overflowed when they were written: fetch them again, or take another model",
  });
}

export const parameterCount = (model: Model): number =>
  model.parameters.reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0);
