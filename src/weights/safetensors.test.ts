/** Safetensors files written here and read back, and read damaged. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mutation } from "../../test/mutations.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { UserError } from "../util/errors.js";
import { memorySource } from "./byte-source.js";
import { openWeights } from "./open.js";
import { readSafetensors } from "./safetensors.js";
import { writeModelWeights } from "./safetensors-write.js";
import type { WeightDtype, WeightToWrite } from "./weight-store.js";

const folder = temporaryFolder();
let made = 0;
const newFolder = (): string => folder.path(`model-${made++}`);

const tensor = (name: string, shape: number[], dtype?: WeightDtype): WeightToWrite => ({
  name,
  shape,
  ...(dtype === undefined ? {} : { dtype }),
  values: () => Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i - 3) * 0.5),
});
const weights = [
  tensor("b", [2, 3]),
  tensor("a", [5]),
  tensor("__proto__", [1]),
  tensor("7", []),
  tensor("empty", [0, 4]),
];

/** A file out of a header and data, whatever they say. */
function fileOf(header: string | Uint8Array, data = new Uint8Array(0), length?: bigint): Uint8Array {
  const json = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const prefix = new DataView(new ArrayBuffer(8));
  prefix.setBigUint64(0, length ?? BigInt(json.length), true);
  return Uint8Array.from(Buffer.concat([new Uint8Array(prefix.buffer), json, data]));
}
const read = (bytes: Uint8Array) => readSafetensors(memorySource("m.safetensors", bytes));
const lineOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no error",
    (error: unknown) => (error instanceof UserError ? error.line : `not a UserError: ${String(error)}`),
  );

describe("written and read back", () => {
  it.each<WeightDtype>(["F32", "F16", "BF16"])("%s in one file", async (dtype) => {
    const directory = newFolder();
    const written = await writeModelWeights(directory, weights, { dtype });
    const bytes = (6 + 5 + 1 + 1 + 0) * (dtype === "F32" ? 4 : 2);
    expect(written).toEqual({ files: ["model.safetensors"], bytes, parameters: 13 });
    const store = await openWeights(directory);
    expect([...store.tensors.values()].map(({ name, shape }) => [name, shape])).toEqual(
      expect.arrayContaining(weights.map(({ name, shape }) => [name, shape])),
    );
    for (const { name, values } of weights) {
      expect(store.tensors.get(name)?.dtype).toBe(dtype);
      expect(await store.read(name)).toEqual(await values()); // halves up to 4.5 are exact in all three
    }
    await store.close();
  });

  it("begins with the format that Transformers asks for, its data at a multiple of eight", async () => {
    const directory = newFolder();
    await writeModelWeights(directory, weights, { dtype: "F32" });
    const bytes = readFileSync(join(directory, "model.safetensors"));
    const length = Number(bytes.readBigUInt64LE(0));
    expect(length % 8).toBe(0);
    expect(
      bytes
        .subarray(8, 8 + length)
        .toString()
        .trimEnd(),
    ).toBe(
      '{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},' +
        '"a":{"dtype":"F32","shape":[5],"data_offsets":[24,44]},"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[44,48]},' +
        '"7":{"dtype":"F32","shape":[],"data_offsets":[48,52]},"empty":{"dtype":"F32","shape":[0,4],"data_offsets":[52,52]}}',
    );
  });

  it("keeps a tensor's own dtype, and rounds to nearest even", async () => {
    const directory = newFolder();
    const odd = { ...tensor("odd", [2], "BF16"), values: () => Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8) };
    await writeModelWeights(directory, [odd, tensor("norm", [2])], { dtype: "F32" });
    const store = await openWeights(directory);
    expect([store.tensors.get("odd")?.dtype, store.tensors.get("norm")?.dtype]).toEqual(["BF16", "F32"]);
    expect([...(await store.read("odd"))]).toEqual([1, 1 + 2 ** -6]);
    await store.close();
  });

  it("in shards with an index, where one file would be too large", async () => {
    const directory = newFolder();
    const written = await writeModelWeights(directory, weights, { dtype: "F32", maxShardBytes: 30 });
    expect(written.files).toEqual([
      "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors",
      "model.safetensors.index.json",
    ]);
    expect(JSON.parse(readFileSync(join(directory, "model.safetensors.index.json"), "utf8"))).toMatchObject({
      metadata: { total_size: 52 },
      weight_map: { b: written.files[0], a: written.files[1] },
    });
    const store = await openWeights(directory);
    expect([...store.tensors.keys()].sort()).toEqual(weights.map((w) => w.name).sort());
    for (const { name, values } of weights) expect(await store.read(name)).toEqual(await values());
    await store.close();
  });

  it("leaves nothing when a tensor cannot be had", async () => {
    const directory = newFolder();
    const failing = { ...tensor("c", [1]), values: () => Promise.reject(new Error("gone")) };
    await expect(writeModelWeights(directory, [...weights, failing], { dtype: "F32" })).rejects.toThrow("gone");
    expect(readdirSync(directory)).toEqual([]);
  });

  it("refuses integers when asked for their values, but lists them", async () => {
    const header = '{"mask":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}}';
    const store = await read(fileOf(header, new Uint8Array(2)));
    expect(store.tensors.get("mask")).toMatchObject({ dtype: "BOOL", shape: [2] });
    expect(await lineOf(store.read("mask"))).toMatch(/dtype BOOL; F32, F16 and BF16 are supported/);
  });
});

const one = (offsets: string, shape = "[2]", more = ""): string =>
  `{"a":{"dtype":"F32","shape":${shape},"data_offsets":${offsets}}${more}}`;

describe("a damaged or hostile file gets one line", () => {
  const eight = new Uint8Array(8);
  it.each<[string, Uint8Array, RegExp]>([
    ["empty", new Uint8Array(0), /has 0 bytes/],
    ["a header of 2^63 bytes", fileOf("{}", eight, 2n ** 63n), /claims a header of 9223372036854775808 bytes/],
    ["a header longer than the file", fileOf("{}", eight, 11n), /claims a header of 11 bytes and has 10/],
    ["not JSON", fileOf("{nonsense"), /the header at character 2: not JSON/],
    ["not UTF-8", fileOf(Uint8Array.of(0x7b, 0xff, 0x7d)), /not UTF-8/],
    ["an array", fileOf("[]"), /not a JSON object/],
    ["null", fileOf("null"), /not a JSON object/],
    ["a tensor that is a number", fileOf('{"a":1}'), /"a" is not an object/],
    ["no dtype", fileOf('{"a":{"shape":[],"data_offsets":[0,4]}}'), /no dtype/],
    ["an unknown dtype", fileOf('{"a":{"dtype":"F7","shape":[],"data_offsets":[0,4]}}'), /unknown dtype "F7"/],
    [
      "a dtype called constructor",
      fileOf('{"a":{"dtype":"constructor","shape":[],"data_offsets":[0,4]}}'),
      /unknown dtype/,
    ],
    ["no shape", fileOf('{"a":{"dtype":"F32","shape":"2","data_offsets":[0,4]}}'), /no shape/],
    ["a negative size", fileOf(one("[0,8]", "[-2]"), eight), /-2 is not the size/],
    ["a broken size", fileOf(one("[0,8]", "[2.5]"), eight), /2.5 is not the size/],
    ["an overflowing shape", fileOf(one("[0,8]", "[4294967296,4294967296]"), eight), /too large/],
    ["a shape that hides behind a 0", fileOf(one("[0,0]", "[9007199254740991,9007199254740991,0]")), /too large/],
    ["no offsets", fileOf('{"a":{"dtype":"F32","shape":[]}}'), /no data_offsets/],
    ["three offsets", fileOf(one("[0,8,8]"), eight), /data_offsets \[0, 8, 8\]/],
    ["offsets backwards", fileOf(one("[8,0]"), eight), /data_offsets \[8, 0\]/],
    ["huge offsets", fileOf(one("[0,1e300]"), eight), /data_offsets/],
    ["offsets beyond the end", fileOf(one("[0,8]"), new Uint8Array(4)), /end at byte 8 of the data, the file at 4/],
    ["bytes after the end", fileOf(one("[0,8]"), new Uint8Array(12)), /end at byte 8 of the data, the file at 12/],
    ["a shape that is not its bytes", fileOf(one("[0,8]", "[3]"), eight), /has 8 bytes, not 12/],
    [
      "an overlap",
      fileOf(one("[0,8]", "[2]", ',"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}'), new Uint8Array(12)),
      /"b" overlaps/,
    ],
    [
      "a hole",
      fileOf(one("[0,8]", "[2]", ',"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}'), new Uint8Array(20)),
      /"b" leaves a hole of 4 bytes/,
    ],
    [
      "a name twice",
      fileOf(one("[0,8]", "[2]", ',"\\u0061":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'), eight),
      /"a" comes twice/,
    ],
  ])("%s", async (_, bytes, expected) => {
    const line = await lineOf(read(bytes));
    expect(line).toMatch(expected);
    expect(line).not.toContain("\n");
  });

  it("whatever is changed, one line or a file that reads", async () => {
    const directory = newFolder();
    await writeModelWeights(directory, weights, { dtype: "BF16" });
    const good = Uint8Array.from(readFileSync(join(directory, "model.safetensors")));
    await fc.assert(
      fc.asyncProperty(mutation, async (mutate) => {
        try {
          const store = await read(mutate(good));
          for (const [name, { shape }] of store.tensors) {
            expect((await store.read(name)).length).toBe(shape.reduce((a, b) => a * b, 1));
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

describe("an index of shards", () => {
  const withMap = async (map: unknown): Promise<string> => {
    const directory = newFolder();
    await writeModelWeights(directory, weights, { dtype: "F32", maxShardBytes: 30 });
    const index = join(directory, "model.safetensors.index.json");
    const content = JSON.parse(readFileSync(index, "utf8")) as { weight_map: Record<string, unknown> };
    const changed = typeof map === "function" ? (map(content.weight_map) as unknown) : map;
    writeFileSync(index, JSON.stringify({ weight_map: changed }));
    return lineOf(openWeights(directory));
  };
  type Map = Record<string, unknown>;

  it.each<[string, unknown, RegExp]>([
    ["none", undefined, /no weight_map/],
    ["a list", [], /no weight_map/],
    ["empty", {}, /names no tensor/],
    [
      "a shard above it",
      (m: Map) => ({ ...m, a: "../model-0.safetensors" }),
      /not the file name of a shard; do not trust/,
    ],
    ["a shard anywhere", (m: Map) => ({ ...m, a: "/etc/passwd" }), /not the file name of a shard/],
    ["a shard in another place", (m: Map) => ({ ...m, a: "x\\y.safetensors" }), /not the file name of a shard/],
    ["a shard that is a number", (m: Map) => ({ ...m, a: 1 }), /not the file name of a shard/],
    [
      "a shard that is missing",
      (m: Map) => ({ ...m, a: "gone.safetensors" }),
      /gone\.safetensors: no such file or folder/,
    ],
    ["a tensor in the wrong shard", (m: Map) => ({ ...m, a: m.b }), /which does not hold it/],
    ["a tensor left out", ({ a: _, ...m }: Map) => m, /does not place tensor "a"/],
  ])("%s", async (_, map, expected) => expect(await withMap(map)).toMatch(expected));
});

describe("what cannot be opened", () => {
  it("says what to do instead", async () => {
    expect(await lineOf(openWeights(folder.path("nowhere")))).toMatch(/does not exist; name a model directory/);
    expect(await lineOf(openWeights(folder.write("model.onnx", "x")))).toMatch(/is neither a model directory nor/);
    const pickled = newFolder();
    await writeModelWeights(pickled, weights, { dtype: "F32" });
    rmSync(join(pickled, "model.safetensors"));
    writeFileSync(join(pickled, "pytorch_model.bin"), "PK");
    expect(await lineOf(openWeights(pickled))).toMatch(/holds pickled weights, which are not read/);
  });
});
