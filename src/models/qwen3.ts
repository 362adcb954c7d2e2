/**
 * Qwen 3, dense: Llama with normed queries and keys, head by head; a sliding window in the upper layers where the config asks for it.
 * Source: Yang et al. 2025, section 2; layout as `Qwen3ForCausalLM` of Transformers.
 */
import { z } from "zod";
import { add, gather, rmsNorm } from "../graph/build.js";
import type { Value } from "../graph/ops.js";
import { dimsOf, headShape, only, paddingRow, positiveInt, slidingFields, windowsOf } from "./config.js";
import { type At, attentionParameters, decoderFields, decoderParameters, rmsNormEpsilon, weight } from "./decoder.js";
import { gated, gatedBlock, mergeHeads, project, rotate, splitHeads } from "./layers.js";
import { defineFamily } from "./model.js";
import { ropeSpec } from "./rope-config.js";

const schema = z
  .object({
    ...decoderFields,
    ...slidingFields,
    head_dim: positiveInt.nullable().default(128),
    num_key_value_heads: positiveInt.nullable().default(32),
    max_position_embeddings: positiveInt.default(32_768),
    rms_norm_eps: rmsNormEpsilon(1e-6),
    mlp_bias: only(false),
  })
  .transform((c, context) => ({ ...c, ...headShape(c, context), windows: windowsOf(c, context) }));
type Config = z.infer<typeof schema>;

function layerParameters(c: Config, at: At) {
  return {
    attentionNorm: weight(at("input_layernorm"), c.hidden_size),
    ...attentionParameters(c, at, { qkv: c.attention_bias, o: c.attention_bias }),
    qNorm: weight(at("self_attn.q_norm"), c.headDim),
    kNorm: weight(at("self_attn.k_norm"), c.headDim),
    mlpNorm: weight(at("post_attention_layernorm"), c.hidden_size),
    mlp: gatedBlock(at("mlp"), c.hidden_size, c.intermediate_size),
  };
}

const parameters = (c: Config) => decoderParameters(c, (at) => layerParameters(c, at));

export const qwen3 = defineFamily<Config, ReturnType<typeof parameters>>({
  name: "qwen3",
  modelTypes: ["qwen3"],
  config: schema,
  dims: (c) => dimsOf(c, c.windows),
  parameters,
  ropes: (c) => [ropeSpec("all", c, c.headDim)],
  forward(c, p, { ids, batch, time, positions, attend }, rope) {
    const tables = rope("all");
    const scale = 1 / Math.sqrt(c.headDim);
    const norm = (y: Value, weight: Value): Value => rmsNorm(y, weight, c.rms_norm_eps);
    const heads = (y: Value, count: number): Value => splitHeads(y, batch, time, count, c.headDim);
    let x = gather(p.embed, ids, paddingRow(c)); // [B*T, D]
    p.layers.forEach((layer, index) => {
      const h = norm(x, layer.attentionNorm);
      const q = rotate(norm(heads(project(h, layer.q), c.num_attention_heads), layer.qNorm), positions, tables);
      const k = rotate(norm(heads(project(h, layer.k), c.kvHeads), layer.kNorm), positions, tables);
      const v = heads(project(h, layer.v), c.kvHeads);
      const attended = attend(q, k, v, { index, window: c.windows[index], scale });
      x = add(x, project(mergeHeads(attended, batch, time, c.num_attention_heads, c.headDim), layer.o));
      x = add(x, gated(norm(x, layer.mlpNorm), layer.mlp));
    });
    return { hidden: norm(x, p.norm), head: p.head ?? p.embed };
  },
});
