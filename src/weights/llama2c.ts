/**
 * llama2.c's model file, version 0: a header of seven int32, then float32, each kind of weight for all layers together.
 * Tensors come under Hugging Face's names, with rope pairs in Hugging Face's order. Source: karpathy/llama2.c, `run.c`
 * (`memory_map_weights`) and `export.py` (`legacy_export`).
 * May not know: tokenizers.
 */
import { UserError } from "../util/errors.js";
import { excerpt } from "../util/terminal.js";
import { type ByteSource, openWith, readBytes } from "./byte-source.js";
import { pairsToHalves } from "./gguf-tensors.js";
import type { WeightInfo, WeightStore } from "./weight-store.js";

const HEADER = 28;
/** Constants of llama2.c that the file does not hold. */
const NORM_EPSILON = 1e-5;
const ROPE_THETA = 10_000;
/** llama2.c trains with begin tokens only: the one that begins the next text ends this one. */
const BEGIN = 1;
const LARGEST = 1_000_000;

interface Header {
  readonly hidden: number;
  readonly intermediate: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly vocabulary: number;
  readonly positions: number;
  /** The file's output matrix is its embedding (said by a positive vocabulary size). */
  readonly tied: boolean;
}

interface Placed extends WeightInfo {
  readonly offset: number;
  /** Rows are in neighbouring rope pairs. */
  readonly pairs: boolean;
}

export interface Llama2cFile extends WeightStore {
  /** config.json of a Hugging Face llama. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly generationConfig: Readonly<Record<string, unknown>>;
  readonly vocabulary: number;
}

export const openLlama2c = (path: string): Promise<Llama2cFile> => openWith(path, readLlama2c);

/** @throws UserError  the header is no such header, or the file is not exactly as long as it says */
export async function readLlama2c(source: ByteSource): Promise<Llama2cFile> {
  const header = await readHeader(source);
  const asked = bytesOf(header);
  if (asked !== source.size) {
    throw new UserError(`${source.name} has ${source.size} bytes, but its header asks for ${asked}`, {
      remedy: "name a model file of llama2.c, version 0 (float32), or fetch it again",
    });
  }
  const tensors = place(header);
  const headDim = header.hidden / header.heads;
  return {
    name: source.name,
    tensors,
    config: config(header),
    generationConfig: { bos_token_id: BEGIN, eos_token_id: BEGIN },
    vocabulary: header.vocabulary,
    async read(name) {
      const tensor = tensors.get(name);
      if (tensor === undefined) throw new UserError(`${source.name} has no tensor "${excerpt(name)}"`);
      const values = new Float32Array(tensor.shape.reduce((a, b) => a * b, 1));
      await source.fill(new Uint8Array(values.buffer), tensor.offset);
      return tensor.pairs ? pairsToHalves(values, tensor.shape[0] ?? 0, headDim) : values;
    },
    close: () => source.close(),
  };
}

async function readHeader(source: ByteSource): Promise<Header> {
  const refuse = (what: string): never => {
    throw new UserError(`${source.name} is not a llama2.c model file: ${what}`, {
      remedy: "name a version 0 .bin file",
    });
  };
  if (source.size < HEADER) refuse(`it has ${source.size} bytes`);
  const bytes = await readBytes(source, 0, HEADER);
  const view = new DataView(bytes.buffer);
  const at = (index: number): number => view.getInt32(4 * index, true);
  const vocabulary = at(5);
  const header: Header = {
    hidden: at(0),
    intermediate: at(1),
    layers: at(2),
    heads: at(3),
    keyValueHeads: at(4),
    vocabulary: Math.abs(vocabulary),
    positions: at(6),
    tied: vocabulary > 0,
  };
  for (const [key, value] of Object.entries(header)) {
    if (typeof value === "number" && (value < 1 || value > LARGEST)) refuse(`${key} would be ${value}`);
  }
  if (header.hidden % (2 * header.heads) !== 0) refuse(`${header.heads} heads do not divide ${header.hidden}`);
  if (header.heads % header.keyValueHeads !== 0) refuse(`${header.heads} heads, ${header.keyValueHeads} for keys`);
  return header;
}

/** How long the file must be; taken before anything is made per layer. */
function bytesOf(h: Header): number {
  const headDim = h.hidden / h.heads;
  const keys = h.keyValueHeads * headDim;
  const layer = 2 * h.hidden + 2 * h.hidden * h.hidden + 2 * keys * h.hidden + 3 * h.intermediate * h.hidden;
  const embeddings = (h.tied ? 1 : 2) * h.vocabulary * h.hidden;
  const ropeTables = h.positions * headDim; // two of half a head: cosines and sines, which everyone computes
  return HEADER + 4 * (embeddings + h.layers * layer + h.hidden + ropeTables);
}

/** Where every tensor lies. */
function place(h: Header): ReadonlyMap<string, Placed> {
  const tensors = new Map<string, Placed>();
  let offset = HEADER;
  const one = (name: string, shape: readonly number[], pairs = false): void => {
    tensors.set(name, { name, dtype: "F32", shape, offset, pairs });
    offset += 4 * shape.reduce((a, b) => a * b, 1);
  };
  const each = (name: string, shape: readonly number[], pairs = false): void => {
    for (let layer = 0; layer < h.layers; layer++) one(`model.layers.${layer}.${name}.weight`, shape, pairs);
  };
  const headDim = h.hidden / h.heads;
  const keys = h.keyValueHeads * headDim;
  one("model.embed_tokens.weight", [h.vocabulary, h.hidden]);
  each("input_layernorm", [h.hidden]);
  each("self_attn.q_proj", [h.hidden, h.hidden], true);
  each("self_attn.k_proj", [keys, h.hidden], true);
  each("self_attn.v_proj", [keys, h.hidden]);
  each("self_attn.o_proj", [h.hidden, h.hidden]);
  each("post_attention_layernorm", [h.hidden]);
  each("mlp.gate_proj", [h.intermediate, h.hidden]); // w1
  each("mlp.down_proj", [h.hidden, h.intermediate]); // w2
  each("mlp.up_proj", [h.intermediate, h.hidden]); // w3
  one("model.norm.weight", [h.hidden]);
  offset += 4 * h.positions * headDim;
  if (!h.tied) one("lm_head.weight", [h.vocabulary, h.hidden]);
  return tensors;
}

function config(h: Header): Readonly<Record<string, unknown>> {
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_act: "silu",
    mlp_bias: false,
    pretraining_tp: 1,
    rope_theta: ROPE_THETA,
    rope_scaling: null,
    attention_bias: false,
    attention_dropout: 0,
    head_dim: h.hidden / h.heads,
    hidden_size: h.hidden,
    initializer_range: 0.02,
    intermediate_size: h.intermediate,
    max_position_embeddings: h.positions,
    num_attention_heads: h.heads,
    num_hidden_layers: h.layers,
    num_key_value_heads: h.keyValueHeads,
    rms_norm_eps: NORM_EPSILON,
    tie_word_embeddings: h.tied,
    use_cache: true,
    vocab_size: h.vocabulary,
    bos_token_id: BEGIN,
    eos_token_id: BEGIN,
    pad_token_id: null,
  };
}
