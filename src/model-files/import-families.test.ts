/**
 * The fixture models of further families written as GGUF the way llama.cpp's converter does (convert_hf_to_gguf.py: names by the
 * architecture's table; queries and keys of OLMo permuted; GPT-NeoX's joint matrix taken apart), and imported again.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { floats, type Meta, type Tensor, writeGguf } from "../../test/gguf-writer.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { openModel } from "../models/open.js";
import { openWeights } from "../weights/open.js";
import { importModel } from "./import.js";
import { inspectModel } from "./inspect.js";
import { verifyModel } from "./verify.js";

const folder = temporaryFolder();
const fixtures = join(import.meta.dirname, "..", "..", "test", "fixtures", "models");
const u32 = (value: number): Meta => ({ type: "u32", value });
const f32 = (value: number): Meta => ({ type: "f32", value });
const text = (value: string): Meta => ({ type: "string", value });

/** As the Python package `gguf` 0.19 maps names (`get_tensor_name_map`), by architecture. */
const NAMES: readonly (readonly [hf: RegExp, gguf: string])[] = [
  [/^(model\.embed_tokens|gpt_neox\.embed_in)/, "token_embd"],
  [/^(lm_head|embed_out)/, "output"],
  [/^(model\.norm|gpt_neox\.final_layer_norm)/, "output_norm"],
  [/input_layernorm/, "attn_norm"],
  [/self_attn\.([qkv])_proj/, "attn_$1"],
  [/self_attn\.([qk])_norm/, "attn_$1_norm"],
  [/self_attn\.o_proj|attention\.dense/, "attn_output"],
  [/attention\.query_key_value/, "attn_qkv"],
  [/mlp\.(gate|up|down)_proj/, "ffn_$1"],
  [/mlp\.dense_h_to_4h/, "ffn_up"],
  [/mlp\.dense_4h_to_h/, "ffn_down"],
  [/post_feedforward_layernorm/, "post_ffw_norm"],
];

function ggufName(name: string, architecture: string): string {
  const [, layer, inner = name] = /^(?:model|gpt_neox)\.layers\.(\d+)\.(.*)$/u.exec(name) ?? [];
  const [, stem = "", kind = ""] = /^(.*)\.(weight|bias)$/u.exec(inner) ?? [];
  const rule = NAMES.find(([hf]) => hf.test(stem));
  const after = architecture === "olmo2" ? "post_attention_norm" : "ffn_norm";
  const mapped =
    rule === undefined ? after : stem.replace(/^.*$/u, rule[1]).replace("$1", rule[0].exec(stem)?.[1] ?? "");
  return `${layer === undefined ? "" : `blk.${layer}.`}${mapped}.${kind}`;
}

/** Row by row: `to(row)` is where it goes. */
function moveRows(values: Float32Array, rows: number, to: (row: number) => number): Float32Array {
  const width = values.length / rows;
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) out.set(values.subarray(row * width, (row + 1) * width), to(row) * width);
  return out;
}

type Config = Readonly<Record<string, unknown>>;
const number = (config: Config, key: string): number => Number(config[key]);

function converted(name: string, architecture: string, config: Config, values: Float32Array, rows: number) {
  const heads = number(config, "num_attention_heads");
  if (architecture === "olmo" && /[qk]_proj/u.test(name)) {
    const dim = number(config, "hidden_size") / heads;
    const pair = (w: number): number => (w < dim / 2 ? 2 * w : 2 * (w - dim / 2) + 1);
    return moveRows(values, rows, (row) => row - (row % dim) + pair(row % dim)); // reshape(n, 2, d/2).swapaxes(1, 2)
  }
  if (name.includes("query_key_value")) {
    const dim = number(config, "hidden_size") / heads;
    const third = (row: number): number => Math.floor(row / dim) % 3;
    return moveRows(values, rows, (row) => (third(row) * heads + Math.floor(row / dim / 3)) * dim + (row % dim)); // reshape(n, 3, d)
  }
  return values;
}

function metadataOf(architecture: string, config: Config, extra: Record<string, Meta>): Record<string, Meta> {
  const a = (key: string): string => `${architecture}.${key}`;
  const size = number(config, "vocab_size");
  const letters = [..."abcdefghijklmnopqrstuvwxyz"];
  const tokens = ["<|endoftext|>", ...letters, ...letters.flatMap((x) => letters.map((y) => x + y))].slice(0, size);
  return {
    "general.architecture": text(architecture),
    [a("context_length")]: u32(number(config, "max_position_embeddings")),
    [a("embedding_length")]: u32(number(config, "hidden_size")),
    [a("feed_forward_length")]: u32(number(config, "intermediate_size")),
    [a("block_count")]: u32(number(config, "num_hidden_layers")),
    [a("attention.head_count")]: u32(number(config, "num_attention_heads")),
    "tokenizer.ggml.model": text("gpt2"),
    "tokenizer.ggml.pre": text(architecture.startsWith("qwen") ? "qwen2" : "olmo"),
    "tokenizer.ggml.tokens": { type: "strings", value: tokens },
    "tokenizer.ggml.token_type": { type: "i32s", value: [3, ...Array<number>(size - 1).fill(1)] },
    "tokenizer.ggml.merges": { type: "strings", value: ["a b", "c d"] },
    "tokenizer.ggml.eos_token_id": u32(0),
    ...extra,
  };
}

const CASES: readonly (readonly [string, string, Record<string, Meta>])[] = [
  [
    "olmo",
    "olmo",
    {
      "olmo.attention.layer_norm_epsilon": f32(1e-5),
      "olmo.attention.head_count_kv": u32(2),
      "olmo.attention.clamp_kqv": f32(1.5),
      "olmo.rope.freq_base": f32(10_000),
      "olmo.rope.dimension_count": u32(8),
    },
  ],
  [
    "olmo2",
    "olmo2",
    {
      "olmo2.attention.layer_norm_rms_epsilon": f32(1e-6),
      "olmo2.attention.head_count_kv": u32(1),
      "olmo2.rope.freq_base": f32(500_000),
    },
  ],
  [
    "qwen2",
    "qwen2",
    {
      "qwen2.attention.layer_norm_rms_epsilon": f32(1e-6),
      "qwen2.attention.head_count_kv": u32(2),
      "qwen2.rope.freq_base": f32(1_000_000),
    },
  ],
  [
    "qwen3",
    "qwen3",
    {
      "qwen3.attention.layer_norm_rms_epsilon": f32(1e-6),
      "qwen3.attention.head_count_kv": u32(1),
      "qwen3.attention.key_length": u32(12),
      "qwen3.attention.value_length": u32(12),
      "qwen3.rope.freq_base": f32(10_000),
      "qwen3.rope.scaling.type": text("yarn"),
      "qwen3.rope.scaling.factor": f32(4),
      "qwen3.rope.scaling.original_context_length": u32(32),
    },
  ],
  [
    "gpt-neox",
    "gptneox",
    {
      "gptneox.attention.layer_norm_epsilon": f32(1e-5),
      "gptneox.rope.dimension_count": u32(4),
      "gptneox.use_parallel_residual": { type: "bool", value: true },
    },
  ],
];

async function convert(fixture: string, architecture: string, extra: Record<string, Meta>): Promise<Uint8Array> {
  const config = JSON.parse(readFileSync(join(fixtures, fixture, "config.json"), "utf8")) as Config;
  const store = await openWeights(join(fixtures, fixture));
  const tensors: Tensor[] = [];
  for (const [name, { shape }] of store.tensors) {
    const values = converted(name, architecture, config, await store.read(name), shape[0]!);
    tensors.push(floats(ggufName(name, architecture), shape, values));
  }
  await store.close();
  return writeGguf({ metadata: metadataOf(architecture, config, extra), tensors });
}

describe.each(CASES)("%s from GGUF", (fixture, architecture, extra) => {
  it("has the values that were converted, and is the model that it was", async () => {
    const file = folder.write(`${fixture}.gguf`, await convert(fixture, architecture, extra));
    const out = folder.path(fixture);
    await importModel({ file, out });
    const [before, after] = [await openModel(join(fixtures, fixture)), await openModel(out)];
    expect(after.model.parameters).toEqual(before.model.parameters);
    for (const { name } of before.model.parameters)
      expect([name, await after.weights.read(name)]).toEqual([name, await before.weights.read(name)]);
    const windows = before.model.dims.windows.map(() => undefined); // llama.cpp has none for these
    expect(after.model.dims).toEqual({ ...before.model.dims, windows });
    expect(after.model.ropes).toEqual(before.model.ropes);
    await Promise.all([before.weights.close(), after.weights.close()]);
    const [config, was] = [out, join(fixtures, fixture)].map(
      (directory) => JSON.parse(readFileSync(join(directory, "config.json"), "utf8")) as Config,
    ) as [Config, Config];
    for (const key of ["rms_norm_eps", "layer_norm_eps", "clip_qkv", "hidden_act", "use_parallel_residual"])
      expect([key, config[key]]).toEqual([key, was[key]]);
    expect((await verifyModel(out)).checks.filter(({ ok }) => !ok)).toEqual([]);
    const [asFile, asDirectory] = [await inspectModel(file), await inspectModel(out)];
    expect([asFile.parameters, asFile.tied, asFile.heads]).toEqual([
      asDirectory.parameters,
      asDirectory.tied,
      asDirectory.heads,
    ]);
  });
});

it("tells OLMo 3 from OLMo 2, whose architecture it borrows", async () => {
  const extra = { ...CASES[1]![2], "olmo2.attention.sliding_window": u32(4096) };
  const file = folder.write("olmo3.gguf", await convert("olmo2", "olmo2", extra));
  await expect(importModel({ file, out: folder.path("olmo3") })).rejects.toThrow("OLMo 3");
});
