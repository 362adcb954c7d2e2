/** Encoders against Transformers: `python/fixtures/make_encoders.py`. */
import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { embeddedEngine } from "../../src/embedded/embedded.js";
import { batchesOf } from "../../src/embedded/encoder.js";
import { encoderSettings } from "../../src/models/encoders/open.js";
import { loadEncoderText } from "../../src/text/encoder.js";
import { temporaryFolder } from "../temporary-folder.js";
import { largestDifference, modelsFolder } from "./fixtures.js";

interface Expected {
  readonly text: string;
  readonly ids: readonly number[];
  readonly mean: readonly number[];
  readonly cls: readonly number[];
}

/** float32 on both sides, hidden states of size 1 to 3 behind two layers that each round at 1e-7; the worst that was seen is 3.1e-6. */
const TOLERANCE = 1e-5;
const folder = temporaryFolder();
const directoryOf = (name: string): string => join(modelsFolder, "encoders", name);

async function embed(directory: string, pooling: "mean" | "cls", rows: readonly (readonly number[])[]) {
  const encoder = await embeddedEngine({ threads: 1 }).openEncoder!(directory, pooling);
  const vectors: Float32Array[] = [];
  const requests = rows.map((ids, i) => ({ id: String(i), ids }));
  for await (const { id, vector } of encoder.embed(requests)) vectors[Number(id)] = vector;
  await encoder[Symbol.asyncDispose]();
  return vectors;
}

describe.each(["bert", "nomic-bert"])("%s", (name) => {
  const directory = directoryOf(name);
  const expected = JSON.parse(readFileSync(join(directory, "expected.json"), "utf8")) as Expected[];

  it("has Transformers' ids", async () => {
    const text = await loadEncoderText(directory);
    for (const row of expected) expect(text.encode(row.text, 48)).toEqual({ ids: row.ids, cut: false });
  });

  it.each(["mean", "cls"] as const)("has Transformers' vectors, pooled by %s", async (pooling) => {
    const vectors = await embed(
      directory,
      pooling,
      expected.map(({ ids }) => ids),
    );
    for (const [i, row] of expected.entries()) {
      expect(largestDifference(vectors[i]!, row[pooling]), row.text).toBeLessThan(TOLERANCE);
    }
  });

  it("gives a text the same bits alone and among others", async () => {
    const rows = expected.map(({ ids }) => ids);
    const together = await embed(directory, "mean", [...rows, ...rows]);
    for (const [i, ids] of rows.entries()) {
      const [alone] = await embed(directory, "mean", [ids]);
      expect([...together[i]!]).toEqual([...alone!]);
      expect([...together[i + rows.length]!]).toEqual([...alone!]);
    }
  });
});

it("refuses ids that the model has not, and a rotary embedding of a part of each head", async () => {
  await expect(embed(directoryOf("bert"), "mean", [[1, 100_000]])).rejects.toThrow(/^text 0 has the id 100000; /);
  const partial = folder.path("partial");
  cpSync(directoryOf("nomic-bert"), partial, { recursive: true });
  const config = JSON.parse(readFileSync(join(partial, "config.json"), "utf8"));
  const write = (changes: object): void =>
    writeFileSync(join(partial, "config.json"), JSON.stringify({ ...config, ...changes }));
  for (const changes of [{ partial_rotary_factor: 0.5 }, { rope_parameters: { partial_rotary_factor: 0.5 } }]) {
    write(changes);
    await expect(embed(partial, "mean", [[1]])).rejects.toThrow("partial_rotary_factor");
  }
});

describe("settings", () => {
  it("are read where sentence-transformers leaves them", async () => {
    expect(await encoderSettings(directoryOf("bert"))).toEqual({ pooling: "mean", maxTokens: 48 });
    expect(await encoderSettings(directoryOf("nomic-bert"))).toEqual({ pooling: "cls", maxTokens: 48 });
    expect(await encoderSettings(folder.path("."))).toEqual({ pooling: undefined, maxTokens: undefined });
  });

  it.each([
    ["modules.json", [{ type: "sentence_transformers.models.Dense", path: "2_Dense" }], "Dense is not supported"],
    ["1_Pooling/config.json", { pooling_mode_max_tokens: true }, "pooling by max_tokens is not supported"],
    [
      "1_Pooling/config.json",
      { pooling_mode_mean_tokens: true, pooling_mode_cls_token: true },
      "cls_token is not done",
    ],
    ["1_Pooling/config.json", { pooling_mode: "mean", include_prompt: false }, "pooling without the prompt's tokens"],
    ["modules.json", {}, "modules.json"],
  ])("%s that asks for more is refused", async (file, content, message) => {
    const directory = folder.path(`settings ${message}`);
    mkdirSync(join(directory, "1_Pooling"), { recursive: true });
    copyFileSync(join(directoryOf("bert"), "modules.json"), join(directory, "modules.json"));
    folder.write(`settings ${message}/${file}`, JSON.stringify(content));
    await expect(encoderSettings(directory)).rejects.toThrow(message);
  });
});

it("cuts a long text at its end and keeps what stands around it", async () => {
  const text = await loadEncoderText(directoryOf("bert"));
  const whole = text.encode("the bread and the water", 100).ids;
  expect(text.encode("the bread and the water", 5)).toEqual({
    ids: [...whole.slice(0, 4), whole.at(-1)],
    cut: true,
  });
});

it("reads the config under which nomic-embed-text-v1 was published, to the same vectors", async () => {
  const directory = folder.path("published");
  mkdirSync(directory);
  const source = directoryOf("nomic-bert");
  for (const name of ["model.safetensors", "tokenizer.json"]) copyFileSync(join(source, name), join(directory, name));
  copyFileSync(join(source, "config.legacy.json"), join(directory, "config.json"));
  const ids = [[2, 20, 21, 22, 3]];
  expect(await embed(directory, "mean", ids)).toEqual(await embed(source, "mean", ids));
});

it.each([
  ["hidden_act", "sine", "hidden_act"],
  ["position_embedding_type", "relative_key", '"relative_key" is not honoured'],
  ["model_type", "mpnet", "is not a supported encoder"],
  ["hidden_size", 48, "tensor embeddings.word_embeddings.weight is"],
])("refuses a config whose %s is %s", async (key, value, message) => {
  const directory = folder.path(`refused ${key}`);
  mkdirSync(directory);
  for (const name of ["model.safetensors", "tokenizer.json"])
    copyFileSync(join(directoryOf("bert"), name), join(directory, name));
  const config = JSON.parse(readFileSync(join(directoryOf("bert"), "config.json"), "utf8")) as object;
  folder.write(`refused ${key}/config.json`, JSON.stringify({ ...config, [key]: value }));
  await expect(embeddedEngine({ threads: 1 }).openEncoder!(directory, "mean")).rejects.toThrow(message);
});

it("batches by length, shortest first, and bounds tokens and scores", () => {
  const request = (id: string, length: number) => ({ id, ids: new Array<number>(length).fill(1) });
  const batches = batchesOf([request("long", 1000), request("a", 3), request("b", 17), request("c", 16)]);
  expect(batches.map((batch) => batch.map(({ id }) => id))).toEqual([["a", "c"], ["b"], ["long"]]);
  const many = batchesOf(Array.from({ length: 600 }, (_, i) => request(String(i), 16)));
  expect(many.map((batch) => batch.length)).toEqual([256, 256, 88]);
});
