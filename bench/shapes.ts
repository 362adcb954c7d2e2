/**
 * Models and rows without files: shapes as `config.json` would give them, random weights and ids, and how many operations they cost.
 * May not know: what is measured.
 */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Model, ParameterSpec } from "../src/models/model.js";
import { modelFromConfig, parameterCount } from "../src/models/open.js";
import { IGNORE, type Row } from "../src/records/row.js";
import { UserError } from "../src/util/errors.js";
import { CONFIG, TOKENIZER, TOKENIZER_CONFIG } from "../src/util/model-files.js";
import { type RandomStream, randomStream } from "../src/util/random.js";
import { packageRoot } from "../src/util/system.js";
import { writeModelWeights } from "../src/weights/safetensors-write.js";

const llama = (layers: number, width: number, [heads, kvHeads]: [number, number], inner: number, words: number) => ({
  ...{ architectures: ["LlamaForCausalLM"], model_type: "llama", hidden_act: "silu", rms_norm_eps: 1e-5 },
  ...{ num_hidden_layers: layers, hidden_size: width, num_attention_heads: heads, num_key_value_heads: kvHeads },
  ...{ intermediate_size: inner, vocab_size: words, max_position_embeddings: 2048, tie_word_embeddings: true },
  ...{ bos_token_id: 1, eos_token_id: 1, torch_dtype: "float32" },
});

/** Configurations by what they are called in tables. */
const shapes = {
  /** That of SmolLM2-135M. */
  "134.5M": llama(30, 576, [9, 3], 1536, 49152),
  "5.9M": llama(6, 256, [4, 4], 704, 4096),
  /** For `growth`, between and beyond them; the last with the vocabulary of Gemma 3 270M. */
  "30M": llama(10, 384, [6, 6], 1024, 32768),
  "268M": llama(18, 640, [10, 10], 2048, 262144),
  /** For `--quick`. */
  "0.1M": llama(2, 64, [4, 2], 128, 512),
};
export type ShapeName = keyof typeof shapes;

/** @throws UserError  there is no such shape */
export function shapeNamed(name: string): ShapeName {
  if (Object.hasOwn(shapes, name)) return name as ShapeName;
  throw new UserError(`no shape is called ${name}`, { remedy: `name some of ${Object.keys(shapes).join(",")}` });
}

/**
 * Writes a model directory with random weights, whose speed does not depend on them, and the tokenizer of stories260K, of whose ids every
 * vocabulary here has enough.
 */
export async function writeModel(directory: string, name: ShapeName): Promise<void> {
  mkdirSync(directory);
  writeFileSync(join(directory, CONFIG), JSON.stringify(shapes[name]));
  for (const file of [TOKENIZER, TOKENIZER_CONFIG])
    copyFileSync(join(packageRoot(), "assets", "stories260k", file), join(directory, file));
  const { parameters } = modelFromConfig(shapes[name], `shape ${name}`);
  const tensors = parameters.map((spec) => ({ ...spec, values: () => randomValues(spec) }));
  await writeModelWeights(directory, tensors, { dtype: "F32" });
}

/** The shape that a bench takes where no model is named. @returns the model directory */
export async function writeDefault(folder: { at(name: string): string }, quick: boolean): Promise<string> {
  const name = quick ? "0.1M" : "134.5M";
  await writeModel(folder.at(name), name);
  return folder.at(name);
}

/** Uniform values with a standard deviation of 0.02; a norm's weights are 1. The same name gives the same values. */
function randomValues({ name, shape }: ParameterSpec): Float32Array {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  if (shape.length === 1) return values.fill(1);
  let state = randomStream(0, name).integer(2 ** 31);
  const scale = (0.02 * Math.sqrt(3)) / 2 ** 31;
  for (let i = 0; i < values.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0; // Numerical Recipes' generator: only speed matters here
    values[i] = state * scale;
  }
  return values;
}

/** From `least` to `most` ids drawn uniformly from the vocabulary. */
export const randomIds = (random: RandomStream, [least, most]: readonly [number, number], vocabulary: number) =>
  Array.from({ length: least + random.integer(most - least + 1) }, () => random.integer(vocabulary));

/** Rows one id longer than is computed on: the last is only a target. Loss on the second half. */
export function halfSupervisedRows(rows: number, time: number, vocabulary: number): Row[] {
  const random = randomStream(0, "bench: rows");
  return Array.from({ length: rows }, (_, row) => {
    const inputIds = randomIds(random, [time + 1, time + 1], vocabulary);
    const labels = inputIds.map((id, i) => (i > time / 2 ? id : IGNORE));
    return { id: `${row}`, inputIds, labels, promptTokens: time / 2 + 1, merged: false, cut: false };
  });
}

/** Positions that a step computes on; a row's last id is only a target. */
export const positionsOf = (rows: readonly Row[]): number =>
  rows.reduce((sum, row) => sum + row.inputIds.length - 1, 0);

export const supervisedOf = (rows: readonly Row[]): number =>
  rows.reduce((sum, { labels }) => sum + labels.filter((label, i) => i > 0 && label !== IGNORE).length, 0);

/**
 * Where a model's operations are: `body` parameters are multiplied at every position, those of `head` wherever a token is
 * predicted, and each pair of positions that attention joins costs `pair` operations forward. Looking up an embedding costs none.
 */
function costs(model: Model): { readonly body: number; readonly head: number; readonly pair: number } {
  const { vocabSize, hiddenSize, heads, headDim, windows } = model.dims;
  const isVocabulary = ({ shape }: ParameterSpec) =>
    shape.length === 2 && shape[0] === vocabSize && shape[1] === hiddenSize;
  const vocabularies = model.parameters.filter(isVocabulary).length; // one where the head is tied
  const head = vocabSize * hiddenSize;
  return { body: parameterCount(model) - vocabularies * head, head, pair: 4 * windows.length * heads * headDim };
}

/** Operations of one step of loss and gradients: forward and twice as much backward; the causal half of attention. */
export function trainingOperations(model: Model, rows: readonly Row[]): number {
  const { body, head, pair } = costs(model);
  const pairs = rows.reduce((sum, row) => sum + (row.inputIds.length - 1) ** 2, 0) / 2;
  return 6 * (body * positionsOf(rows) + head * supervisedOf(rows)) + 3 * pair * pairs;
}

/** Operations of reading the positions from `from` to `to` of one sequence, `predicted` of which predict a token. */
export function readingOperations(model: Model, { from = 0, to, predicted }: Reading): number {
  const { body, head, pair } = costs(model);
  const pairs = (to * (to + 1) - from * (from + 1)) / 2;
  return 2 * (body * (to - from) + head * predicted) + pair * pairs;
}
interface Reading {
  readonly from?: number;
  readonly to: number;
  readonly predicted: number;
}
