/**
 * Qwen 1.5, 2 and 2.5: Llama with biases on queries, keys and values; a sliding window in the upper layers where the config asks for it.
 * Source: Yang et al. 2024, section 2.2; layout as `Qwen2ForCausalLM` of Transformers.
 */
import { z } from "zod";
import { add, gather, rmsNorm } from "../graph/build.js";
import type { Value } from "../graph/ops.js";
import { decoderSizes, foreign, headShape, only, paddingRow, positiveInt, slidingFields, windowsOf } from "./config.js";
import { gated, gatedBlock, linearLayer, mergeHeads, project, rotate, splitHeads } from "./layers.js";
import { defineFamily } from "./model.js";
import { ropeFields, ropeSpec } from "./rope-config.js";

const schema = z
  .object({
    ...foreign,
    ...slidingFields,
    ...decoderSizes,
    ...ropeFields,
    num_key_value_heads: positiveInt.nullable().default(32),
    max_position_embeddings: positiveInt.default(32_768),
    rms_norm_eps: z.number().positive().default(1e-6),
    tie_word_embeddings: z.boolean().default(false),
    attention_bias: only(true),
    mlp_bias: only(false),
    use_mrope: only(false),
  })
  .transform((c, context) => ({ ...c, ...headShape(c, context), windows: windowsOf(c, context) }));
type Config = z.infer<typeof schema>;

function layerParameters(c: Config, i: number) {
  const at = (name: string): string => `model.layers.${i}.${name}`;
  const [queries, keys] = [c.num_attention_heads * c.headDim, c.kvHeads * c.headDim];
  return {
    attentionNorm: { name: at("input_layernorm.weight"), shape: [c.hidden_size] },
    q: linearLayer(at("self_attn.q_proj"), queries, c.hidden_size, true),
    k: linearLayer(at("self_attn.k_proj"), keys, c.hidden_size, true),
    v: linearLayer(at("self_attn.v_proj"), keys, c.hidden_size, true),
    o: linearLayer(at("self_attn.o_proj"), c.hidden_size, queries, false),
    mlpNorm: { name: at("post_attention_layernorm.weight"), shape: [c.hidden_size] },
    mlp: gatedBlock(at("mlp"), c.hidden_size, c.intermediate_size),
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

export const qwen2 = defineFamily<Config, ReturnType<typeof parameters>>({
  name: "qwen2",
  modelTypes: ["qwen2"],
  config: schema,
  dims: (c) => ({
    vocabSize: c.vocab_size,
    hiddenSize: c.hidden_size,
    heads: c.num_attention_heads,
    kvHeads: c.kvHeads,
    headDim: c.headDim,
    maxPositions: c.max_position_embeddings,
    windows: c.windows,
  }),
  parameters,
  ropes: (c) => [ropeSpec("all", c, c.headDim)],
  forward(c, p, { ids, batch, time, positions, attend }, rope) {
    const tables = rope("all");
    const scale = 1 / Math.sqrt(c.headDim);
    const heads = (y: Value, count: number): Value => splitHeads(y, batch, time, count, c.headDim);
    let x = gather(p.embed, ids, paddingRow(c)); // [B*T, D]
    p.layers.forEach((layer, index) => {
      const h = rmsNorm(x, layer.attentionNorm, c.rms_norm_eps);
      const q = rotate(heads(project(h, layer.q), c.num_attention_heads), positions, tables);
      const k = rotate(heads(project(h, layer.k), c.kvHeads), positions, tables);
      const v = heads(project(h, layer.v), c.kvHeads);
      const attended = attend(q, k, v, { index, window: c.windows[index], scale });
      x = add(x, project(mergeHeads(attended, batch, time, c.num_attention_heads, c.headDim), layer.o));
      x = add(x, gated(rmsNorm(x, layer.mlpNorm, c.rms_norm_eps), layer.mlp));
    });
    return { hidden: rmsNorm(x, p.norm, c.rms_norm_eps), head: p.head ?? p.embed };
  },
});
