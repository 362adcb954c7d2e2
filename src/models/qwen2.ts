/**
 * Qwen 1.5, 2 and 2.5: Llama with biases on queries, keys and values; a sliding window in the upper layers where the config asks for it.
 * Source: Yang et al. 2024, section 2.2; layout as `Qwen2ForCausalLM` of Transformers.
 */
import { z } from "zod";
import { dimsOf, headShape, only, positiveInt, slidingFields, windowsOf } from "./config.js";
import { decoderFields, decoderParameters, llamaLayer, rmsNormEpsilon } from "./decoder.js";
import { llamaForward } from "./llama-forward.js";
import { defineFamily } from "./model.js";
import { ropeSpec } from "./rope-config.js";

const schema = z
  .object({
    ...decoderFields,
    ...slidingFields,
    num_key_value_heads: positiveInt.nullable().default(32),
    max_position_embeddings: positiveInt.default(32_768),
    rms_norm_eps: rmsNormEpsilon(1e-6),
    attention_bias: only(true),
    mlp_bias: only(false),
    use_mrope: only(false),
  })
  .transform((c, context) => ({ ...c, ...headShape(c, context), windows: windowsOf(c, context) }));
type Config = z.infer<typeof schema>;

const parameters = (c: Config) => decoderParameters(c, (at) => llamaLayer(c, at, { qkv: true, o: false }));

export const qwen2 = defineFamily<Config, ReturnType<typeof parameters>>({
  name: "qwen2",
  modelTypes: ["qwen2"],
  config: schema,
  dims: (c) => dimsOf(c, c.windows),
  parameters,
  ropes: (c) => [ropeSpec("all", c, c.headDim)],
  forward: (c, p, inputs, rope) => llamaForward(c, p, inputs, rope("all"), c.windows),
});
