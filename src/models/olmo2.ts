/**
 * OLMo 2: Llama with the norms behind attention and feed-forward block instead of before them, and normed queries and keys.
 * Source: OLMo Team 2024, section 2.1; layout as `Olmo2ForCausalLM` of Transformers.
 */
import { z } from "zod";
import { add, gather, rmsNorm } from "../graph/build.js";
import type { Value } from "../graph/ops.js";
import { decoderSizes, foreign, fullAttention, headShape, only, paddingRow, positiveInt } from "./config.js";
import { gated, gatedBlock, linearLayer, mergeHeads, project, rotate, splitHeads } from "./layers.js";
import { defineFamily } from "./model.js";
import { ropeFields, ropeSpec } from "./rope-config.js";

const schema = z
  .object({
    ...foreign,
    ...fullAttention,
    ...decoderSizes,
    ...ropeFields,
    num_key_value_heads: positiveInt.nullish(),
    max_position_embeddings: positiveInt.default(2048),
    rms_norm_eps: z.number().positive().default(1e-5),
    tie_word_embeddings: z.boolean().default(false),
    attention_bias: z.boolean().default(false),
    mlp_bias: only(false),
    clip_qkv: only(null),
  })
  .transform((c, context) => ({ ...c, ...headShape(c, context) }));
type Config = z.infer<typeof schema>;

function layerParameters(c: Config, i: number) {
  const at = (name: string): string => `model.layers.${i}.${name}`;
  const [queries, keys] = [c.num_attention_heads * c.headDim, c.kvHeads * c.headDim];
  return {
    q: linearLayer(at("self_attn.q_proj"), queries, c.hidden_size, c.attention_bias),
    k: linearLayer(at("self_attn.k_proj"), keys, c.hidden_size, c.attention_bias),
    v: linearLayer(at("self_attn.v_proj"), keys, c.hidden_size, c.attention_bias),
    o: linearLayer(at("self_attn.o_proj"), c.hidden_size, queries, c.attention_bias),
    qNorm: { name: at("self_attn.q_norm.weight"), shape: [queries] }, // over all heads together
    kNorm: { name: at("self_attn.k_norm.weight"), shape: [keys] },
    attentionNorm: { name: at("post_attention_layernorm.weight"), shape: [c.hidden_size] },
    mlp: gatedBlock(at("mlp"), c.hidden_size, c.intermediate_size),
    mlpNorm: { name: at("post_feedforward_layernorm.weight"), shape: [c.hidden_size] },
  };
}

function parameters(c: Config) {
  return {
    embed: { name: "model.embed_tokens.weight", shape: [c.vocab_size, c.hidden_size] },
    layers: Array.from({ length: c.num_hidden_layers }, (_, i) => layerParameters(c, i)),
    norm: { name: "model.norm.weight", shape: [c.hidden_size] },
    ...(c.tie_word_embeddings ? {} : { head: { name: "lm_head.weight", shape: [c.vocab_size, c.hidden_size] } }),
  };
}

export const olmo2 = defineFamily<Config, ReturnType<typeof parameters>>({
  name: "olmo2",
  modelTypes: ["olmo2"],
  config: schema,
  dims: (c) => ({
    vocabSize: c.vocab_size,
    hiddenSize: c.hidden_size,
    heads: c.num_attention_heads,
    kvHeads: c.kvHeads,
    headDim: c.headDim,
    maxPositions: c.max_position_embeddings,
    windows: Array.from({ length: c.num_hidden_layers }, () => undefined),
  }),
  parameters,
  ropes: (c) => [ropeSpec("all", c, c.headDim)],
  forward(c, p, { ids, batch, time, positions, attend }, rope) {
    const tables = rope("all");
    const scale = 1 / Math.sqrt(c.headDim);
    const norm = (y: Value, weight: Value): Value => rmsNorm(y, weight, c.rms_norm_eps);
    const heads = (y: Value, count: number): Value => splitHeads(y, batch, time, count, c.headDim);
    let x = gather(p.embed, ids, paddingRow(c)); // [B*T, D]
    p.layers.forEach((layer, index) => {
      const q = rotate(heads(norm(project(x, layer.q), layer.qNorm), c.num_attention_heads), positions, tables);
      const k = rotate(heads(norm(project(x, layer.k), layer.kNorm), c.kvHeads), positions, tables);
      const v = heads(project(x, layer.v), c.kvHeads);
      const attended = attend(q, k, v, { index, window: undefined, scale });
      const merged = mergeHeads(attended, batch, time, c.num_attention_heads, c.headDim);
      x = add(x, norm(project(merged, layer.o), layer.attentionNorm));
      x = add(x, norm(gated(x, layer.mlp), layer.mlpNorm));
    });
    return { hidden: norm(x, p.norm), head: p.head ?? p.embed };
  },
});
