/** The tokenizers of the fetched models, as imported from GGUF: Transformers' ids, and the Rust core on 10,000 strings. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tokenizerFromJson } from "../../src/text/huggingface.js";
import { loadTextModel } from "../../src/text/load.js";
import { repositoryRoot } from "../staged-package.js";
import { runTokenizerContract } from "../tokenizer-oracle.js";
import { realModel } from "./folder.js";

interface Expected {
  models: Record<string, { tokenizer: { encodings: { text: string; ids: number[] }[] } }>;
}

const models = [
  { name: "gemma-3-270m", bosId: 2, eosId: 1, modelType: "gemma3_text" },
  { name: "smollm2-135m-instruct", bosId: undefined, eosId: 2, modelType: "llama" },
];
const expectedPath = join(repositoryRoot, "..", "shared", "models", "expected.json");

describe.each(models)("$name", ({ name, bosId, eosId, modelType }) => {
  const { path, skip } = realModel(name);
  if (skip !== undefined) {
    it.skip(`needs ${skip}`, () => {});
    return;
  }
  const json: unknown = JSON.parse(readFileSync(join(path, "tokenizer.json"), "utf8"));

  it.skipIf(!existsSync(expectedPath))("encodes as Transformers does", () => {
    const expected = JSON.parse(readFileSync(expectedPath, "utf8")) as Expected;
    const tokenizer = tokenizerFromJson(json);
    const encodings = expected.models[name]!.tokenizer.encodings;
    expect(encodings.length).toBeGreaterThan(3);
    for (const { text, ids } of encodings) expect([text, tokenizer.encode(text)]).toEqual([text, ids]);
  });

  it("declares its control ids", async () => {
    expect(await loadTextModel(path)).toMatchObject({ bosId, eosId, modelType });
  });

  runTokenizerContract({ json, runs: 10_000 });
});
