/**
 * OLMo 1: Llama with layer norms that have no parameters, and queries, keys and values cut off at a largest magnitude.
 * Source: Groeneveld et al. 2024, section 2.1; layout as `OlmoForCausalLM` of Transformers.
 */
import { z } from "zod";
import { add, fill, gather, layerNorm, less, scalar, select } from "../graph/build.js";
import type { Value } from "../graph/ops.js";
import { dimsOf, fullAttention, headShape, only, paddingRow } from "./config.js";
import { type At, attentionParameters, decoderFields, decoderParameters } from "./decoder.js";
import { gated, gatedBlock, mergeHeads, project, rotate, splitHeads } from "./layers.js";
import { defineFamily } from "./model.js";
import { ropeSpec } from "./rope-config.js";

/** Fixed in the published code. */
const EPSILON = 1e-5;

const schema = z
  .object({
    ...decoderFields,
    ...fullAttention,
    mlp_bias: only(false),
    clip_qkv: z.number().positive().nullish(),
  })
  .transform((c, context) => ({ ...c, ...headShape(c, context) }));
type Config = z.infer<typeof schema>;

function layerParameters(c: Config, at: At) {
  return {
    ...attentionParameters(c, at, { qkv: c.attention_bias, o: c.attention_bias }),
    mlp: gatedBlock(at("mlp"), c.hidden_size, c.intermediate_size),
  };
}

function parameters(c: Config) {
  const { norm: _, ...others } = decoderParameters(c, (at) => layerParameters(c, at)); // its norms have none
  return others;
}

/** Into [−limit, limit]; the gradient passes where nothing was cut off. */
function clip(x: Value, limit: number): Value {
  const [low, high] = [scalar(x.graph, -limit), scalar(x.graph, limit)];
  return select(less(x, low), low, select(less(high, x), high, x));
}

export const olmo = defineFamily<Config, ReturnType<typeof parameters>>({
  name: "olmo",
  modelTypes: ["olmo"],
  config: schema,
  dims: (c) => dimsOf(c),
  parameters,
  ropes: (c) => [ropeSpec("all", c, c.headDim)],
  forward(c, p, { ids, batch, time, positions, attend }, rope) {
    const tables = rope("all");
    const scale = 1 / Math.sqrt(c.headDim);
    const [ones, zeros] = [fill(p.embed.graph, 1, [c.hidden_size]), fill(p.embed.graph, 0, [c.hidden_size])];
    const norm = (y: Value): Value => layerNorm(y, ones, zeros, EPSILON);
    const limit = c.clip_qkv ?? undefined;
    const clipped = (y: Value): Value => (limit === undefined ? y : clip(y, limit));
    const heads = (y: Value, count: number): Value => splitHeads(y, batch, time, count, c.headDim);
    let x = gather(p.embed, ids, paddingRow(c)); // [B*T, D]
    p.layers.forEach((layer, index) => {
      const h = norm(x);
      const q = rotate(heads(clipped(project(h, layer.q)), c.num_attention_heads), positions, tables);
      const k = rotate(heads(clipped(project(h, layer.k)), c.kvHeads), positions, tables);
      const v = heads(clipped(project(h, layer.v)), c.kvHeads);
      const attended = attend(q, k, v, { index, window: undefined, scale });
      x = add(x, project(mergeHeads(attended, batch, time, c.num_attention_heads, c.headDim), layer.o));
      x = add(x, gated(norm(x), layer.mlp));
    });
    return { hidden: norm(x), head: p.head ?? p.embed };
  },
});
