import { describe, expect, it } from "vitest";
import { UserError } from "../util/errors.js";
import { mapTensors, pairsToHalves, type Sizes, TENSOR_TABLES, thirdsToHeads, undoChange } from "./gguf-tensors.js";
import type { WeightInfo } from "./weight-store.js";

const sizes: Sizes = { hidden: 8, intermediate: 12, layers: 2, heads: 2, keyValueHeads: 1, headDim: 4, vocabulary: 5 };

/** What a right file would hold. */
function complete(architecture: "llama" | "gemma3"): Map<string, WeightInfo> {
  const table = TENSOR_TABLES[architecture];
  const rows = [table.embedding, ...table.norm, table.head].map(([name, , shape]) => [name, shape] as const);
  const layers = [0, 1].flatMap((i) => table.layer.map(([name, , shape]) => [`blk.${i}.${name}`, shape] as const));
  return new Map([...rows, ...layers].map(([name, shape]) => [name, { name, dtype: "F32", shape: shape(sizes) }]));
}

describe("pairsToHalves", () => {
  it("puts the first of every pair into the first half of its head, the second into the second", () => {
    // One column; two heads of four: rows named 10 × head + position.
    const values = Float32Array.of(0, 1, 2, 3, 10, 11, 12, 13);
    expect([...pairsToHalves(values, 8, 4)]).toEqual([0, 2, 1, 3, 10, 12, 11, 13]);
  });

  it("undoes what llama.cpp's converter does", () => {
    // convert_hf_to_gguf.py, LlamaModel.permute: reshape(heads, 2, dim / 2, width).swapaxes(1, 2)
    const [heads, dim, width] = [3, 8, 5];
    const original = Float32Array.from({ length: heads * dim * width }, (_, i) => i);
    const permuted = new Float32Array(original.length);
    for (let h = 0; h < heads; h++)
      for (let half = 0; half < 2; half++)
        for (let j = 0; j < dim / 2; j++)
          for (let c = 0; c < width; c++)
            permuted[(h * dim + 2 * j + half) * width + c] = original[(h * dim + half * (dim / 2) + j) * width + c]!;
    expect(pairsToHalves(permuted, heads * dim, dim)).toEqual(original);
  });
});

describe("thirdsToHeads", () => {
  it("puts query, key and value of each head together", () => {
    // Two columns; two heads of two: queries 0 to 3, keys 10 to 13, values 20 to 23, in both columns.
    const rows = [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23];
    const found = thirdsToHeads(Float32Array.from(rows.flatMap((row) => [row, row + 0.5])), 12, 2);
    expect([...found.filter((_, i) => i % 2 === 0)]).toEqual([0, 1, 10, 11, 20, 21, 2, 3, 12, 13, 22, 23]);
    expect(found[3]).toBe(1.5);
    expect([...thirdsToHeads(Float32Array.from(rows), 12, 2)].slice(4, 8)).toEqual([20, 21, 2, 3]); // a bias
  });
});

describe("mapTensors", () => {
  it("gives Hugging Face's names in order, queries and keys to be put back", () => {
    const mapped = mapTensors("llama", sizes, complete("llama"), "m.gguf");
    expect(mapped.slice(0, 4).map(({ name, shape, change }) => [name, shape, change])).toEqual([
      ["model.embed_tokens.weight", [5, 8], "none"],
      ["model.layers.0.input_layernorm.weight", [8], "none"],
      ["model.layers.0.self_attn.q_proj.weight", [8, 8], "rope-pairs"],
      ["model.layers.0.self_attn.k_proj.weight", [4, 8], "rope-pairs"],
    ]);
    expect(mapped.slice(-2).map(({ name }) => name)).toEqual(["model.norm.weight", "lm_head.weight"]);
    expect(mapped).toHaveLength(3 + 2 * 9);
  });

  it("takes the one off every norm of Gemma 3, and off nothing else", () => {
    const mapped = mapTensors("gemma3", sizes, complete("gemma3"), "m.gguf");
    const norms = mapped.filter(({ name }) => name.includes("norm"));
    expect(norms).toHaveLength(1 + 2 * 6);
    expect(mapped.filter(({ change }) => change === "minus-one")).toEqual(norms);
    expect([...undoChange(Float32Array.of(1, 1.5, 0.25), norms[0]!, 4)]).toEqual([0, 0.5, -0.75]);
  });

  it("leaves out the output matrix of a tied model, and the table of rope frequencies", () => {
    const there = complete("llama");
    there.delete("output.weight");
    there.set("rope_freqs.weight", { name: "rope_freqs.weight", dtype: "F32", shape: [2] });
    expect(mapTensors("llama", sizes, there, "m.gguf").map(({ name }) => name)).not.toContain("lm_head.weight");
  });

  it.each<[string, (there: Map<string, WeightInfo>) => void, string]>([
    ["missing", (there) => void there.delete("blk.1.ffn_up.weight"), 'm.gguf lacks tensor "blk.1.ffn_up.weight"'],
    [
      "of another shape",
      (there) => void there.set("blk.0.attn_k.weight", { name: "", dtype: "F32", shape: [8, 8] }),
      '"blk.0.attn_k.weight" is [8, 8], but the metadata says [4, 8]',
    ],
    [
      "left over",
      (there) => void there.set("blk.0.attn_q.bias", { name: "", dtype: "F32", shape: [8] }),
      '"blk.0.attn_q.bias" has no place in a plain llama model',
    ],
  ])("refuses a file with a tensor %s", (_, change, expected) => {
    const there = complete("llama");
    change(there);
    expect(() => mapTensors("llama", sizes, there, "m.gguf")).toThrow(UserError);
    expect(() => mapTensors("llama", sizes, there, "m.gguf")).toThrow(expected);
  });
});
