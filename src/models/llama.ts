/**
 * Llama 1, 2 and 3, and what copies their shape (SmolLM2, TinyLlama, Yi).
 * Source: Touvron et al. 2023, section 2.2; layout as `LlamaForCausalLM` of Transformers.
 */
import { z } from "zod";
import { add, gather, rmsNorm } from "../graph/build.js";
import type { Value } from "../graph/ops.js";
import { dimsOf, fullAttention, headShape, only, paddingRow } from "./config.js";
import { decoderFields, decoderParameters, llamaLayer, rmsNormEpsilon } from "./decoder.js";
import { gated, mergeHeads, project, rotate, splitHeads } from "./layers.js";
import { defineFamily } from "./model.js";
import { ropeSpec } from "./rope-config.js";

const schema = z
  .object({
    ...decoderFields,
    ...fullAttention,
    rms_norm_eps: rmsNormEpsilon(1e-6),
    mlp_bias: z.boolean().default(false),
    pretraining_tp: only(1),
  })
  .transform((c, context) => ({ ...c, ...headShape(c, context) }));
type Config = z.infer<typeof schema>;

const parameters = (c: Config) =>
  decoderParameters(c, (at) => llamaLayer(c, at, { qkv: c.attention_bias, o: c.attention_bias, mlp: c.mlp_bias }));

export const llama = defineFamily<Config, ReturnType<typeof parameters>>({
  name: "llama",
  modelTypes: ["llama"],
  config: schema,
  dims: (c) => dimsOf(c),
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
      const attended = attend(q, k, v, { index, window: undefined, scale });
      x = add(x, project(mergeHeads(attended, batch, time, c.num_attention_heads, c.headDim), layer.o));
      x = add(x, gated(rmsNorm(x, layer.mlpNorm, c.rms_norm_eps), layer.mlp));
    });
    return { hidden: rmsNorm(x, p.norm, c.rms_norm_eps), head: p.head ?? p.embed };
  },
});
