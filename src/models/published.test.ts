/**
 * Configs as published, shortened to what decides the shape and to fields that say nothing here: each is read, and gives the number of
 * parameters that its model card or checkpoint has.
 */
import { expect, it } from "vitest";
import { modelFromConfig, parameterCount } from "./open.js";

/** In every config, and without influence. */
const QUIET = { initializer_range: 0.02, use_cache: true, attention_dropout: 0, torch_dtype: "float32" };

const PUBLISHED: readonly (readonly [name: string, parameters: number, config: Readonly<Record<string, unknown>>])[] = [
  [
    "SmolLM2-135M",
    134_515_008,
    {
      ...{ model_type: "llama", vocab_size: 49_152, hidden_size: 576, intermediate_size: 1536, num_hidden_layers: 30 },
      ...{ num_attention_heads: 9, num_key_value_heads: 3, max_position_embeddings: 8192, rms_norm_eps: 1e-5 },
      ...{ hidden_act: "silu", tie_word_embeddings: true, rope_theta: 100_000, rope_scaling: null, pretraining_tp: 1 },
      ...{ attention_bias: false, mlp_bias: false, rope_interleaved: false, is_llama_config: true },
    },
  ],
  [
    "Llama-3.2-1B",
    1_235_814_400,
    {
      ...{
        model_type: "llama",
        vocab_size: 128_256,
        hidden_size: 2048,
        intermediate_size: 8192,
        num_hidden_layers: 16,
      },
      ...{ num_attention_heads: 32, num_key_value_heads: 8, head_dim: 64, max_position_embeddings: 131_072 },
      ...{ hidden_act: "silu", tie_word_embeddings: true, rope_theta: 500_000, rms_norm_eps: 1e-5, pretraining_tp: 1 },
      rope_scaling: {
        ...{ factor: 32, high_freq_factor: 4, low_freq_factor: 1, original_max_position_embeddings: 8192 },
        rope_type: "llama3",
      },
    },
  ],
  [
    "Mistral-7B-v0.1",
    7_241_732_096,
    {
      ...{ model_type: "mistral", vocab_size: 32_000, hidden_size: 4096, intermediate_size: 14_336 },
      ...{ num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 8, max_position_embeddings: 32_768 },
      ...{ hidden_act: "silu", tie_word_embeddings: false, rope_theta: 10_000, rms_norm_eps: 1e-5 },
      sliding_window: 4096,
    },
  ],
  [
    "Mistral-7B-v0.3",
    7_248_023_552,
    {
      ...{ model_type: "mistral", vocab_size: 32_768, hidden_size: 4096, intermediate_size: 14_336 },
      ...{ num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 8, max_position_embeddings: 32_768 },
      ...{ hidden_act: "silu", tie_word_embeddings: false, rope_theta: 1_000_000, rms_norm_eps: 1e-5 },
      sliding_window: null,
    },
  ],
  [
    "OLMo-1B-hf",
    1_176_764_416,
    {
      ...{ model_type: "olmo", vocab_size: 50_304, hidden_size: 2048, intermediate_size: 8192, num_hidden_layers: 16 },
      ...{ num_attention_heads: 16, num_key_value_heads: 16, max_position_embeddings: 2048, hidden_act: "silu" },
      ...{ tie_word_embeddings: true, rope_theta: 10_000, rope_scaling: null, clip_qkv: null, attention_bias: false },
      ...{ pad_token_id: 1, eos_token_id: 50_279 },
    },
  ],
  [
    "OLMo-7B-hf",
    6_888_095_744,
    {
      ...{
        model_type: "olmo",
        vocab_size: 50_304,
        hidden_size: 4096,
        intermediate_size: 11_008,
        num_hidden_layers: 32,
      },
      ...{ num_attention_heads: 32, num_key_value_heads: 32, max_position_embeddings: 2048, hidden_act: "silu" },
      ...{ tie_word_embeddings: false, rope_theta: 10_000, rope_scaling: null, clip_qkv: null, attention_bias: false },
      ...{ pad_token_id: 1, eos_token_id: 50_279 },
    },
  ],
  [
    "OLMo-2-0425-1B",
    1_484_916_736,
    {
      ...{ model_type: "olmo2", vocab_size: 100_352, hidden_size: 2048, intermediate_size: 8192 },
      ...{ num_hidden_layers: 16, num_attention_heads: 16, num_key_value_heads: 16, max_position_embeddings: 4096 },
      ...{
        hidden_act: "silu",
        tie_word_embeddings: false,
        rope_theta: 500_000,
        rope_scaling: null,
        rms_norm_eps: 1e-6,
      },
      ...{ attention_bias: false, pad_token_id: 100_277, eos_token_id: 100_257 },
    },
  ],
  [
    "Qwen2.5-0.5B",
    494_032_768,
    {
      ...{ model_type: "qwen2", vocab_size: 151_936, hidden_size: 896, intermediate_size: 4864, num_hidden_layers: 24 },
      ...{ num_attention_heads: 14, num_key_value_heads: 2, max_position_embeddings: 32_768, rms_norm_eps: 1e-6 },
      ...{ hidden_act: "silu", tie_word_embeddings: true, rope_theta: 1_000_000, use_mrope: false },
      ...{ sliding_window: 32_768, max_window_layers: 24, use_sliding_window: false },
    },
  ],
  [
    "Qwen3-0.6B-Base",
    596_049_920,
    {
      ...{
        model_type: "qwen3",
        vocab_size: 151_936,
        hidden_size: 1024,
        intermediate_size: 3072,
        num_hidden_layers: 28,
      },
      ...{ num_attention_heads: 16, num_key_value_heads: 8, head_dim: 128, max_position_embeddings: 32_768 },
      ...{ hidden_act: "silu", tie_word_embeddings: true, rope_theta: 1_000_000, rope_scaling: null },
      ...{ rms_norm_eps: 1e-6, attention_bias: false, sliding_window: null, max_window_layers: 28 },
      use_sliding_window: false,
    },
  ],
  [
    "pythia-160m",
    162_322_944,
    {
      ...{
        model_type: "gpt_neox",
        vocab_size: 50_304,
        hidden_size: 768,
        intermediate_size: 3072,
        num_hidden_layers: 12,
      },
      ...{ num_attention_heads: 12, max_position_embeddings: 2048, hidden_act: "gelu", layer_norm_eps: 1e-5 },
      ...{ rotary_pct: 0.25, rotary_emb_base: 10_000, tie_word_embeddings: false, use_parallel_residual: true },
    },
  ],
  [
    "gpt-neox-20b",
    20_554_567_680,
    {
      ...{ model_type: "gpt_neox", vocab_size: 50_432, hidden_size: 6144, intermediate_size: 24_576 },
      ...{ num_hidden_layers: 44, num_attention_heads: 64, max_position_embeddings: 2048, hidden_act: "gelu_fast" },
      ...{ layer_norm_eps: 1e-5, rotary_pct: 0.25, rotary_emb_base: 10_000, tie_word_embeddings: false },
      attention_probs_dropout_prob: 0,
    },
  ],
  [
    "gpt2",
    124_439_808,
    {
      ...{
        model_type: "gpt2",
        vocab_size: 50_257,
        n_embd: 768,
        n_layer: 12,
        n_head: 12,
        n_positions: 1024,
        n_ctx: 1024,
      },
      ...{
        activation_function: "gelu_new",
        layer_norm_epsilon: 1e-5,
        resid_pdrop: 0.1,
        embd_pdrop: 0.1,
        attn_pdrop: 0.1,
      },
      ...{ summary_type: "cls_index", summary_first_dropout: 0.1, task_specific_params: {} },
    },
  ],
  [
    "gemma-3-270m",
    268_098_176,
    {
      ...{ model_type: "gemma3_text", vocab_size: 262_144, hidden_size: 640, intermediate_size: 2048 },
      ...{ num_hidden_layers: 18, num_attention_heads: 4, num_key_value_heads: 1, head_dim: 256, rms_norm_eps: 1e-6 },
      ...{
        max_position_embeddings: 32_768,
        sliding_window: 512,
        _sliding_window_pattern: 6,
        query_pre_attn_scalar: 256,
      },
      ...{ hidden_activation: "gelu_pytorch_tanh", rope_theta: 1_000_000, rope_local_base_freq: 10_000 },
      ...{ rope_scaling: null, attn_logit_softcapping: null, final_logit_softcapping: null, attention_bias: false },
      use_bidirectional_attention: false,
    },
  ],
];

it.each(PUBLISHED)("%s has %i parameters", (_name, parameters, config) => {
  expect(parameterCount(modelFromConfig({ ...QUIET, ...config }, "config.json"))).toBe(parameters);
});
