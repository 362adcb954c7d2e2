/** `minilm-l6` (all-MiniLM-L6-v2): its tokenizer against the Rust core, its vectors against Transformers. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { embeddedEngine } from "../../src/embedded/embedded.js";
import { encoderSettings } from "../../src/models/encoders/open.js";
import { cosine, normalized } from "../../src/similarity/vectors.js";
import { loadEncoderText } from "../../src/text/encoder.js";
import { repositoryRoot } from "../staged-package.js";
import { runTokenizerContract } from "../tokenizer-oracle.js";
import { realModel } from "./folder.js";

interface Expected {
  models: { "minilm-l6": { texts: string[]; first8: number[][]; cosine: number[][] } };
}

const { path, skip } = realModel("minilm-l6");
const expectedPath = join(repositoryRoot, "..", "shared", "models", "expected.json");

describe("minilm-l6", () => {
  if (skip !== undefined) {
    it.skip(`needs ${skip}`, () => {});
    return;
  }

  it.skipIf(!existsSync(expectedPath))("has Transformers' vectors and cosines", async () => {
    const expected = (JSON.parse(readFileSync(expectedPath, "utf8")) as Expected).models["minilm-l6"];
    const { pooling, maxTokens } = await encoderSettings(path);
    expect([pooling, maxTokens]).toEqual(["mean", 256]);
    const text = await loadEncoderText(path);
    const encoder = await embeddedEngine({ threads: 2 }).openEncoder!(path);
    expect([encoder.pooling, encoder.limits.maxTokens]).toEqual([pooling, maxTokens]);
    const vectors: Float64Array[] = [];
    const requests = expected.texts.map((words, i) => ({ id: String(i), ids: text.encode(words, 256).ids }));
    for await (const { id, vector } of encoder.embed(requests)) vectors[Number(id)] = normalized(vector);
    await encoder[Symbol.asyncDispose]();
    expect(vectors.map(({ length }) => length)).toEqual(expected.texts.map(() => 384));
    // Published with five decimals: half a unit of the last, and float32 behind it.
    const close = (found: number, wanted: number) => expect(Math.abs(found - wanted)).toBeLessThan(6e-6);
    for (const [i, row] of expected.first8.entries()) {
      for (const [j, value] of row.entries()) close(vectors[i]![j]!, value);
      for (const [j, value] of expected.cosine[i]!.entries()) close(cosine(vectors[i]!, vectors[j]!), value);
    }
  });

  runTokenizerContract({ json: JSON.parse(readFileSync(join(path, "tokenizer.json"), "utf8")), runs: 10_000 });
});
