/**
 * `config.json` and `generation_config.json` out of GGUF metadata. Keys are those of Transformers that versions 4 and 5
 * both read (rope base and scaling at the top level, not `rope_parameters`).
 * May not know: tensors' values, tokenizers' vocabularies.
 */
import { UserError } from "../util/errors.js";
import type { GgufMetadata } from "./gguf.js";
import type { GgufArchitecture, Sizes } from "./gguf-tensors.js";

export interface GgufConfig {
  readonly sizes: Sizes;
  readonly config: Readonly<Record<string, unknown>>;
  readonly generationConfig: Readonly<Record<string, unknown>>;
}

export interface ConfigInput {
  readonly file: string;
  readonly metadata: GgufMetadata;
  /** Rows of the embedding. */
  readonly vocabulary: number;
  /** No output matrix of its own. */
  readonly tied: boolean;
}

/** @throws UserError  a key is missing, has the wrong type, or asks for something that these families cannot express */
export function ggufConfig(architecture: GgufArchitecture, input: ConfigInput): GgufConfig {
  const sizes = readSizes(architecture, input);
  const family = architecture === "llama" ? llamaConfig(input) : gemma3Config(input, sizes);
  const ids = tokenIds(input.metadata);
  const common = {
    ...family,
    attention_bias: false,
    attention_dropout: 0,
    head_dim: sizes.headDim,
    hidden_size: sizes.hidden,
    initializer_range: 0.02,
    intermediate_size: sizes.intermediate,
    max_position_embeddings: input.metadata.number(`${architecture}.context_length`),
    num_attention_heads: sizes.heads,
    num_hidden_layers: sizes.layers,
    num_key_value_heads: sizes.keyValueHeads,
    rms_norm_eps: shortest(input.metadata.number(`${architecture}.attention.layer_norm_rms_epsilon`)),
    tie_word_embeddings: input.tied,
    use_cache: true,
    vocab_size: sizes.vocabulary,
    ...ids,
  };
  return { sizes, config: common, generationConfig: generationConfig(ids, input.metadata) };
}

function readSizes(architecture: GgufArchitecture, { file, metadata, vocabulary }: ConfigInput): Sizes {
  const size = (key: string, otherwise?: number): number => {
    const name = `${architecture}.${key}`;
    const value = otherwise === undefined ? metadata.number(name) : metadata.number(name, otherwise);
    if (!Number.isSafeInteger(value) || value < 1 || value > 1e9) {
      throw new UserError(`${file}: metadata "${name}" is ${value}, which is no size`);
    }
    return value;
  };
  const hidden = size("embedding_length");
  const heads = size("attention.head_count");
  const keyValueHeads = size("attention.head_count_kv", heads);
  const headDim = size("attention.key_length", size("rope.dimension_count", hidden / heads));
  if (heads % keyValueHeads !== 0) {
    throw new UserError(`${file}: ${heads} query heads cannot share ${keyValueHeads} key/value heads`);
  }
  if (headDim % 2 !== 0 || size("attention.value_length", headDim) !== headDim) {
    throw new UserError(`${file}: heads of ${headDim} dimensions with other values are not read`);
  }
  if (size("rope.dimension_count", headDim) !== headDim) {
    throw new UserError(`${file}: rope over a part of the head only is not read`);
  }
  const layers = size("block_count");
  if (layers > 10_000) throw new UserError(`${file}: ${layers} layers`);
  return { hidden, intermediate: size("feed_forward_length"), layers, heads, keyValueHeads, headDim, vocabulary };
}

function llamaConfig({ file, metadata }: ConfigInput): Record<string, unknown> {
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_act: "silu",
    mlp_bias: false,
    pretraining_tp: 1,
    rope_theta: shortest(metadata.number("llama.rope.freq_base", 10_000)),
    rope_scaling: ropeScaling("llama", file, metadata),
  };
}

/** Every sixth layer sees everything, the others a window (llama.cpp `llama-model.cpp`, LLM_ARCH_GEMMA3). */
const GEMMA3_PATTERN = 6;

function gemma3Config({ file, metadata }: ConfigInput, sizes: Sizes): Record<string, unknown> {
  const pattern = metadata.number("gemma3.attention.sliding_window_pattern", GEMMA3_PATTERN);
  // llama.cpp: only the 27B model, told by its 62 layers, scales queries by the width per head and not by the head's.
  const queryScalar = sizes.layers === 62 ? sizes.hidden / sizes.heads : sizes.headDim;
  return {
    architectures: ["Gemma3ForCausalLM"],
    model_type: "gemma3_text",
    hidden_activation: "gelu_pytorch_tanh",
    attn_logit_softcapping: metadata.optionalNumber("gemma3.attn_logit_softcapping") ?? null,
    final_logit_softcapping: metadata.optionalNumber("gemma3.final_logit_softcapping") ?? null,
    layer_types: Array.from({ length: sizes.layers }, (_, i) =>
      (i + 1) % pattern === 0 ? "full_attention" : "sliding_attention",
    ),
    query_pre_attn_scalar: queryScalar,
    rope_theta: shortest(metadata.number("gemma3.rope.freq_base", 1_000_000)),
    rope_local_base_freq: shortest(metadata.number("gemma3.rope.freq_base_swa", 10_000)),
    rope_scaling: ropeScaling("gemma3", file, metadata),
    sliding_window: metadata.number("gemma3.attention.sliding_window"),
    sliding_window_pattern: pattern,
  };
}

/** null, or Transformers' `{rope_type: "linear", factor}`; other kinds are refused rather than ignored. */
function ropeScaling(architecture: string, file: string, metadata: GgufMetadata): Record<string, unknown> | null {
  const type = metadata.optionalString(`${architecture}.rope.scaling.type`) ?? "none";
  if (type === "none") return null;
  if (type !== "linear") {
    throw new UserError(`${file}: rope scaling "${type}" is not read`, {
      remedy: "use a model with plain or linear rope",
    });
  }
  return { rope_type: "linear", factor: shortest(metadata.number(`${architecture}.rope.scaling.factor`)) };
}

/** Control ids under Transformers' names; absent ones are null, so that no class default slips in. */
function tokenIds(metadata: GgufMetadata): Record<string, number | null> {
  const id = (name: string): number | null => metadata.optionalNumber(`tokenizer.ggml.${name}_token_id`) ?? null;
  return { bos_token_id: id("bos"), eos_token_id: id("eos"), pad_token_id: id("padding") };
}

/** The ids again; where the file names an end of turn beside the end of text, generation stops at either. */
function generationConfig(ids: Record<string, number | null>, metadata: GgufMetadata): Record<string, unknown> {
  const turn = metadata.optionalNumber("tokenizer.ggml.eot_token_id");
  const known = Object.entries(ids).filter(([, id]) => id !== null);
  const config: Record<string, unknown> = Object.fromEntries(known);
  if (turn !== undefined && turn !== ids.eos_token_id) {
    config.eos_token_id = ids.eos_token_id === null ? turn : [ids.eos_token_id, turn];
  }
  return config;
}

/** The shortest decimal that is this float32: 9.999999747378752e-6 was written as 1e-5. */
export function shortest(value: number): number {
  if (Math.fround(value) !== value) return value;
  for (let digits = 1; digits < 10; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return value;
}
