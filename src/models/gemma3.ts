/**
 * Gemma 3, text only: norms around both halves of a layer, normed queries and keys, sliding and full layers with a rotary base each,
 * a tied head. Source: Gemma 3 technical report (2025), section 2; layout as `Gemma3ForCausalLM` of Transformers.
 */
import { z } from "zod";
import { add, gather, geluTanh, linear, mul, rmsNorm, rotary } from "../graph/build.js";
import type { Value } from "../graph/ops.js";
import { factorOf, only, positiveInt, ropeScaling } from "./config.js";
import { mergeHeads, splitHeads } from "./layers.js";
import { defineFamily } from "./model.js";

const LAYER_TYPES = ["sliding_attention", "full_attention"] as const;

const schema = z
  .object({
    vocab_size: positiveInt,
    hidden_size: positiveInt,
    intermediate_size: positiveInt,
    num_hidden_layers: positiveInt,
    num_attention_heads: positiveInt,
    num_key_value_heads: positiveInt,
    head_dim: positiveInt.default(256),
    max_position_embeddings: positiveInt.default(131_072),
    rms_norm_eps: z.number().positive().default(1e-6),
    query_pre_attn_scalar: z.number().positive().default(256),
    sliding_window: positiveInt,
    layer_types: z.array(z.enum(LAYER_TYPES)).optional(),
    sliding_window_pattern: positiveInt.optional(),
    _sliding_window_pattern: positiveInt.optional(),
    rope_theta: z.number().positive().optional(),
    rope_local_base_freq: z.number().positive().optional(),
    rope_scaling: ropeScaling,
    rope_parameters: z.object({ sliding_attention: ropeScaling, full_attention: ropeScaling }).nullish(),
    hidden_activation: only("gelu_pytorch_tanh"),
    attention_bias: only(false),
    attn_logit_softcapping: only(null),
    final_logit_softcapping: only(null),
    tie_word_embeddings: only(true),
    use_bidirectional_attention: only(false),
  })
  .transform((c) => {
    const every = c.sliding_window_pattern ?? c._sliding_window_pattern ?? 6;
    const derived = Array.from({ length: c.num_hidden_layers }, (_, i) => LAYER_TYPES[(i + 1) % every === 0 ? 1 : 0]);
    return { ...c, layerTypes: c.layer_types ?? derived };
  })
  .refine((c) => c.layerTypes.length === c.num_hidden_layers, {
    message: "not one entry a layer",
    path: ["layer_types"],
  });
type Config = z.infer<typeof schema>;

function layerParameters(c: Config, i: number) {
  const p = (name: string, ...shape: number[]) => ({ name: `model.layers.${i}.${name}.weight`, shape });
  return {
    attentionNorm: p("input_layernorm", c.hidden_size),
    q: p("self_attn.q_proj", c.num_attention_heads * c.head_dim, c.hidden_size),
    k: p("self_attn.k_proj", c.num_key_value_heads * c.head_dim, c.hidden_size),
    v: p("self_attn.v_proj", c.num_key_value_heads * c.head_dim, c.hidden_size),
    o: p("self_attn.o_proj", c.hidden_size, c.num_attention_heads * c.head_dim),
    qNorm: p("self_attn.q_norm", c.head_dim),
    kNorm: p("self_attn.k_norm", c.head_dim),
    afterAttentionNorm: p("post_attention_layernorm", c.hidden_size),
    mlpNorm: p("pre_feedforward_layernorm", c.hidden_size),
    gate: p("mlp.gate_proj", c.intermediate_size, c.hidden_size),
    up: p("mlp.up_proj", c.intermediate_size, c.hidden_size),
    down: p("mlp.down_proj", c.hidden_size, c.intermediate_size),
    afterMlpNorm: p("post_feedforward_layernorm", c.hidden_size),
  };
}

function parameters(c: Config) {
  return {
    embed: { name: "model.embed_tokens.weight", shape: [c.vocab_size, c.hidden_size] },
    layers: Array.from({ length: c.num_hidden_layers }, (_, i) => layerParameters(c, i)),
    norm: { name: "model.norm.weight", shape: [c.hidden_size] },
  };
}

export const gemma3 = defineFamily<Config, ReturnType<typeof parameters>>({
  name: "gemma3",
  modelTypes: ["gemma3_text"],
  config: schema,
  dims: (c) => ({
    vocabSize: c.vocab_size,
    hiddenSize: c.hidden_size,
    heads: c.num_attention_heads,
    kvHeads: c.num_key_value_heads,
    headDim: c.head_dim,
    maxPositions: c.max_position_embeddings,
    windows: c.layerTypes.map((type) => (type === "sliding_attention" ? c.sliding_window : undefined)),
  }),
  parameters,
  ropes: (c) => [
    {
      name: "full_attention",
      headDim: c.head_dim,
      theta: c.rope_parameters?.full_attention?.rope_theta ?? c.rope_theta ?? 1_000_000,
      factor: factorOf(c.rope_parameters?.full_attention ?? c.rope_scaling),
    },
    {
      name: "sliding_attention",
      headDim: c.head_dim,
      theta: c.rope_parameters?.sliding_attention?.rope_theta ?? c.rope_local_base_freq ?? 10_000,
      factor: factorOf(c.rope_parameters?.sliding_attention),
    },
  ],
  forward(c, p, { ids, batch, time, positions, attend }, rope) {
    // Gemma's norm weights are stored as their distance from 1.
    const norm = (x: Value, weight: Value): Value => rmsNorm(x, add(weight, 1), c.rms_norm_eps);
    const scale = c.query_pre_attn_scalar ** -0.5;
    let x = mul(gather(p.embed, ids), Math.sqrt(c.hidden_size)); // [B*T, D]
    p.layers.forEach((layer, index) => {
      const type = c.layerTypes[index] ?? "full_attention";
      const { cos, sin } = rope(type);
      const heads = (y: Value, count: number): Value => splitHeads(y, batch, time, count, c.head_dim);
      const h = norm(x, layer.attentionNorm);
      const q = rotary(norm(heads(linear(h, layer.q), c.num_attention_heads), layer.qNorm), positions, cos, sin);
      const k = rotary(norm(heads(linear(h, layer.k), c.num_key_value_heads), layer.kNorm), positions, cos, sin);
      const v = heads(linear(h, layer.v), c.num_key_value_heads);
      const window = type === "sliding_attention" ? c.sliding_window : undefined;
      const attended = mergeHeads(
        attend(q, k, v, { index, window, scale }),
        batch,
        time,
        c.num_attention_heads,
        c.head_dim,
      );
      x = add(x, norm(linear(attended, layer.o), layer.afterAttentionNorm));
      const m = norm(x, layer.mlpNorm);
      const mlp = linear(mul(geluTanh(linear(m, layer.gate)), linear(m, layer.up)), layer.down);
      x = add(x, norm(mlp, layer.afterMlpNorm));
    });
    return { hidden: norm(x, p.norm), head: p.embed };
  },
});
