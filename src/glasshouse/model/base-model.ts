/**
 * The base model before it has read anything: a Llama of a few million parameters with random weights, as a model directory.
 * May not know: pages, training.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { modelFromConfig } from "../../models/open.js";
import { writeFileAtomic } from "../../util/files.js";
import { randomStream } from "../../util/random.js";
import { writeModelWeights } from "../../weights/safetensors-write.js";
import { tokenizerConfig } from "./tokenizer.js";

/** The shape of the base model; `glasshouse` is the one that ships. */
export interface Shape {
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly innerSize: number;
  readonly maxPositions: number;
}

export const SHAPE: Shape = { hiddenSize: 256, layers: 6, heads: 4, innerSize: 768, maxPositions: 256 };

/** `config.json`, as Transformers reads it. */
export const llamaConfig = (shape: Shape, vocabSize: number): Record<string, unknown> => ({
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  vocab_size: vocabSize,
  hidden_size: shape.hiddenSize,
  intermediate_size: shape.innerSize,
  num_hidden_layers: shape.layers,
  num_attention_heads: shape.heads,
  num_key_value_heads: shape.heads,
  head_dim: shape.hiddenSize / shape.heads,
  hidden_act: "silu",
  max_position_embeddings: shape.maxPositions,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: true,
  attention_bias: false,
  mlp_bias: false,
  bos_token_id: 0,
  eos_token_id: 1,
  torch_dtype: "float32",
});

/**
 * Normal(0, 0.02); what writes into the residual stream is divided by √(2 · layers) (GPT-2); norms are 1.
 * Writes `config.json`, `generation_config.json`, `tokenizer.json`, `tokenizer_config.json` and `model.safetensors` (F32).
 */
export async function writeRandomModel(
  out: string,
  {
    shape,
    seed,
    tokenizer,
    vocabSize,
  }: { readonly shape: Shape; readonly seed: number; readonly tokenizer: unknown; readonly vocabSize: number },
): Promise<void> {
  await mkdir(out, { recursive: true });
  const config = llamaConfig(shape, vocabSize);
  const json = (value: unknown): string => `${JSON.stringify(value, null, 1)}\n`;
  await writeFileAtomic(join(out, "config.json"), json(config));
  await writeFileAtomic(join(out, "generation_config.json"), json({ bos_token_id: 0, eos_token_id: 1 }));
  await writeFileAtomic(join(out, "tokenizer.json"), json(tokenizer));
  await writeFileAtomic(join(out, "tokenizer_config.json"), json(tokenizerConfig(shape.maxPositions)));
  const { parameters } = modelFromConfig(config, join(out, "config.json"));
  const tensors = parameters.map(({ name, shape: dims }) => ({
    name,
    shape: dims,
    values: () => Promise.resolve(initial(name, dims, shape.layers, seed)),
  }));
  await writeModelWeights(out, tensors, { dtype: "F32" });
}

function initial(name: string, dims: readonly number[], layers: number, seed: number): Float32Array {
  const values = new Float32Array(dims.reduce((a, b) => a * b, 1));
  if (dims.length === 1) return values.fill(1);
  const deviation = /(o_proj|down_proj)/.test(name) ? 0.02 / Math.sqrt(2 * layers) : 0.02;
  const random = randomStream(seed, `initial ${name}`);
  for (let i = 0; i < values.length; i += 2) {
    // Box and Muller 1958: two normal values of two uniform ones.
    const radius = Math.sqrt(-2 * Math.log(1 - random.uniform()));
    const angle = 2 * Math.PI * random.uniform();
    values[i] = deviation * radius * Math.cos(angle);
    if (i + 1 < values.length) values[i + 1] = deviation * radius * Math.sin(angle);
  }
  return values;
}
