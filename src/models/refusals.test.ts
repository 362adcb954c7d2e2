/** What would change the results and is not honoured is refused by the name of its field; what changes nothing is not. */
import { describe, expect, it } from "vitest";
import { UserError } from "../util/errors.js";
import { families, modelFromConfig } from "./open.js";

const sizes = { vocab_size: 40, hidden_size: 16, intermediate_size: 20, num_hidden_layers: 2, num_attention_heads: 4 };
const BASES: Readonly<Record<string, object>> = {
  llama: sizes,
  mistral: { ...sizes, num_key_value_heads: 2 },
  olmo: sizes,
  olmo2: sizes,
  qwen2: { ...sizes, num_key_value_heads: 2 },
  qwen3: { ...sizes, num_key_value_heads: 2 },
  gpt_neox: sizes,
  gpt2: { vocab_size: 40, n_embd: 16, n_layer: 2, n_head: 4 },
  gemma3_text: { ...sizes, head_dim: 8 },
};
const all = families.flatMap(({ modelTypes }) => modelTypes);
const open = (type: string, changes: object) =>
  modelFromConfig({ model_type: type, ...BASES[type], ...changes }, "config.json");

/** Families with full rotary embeddings read through `rope_scaling`. */
const roped = all.filter((type) => type !== "gpt2");
const llamaLike = ["llama", "mistral", "olmo", "olmo2", "qwen2", "qwen3"];

const REFUSED: readonly (readonly [field: string, value: unknown, types: readonly string[], says?: string])[] = [
  ["hidden_act", "relu", [...llamaLike, "gemma3_text"]],
  ["hidden_act", "xielu", ["gpt_neox"]],
  ["activation_function", "tanh_plus", ["gpt2"]],
  ["hidden_activation", "gelu", ["gemma3_text"]],
  ["mlp_bias", true, ["mistral", "olmo", "olmo2", "qwen2", "qwen3"]],
  ["attention_bias", true, ["mistral"]],
  ["attention_bias", false, ["qwen2"]],
  ["attn_logit_softcapping", 50, all],
  ["final_logit_softcapping", 30, all],
  ["embedding_multiplier", 12, all],
  ["residual_multiplier", 0.22, all],
  ["attention_multiplier", 0.015, all],
  ["logits_scaling", 8, all],
  ["logit_scale", 0.0625, all],
  ["qk_layernorm", true, all],
  ["use_qk_norm", true, all],
  ["alibi", true, all],
  ["no_rope_layers", [1, 0], all],
  ["attention_chunk_size", 8192, all],
  ["add_cross_attention", true, all],
  ["is_encoder_decoder", true, all],
  ["use_bidirectional_attention", true, all],
  ["quantization_config", { quant_method: "gptq" }, all],
  ["clip_qkv", 8, ["olmo2"]],
  ["use_mrope", true, ["qwen2"]],
  ["sliding_window", 8, ["llama", "olmo", "olmo2", "gpt_neox", "gpt2"]],
  ["use_sliding_window", true, ["llama", "olmo", "olmo2", "gpt_neox", "gpt2"]],
  ["sliding_window", 0, ["mistral", "qwen2", "qwen3", "gemma3_text"]],
  ["layer_types", ["full_attention", "linear_attention"], all],
  ["layer_types", ["full_attention", "sliding_attention"], ["llama", "mistral", "olmo", "olmo2", "gpt_neox", "gpt2"]],
  ["layer_types", ["full_attention", "sliding_attention"], ["qwen2", "qwen3"], "use_sliding_window"],
  ["layer_types", ["full_attention"], ["qwen2", "qwen3", "gemma3_text"], "one entry a layer"],
  ["num_key_value_heads", 3, [...llamaLike, "gemma3_text"]],
  ["num_key_value_heads", 2, ["gpt_neox"]],
  ["num_attention_heads", 5, ["llama", "olmo", "gpt_neox"]],
  ["head_dim", 7, ["llama", "qwen3"], "even"],
  ["head_dim", 8, ["gpt_neox"]],
  ["partial_rotary_factor", 0.5, [...llamaLike, "gemma3_text"]],
  ["rope_parameters", { rope_type: "default", partial_rotary_factor: 0.5 }, llamaLike, "partial_rotary_factor"],
  ["rope_parameters", { full_attention: { partial_rotary_factor: 0.5 } }, ["gemma3_text"], "partial_rotary_factor"],
  ["num_hidden_layers", 1e9, roped],
  ["n_layer", 1e9, ["gpt2"]],
  ["head_dim", 1e12, roped],
  ["vocab_size", 1e12, all],
  ["rope_scaling", { rope_type: "longrope", short_factor: [1], long_factor: [1] }, roped, '"longrope" is not honoured'],
  ["rope_scaling", { type: "su" }, roped, '"su" is not honoured'],
  ["rope_scaling", { type: "mrope", mrope_section: [1] }, roped, '"mrope" is not honoured'],
  ["rope_scaling", { type: "default", mrope_section: [1] }, roped, '"mrope_section" is not honoured'],
  ["rope_scaling", { type: "linear" }, roped, 'needs "factor"'],
  ["rope_scaling", { rope_type: "llama3", factor: 8, low_freq_factor: 1 }, roped, 'needs "high_freq_factor"'],
  ["rope_scaling", { rope_type: "yarn", factor: 4, extrapolation_factor: 1 }, roped, '"extrapolation_factor"'],
  ["rope_parameters", { full_attention: { rope_type: "default" }, chunked_attention: {} }, roped, "_attention"],
];

describe("refused by name", () => {
  const cases = REFUSED.flatMap(([field, value, types, says]) =>
    types.map((type) => [type, field, value, says ?? field] as const),
  );
  it.each(cases)("%s: %s %o", (type, field, value, says) => {
    const opened = (): unknown => open(type, { [field]: value });
    expect(opened).toThrow(UserError);
    expect(opened).toThrow(field);
    expect(opened).toThrow(says);
  });

  it("heads of an odd width that would be turned whole", () => {
    const opened = (): unknown => open("gpt_neox", { hidden_size: 20, rotary_pct: 1 });
    expect(opened).toThrow("hidden_size: heads of 5 cannot be turned in pairs");
    expect(() => open("gpt_neox", { hidden_size: 20, rotary_pct: 0.8 })).not.toThrow();
  });

  it("an architecture that is not read", () => {
    for (const type of ["mixtral", "gemma2", "hf_olmo", "olmo3", "qwen3_moe", "ministral", "phi3"])
      expect(() => modelFromConfig({ ...sizes, model_type: type }, "config.json")).toThrow(`"${type}"`);
  });
});

it.each(all)("%s: what changes nothing while nobody trains it, and what says nothing, is read over", (type) => {
  const plain = open(type, {});
  const quiet = open(type, {
    ...{ initializer_range: 0.5, attention_dropout: 0.1, hidden_dropout: 0.1, resid_pdrop: 0.1, use_cache: false },
    ...{ attn_logit_softcapping: null, final_logit_softcapping: null, logit_scale: 1, embedding_multiplier: 1 },
    ...{
      qk_layernorm: false,
      quantization_config: null,
      bos_token_id: 3,
      eos_token_id: [4, 5],
      torch_dtype: "float16",
    },
    ...{ transformers_version: "4.40.0", architectures: ["X"], rope_scaling: null, finetuning_task: "x" },
  });
  expect({ ...quiet, forward: 0 }).toEqual({ ...plain, forward: 0 });
});
