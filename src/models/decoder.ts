/**
 * What decoders in the style of Llama have in common besides their forward pass, which each family writes out: fields of config.json,
 * and parameters under their published names, in the order in which they are written.
 * May not know: graphs.
 */
import { z } from "zod";
import { decoderSizes, foreign, positiveInt, type Sizes } from "./config.js";
import { gatedBlock, type Linear, linearLayer } from "./layers.js";
import type { ParameterSpec } from "./model.js";
import { ropeFields } from "./rope-config.js";

/** A family puts its own after these where it has another default or honours another value. */
export const decoderFields = {
  ...foreign,
  ...decoderSizes,
  ...ropeFields,
  num_key_value_heads: positiveInt.nullish(),
  max_position_embeddings: positiveInt.default(2048),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
} as const;

export const rmsNormEpsilon = (otherwise: number) => z.number().positive().default(otherwise);

interface DecoderConfig extends Sizes {
  readonly tie_word_embeddings: boolean;
}

/** The full name of a layer's parameter. */
export type At = (name: string) => string;

/** @param layer  the parameters of one layer */
export const decoderParameters = <L>(c: DecoderConfig, layer: (at: At) => L) => ({
  embed: { name: "model.embed_tokens.weight", shape: [c.vocab_size, c.hidden_size] },
  layers: Array.from({ length: c.num_hidden_layers }, (_, i) => layer((name) => `model.layers.${i}.${name}`)),
  norm: weight("model.norm", c.hidden_size),
  ...(c.tie_word_embeddings ? {} : { head: { name: "lm_head.weight", shape: [c.vocab_size, c.hidden_size] } }),
});

/** Of a norm without a bias. */
export const weight = (name: string, width: number): ParameterSpec => ({ name: `${name}.weight`, shape: [width] });

export const queryWidth = (c: DecoderConfig): number => c.num_attention_heads * c.headDim;
export const keyWidth = (c: DecoderConfig): number => c.kvHeads * c.headDim;

/** @param bias  whether queries, keys and values have one, and whether the output has */
export function attentionParameters(c: DecoderConfig, at: At, bias: { readonly qkv: boolean; readonly o: boolean }) {
  const layer = (name: string, output: number, input: number, biased: boolean): Linear<ParameterSpec> =>
    linearLayer(at(`self_attn.${name}_proj`), output, input, biased);
  return {
    q: layer("q", queryWidth(c), c.hidden_size, bias.qkv),
    k: layer("k", keyWidth(c), c.hidden_size, bias.qkv),
    v: layer("v", keyWidth(c), c.hidden_size, bias.qkv),
    o: layer("o", c.hidden_size, queryWidth(c), bias.o),
  };
}

interface LayerConfig extends DecoderConfig {
  readonly intermediate_size: number;
}

/** A layer of Llama: a norm before either half and no other. */
export const llamaLayer = (
  c: LayerConfig,
  at: At,
  bias: { readonly qkv: boolean; readonly o: boolean; readonly mlp?: boolean },
) => ({
  attentionNorm: weight(at("input_layernorm"), c.hidden_size),
  ...attentionParameters(c, at, bias),
  mlpNorm: weight(at("post_attention_layernorm"), c.hidden_size),
  mlp: gatedBlock(at("mlp"), c.hidden_size, c.intermediate_size, bias.mlp),
});
