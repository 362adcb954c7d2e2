/**
 * `config.json` and `generation_config.json` out of GGUF metadata. Keys are those of Transformers that versions 4 and 5
 * both read (rope base and scaling at the top level, not `rope_parameters`).
 * May not know: tensors' values, tokenizers' vocabularies.
 */
import { UserError } from "../util/errors.js";
import { excerpt } from "../util/terminal.js";
import type { GgufMetadata } from "./gguf.js";
import { scalingOfDivisors } from "./gguf-rope.js";
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
  /** Values of `rope_freqs.weight`, where the file has it. */
  readonly ropeDivisors?: Float32Array;
}

/** @throws UserError  a key is missing, has the wrong type, or asks for something that these families cannot express */
export function ggufConfig(architecture: GgufArchitecture, input: ConfigInput): GgufConfig {
  const sizes = readSizes(architecture, input);
  const ids = tokenIds(input.metadata);
  const common = {
    attention_dropout: 0,
    hidden_size: sizes.hidden,
    initializer_range: 0.02,
    intermediate_size: sizes.intermediate,
    max_position_embeddings: input.metadata.number(`${architecture}.context_length`),
    num_attention_heads: sizes.heads,
    num_hidden_layers: sizes.layers,
    tie_word_embeddings: input.tied,
    use_cache: true,
    vocab_size: sizes.vocabulary,
    ...FAMILIES[architecture](input, sizes),
    ...ids,
  };
  return { sizes, config: common, generationConfig: generationConfig(ids, input.metadata) };
}

function readSizes(architecture: GgufArchitecture, { file, metadata, vocabulary }: ConfigInput): Sizes {
  const size = (key: string, otherwise?: number): number => {
    const name = `${architecture}.${key}`;
    const value = otherwise === undefined ? metadata.number(name) : metadata.number(name, otherwise);
    if (!Number.isSafeInteger(value) || value < 1 || value > 1e9) {
      throw new UserError(`${file}: metadata "${excerpt(name)}" is ${value}, which is not a size`);
    }
    return value;
  };
  const hidden = size("embedding_length");
  const heads = size("attention.head_count");
  const keyValueHeads = size("attention.head_count_kv", heads);
  const headDim =
    architecture === "gptneox"
      ? hidden / heads
      : size("attention.key_length", size("rope.dimension_count", hidden / heads));
  if (heads % keyValueHeads !== 0) {
    throw new UserError(`${file}: ${heads} query heads cannot share ${keyValueHeads} key/value heads`);
  }
  if (headDim % 2 !== 0 || size("attention.value_length", headDim) !== headDim) {
    throw new UserError(`${file}: heads of ${headDim} dimensions with other values are not supported`);
  }
  if (architecture !== "gptneox" && size("rope.dimension_count", headDim) !== headDim) {
    throw new UserError(`${file}: rope over a part of the head only is not supported`);
  }
  const layers = size("block_count");
  if (layers > 10_000) throw new UserError(`${file}: ${layers} layers`);
  return { hidden, intermediate: size("feed_forward_length"), layers, heads, keyValueHeads, headDim, vocabulary };
}

/** What is particular to a family. */
const FAMILIES: Readonly<
  Record<GgufArchitecture, (input: ConfigInput, sizes: Sizes) => Readonly<Record<string, unknown>>>
> = {
  llama: (input, sizes) => ({
    ...decoderConfig("llama", input, sizes),
    architectures: ["LlamaForCausalLM"],
    attention_bias: false,
    mlp_bias: false,
    pretraining_tp: 1,
  }),
  olmo: (input, sizes) => ({
    ...withoutEpsilon(decoderConfig("olmo", input, sizes)),
    architectures: ["OlmoForCausalLM"],
    attention_bias: false,
    clip_qkv: shortestOf(input.metadata.optionalNumber("olmo.attention.clamp_kqv")),
  }),
  olmo2: (input, sizes) => {
    if (input.metadata.has("olmo2.attention.sliding_window")) {
      throw new UserError(
        `${input.file}: "olmo2.attention.sliding_window" says that this is OLMo 3, which is not supported`,
      );
    }
    return {
      ...decoderConfig("olmo2", input, sizes),
      architectures: ["Olmo2ForCausalLM"],
      attention_bias: false,
    };
  },
  qwen2: (input, sizes) => ({
    ...decoderConfig("qwen2", input, sizes),
    architectures: ["Qwen2ForCausalLM"],
    use_sliding_window: false, // llama.cpp knows no window of these families
  }),
  qwen3: (input, sizes) => ({
    ...decoderConfig("qwen3", input, sizes),
    architectures: ["Qwen3ForCausalLM"],
    attention_bias: false,
    use_sliding_window: false,
  }),
  gptneox: gptNeoxConfig,
  gemma3: gemma3Config,
};

/** What the families in the style of Llama share. */
function decoderConfig(architecture: GgufArchitecture, { file, metadata, ropeDivisors }: ConfigInput, sizes: Sizes) {
  const theta = shortest(metadata.number(`${architecture}.rope.freq_base`, 10_000));
  const epsilon = architecture === "olmo" ? "layer_norm_epsilon" : "layer_norm_rms_epsilon";
  return {
    model_type: architecture,
    head_dim: sizes.headDim,
    hidden_act: "silu",
    num_key_value_heads: sizes.keyValueHeads,
    rms_norm_eps: shortest(metadata.number(`${architecture}.attention.${epsilon}`)),
    rope_theta: theta,
    rope_scaling:
      ropeDivisors === undefined
        ? ropeScaling(architecture, file, metadata)
        : scalingOfDivisors(ropeDivisors, { theta, headDim: sizes.headDim, file }),
  };
}

/** OLMo's norms have a fixed epsilon, and its config no field for it. */
function withoutEpsilon<C extends { readonly rms_norm_eps: number }>({ rms_norm_eps: _, ...config }: C) {
  return config;
}

/**
 * A file names no activation: llama.cpp takes GELU for the whole architecture, as every published Pythia has it (llama.cpp itself
 * computes its tanh form).
 */
function gptNeoxConfig({ file, metadata }: ConfigInput, sizes: Sizes): Record<string, unknown> {
  return {
    architectures: ["GPTNeoXForCausalLM"],
    model_type: "gpt_neox",
    attention_bias: true,
    hidden_act: "gelu",
    layer_norm_eps: shortest(metadata.number("gptneox.attention.layer_norm_epsilon")),
    use_parallel_residual: metadata.boolean("gptneox.use_parallel_residual", true),
    rotary_emb_base: shortest(metadata.number("gptneox.rope.freq_base", 10_000)),
    rotary_pct: metadata.number("gptneox.rope.dimension_count", sizes.headDim) / sizes.headDim,
    rope_scaling: ropeScaling("gptneox", file, metadata),
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
    attention_bias: false,
    head_dim: sizes.headDim,
    num_key_value_heads: sizes.keyValueHeads,
    rms_norm_eps: shortest(metadata.number("gemma3.attention.layer_norm_rms_epsilon")),
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

/** null, or Transformers' fields of linear and YaRN scaling; other kinds and settings are refused rather than ignored. */
function ropeScaling(architecture: string, file: string, metadata: GgufMetadata): Record<string, unknown> | null {
  const key = (name: string): string => `${architecture}.rope.scaling.${name}`;
  const type = metadata.optionalString(key("type")) ?? "none";
  if (type === "none") return null;
  const refuse = (what: string): UserError =>
    new UserError(`${file}: rope scaling ${what} is not supported`, {
      remedy: "take the model from its own repository",
    });
  const setting = ROPE_SETTINGS.map(key).find((name) => metadata.has(name));
  if (setting !== undefined) throw refuse(`with "${setting}"`);
  const factor = (): number => shortest(metadata.number(key("factor")));
  if (type === "linear") return { rope_type: "linear", factor: factor() };
  if (type !== "yarn") throw refuse(`"${type}"`);
  const original = metadata.number(key("original_context_length"));
  return { rope_type: "yarn", factor: factor(), original_max_position_embeddings: original };
}

/** YaRN's, where they are not the usual ones. */
const ROPE_SETTINGS = [
  "attn_factor",
  "yarn_attn_factor",
  "yarn_ext_factor",
  "yarn_beta_fast",
  "yarn_beta_slow",
  "yarn_log_multiplier",
  "alpha",
] as const;

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

const shortestOf = (value: number | undefined): number | null => (value === undefined ? null : shortest(value));

/** The shortest decimal that is this float32: 9.999999747378752e-6 was written as 1e-5. */
export function shortest(value: number): number {
  if (Math.fround(value) !== value) return value;
  for (let digits = 1; digits < 10; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return value;
}
