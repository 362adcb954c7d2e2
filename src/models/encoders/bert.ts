/**
 * BERT: learned positions, every token sees every other, layer norms behind the blocks, biases everywhere.
 * Source: Devlin et al. 2019; layout as `BertModel` of Transformers. The pooler on top of it is not part of an embedding.
 */
import { z } from "zod";
import { add, gather, reshape, slice } from "../../graph/build.js";
import { product } from "../../graph/dims.js";
import type { Value } from "../../graph/ops.js";
import { activation, activationOf } from "../activations.js";
import { dimsOf, layerCount, only, positiveInt } from "../config.js";
import { linearLayer, mergeHeads, normed, normLayer, project, splitHeads } from "../layers.js";
import { defineFamily } from "../model.js";

const schema = z
  .object({
    vocab_size: positiveInt,
    hidden_size: positiveInt,
    num_hidden_layers: layerCount,
    num_attention_heads: positiveInt,
    intermediate_size: positiveInt,
    max_position_embeddings: positiveInt,
    type_vocab_size: positiveInt.default(2),
    layer_norm_eps: z.number().positive().default(1e-12),
    hidden_act: activation.default("gelu"),
    position_embedding_type: only("absolute"),
    is_decoder: only(false),
    add_cross_attention: only(false),
    embedding_size: z.number().nullish(),
  })
  .superRefine((c, context) => {
    const refuse = (field: string, message: string): void =>
      context.addIssue({ code: "custom", path: [field], message });
    if (c.hidden_size % c.num_attention_heads !== 0)
      refuse("num_attention_heads", `a width of ${c.hidden_size} does not divide into whole heads`);
    if ((c.embedding_size ?? c.hidden_size) !== c.hidden_size)
      refuse("embedding_size", `${c.embedding_size} is not honoured (only ${c.hidden_size})`);
  });
type Config = z.infer<typeof schema>;

function layerParameters(c: Config, i: number) {
  const at = (name: string): string => `encoder.layer.${i}.${name}`;
  const square = (name: string) => linearLayer(at(name), c.hidden_size, c.hidden_size, true);
  return {
    q: square("attention.self.query"),
    k: square("attention.self.key"),
    v: square("attention.self.value"),
    o: square("attention.output.dense"),
    attentionNorm: normLayer(at("attention.output.LayerNorm"), c.hidden_size),
    up: linearLayer(at("intermediate.dense"), c.intermediate_size, c.hidden_size, true),
    down: linearLayer(at("output.dense"), c.hidden_size, c.intermediate_size, true),
    mlpNorm: normLayer(at("output.LayerNorm"), c.hidden_size),
  };
}

function parameters(c: Config) {
  const table = (name: string, rows: number) => ({ name: `embeddings.${name}.weight`, shape: [rows, c.hidden_size] });
  return {
    words: table("word_embeddings", c.vocab_size),
    positions: table("position_embeddings", c.max_position_embeddings),
    types: table("token_type_embeddings", c.type_vocab_size),
    norm: normLayer("embeddings.LayerNorm", c.hidden_size),
    layers: Array.from({ length: c.num_hidden_layers }, (_, i) => layerParameters(c, i)),
  };
}

export const bert = defineFamily<Config, ReturnType<typeof parameters>>({
  name: "bert",
  modelTypes: ["bert"],
  config: schema,
  dims: (c) => dimsOf({ ...c, kvHeads: c.num_attention_heads, headDim: c.hidden_size / c.num_attention_heads }),
  parameters,
  ropes: () => [],
  forward(c, p, { ids, batch, time, positions, attend }) {
    const [heads, width] = [c.num_attention_heads, c.hidden_size / c.num_attention_heads];
    const act = activationOf(c.hidden_act);
    const norm = (x: Value, by: typeof p.norm): Value => normed(x, by, c.layer_norm_eps);
    const words = reshape(gather(p.words, ids), [batch, time, c.hidden_size]);
    const embedded = add(add(words, gather(p.positions, positions)), slice(p.types, 0, 0, 1)); // one text alone is type 0
    let x = norm(reshape(embedded, [product([batch, time]), c.hidden_size]), p.norm); // [B*T, D]
    p.layers.forEach((layer, index) => {
      const split = (y: Value): Value => splitHeads(y, batch, time, heads, width);
      const attended = attend(split(project(x, layer.q)), split(project(x, layer.k)), split(project(x, layer.v)), {
        index,
        window: undefined,
        scale: 1 / Math.sqrt(width),
      });
      x = norm(add(x, project(mergeHeads(attended, batch, time, heads, width), layer.o)), layer.attentionNorm);
      x = norm(add(x, project(act(project(x, layer.up)), layer.down)), layer.mlpNorm);
    });
    return { hidden: x, head: p.words }; // BERT's own head reads words off the embedding; nobody here does
  },
});
