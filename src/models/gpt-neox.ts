/**
 * GPT-NeoX (Pythia): rotary embedding of a part of each head, attention and feed-forward block side by side, one matrix for
 * queries, keys and values, head by head, biases everywhere.
 * Source: Black et al. 2022, section 2.1; layout as `GPTNeoXForCausalLM` of Transformers.
 */
import { z } from "zod";
import { add, gather, reshape, slice, transpose } from "../graph/build.js";
import { product } from "../graph/dims.js";
import type { Value } from "../graph/ops.js";
import { activation, activationOf } from "./activations.js";
import { dimsOf, foreign, fullAttention, layerCount, positiveInt } from "./config.js";
import { linearLayer, mergeHeads, normed, normLayer, project, rotate } from "./layers.js";
import { defineFamily } from "./model.js";
import { ropeScaling, ropeSpec, scalingOf } from "./rope-config.js";

const part = z.number().positive().max(1).nullish();

const schema = z
  .object({
    ...foreign,
    ...fullAttention,
    vocab_size: positiveInt,
    hidden_size: positiveInt,
    intermediate_size: positiveInt,
    num_hidden_layers: layerCount,
    num_attention_heads: positiveInt,
    num_key_value_heads: positiveInt.nullish(),
    head_dim: positiveInt.nullish(),
    max_position_embeddings: positiveInt.default(2048),
    layer_norm_eps: z.number().positive().default(1e-5),
    hidden_act: activation.default("gelu"),
    use_parallel_residual: z.boolean().default(true),
    tie_word_embeddings: z.boolean().default(false),
    attention_bias: z.boolean().default(true),
    rotary_pct: part,
    rotary_emb_base: z.number().positive().nullish(),
    rope_scaling: ropeScaling,
    rope_parameters: ropeScaling,
    original_max_position_embeddings: positiveInt.nullish(),
  })
  .transform((c, context) => {
    const headDim = c.hidden_size / c.num_attention_heads;
    const refuse = (field: string, message: string): void =>
      context.addIssue({ code: "custom", path: [field], message });
    if (!Number.isInteger(headDim))
      refuse("num_attention_heads", `a width of ${c.hidden_size} does not divide into whole heads`);
    if ((c.head_dim ?? headDim) !== headDim) refuse("head_dim", `${c.head_dim} is not honoured (only ${headDim})`);
    if ((c.num_key_value_heads ?? c.num_attention_heads) !== c.num_attention_heads)
      refuse("num_key_value_heads", `${c.num_key_value_heads} is not honoured (only ${c.num_attention_heads})`);
    const rotated = Math.trunc(headDim * (scalingOf(c).partial_rotary_factor ?? c.rotary_pct ?? 0.25));
    if (rotated < 1) refuse("rotary_pct", `turns no dimension of heads of ${headDim}`);
    if (2 * Math.ceil(rotated / 2) > headDim) refuse("hidden_size", `heads of ${headDim} cannot be turned in pairs`);
    return { ...c, headDim, rotated };
  });
type Config = z.infer<typeof schema>;

function layerParameters(c: Config, i: number) {
  const at = (name: string): string => `gpt_neox.layers.${i}.${name}`;
  return {
    attentionNorm: normLayer(at("input_layernorm"), c.hidden_size),
    qkv: linearLayer(at("attention.query_key_value"), 3 * c.hidden_size, c.hidden_size, c.attention_bias),
    o: linearLayer(at("attention.dense"), c.hidden_size, c.hidden_size, c.attention_bias),
    mlpNorm: normLayer(at("post_attention_layernorm"), c.hidden_size),
    up: linearLayer(at("mlp.dense_h_to_4h"), c.intermediate_size, c.hidden_size, true),
    down: linearLayer(at("mlp.dense_4h_to_h"), c.hidden_size, c.intermediate_size, true),
  };
}

function parameters(c: Config) {
  return {
    embed: { name: "gpt_neox.embed_in.weight", shape: [c.vocab_size, c.hidden_size] },
    layers: Array.from({ length: c.num_hidden_layers }, (_, i) => layerParameters(c, i)),
    norm: normLayer("gpt_neox.final_layer_norm", c.hidden_size),
    ...(c.tie_word_embeddings ? {} : { head: { name: "embed_out.weight", shape: [c.vocab_size, c.hidden_size] } }),
  };
}

export const gptNeox = defineFamily<Config, ReturnType<typeof parameters>>({
  name: "gpt_neox",
  modelTypes: ["gpt_neox"],
  config: schema,
  dims: (c) => dimsOf({ ...c, kvHeads: c.num_attention_heads }),
  parameters,
  ropes: (c) => [ropeSpec("all", c, c.rotated, c.rotary_emb_base ?? undefined)],
  forward(c, p, { ids, batch, time, positions, attend }, rope) {
    const tables = rope("all");
    const [heads, width] = [c.num_attention_heads, c.headDim];
    const act = activationOf(c.hidden_act);
    const norm = (y: Value, by: typeof p.norm): Value => normed(y, by, c.layer_norm_eps);
    let x = gather(p.embed, ids); // [B*T, D]
    p.layers.forEach((layer, index) => {
      // Rows of the matrix go head by head: its query, its key, its value.
      const qkv = reshape(project(norm(x, layer.attentionNorm), layer.qkv), [product([batch, time, heads]), 3 * width]);
      const split = (i: number): Value =>
        transpose(reshape(slice(qkv, 1, i * width, width), [batch, time, heads, width]), [0, 2, 1, 3]);
      const [q, k] = [rotate(split(0), positions, tables), rotate(split(1), positions, tables)];
      const attended = attend(q, k, split(2), { index, window: undefined, scale: 1 / Math.sqrt(width) });
      const attention = project(mergeHeads(attended, batch, time, heads, width), layer.o);
      const between = add(x, attention);
      const m = norm(c.use_parallel_residual ? x : between, layer.mlpNorm);
      x = add(between, project(act(project(m, layer.up)), layer.down));
    });
    return { hidden: norm(x, p.norm), head: p.head ?? p.embed };
  },
});
