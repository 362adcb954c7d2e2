/**
 * OLMo 2: Llama with the norms behind attention and feed-forward block instead of before them, and normed queries and keys.
 * Source: OLMo Team 2024, section 2.1; layout as `Olmo2ForCausalLM` of Transformers.
 */
import { z } from "zod";
import { add, gather, rmsNorm } from "../graph/build.js";
import type { Value } from "../graph/ops.js";
import { dimsOf, fullAttention, headShape, only, paddingRow } from "./config.js";
import {
  type At,
  attentionParameters,
  decoderFields,
  decoderParameters,
  keyWidth,
  queryWidth,
  rmsNormEpsilon,
  weight,
} from "./decoder.js";
import { gated, gatedBlock, mergeHeads, project, rotate, splitHeads } from "./layers.js";
import { defineFamily } from "./model.js";
import { ropeSpec } from "./rope-config.js";

const schema = z
  .object({
    ...decoderFields,
    ...fullAttention,
    rms_norm_eps: rmsNormEpsilon(1e-5),
    mlp_bias: only(false),
    clip_qkv: only(null),
  })
  .transform((c, context) => ({ ...c, ...headShape(c, context) }));
type Config = z.infer<typeof schema>;

function layerParameters(c: Config, at: At) {
  return {
    ...attentionParameters(c, at, { qkv: c.attention_bias, o: c.attention_bias }),
    qNorm: weight(at("self_attn.q_norm"), queryWidth(c)), // over all heads together
    kNorm: weight(at("self_attn.k_norm"), keyWidth(c)),
    attentionNorm: weight(at("post_attention_layernorm"), c.hidden_size),
    mlp: gatedBlock(at("mlp"), c.hidden_size, c.intermediate_size),
    mlpNorm: weight(at("post_feedforward_layernorm"), c.hidden_size),
  };
}

const parameters = (c: Config) => decoderParameters(c, (at) => layerParameters(c, at));

export const olmo2 = defineFamily<Config, ReturnType<typeof parameters>>({
  name: "olmo2",
  modelTypes: ["olmo2"],
  config: schema,
  dims: (c) => dimsOf(c),
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
