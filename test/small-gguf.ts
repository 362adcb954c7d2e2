/** A random Llama of a few thousand parameters as a GGUF file, whole or as one part of several. */
import { floats, type GgufSample, type Meta, type Tensor, writeGguf } from "./gguf-writer.js";

const u32 = (value: number): Meta => ({ type: "u32", value });
const f32 = (value: number): Meta => ({ type: "f32", value });
const [WIDTH, INNER, HEADS, KEY_HEADS, HEAD, VOCABULARY, LAYERS] = [24, 40, 4, 2, 8, 397, 2];

const metadata: GgufSample["metadata"] = {
  "general.architecture": { type: "string", value: "llama" },
  "llama.context_length": u32(128),
  "llama.embedding_length": u32(WIDTH),
  "llama.feed_forward_length": u32(INNER),
  "llama.block_count": u32(LAYERS),
  "llama.attention.head_count": u32(HEADS),
  "llama.attention.head_count_kv": u32(KEY_HEADS),
  "llama.attention.key_length": u32(HEAD),
  "llama.attention.value_length": u32(HEAD),
  "llama.attention.layer_norm_rms_epsilon": f32(1e-5),
  "llama.rope.freq_base": f32(5000),
  "llama.rope.dimension_count": u32(HEAD),
  "tokenizer.ggml.model": { type: "string", value: "llama" },
  "tokenizer.ggml.tokens": {
    type: "strings",
    value: ["<unk>", "<s>", "</s>", ...Array.from({ length: VOCABULARY - 3 }, (_, i) => `t${i}`)],
  },
  "tokenizer.ggml.scores": { type: "f32s", value: Array.from({ length: VOCABULARY }, (_, i) => -i) },
  "tokenizer.ggml.token_type": { type: "i32s", value: [2, 3, 3, ...Array<number>(VOCABULARY - 3).fill(1)] },
  "tokenizer.ggml.bos_token_id": u32(1),
  "tokenizer.ggml.eos_token_id": u32(2),
};

const shapes: readonly (readonly [string, readonly number[]])[] = [
  ["token_embd.weight", [VOCABULARY, WIDTH]],
  ...Array.from({ length: LAYERS }, (_, layer): [string, readonly number[]][] =>
    (
      [
        ["attn_norm", [WIDTH]],
        ["attn_q", [HEADS * HEAD, WIDTH]],
        ["attn_k", [KEY_HEADS * HEAD, WIDTH]],
        ["attn_v", [KEY_HEADS * HEAD, WIDTH]],
        ["attn_output", [WIDTH, HEADS * HEAD]],
        ["ffn_norm", [WIDTH]],
        ["ffn_gate", [INNER, WIDTH]],
        ["ffn_up", [INNER, WIDTH]],
        ["ffn_down", [WIDTH, INNER]],
      ] as const
    ).map(([name, shape]) => [`blk.${layer}.${name}.weight`, shape]),
  ).flat(),
  ["output_norm.weight", [WIDTH]],
  ["output.weight", [VOCABULARY, WIDTH]],
];

/** Values that repeat with no short period: what they are does not matter. */
const values = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7) / 8);
const tensors: readonly Tensor[] = shapes.map(([name, shape]) =>
  floats(name, shape, values(shape.reduce((product, size) => product * size, 1))),
);

export const smallGguf = (): Uint8Array => writeGguf({ metadata, tensors });

/** The first of two parts, as `llama-gguf-split` names and marks it: the metadata, and some of the tensors. */
export const firstPartOfGguf = (): Uint8Array =>
  writeGguf({
    metadata: {
      ...metadata,
      "split.no": { type: "u16", value: 0 },
      "split.count": { type: "u16", value: 2 },
      "split.tensors.count": { type: "i32", value: tensors.length },
    },
    tensors: tensors.slice(0, 8),
  });
