/**
 * Llama 1, 2 and 3, and what copies their shape (SmolLM2, TinyLlama, Yi).
 * Source: Touvron et al. 2023, section 2.2; layout as `LlamaForCausalLM` of Transformers.
 */
import { z } from "zod";
import { dimsOf, fullAttention, headShape, only } from "./config.js";
import { decoderFields, decoderParameters, llamaLayer, rmsNormEpsilon } from "./decoder.js";
import { llamaForward } from "./llama-forward.js";
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
  forward: (c, p, inputs, rope) => llamaForward(c, p, inputs, rope("all")),
});
