/**
 * Mistral 7B and what copies its shape: Llama with a sliding window in every layer, or none from version 0.2 on.
 * Source: Jiang et al. 2023, section 2; layout as `MistralForCausalLM` of Transformers.
 */
import { z } from "zod";
import { add, gather, rmsNorm } from "../graph/build.js";
import type { Value } from "../graph/ops.js";
import { dimsOf, headShape, type LayerType, layerTypes, only, paddingRow, positiveInt } from "./config.js";
import { decoderFields, decoderParameters, llamaLayer, rmsNormEpsilon } from "./decoder.js";
import { gated, mergeHeads, project, rotate, splitHeads } from "./layers.js";
import { defineFamily } from "./model.js";
import { ropeSpec } from "./rope-config.js";

/** Transformers reads no `layer_types` here: they may only repeat what the window says. */
const alike = (c: {
  readonly sliding_window: number | null;
  readonly layer_types?: LayerType[] | null | undefined;
}): boolean => (c.layer_types ?? []).every((type) => (type === "sliding_attention") === (c.sliding_window !== null));

const schema = z
  .object({
    ...decoderFields,
    num_key_value_heads: positiveInt.nullable().default(8),
    max_position_embeddings: positiveInt.default(131_072),
    rms_norm_eps: rmsNormEpsilon(1e-6),
    sliding_window: positiveInt.nullable().default(4096),
    layer_types: layerTypes,
    attention_bias: only(false),
    mlp_bias: only(false),
  })
  .refine(alike, { message: "layers of different kinds are not honoured", path: ["layer_types"] })
  .transform((c, context) => ({ ...c, ...headShape(c, context) }));
type Config = z.infer<typeof schema>;

const parameters = (c: Config) => decoderParameters(c, (at) => llamaLayer(c, at, { qkv: false, o: false }));

export const mistral = defineFamily<Config, ReturnType<typeof parameters>>({
  name: "mistral",
  modelTypes: ["mistral"],
  config: schema,
  dims: (c) =>
    dimsOf(
      c,
      Array.from({ length: c.num_hidden_layers }, () => c.sliding_window ?? undefined),
    ),
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
