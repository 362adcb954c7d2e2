/**
 * Nomic's BERT: rotary positions, gated blocks, one matrix for queries, keys and values, no biases but in the norms.
 * Source: Nussbaum et al. 2024; names as nomic-embed-text-v1 is published, which `NomicBertModel` of Transformers keeps.
 * Its config.json has the keys of GPT-2 (`n_embd`), Transformers 5 writes those of BERT (`hidden_size`); both are read.
 */
import { z } from "zod";
import { add, gather, linear, mul, silu, slice } from "../../graph/build.js";
import type { Value } from "../../graph/ops.js";
import { dimsOf, layerCount, only, positiveInt } from "../config.js";
import { mergeHeads, normed, normLayer, rotate, splitHeads } from "../layers.js";
import { defineFamily } from "../model.js";
import { ropeSpec, wholeRope } from "../rope-config.js";

/** Beyond these the published model turns by other angles (dynamic NTK), which is not supported. */
const TRAINED_POSITIONS = 2048;

const published = z
  .object({
    vocab_size: positiveInt,
    n_embd: positiveInt,
    n_layer: layerCount,
    n_head: positiveInt,
    n_inner: positiveInt.nullish(),
    n_positions: positiveInt,
    max_trained_positions: positiveInt.nullish(),
    type_vocab_size: positiveInt.default(2),
    layer_norm_epsilon: z.number().positive().default(1e-12),
    rotary_emb_base: z.number().positive().default(1000),
    activation_function: only("swiglu"),
    rotary_emb_fraction: only(1),
    rotary_emb_interleaved: only(false),
    rotary_emb_scale_base: only(null),
    prenorm: only(false),
    parallel_block: only(false),
    use_rms_norm: only(false),
    causal: only(false),
    qkv_proj_bias: only(false),
    mlp_fc1_bias: only(false),
    mlp_fc2_bias: only(false),
    scale_attn_by_inverse_layer_idx: only(false),
  })
  .transform((c) => ({
    vocab_size: c.vocab_size,
    hidden_size: c.n_embd,
    num_hidden_layers: c.n_layer,
    num_attention_heads: c.n_head,
    intermediate_size: c.n_inner ?? 4 * c.n_embd,
    max_position_embeddings: Math.min(c.n_positions, c.max_trained_positions ?? TRAINED_POSITIONS),
    type_vocab_size: c.type_vocab_size,
    layer_norm_eps: c.layer_norm_epsilon,
    rope_parameters: { rope_theta: c.rotary_emb_base },
  }));

const native = z.object({
  vocab_size: positiveInt,
  hidden_size: positiveInt,
  num_hidden_layers: layerCount,
  num_attention_heads: positiveInt,
  intermediate_size: positiveInt,
  max_position_embeddings: positiveInt.default(TRAINED_POSITIONS),
  type_vocab_size: positiveInt.default(2),
  layer_norm_eps: z.number().positive().default(1e-12),
  hidden_act: only("silu"),
  rope_parameters: wholeRope,
  partial_rotary_factor: only(1),
  head_dim: positiveInt.nullish(),
});

const schema = z
  .unknown()
  .transform((raw, context) => {
    const old = typeof raw === "object" && raw !== null && "n_embd" in raw;
    const parsed = (old ? published : native).safeParse(raw);
    if (parsed.success) return parsed.data;
    for (const { path, message } of parsed.error.issues) context.addIssue({ code: "custom", path, message });
    return z.NEVER;
  })
  .transform((c, context) => {
    const headDim = c.hidden_size / c.num_attention_heads;
    const given = "head_dim" in c ? (c.head_dim ?? headDim) : headDim;
    if (!Number.isInteger(headDim / 2) || given !== headDim)
      context.addIssue({
        code: "custom",
        path: ["num_attention_heads"],
        message: `heads of ${given} are not honoured`,
      });
    return { ...c, headDim };
  });
type Config = z.infer<typeof schema>;

function layerParameters(c: Config, i: number) {
  const at = (name: string): string => `encoder.layers.${i}.${name}`;
  const matrix = (name: string, output: number, input: number) => ({
    name: at(`${name}.weight`),
    shape: [output, input],
  });
  return {
    qkv: matrix("attn.Wqkv", 3 * c.hidden_size, c.hidden_size),
    o: matrix("attn.out_proj", c.hidden_size, c.hidden_size),
    attentionNorm: normLayer(at("norm1"), c.hidden_size),
    up: matrix("mlp.fc11", c.intermediate_size, c.hidden_size),
    gate: matrix("mlp.fc12", c.intermediate_size, c.hidden_size),
    down: matrix("mlp.fc2", c.hidden_size, c.intermediate_size),
    mlpNorm: normLayer(at("norm2"), c.hidden_size),
  };
}

function parameters(c: Config) {
  return {
    words: { name: "embeddings.word_embeddings.weight", shape: [c.vocab_size, c.hidden_size] },
    types: { name: "embeddings.token_type_embeddings.weight", shape: [c.type_vocab_size, c.hidden_size] },
    norm: normLayer("emb_ln", c.hidden_size),
    layers: Array.from({ length: c.num_hidden_layers }, (_, i) => layerParameters(c, i)),
  };
}

export const nomicBert = defineFamily<Config, ReturnType<typeof parameters>>({
  name: "nomic_bert",
  modelTypes: ["nomic_bert"],
  config: schema,
  dims: (c) => dimsOf({ ...c, kvHeads: c.num_attention_heads }),
  parameters,
  ropes: (c) => [ropeSpec("all", c, c.headDim, 1000)],
  forward(c, p, { ids, batch, time, positions, attend }, rope) {
    const [heads, width, tables] = [c.num_attention_heads, c.headDim, rope("all")];
    const norm = (x: Value, by: typeof p.norm): Value => normed(x, by, c.layer_norm_eps);
    let x = norm(add(gather(p.words, ids), slice(p.types, 0, 0, 1)), p.norm); // [B*T, D]; one text alone is type 0
    p.layers.forEach((layer, index) => {
      const qkv = linear(x, layer.qkv); // [B*T, 3D]
      const split = (i: number): Value =>
        splitHeads(slice(qkv, 1, i * c.hidden_size, c.hidden_size), batch, time, heads, width);
      const [q, k] = [rotate(split(0), positions, tables), rotate(split(1), positions, tables)];
      const attended = attend(q, k, split(2), { index, window: undefined, scale: 1 / Math.sqrt(width) });
      x = norm(add(x, linear(mergeHeads(attended, batch, time, heads, width), layer.o)), layer.attentionNorm);
      const inner = mul(silu(linear(x, layer.gate)), linear(x, layer.up));
      x = norm(add(x, linear(inner, layer.down)), layer.mlpNorm);
    });
    return { hidden: x, head: p.words };
  },
});
