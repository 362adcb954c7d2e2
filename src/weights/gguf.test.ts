/** GGUF files made here, read whole and read damaged. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { floats, type GgufSample, writeGguf } from "../../test/gguf-writer.js";
import { mutation } from "../../test/mutations.js";
import { UserError } from "../util/errors.js";
import { memorySource } from "./byte-source.js";
import { ggufMetadata, readGguf } from "./gguf.js";

const sample: GgufSample = {
  metadata: {
    "general.architecture": { type: "string", value: "llama" },
    "general.name": { type: "string", value: "näme 🙂" },
    "llama.block_count": { type: "u32", value: 2 },
    "llama.context_length": { type: "u64", value: 4096 },
    "llama.rope.freq_base": { type: "f32", value: 10_000 },
    "tokenizer.ggml.add_bos_token": { type: "bool", value: true },
    "tokenizer.ggml.tokens": { type: "strings", value: ["<s>", "\ufeff", "▁a", "", "__proto__"] },
    "tokenizer.ggml.scores": { type: "f32s", value: [0, -1, -2.5, 0, 1] },
    "tokenizer.ggml.token_type": { type: "i32s", value: [3, 1, 1, 1, -1] },
  },
  tensors: [
    floats("a", [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)),
    { name: "__proto__", shape: [4], type: 1, bytes: new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 1).buffer) },
    { name: "half", shape: [2], type: 30, bytes: new Uint8Array(Uint16Array.of(0x3f80, 0xbf80).buffer) },
    { name: "blocks", shape: [2, 32], type: 8, bytes: Uint8Array.from({ length: 68 }, (_, i) => (i * 7) % 120) },
    floats("scalar", [], Float32Array.of(42)),
  ],
};
const open = (bytes: Uint8Array) => readGguf(memorySource("m.gguf", bytes));
const lineOf = (bytes: Uint8Array): Promise<string> =>
  open(bytes).then(
    () => "no error",
    (error: unknown) => (error instanceof UserError ? error.line : `not a UserError: ${String(error)}`),
  );
const withTensor = (change: Partial<GgufSample["tensors"][number]>): Uint8Array =>
  writeGguf({ ...sample, tensors: [{ ...floats("a", [2, 3], new Float32Array(6)), ...change }] });

describe("a whole file", () => {
  it("gives shapes row-major, types by name, and values", async () => {
    const file = await open(writeGguf(sample));
    expect([...file.tensors.values()]).toEqual([
      { name: "a", dtype: "F32", shape: [2, 3] },
      { name: "__proto__", dtype: "F16", shape: [4] },
      { name: "half", dtype: "BF16", shape: [2] },
      { name: "blocks", dtype: "Q8_0", shape: [2, 32] },
      { name: "scalar", dtype: "F32", shape: [] },
    ]);
    expect([...(await file.read("a"))]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...(await file.read("__proto__"))]).toEqual([1, -2, 65504, 2 ** -24]);
    expect([...(await file.read("half"))]).toEqual([1, -1]);
    expect([...(await file.read("scalar"))]).toEqual([42]);
    await expect(file.read("b")).rejects.toThrow(UserError);
  });

  it("gives metadata by type, and names the key that is missing or of another type", async () => {
    const metadata = ggufMetadata("m.gguf", (await open(writeGguf(sample))).metadata);
    expect(metadata.string("general.name")).toBe("näme 🙂");
    expect(metadata.number("llama.context_length")).toBe(4096);
    expect(metadata.number("llama.absent", 7)).toBe(7);
    expect(metadata.boolean("tokenizer.ggml.add_bos_token", false)).toBe(true);
    expect(metadata.strings("tokenizer.ggml.tokens")).toEqual(["<s>", "\ufeff", "▁a", "", "__proto__"]);
    expect([...metadata.numbers("tokenizer.ggml.scores")]).toEqual([0, -1, -2.5, 0, 1]);
    expect([...metadata.numbers("tokenizer.ggml.token_type")]).toEqual([3, 1, 1, 1, -1]);
    expect(() => metadata.number("general.name")).toThrow('m.gguf: metadata "general.name" is not a number');
    expect(() => metadata.strings("llama.absent")).toThrow('m.gguf: metadata "llama.absent" is missing');
  });

  it("reads a header that is longer than the first read", async () => {
    const tokens = Array.from({ length: 60_000 }, (_, i) => `piece number ${i}`);
    const bytes = writeGguf({ ...sample, metadata: { "tokenizer.ggml.tokens": { type: "strings", value: tokens } } });
    expect(bytes.length).toBeGreaterThan(2 ** 20);
    const file = await open(bytes);
    expect(ggufMetadata("m.gguf", file.metadata).strings("tokenizer.ggml.tokens")).toEqual(tokens);
    expect([...(await file.read("a"))]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("reads a tensor of more than one slice", async () => {
    const values = Float32Array.from({ length: 1_500_000 }, (_, i) => i % 8191);
    const file = await open(writeGguf({ ...sample, tensors: [floats("big", [1_500_000], values)] }));
    expect(Buffer.from((await file.read("big")).buffer).equals(Buffer.from(values.buffer))).toBe(true);
  });
});

describe("a damaged or hostile file gets one line", () => {
  const good = writeGguf(sample);
  const patched = (offset: number, set: (view: DataView) => void): Uint8Array => {
    const copy = good.slice();
    set(new DataView(copy.buffer, offset));
    return copy;
  };

  it.each<[string, Uint8Array, RegExp]>([
    ["empty", new Uint8Array(0), /ends within magic/],
    ["another format", new TextEncoder().encode("PK\u0003\u0004 and more than enough"), /does not begin with "GGUF"/],
    ["version 1", writeGguf({ ...sample, version: 1 }), /version 1; versions 2 and 3/],
    ["big-endian", writeGguf({ ...sample, version: 3 << 24 }), /big-endian/],
    ["2^60 tensors", patched(8, (v) => v.setBigUint64(0, 2n ** 60n, true)), /number of tensors is 1152921504606846976/],
    ["a billion tensors", patched(8, (v) => v.setBigUint64(0, 10n ** 9n, true)), /more than the file can hold/],
    ["a billion entries", patched(16, (v) => v.setBigUint64(0, 10n ** 9n, true)), /more than the file can hold/],
    ["a key of 2^40 bytes", patched(24, (v) => v.setBigUint64(0, 2n ** 40n, true)), /more than the file holds/],
    ["a key that is not UTF-8", patched(32, (v) => v.setUint8(0, 0xff)), /not UTF-8/],
    ["cut in the header", good.slice(0, 100), /ends within|more than the file/],
    ["cut in the data", good.slice(0, good.length - 40), /ends at byte/],
    ["a tensor twice", writeGguf({ ...sample, tensors: [...sample.tensors, sample.tensors[0]!] }), /"a" comes twice/],
    ["five dimensions", withTensor({ shape: [1, 1, 1, 2, 3] }), /has 5 dimensions/],
    ["an overflowing shape", withTensor({ shape: [2 ** 40, 2 ** 40] }), /too large/],
    ["more values than bytes", withTensor({ shape: [2 ** 20, 2 ** 20] }), /ends at byte/],
    ["a row that is no whole block", withTensor({ shape: [6], type: 2 }), /not whole Q4_0 blocks/],
    ["a type that is not read", withTensor({ type: 10 }), /type Q2_K, which is not supported; use a file of F32, F16/],
    ["a type that nobody knows", withTensor({ type: 4711 }), /type number 4711/],
    ["an odd alignment", withMeta({ type: "u32", value: 24 }), /general.alignment is 24/],
    ["alignment 0", withMeta({ type: "u32", value: 0 }), /general.alignment is 0/],
  ])("%s", async (_, bytes, expected) => {
    const line = await lineOf(bytes);
    expect(line).toMatch(expected);
    expect(line).not.toContain("\n");
    expect(line).toMatch(/^m\.gguf/);
  });

  it("tensors that overlap", async () => {
    const bytes = writeGguf({
      ...sample,
      tensors: [floats("a", [16], new Float32Array(16)), floats("b", [16], new Float32Array(16))],
    });
    // The offset of "b" is the last number of the infos.
    const at = Buffer.from(bytes).lastIndexOf(Buffer.from([64, 0, 0, 0, 0, 0, 0, 0]));
    new DataView(bytes.buffer).setBigUint64(at, 32n, true);
    expect(await lineOf(bytes)).toBe('m.gguf is damaged: tensors "a" and "b" overlap');
    new DataView(bytes.buffer).setBigUint64(at, 33n, true);
    expect(await lineOf(bytes)).toMatch(/offset 33 is not a multiple of 32/);
  });

  it("arrays nested without end", async () => {
    const bytes = writeGguf({ metadata: { k: { type: "strings", value: [] } }, tensors: [] });
    const nested = Buffer.from([9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    const head = bytes.slice(0, 24 + 8 + 1 + 4);
    expect(await lineOf(Uint8Array.from(Buffer.concat([head, ...Array(10_000).fill(nested)])))).toMatch(
      /nested deeper than 4/,
    );
  });

  it("whatever is changed, one line or a file that reads", async () => {
    await fc.assert(
      fc.asyncProperty(mutation, async (mutate) => {
        try {
          const file = await open(mutate(good));
          for (const [name, { shape }] of file.tensors) {
            expect((await file.read(name)).length).toBe(shape.reduce((a, b) => a * b, 1));
          }
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          expect(error.line.length).toBeLessThan(400);
        }
      }),
      { numRuns: 5000 },
    );
  });
});

function withMeta(alignment: { type: "u32"; value: number }): Uint8Array {
  return writeGguf({ ...sample, metadata: { "general.alignment": alignment } });
}
