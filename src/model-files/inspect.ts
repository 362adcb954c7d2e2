/**
 * What a model is, read from its headers alone: family, sizes, tensors, tokenizer, and the memory that tuning it would take.
 * May not know: values of weights, commands.
 */
import { existsSync, statSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { TUNING_BYTES_PER_PARAMETER } from "../engine/tuning.js";
import { HEADS, modelFromConfig } from "../models/open.js";
import { loadTextModel } from "../text/load.js";
import { reasonOf, UserError } from "../util/errors.js";
import { readJson } from "../util/json.js";
import { modelDirectory, NAME_A_MODEL } from "../util/model-directory.js";
import type { GgufFile } from "../weights/gguf.js";
import type { Llama2cFile } from "../weights/llama2c.js";
import { openWeights } from "../weights/open.js";
import type { WeightInfo, WeightStore } from "../weights/weight-store.js";
import { configOfGguf } from "./import.js";

/** Tensors that differ only in the number of their layer, as one line. */
export interface TensorGroup {
  /** `model.layers.*.mlp.up_proj.weight` */
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly count: number;
  /** Values of all of them. */
  readonly parameters: number;
}

export interface ModelInfo {
  readonly path: string;
  readonly model_type: string | null;
  /** Tacit's family; null where it reads the weights but cannot run the model, with the reason. */
  readonly family: string | null;
  readonly family_reason: string | null;
  readonly layers: number | null;
  readonly hidden_size: number | null;
  readonly heads: number | null;
  readonly key_value_heads: number | null;
  readonly head_dim: number | null;
  readonly max_positions: number | null;
  readonly sliding_window: number | null;
  readonly vocabulary: number | null;
  readonly tied: boolean;
  readonly tensors: number;
  /** A tied matrix counts once. */
  readonly parameters: number;
  /** Parameters by how they lie on disk. */
  readonly dtypes: Readonly<Record<string, number>>;
  readonly bytes_on_disk: number;
  readonly memory: MemoryEstimate;
  readonly tokenizer: TokenizerInfo | null;
  readonly tokenizer_reason: string | null;
  readonly groups: readonly TensorGroup[];
}

/** Bytes. Activations come on top: they depend on batch and length. */
export interface MemoryEstimate {
  readonly weights: number;
  readonly tuning: number;
}

export interface TokenizerInfo {
  readonly size: number;
  readonly bos: string | null;
  readonly eos: string | null;
}

/** @throws UserError  nothing there, or damaged headers; an unknown family is not an error here */
export async function inspectModel(model: string): Promise<ModelInfo> {
  const path = modelDirectory(model);
  const weights = await openWeights(path);
  try {
    const isDirectory = statSync(path).isDirectory();
    const config = isDirectory ? await readConfig(path) : await embeddedConfig(path, weights);
    const groups = groupTensors(weights.tensors);
    const tied = isTied(config, weights);
    const parameters = countParameters(weights, tied);
    const tokenizer = await readTokenizer(path, isDirectory, weights);
    return {
      path: model,
      model_type: typeof config === "string" ? architectureOf(weights) : textOf(config.model_type),
      ...(typeof config === "string" ? sizesUnknown(config) : sizesOf(config, path)),
      tied,
      tensors: weights.tensors.size,
      parameters,
      dtypes: countDtypes(weights.tensors),
      bytes_on_disk: isDirectory ? await directorySize(path) : statSync(path).size,
      memory: { weights: 4 * parameters, tuning: TUNING_BYTES_PER_PARAMETER * parameters },
      ...tokenizer,
      groups,
    };
  } finally {
    await weights.close();
  }
}

type Config = Readonly<Record<string, unknown>>;

async function readConfig(directory: string): Promise<Config> {
  const path = join(directory, "config.json");
  if (!existsSync(path)) throw new UserError(`${directory} has no config.json`, { remedy: NAME_A_MODEL });
  const config = await readJson(path);
  if (typeof config !== "object" || config === null) throw new UserError(`${path} is not an object`);
  return config as Record<string, unknown>;
}

const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);

const isGguf = (weights: WeightStore): weights is GgufFile => "metadata" in weights;
const isLlama2c = (weights: WeightStore): weights is Llama2cFile => "generationConfig" in weights;

/** The configuration inside a file of weights, or why there is none. */
async function embeddedConfig(path: string, weights: WeightStore): Promise<Config | string> {
  if (isLlama2c(weights)) return weights.config;
  if (!isGguf(weights)) return "a file of weights alone";
  try {
    return (await configOfGguf(path, weights)).config;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.line;
  }
}

const architectureOf = (weights: WeightStore): string | null =>
  isGguf(weights) ? textOf(weights.metadata.get("general.architecture")) : null;

type Sizes = Pick<
  ModelInfo,
  | "family"
  | "family_reason"
  | "layers"
  | "hidden_size"
  | "heads"
  | "key_value_heads"
  | "head_dim"
  | "max_positions"
  | "sliding_window"
  | "vocabulary"
>;

function sizesOf(config: Config, path: string): Sizes {
  try {
    const { family, dims } = modelFromConfig(config, path);
    return {
      family,
      family_reason: null,
      layers: dims.windows.length,
      hidden_size: dims.hiddenSize,
      heads: dims.heads,
      key_value_heads: dims.kvHeads,
      head_dim: dims.headDim,
      max_positions: dims.maxPositions,
      sliding_window: dims.windows.find((window) => window !== undefined) ?? null,
      vocabulary: dims.vocabSize,
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return sizesUnknown(error.line);
  }
}

function sizesUnknown(reason: string): Sizes {
  const shape = { layers: null, hidden_size: null, heads: null, key_value_heads: null, head_dim: null };
  return { family: null, family_reason: reason, ...shape, max_positions: null, sliding_window: null, vocabulary: null };
}

/** Tied where the config says so or there is no output matrix at all. */
function isTied(config: Config | string, weights: WeightStore): boolean {
  const head = [...HEADS, "output.weight"].some((name) => weights.tensors.has(name));
  return (typeof config !== "string" && config.tie_word_embeddings === true) || !head;
}

const valuesIn = (info: WeightInfo): number => info.shape.reduce((a, b) => a * b, 1);

/** A tied matrix may be stored twice, or once under either name. */
const EMBEDDING = /(^|\.)(embed_tokens|wte|embed_in)\.weight$/;

function countParameters(weights: WeightStore, tied: boolean): number {
  const twice = tied && [...weights.tensors.keys()].some((name) => EMBEDDING.test(name));
  let total = 0;
  for (const info of weights.tensors.values()) {
    if (!(twice && HEADS.includes(info.name))) total += valuesIn(info);
  }
  return total;
}

function countDtypes(tensors: ReadonlyMap<string, WeightInfo>): Record<string, number> {
  const counts = new Map<string, number>();
  for (const info of tensors.values()) counts.set(info.dtype, (counts.get(info.dtype) ?? 0) + valuesIn(info));
  return Object.fromEntries(counts);
}

function groupTensors(tensors: ReadonlyMap<string, WeightInfo>): readonly TensorGroup[] {
  const groups = new Map<string, TensorGroup>();
  for (const info of tensors.values()) {
    const name = info.name.replace(/\.\d+\./gu, ".*.");
    const key = `${name} ${info.dtype} ${info.shape.join("x")}`;
    const before = groups.get(key);
    const count = (before?.count ?? 0) + 1;
    const parameters = (before?.parameters ?? 0) + valuesIn(info);
    groups.set(key, { name, shape: info.shape, dtype: info.dtype, count, parameters });
  }
  return [...groups.values()];
}

async function directorySize(directory: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(directory)) bytes += (await stat(join(directory, name))).size;
  return bytes;
}

type TokenizerPart = Pick<ModelInfo, "tokenizer" | "tokenizer_reason">;

async function readTokenizer(path: string, isDirectory: boolean, weights: WeightStore): Promise<TokenizerPart> {
  if (isGguf(weights)) return { tokenizer: ggufTokenizerInfo(weights), tokenizer_reason: null };
  if (!isDirectory) return { tokenizer: null, tokenizer_reason: "a file of weights alone" };
  try {
    const { tokenizer, bosId, eosId } = await loadTextModel(path);
    const piece = (id: number | undefined): string | null => (id === undefined ? null : (tokenizer.piece(id) ?? null));
    return { tokenizer: { size: tokenizer.vocabSize, bos: piece(bosId), eos: piece(eosId) }, tokenizer_reason: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { tokenizer: null, tokenizer_reason: reasonOf(error) };
  }
}

function ggufTokenizerInfo({ metadata }: GgufFile): TokenizerInfo | null {
  const tokens = metadata.get("tokenizer.ggml.tokens");
  if (typeof tokens !== "object" || tokens.of !== "string") return null;
  const piece = (key: string): string | null => {
    const id = metadata.get(`tokenizer.ggml.${key}_token_id`);
    return typeof id === "number" ? (tokens.values[id] ?? null) : null;
  };
  const addsBos = metadata.get("tokenizer.ggml.add_bos_token") === true;
  return { size: tokens.values.length, bos: addsBos ? piece("bos") : null, eos: piece("eos") };
}
