/**
 * Llama 1, 2 and 3 without rope scaling, and what copies their shape (SmolLM2, TinyLlama).
 * Source: Touvron et al. 2023, section 2.2; layout as `LlamaForCausalLM` of Transformers.
 */
import { z } from "zod";
import { add, gather, linear, mul, rmsNorm, rotary, silu } from "../graph/build.js";
import { factorOf, only, positiveInt, ropeScaling } from "./config.js";
import { mergeHeads, splitHeads } from "./layers.js";
import { defineFamily } from "./model.js";

const schema = z
  .object({
    vocab_size: positiveInt,
    hidden_size: positiveInt,
    intermediate_size: positiveInt,
    num_hidden_layers: positiveInt,
    num_attention_heads: positiveInt,
    num_key_value_heads: positiveInt.optional(),
    head_dim: positiveInt.nullish(),
    max_position_embeddings: positiveInt.default(2048),
    rms_norm_eps: z.number().positive().default(1e-6),
    rope_theta: z.number().positive().optional(),
    rope_scaling: ropeScaling,
    rope_parameters: ropeScaling,
    tie_word_embeddings: z.boolean().default(false),
    hidden_act: only("silu"),
    attention_bias: only(false),
    mlp_bias: only(false),
    pretraining_tp: only(1),
  })
  .transform((c) => ({
    ...c,
    headDim: c.head_dim ?? c.hidden_size / c.num_attention_heads,
    kvHeads: c.num_key_value_heads ?? c.num_attention_heads,
  }));
type Config = z.infer<typeof schema>;

function layerParameters(c: Config, i: number) {
  const p = (name: string, ...shape: number[]) => ({ name: `model.layers.${i}.${name}.weight`, shape });
  return {
    attentionNorm: p("input_layernorm", c.hidden_size),
    q: p("self_attn.q_proj", c.num_attention_heads * c.headDim, c.hidden_size),
    k: p("self_attn.k_proj", c.kvHeads * c.headDim, c.hidden_size),
    v: p("self_attn.v_proj", c.kvHeads * c.headDim, c.hidden_size),
    o: p("self_attn.o_proj", c.hidden_size, c.num_attention_heads * c.headDim),
    mlpNorm: p("post_attention_layernorm", c.hidden_size),
    gate: p("mlp.gate_proj", c.intermediate_size, c.hidden_size),
    up: p("mlp.up_proj", c.intermediate_size, c.hidden_size),
    down: p("mlp.down_proj", c.hidden_size, c.intermediate_size),
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

export const llama = defineFamily<Config, ReturnType<typeof parameters>>({
  name: "llama",
  modelTypes: ["llama"],
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
  ropes: (c) => [
    {
      name: "all",
      headDim: c.headDim,
      theta: c.rope_parameters?.rope_theta ?? c.rope_theta ?? 10_000,
      factor: factorOf(c.rope_parameters ?? c.rope_scaling),
    },
  ],
  forward(c, p, { ids, batch, time, positions, attend }, rope) {
    const { cos, sin } = rope("all");
    const scale = 1 / Math.sqrt(c.headDim);
    let x = gather(p.embed, ids); // [B*T, D]
    p.layers.forEach((layer, index) => {
      const h = rmsNorm(x, layer.attentionNorm, c.rms_norm_eps);
      const q = rotary(
        splitHeads(linear(h, layer.q), batch, time, c.num_attention_heads, c.headDim),
        positions,
        cos,
        sin,
      );
      const k = rotary(splitHeads(linear(h, layer.k), batch, time, c.kvHeads, c.headDim), positions, cos, sin);
      const v = splitHeads(linear(h, layer.v), batch, time, c.kvHeads, c.headDim);
      const attended = attend(q, k, v, { index, window: undefined, scale });
      x = add(x, linear(mergeHeads(attended, batch, time, c.num_attention_heads, c.headDim), layer.o));
      const m = rmsNorm(x, layer.mlpNorm, c.rms_norm_eps);
      x = add(x, linear(mul(silu(linear(m, layer.gate)), linear(m, layer.up)), layer.down));
    });
    return { hidden: rmsNorm(x, p.norm, c.rms_norm_eps), head: p.head ?? p.embed };
  },
});
