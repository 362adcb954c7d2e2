/**
 * Mistral 7B and what copies its shape: Llama with a sliding window in every layer, or none from version 0.2 on.
 * Source: Jiang et al. 2023, section 2; layout as `MistralForCausalLM` of Transformers.
 */
import { z } from "zod";
import { dimsOf, headShape, type LayerType, layerTypes, only, positiveInt } from "./config.js";
import { decoderFields, decoderParameters, llamaLayer, rmsNormEpsilon } from "./decoder.js";
import { llamaForward } from "./llama-forward.js";
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

const windowsOf = (c: Config): (number | undefined)[] =>
  Array.from({ length: c.num_hidden_layers }, () => c.sliding_window ?? undefined);

const parameters = (c: Config) => decoderParameters(c, (at) => llamaLayer(c, at, { qkv: false, o: false }));

export const mistral = defineFamily<Config, ReturnType<typeof parameters>>({
  name: "mistral",
  modelTypes: ["mistral"],
  config: schema,
  dims: (c) => dimsOf(c, windowsOf(c)),
  parameters,
  ropes: (c) => [ropeSpec("all", c, c.headDim)],
  forward: (c, p, inputs, rope) => llamaForward(c, p, inputs, rope("all"), windowsOf(c)),
});
