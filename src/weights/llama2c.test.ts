import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mutation } from "../../test/mutations.js";
import { UserError } from "../util/errors.js";
import { memorySource } from "./byte-source.js";
import { readLlama2c } from "./llama2c.js";

/** dim 8, hidden 4, 2 layers, 2 heads, 1 key/value head, 3 tokens, 5 positions; value i at place i. */
function sample(vocabulary = 3): Uint8Array {
  const [d, h, l, v, positions] = [8, 4, 2, 3, 5];
  const counts = [v * d, l * d, l * d * d, l * 4 * d, l * 4 * d, l * d * d, l * d, l * h * d, l * d * h, l * h * d, d];
  const all = counts.reduce((a, b) => a + b, 0) + positions * 4 + (vocabulary < 0 ? v * d : 0);
  const header = Int32Array.of(d, h, l, 2, 1, vocabulary, positions);
  const values = Float32Array.from({ length: all }, (_, i) => i);
  return Uint8Array.from(Buffer.concat([Buffer.from(header.buffer), Buffer.from(values.buffer)]));
}
const open = (bytes: Uint8Array) => readLlama2c(memorySource("m.bin", bytes));

describe("a llama2.c model", () => {
  it("gives every tensor its place, shape and name", async () => {
    const file = await open(sample());
    expect(file.config).toMatchObject({
      num_key_value_heads: 1,
      head_dim: 4,
      tie_word_embeddings: true,
      eos_token_id: 1,
    });
    expect(file.tensors.size).toBe(2 + 2 * 9);
    const first = async (name: string): Promise<number> => (await file.read(name))[0]!;
    // 24 embedding, 16 norms, 128 queries, 64 keys, 64 values, 128 outputs, 16 norms, then three times 64, then 8.
    expect(await first("model.layers.1.input_layernorm.weight")).toBe(24 + 8);
    expect(await first("model.layers.1.self_attn.v_proj.weight")).toBe(24 + 16 + 128 + 64 + 32);
    expect(await first("model.layers.0.mlp.gate_proj.weight")).toBe(24 + 16 + 128 + 64 + 64 + 128 + 16);
    expect(await first("model.layers.0.mlp.down_proj.weight")).toBe(440 + 64);
    expect(await first("model.layers.0.mlp.up_proj.weight")).toBe(440 + 128);
    expect([...(await file.read("model.norm.weight"))]).toEqual([632, 633, 634, 635, 636, 637, 638, 639]);
    expect(file.tensors.get("model.layers.0.mlp.down_proj.weight")?.shape).toEqual([8, 4]);
  });

  it("puts query rows in halves: 0, 2, 1, 3 of each head of four", async () => {
    const file = await open(sample());
    const queries = await file.read("model.layers.0.self_attn.q_proj.weight");
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((row) => (queries[row * 8]! - 40) / 8)).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
  });

  it("has an output matrix of its own where the vocabulary is written as negative", async () => {
    const file = await open(sample(-3));
    expect(file.config.tie_word_embeddings).toBe(false);
    expect([...(await file.read("lm_head.weight"))][0]).toBe(640 + 20);
  });

  const patched = (index: number, value: number): Uint8Array => {
    const copy = sample();
    new DataView(copy.buffer).setInt32(4 * index, value, true);
    return copy;
  };
  it.each<[string, Uint8Array, RegExp]>([
    ["empty", new Uint8Array(0), /has 0 bytes/],
    ["a million layers", patched(2, 1_000_000), /its header asks for/],
    ["too many layers", patched(2, 2_000_000_000), /layers would be 2000000000/],
    ["no heads", patched(3, 0), /heads would be 0/],
    ["heads that do not divide", patched(3, 3), /3 heads do not divide 8/],
    ["heads that do not share", patched(4, 3), /2 heads, 3 for keys/],
    ["cut", sample().slice(0, -1), /has 2667 bytes, but its header asks for 2668/],
    ["longer", Uint8Array.from([...sample(), 0]), /has 2669 bytes/],
    ["vocabulary -2^31", patched(5, -(2 ** 31)), /vocabulary would be 2147483648/],
  ])("refuses a file that is %s", async (_, bytes, expected) => {
    await expect(open(bytes)).rejects.toThrow(expected);
    await expect(open(bytes)).rejects.toThrow(UserError);
  });

  it("whatever is changed, one line or a model that reads", async () => {
    await fc.assert(
      fc.asyncProperty(mutation, async (mutate) => {
        try {
          const file = await open(mutate(sample()));
          for (const [name, { shape }] of file.tensors)
            expect((await file.read(name)).length).toBe(shape.reduce((a, b) => a * b, 1));
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });
});
