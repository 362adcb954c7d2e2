/**
 * Gemma 3, text only: norms around both halves of a layer, normed queries and keys, sliding and full layers with a rotary base each,
 * a tied head as a rule. Source: Gemma 3 technical report (2025), section 2; layout as `Gemma3ForCausalLM` of Transformers.
 */
import { z } from "zod";
import { add, gather, geluTanh, mul, rmsNorm } from "../graph/build.js";
import type { Value } from "../graph/ops.js";
import {
  decoderSizes,
  dimsOf,
  foreign,
  headShape,
  type LayerType,
  layerTypes,
  only,
  paddingRow,
  positiveInt,
} from "./config.js";
import { type At, attentionParameters, decoderParameters, rmsNormEpsilon, weight } from "./decoder.js";
import { gated, gatedBlock, mergeHeads, project, rotate, splitHeads } from "./layers.js";
import { defineFamily } from "./model.js";
import { ropeSpec, wholeRope } from "./rope-config.js";

const schema = z
  .object({
    ...foreign,
    ...decoderSizes,
    num_key_value_heads: positiveInt.default(4),
    head_dim: positiveInt.default(256),
    max_position_embeddings: positiveInt.default(131_072),
    rms_norm_eps: rmsNormEpsilon(1e-6),
    query_pre_attn_scalar: z.number().positive().default(256),
    sliding_window: positiveInt.default(4096),
    layer_types: layerTypes,
    sliding_window_pattern: positiveInt.optional(),
    _sliding_window_pattern: positiveInt.optional(),
    rope_theta: z.number().positive().optional(),
    rope_local_base_freq: z.number().positive().optional(),
    rope_scaling: wholeRope,
    rope_parameters: z.strictObject({ sliding_attention: wholeRope, full_attention: wholeRope }).nullish(),
    partial_rotary_factor: only(1),
    hidden_act: only("gelu_pytorch_tanh"),
    hidden_activation: only("gelu_pytorch_tanh"),
    attention_bias: z.boolean().default(false),
    tie_word_embeddings: z.boolean().default(true),
  })
  .transform((c, context) => {
    const every = c.sliding_window_pattern ?? c._sliding_window_pattern ?? 6;
    const derived = Array.from(
      { length: c.num_hidden_layers },
      (_, i): LayerType => ((i + 1) % every === 0 ? "full_attention" : "sliding_attention"),
    );
    return { ...c, ...headShape(c, context), layerTypes: c.layer_types ?? derived };
  })
  .refine((c) => c.layerTypes.length === c.num_hidden_layers, {
    message: "not one entry a layer",
    path: ["layer_types"],
  });
type Config = z.infer<typeof schema>;

function layerParameters(c: Config, at: At) {
  return {
    attentionNorm: weight(at("input_layernorm"), c.hidden_size),
    ...attentionParameters(c, at, { qkv: c.attention_bias, o: c.attention_bias }),
    qNorm: weight(at("self_attn.q_norm"), c.headDim),
    kNorm: weight(at("self_attn.k_norm"), c.headDim),
    afterAttentionNorm: weight(at("post_attention_layernorm"), c.hidden_size),
    mlpNorm: weight(at("pre_feedforward_layernorm"), c.hidden_size),
    mlp: gatedBlock(at("mlp"), c.hidden_size, c.intermediate_size),
    afterMlpNorm: weight(at("post_feedforward_layernorm"), c.hidden_size),
  };
}

const parameters = (c: Config) => decoderParameters(c, (at) => layerParameters(c, at));

export const gemma3 = defineFamily<Config, ReturnType<typeof parameters>>({
  name: "gemma3",
  modelTypes: ["gemma3_text"],
  config: schema,
  dims: (c) =>
    dimsOf(
      c,
      c.layerTypes.map((type) => (type === "sliding_attention" ? c.sliding_window : undefined)),
    ),
  parameters,
  ropes: (c) => [
    ropeSpec(
      "full_attention",
      {
        ...c,
        rope_scaling: undefined,
        rope_parameters: { ...c.rope_parameters?.full_attention, ...c.rope_scaling },
      },
      c.headDim,
      1_000_000,
    ),
    ropeSpec(
      "sliding_attention",
      {
        rope_theta: c.rope_local_base_freq,
        rope_parameters: c.rope_parameters?.sliding_attention,
        max_position_embeddings: c.max_position_embeddings,
      },
      c.headDim,
    ),
  ],
  forward(c, p, { ids, batch, time, positions, attend }, rope) {
    // Gemma's norm weights are stored as their distance from 1.
    const norm = (x: Value, weight: Value): Value => rmsNorm(x, add(weight, 1), c.rms_norm_eps);
    const scale = c.query_pre_attn_scalar ** -0.5;
    const heads = (y: Value, count: number): Value => splitHeads(y, batch, time, count, c.headDim);
    let x = mul(gather(p.embed, ids, paddingRow(c)), Math.sqrt(c.hidden_size)); // [B*T, D]
    p.layers.forEach((layer, index) => {
      const type = c.layerTypes[index] ?? "full_attention";
      const tables = rope(type);
      const h = norm(x, layer.attentionNorm);
      const q = rotate(norm(heads(project(h, layer.q), c.num_attention_heads), layer.qNorm), positions, tables);
      const k = rotate(norm(heads(project(h, layer.k), c.kvHeads), layer.kNorm), positions, tables);
      const v = heads(project(h, layer.v), c.kvHeads);
      const window = type === "sliding_attention" ? c.sliding_window : undefined;
      const attended = attend(q, k, v, { index, window, scale });
      const merged = mergeHeads(attended, batch, time, c.num_attention_heads, c.headDim);
      x = add(x, norm(project(merged, layer.o), layer.afterAttentionNorm));
      x = add(x, norm(gated(norm(x, layer.mlpNorm), layer.mlp, geluTanh), layer.afterMlpNorm));
    });
    return { hidden: norm(x, p.norm), head: p.head ?? p.embed };
  },
});
