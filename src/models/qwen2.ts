/**
 * Qwen 1.5, 2 and 2.5: Llama with biases on queries, keys and values; a sliding window in the upper layers where the config asks for it.
 * Source: Yang et al. 2024, section 2.2; layout as `Qwen2ForCausalLM` of Transformers.
 */
import { z } from "zod";
import { add, gather, rmsNorm } from "../graph/build.js";
import type { Value } from "../graph/ops.js";
import { dimsOf, headShape, only, paddingRow, positiveInt, slidingFields, windowsOf } from "./config.js";
import { decoderFields, decoderParameters, llamaLayer, rmsNormEpsilon } from "./decoder.js";
import { gated, mergeHeads, project, rotate, splitHeads } from "./layers.js";
import { defineFamily } from "./model.js";
import { ropeSpec } from "./rope-config.js";

const schema = z
  .object({
    ...decoderFields,
    ...slidingFields,
    num_key_value_heads: positiveInt.nullable().default(32),
    max_position_embeddings: positiveInt.default(32_768),
    rms_norm_eps: rmsNormEpsilon(1e-6),
    attention_bias: only(true),
    mlp_bias: only(false),
    use_mrope: only(false),
  })
  .transform((c, context) => ({ ...c, ...headShape(c, context), windows: windowsOf(c, context) }));
type Config = z.infer<typeof schema>;

const parameters = (c: Config) => decoderParameters(c, (at) => llamaLayer(c, at, { qkv: true, o: false }));

export const qwen2 = defineFamily<Config, ReturnType<typeof parameters>>({
  name: "qwen2",
  modelTypes: ["qwen2"],
  config: schema,
  dims: (c) => dimsOf(c, c.windows),
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
