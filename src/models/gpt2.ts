/**
 * GPT-2: learned positions, layer norms with biases, one matrix for queries, keys and values, linear layers laid out [in, out].
 * Source: Radford et al. 2019; layout as `GPT2LMHeadModel` of Transformers.
 */
import { z } from "zod";
import { add, gather, matmul, reshape, slice } from "../graph/build.js";
import { product } from "../graph/dims.js";
import type { Value } from "../graph/ops.js";
import { activation, activationOf } from "./activations.js";
import { foreign, fullAttention, layerCount, positiveInt } from "./config.js";
import { mergeHeads, normed, normLayer, splitHeads } from "./layers.js";
import { defineFamily } from "./model.js";

const schema = z
  .object({
    ...foreign,
    ...fullAttention,
    vocab_size: positiveInt,
    n_embd: positiveInt,
    n_layer: layerCount,
    n_head: positiveInt,
    n_inner: positiveInt.nullish(),
    n_positions: positiveInt.default(1024),
    layer_norm_epsilon: z.number().positive().default(1e-5),
    tie_word_embeddings: z.boolean().default(true),
    activation_function: activation.default("gelu_new"),
    scale_attn_weights: z.boolean().default(true),
    scale_attn_by_inverse_layer_idx: z.boolean().default(false),
    reorder_and_upcast_attn: z.boolean().default(false), // another order of the same products; nothing in single precision
  })
  .transform((c) => ({ ...c, inner: c.n_inner ?? 4 * c.n_embd, headDim: c.n_embd / c.n_head }))
  .refine((c) => Number.isInteger(c.headDim), { message: "n_embd does not divide into whole heads", path: ["n_head"] });
type Config = z.infer<typeof schema>;

function layerParameters(c: Config, i: number) {
  const affine = (name: string, ...shape: number[]) => ({
    weight: { name: `transformer.h.${i}.${name}.weight`, shape },
    bias: { name: `transformer.h.${i}.${name}.bias`, shape: shape.slice(-1) },
  });
  return {
    attentionNorm: affine("ln_1", c.n_embd),
    qkv: affine("attn.c_attn", c.n_embd, 3 * c.n_embd),
    o: affine("attn.c_proj", c.n_embd, c.n_embd),
    mlpNorm: affine("ln_2", c.n_embd),
    up: affine("mlp.c_fc", c.n_embd, c.inner),
    down: affine("mlp.c_proj", c.inner, c.n_embd),
  };
}

function parameters(c: Config) {
  return {
    embed: { name: "transformer.wte.weight", shape: [c.vocab_size, c.n_embd] },
    positions: { name: "transformer.wpe.weight", shape: [c.n_positions, c.n_embd] },
    layers: Array.from({ length: c.n_layer }, (_, i) => layerParameters(c, i)),
    norm: normLayer("transformer.ln_f", c.n_embd),
    ...(c.tie_word_embeddings ? {} : { head: { name: "lm_head.weight", shape: [c.vocab_size, c.n_embd] } }),
  };
}

export const gpt2 = defineFamily<Config, ReturnType<typeof parameters>>({
  name: "gpt2",
  modelTypes: ["gpt2"],
  config: schema,
  dims: (c) => ({
    vocabSize: c.vocab_size,
    hiddenSize: c.n_embd,
    heads: c.n_head,
    kvHeads: c.n_head,
    headDim: c.headDim,
    maxPositions: c.n_positions,
    windows: Array.from({ length: c.n_layer }, () => undefined),
  }),
  parameters,
  ropes: () => [],
  forward(c, p, { ids, batch, time, positions, attend }) {
    const affine = (x: Value, { weight, bias }: typeof p.norm): Value => add(matmul(x, weight), bias);
    const norm = (x: Value, by: typeof p.norm): Value => normed(x, by, c.layer_norm_epsilon);
    const act = activationOf(c.activation_function);
    const rows = product([batch, time]);
    const embedded = reshape(gather(p.embed, ids), [batch, time, c.n_embd]);
    let x = reshape(add(embedded, gather(p.positions, positions)), [rows, c.n_embd]); // [B*T, D]
    p.layers.forEach((layer, index) => {
      const qkv = affine(norm(x, layer.attentionNorm), layer.qkv); // [B*T, 3D]
      const heads = (i: number): Value =>
        splitHeads(slice(qkv, 1, i * c.n_embd, c.n_embd), batch, time, c.n_head, c.headDim);
      const attended = attend(heads(0), heads(1), heads(2), {
        index,
        window: undefined,
        scale: (c.scale_attn_weights ? c.headDim ** -0.5 : 1) / (c.scale_attn_by_inverse_layer_idx ? index + 1 : 1),
      });
      x = add(x, affine(mergeHeads(attended, batch, time, c.n_head, c.headDim), layer.o));
      x = add(x, affine(act(affine(norm(x, layer.mlpNorm), layer.up)), layer.down));
    });
    return { hidden: norm(x, p.norm), head: p.head ?? p.embed };
  },
});
