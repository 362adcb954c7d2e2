/**
 * Mistral 7B and what copies its shape: Llama with a sliding window in every layer, or none from version 0.2 on.
 * Source: Jiang et al. 2023, section 2; layout as `MistralForCausalLM` of Transformers.
 */
import { z } from "zod";
import { add, gather, rmsNorm } from "../graph/build.js";
import type { Value } from "../graph/ops.js";
import {
  decoderSizes,
  foreign,
  headShape,
  type LayerType,
  layerTypes,
  only,
  paddingRow,
  positiveInt,
} from "./config.js";
import { gated, gatedBlock, linearLayer, mergeHeads, project, rotate, splitHeads } from "./layers.js";
import { defineFamily } from "./model.js";
import { ropeFields, ropeSpec } from "./rope-config.js";

/** Transformers reads no `layer_types` here: they may only repeat what the window says. */
const alike = (c: {
  readonly sliding_window: number | null;
  readonly layer_types?: LayerType[] | null | undefined;
}): boolean => (c.layer_types ?? []).every((type) => (type === "sliding_attention") === (c.sliding_window !== null));

const schema = z
  .object({
    ...foreign,
    ...decoderSizes,
    ...ropeFields,
    num_key_value_heads: positiveInt.nullable().default(8),
    max_position_embeddings: positiveInt.default(131_072),
    rms_norm_eps: z.number().positive().default(1e-6),
    tie_word_embeddings: z.boolean().default(false),
    sliding_window: positiveInt.nullable().default(4096),
    layer_types: layerTypes,
    attention_bias: only(false),
    mlp_bias: only(false),
  })
  .refine(alike, { message: "layers of different kinds are not honoured", path: ["layer_types"] })
  .transform((c, context) => ({ ...c, ...headShape(c, context) }));
type Config = z.infer<typeof schema>;

function layerParameters(c: Config, i: number) {
  const at = (name: string): string => `model.layers.${i}.${name}`;
  const [queries, keys] = [c.num_attention_heads * c.headDim, c.kvHeads * c.headDim];
  return {
    attentionNorm: { name: at("input_layernorm.weight"), shape: [c.hidden_size] },
    q: linearLayer(at("self_attn.q_proj"), queries, c.hidden_size, false),
    k: linearLayer(at("self_attn.k_proj"), keys, c.hidden_size, false),
    v: linearLayer(at("self_attn.v_proj"), keys, c.hidden_size, false),
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

export const mistral = defineFamily<Config, ReturnType<typeof parameters>>({
  name: "mistral",
  modelTypes: ["mistral"],
  config: schema,
  dims: (c) => ({
    vocabSize: c.vocab_size,
    hiddenSize: c.hidden_size,
    heads: c.num_attention_heads,
    kvHeads: c.kvHeads,
    headDim: c.headDim,
    maxPositions: c.max_position_embeddings,
    windows: Array.from({ length: c.num_hidden_layers }, () => c.sliding_window ?? undefined),
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
      const attended = attend(q, k, v, { index, window: c.sliding_window ?? undefined, scale });
      x = add(x, project(mergeHeads(attended, batch, time, c.num_attention_heads, c.headDim), layer.o));
      x = add(x, gated(rmsNorm(x, layer.mlpNorm, c.rms_norm_eps), layer.mlp));
    });
    return { hidden: rmsNorm(x, p.norm, c.rms_norm_eps), head: p.head ?? p.embed };
  },
});
