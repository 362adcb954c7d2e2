/**
 * Which GGUF tensor is which Hugging Face tensor, per architecture, with the shape it must have and what llama.cpp's
 * converter (convert_hf_to_gguf.py) did to its values and is undone here.
 * May not know: files, tokenizers.
 */
import { UserError } from "../util/errors.js";
import { excerpt } from "../util/terminal.js";
import type { WeightInfo } from "./weight-store.js";

/** The sizes that shapes are made of. */
export interface Sizes {
  readonly hidden: number;
  readonly intermediate: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
  readonly vocabulary: number;
}

/** How stored values become the published ones. */
export type Change =
  | "none"
  /** Query and key rows of a head lie in neighbouring rope pairs; Transformers has first halves, then second halves. */
  | "rope-pairs"
  /** Gemma's norms scale by 1 + w; the file holds 1 + w. */
  | "minus-one"
  /** Rows for all queries, then all keys, then all values; GPT-NeoX has them head by head. */
  | "qkv-by-head";

/** Gguf name, Hugging Face name, shape, change. */
type Row = readonly [gguf: string, hf: string, shape: (s: Sizes) => readonly number[], change?: Change];

interface Table {
  readonly embedding: Row;
  /** Of one layer, behind `blk.i.` and `<layers>.i.` */
  readonly layers: string;
  readonly layer: readonly Row[];
  readonly norm: readonly Row[];
  readonly head: Row;
}

const width = (s: Sizes): number[] => [s.hidden];
const headWidth = (s: Sizes): number[] => [s.headDim];
const queries = (s: Sizes): number[] => [s.heads * s.headDim];
const keys = (s: Sizes): number[] => [s.keyValueHeads * s.headDim];
const queryShape = (s: Sizes): number[] => [...queries(s), s.hidden];
const keyShape = (s: Sizes): number[] => [...keys(s), s.hidden];
const outputShape = (s: Sizes): number[] => [s.hidden, ...queries(s)];
const upShape = (s: Sizes): number[] => [s.intermediate, s.hidden];
const downShape = (s: Sizes): number[] => [s.hidden, s.intermediate];
const vocabularyShape = (s: Sizes): number[] => [s.vocabulary, s.hidden];

const mlp: readonly Row[] = [
  ["ffn_gate.weight", "mlp.gate_proj.weight", upShape],
  ["ffn_up.weight", "mlp.up_proj.weight", upShape],
  ["ffn_down.weight", "mlp.down_proj.weight", downShape],
];
const attention = (change: Change): readonly Row[] => [
  ["attn_q.weight", "self_attn.q_proj.weight", queryShape, change],
  ["attn_k.weight", "self_attn.k_proj.weight", keyShape, change],
  ["attn_v.weight", "self_attn.v_proj.weight", keyShape],
  ["attn_output.weight", "self_attn.o_proj.weight", outputShape],
];
const attentionNorm: Row = ["attn_norm.weight", "input_layernorm.weight", width];
const mlpNorm: Row = ["ffn_norm.weight", "post_attention_layernorm.weight", width];
const around = {
  embedding: ["token_embd.weight", "model.embed_tokens.weight", vocabularyShape],
  layers: "model.layers",
  norm: [["output_norm.weight", "model.norm.weight", width]],
  head: ["output.weight", "lm_head.weight", vocabularyShape],
} as const satisfies Omit<Table, "layer">;

/** Weight and bias under the same two names. */
const withBias = (gguf: string, hf: string, shape: (s: Sizes) => readonly number[], change: Change = "none"): Row[] => [
  [`${gguf}.weight`, `${hf}.weight`, shape, change],
  [`${gguf}.bias`, `${hf}.bias`, (s) => shape(s).slice(0, 1), change],
];

export const TENSOR_TABLES = {
  llama: { ...around, layer: [attentionNorm, ...attention("rope-pairs"), mlpNorm, ...mlp] },
  olmo: { ...around, norm: [], layer: [...attention("rope-pairs"), ...mlp] },
  olmo2: {
    ...around,
    layer: [
      ...attention("none"),
      ["attn_q_norm.weight", "self_attn.q_norm.weight", queries],
      ["attn_k_norm.weight", "self_attn.k_norm.weight", keys],
      ["post_attention_norm.weight", "post_attention_layernorm.weight", width],
      ...mlp,
      ["post_ffw_norm.weight", "post_feedforward_layernorm.weight", width],
    ],
  },
  qwen2: {
    ...around,
    layer: [
      attentionNorm,
      ...attention("none"),
      ["attn_q.bias", "self_attn.q_proj.bias", queries],
      ["attn_k.bias", "self_attn.k_proj.bias", keys],
      ["attn_v.bias", "self_attn.v_proj.bias", keys],
      mlpNorm,
      ...mlp,
    ],
  },
  qwen3: {
    ...around,
    layer: [
      attentionNorm,
      ...attention("none"),
      ["attn_q_norm.weight", "self_attn.q_norm.weight", headWidth],
      ["attn_k_norm.weight", "self_attn.k_norm.weight", headWidth],
      mlpNorm,
      ...mlp,
    ],
  },
  gptneox: {
    embedding: ["token_embd.weight", "gpt_neox.embed_in.weight", vocabularyShape],
    layers: "gpt_neox.layers",
    layer: [
      ...withBias("attn_norm", "input_layernorm", width),
      ...withBias("attn_qkv", "attention.query_key_value", (s) => [3 * s.hidden, s.hidden], "qkv-by-head"),
      ...withBias("attn_output", "attention.dense", outputShape),
      ...withBias("ffn_norm", "post_attention_layernorm", width),
      ...withBias("ffn_up", "mlp.dense_h_to_4h", upShape),
      ...withBias("ffn_down", "mlp.dense_4h_to_h", downShape),
    ],
    norm: withBias("output_norm", "gpt_neox.final_layer_norm", width),
    head: ["output.weight", "embed_out.weight", vocabularyShape],
  },
  gemma3: {
    ...around,
    layer: [
      ["attn_norm.weight", "input_layernorm.weight", width, "minus-one"],
      ...attention("none"),
      ["attn_q_norm.weight", "self_attn.q_norm.weight", headWidth, "minus-one"],
      ["attn_k_norm.weight", "self_attn.k_norm.weight", headWidth, "minus-one"],
      ["post_attention_norm.weight", "post_attention_layernorm.weight", width, "minus-one"],
      ["ffn_norm.weight", "pre_feedforward_layernorm.weight", width, "minus-one"],
      ...mlp,
      ["post_ffw_norm.weight", "post_feedforward_layernorm.weight", width, "minus-one"],
    ],
    norm: [["output_norm.weight", "model.norm.weight", width, "minus-one"]],
  },
} as const satisfies Record<string, Table>;

export type GgufArchitecture = keyof typeof TENSOR_TABLES;

export interface MappedTensor {
  readonly gguf: string;
  readonly name: string;
  readonly shape: readonly number[];
  readonly change: Change;
}

/** Metadata in the shape of a tensor; read elsewhere. */
const NOT_WEIGHTS: ReadonlySet<string> = new Set(["rope_freqs.weight"]);

/**
 * Every tensor of the model, in the order in which a model directory holds them.
 * @throws UserError  one is missing, has another shape, or is left over
 */
export function mapTensors(
  architecture: GgufArchitecture,
  sizes: Sizes,
  there: ReadonlyMap<string, WeightInfo>,
  file: string,
): readonly MappedTensor[] {
  const table: Table = TENSOR_TABLES[architecture];
  const place = ([gguf, hf, shape, change = "none"]: Row, from = "", to = ""): MappedTensor => ({
    gguf: from + gguf,
    name: to + hf,
    shape: shape(sizes),
    change,
  });
  const mapped = [place(table.embedding)];
  for (let layer = 0; layer < sizes.layers; layer++) {
    for (const row of table.layer) mapped.push(place(row, `blk.${layer}.`, `${table.layers}.${layer}.`));
  }
  for (const row of table.norm) mapped.push(place(row));
  if (there.has(table.head[0])) mapped.push(place(table.head));
  for (const tensor of mapped) checkThere(tensor, there, file);
  const known = new Set(mapped.map((tensor) => tensor.gguf));
  for (const name of there.keys()) {
    if (!known.has(name) && !NOT_WEIGHTS.has(name)) {
      throw new UserError(`${file}: tensor "${excerpt(name)}" has no place in a plain ${architecture} model`, {
        remedy: "biases, experts and adapters are not supported in GGUF files",
      });
    }
  }
  return mapped;
}

function checkThere(tensor: MappedTensor, there: ReadonlyMap<string, WeightInfo>, file: string): void {
  const info = there.get(tensor.gguf);
  if (info === undefined)
    throw new UserError(`${file} lacks tensor "${tensor.gguf}"`, { remedy: "fetch the file again" });
  if (info.shape.join() !== tensor.shape.join()) {
    throw new UserError(
      `${file}: tensor "${tensor.gguf}" is [${info.shape.join(", ")}], but the metadata says [${tensor.shape.join(", ")}]`,
    );
  }
}

/**
 * Undoes the change, in place or in a new array of the same length.
 * @param values  row-major of `tensor.shape`
 */
export function undoChange(values: Float32Array, tensor: MappedTensor, headDim: number): Float32Array {
  switch (tensor.change) {
    case "none":
      return values;
    case "minus-one":
      for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? Number.NaN) - 1;
      return values;
    case "rope-pairs":
      return pairsToHalves(values, tensor.shape[0] ?? 0, headDim);
    case "qkv-by-head":
      return thirdsToHeads(values, tensor.shape[0] ?? 0, headDim);
    default:
      return tensor.change satisfies never;
  }
}

/**
 * Rows of each head from neighbouring rope pairs (2j, 2j + 1) to halves (j, j + headDim / 2), which is how Transformers'
 * `rotate_half` pairs them.
 *
 * @param values  `[rows, width]`, row-major; rows = heads × headDim
 */
export function pairsToHalves(values: Float32Array, rows: number, headDim: number): Float32Array {
  const width = values.length / rows;
  const half = headDim / 2;
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const within = row % headDim;
    const from = row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
    out.set(values.subarray(from * width, (from + 1) * width), row * width);
  }
  return out;
}

/**
 * Rows from all queries, all keys, all values to query, key and value of one head after another, which is how GPT-NeoX has them.
 *
 * @param values  `[rows, width]`, row-major; rows = 3 × heads × headDim
 */
export function thirdsToHeads(values: Float32Array, rows: number, headDim: number): Float32Array {
  const part = (values.length / rows) * headDim; // of one head: its queries, or its keys, or its values
  const heads = rows / headDim / 3;
  const out = new Float32Array(values.length);
  for (let third = 0; third < 3; third++) {
    for (let head = 0; head < heads; head++) {
      const from = (third * heads + head) * part;
      out.set(values.subarray(from, from + part), (3 * head + third) * part);
    }
  }
  return out;
}
