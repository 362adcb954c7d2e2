/**
 * All of LIMA rendered with real vocabularies. The counts are those of an independent rendering with Python's `tokenizers`
 * 0.23.3 (`encode_special_tokens`), which agreed on every id and label of the 1,030 rows.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadExamples } from "../../src/data/load.js";
import { templateFrom } from "../../src/options/template.js";
import { collectRows } from "../../src/steps/render.js";
import { tokenizerFromJson } from "../../src/text/huggingface.js";
import type { TextModel } from "../../src/text/tokenizer.js";

const data = fileURLToPath(new URL("../../../shared/data", import.meta.url));

const vocabularies = [
  { name: "llama2", bosId: 1, eosId: 2, modelType: "llama", tokens: 708_332, supervised: 629_984, cut: 71 },
  { name: "olmo", bosId: undefined, eosId: 50_279, modelType: "olmo", tokens: 656_609, supervised: 585_867, cut: 56 },
  { name: "gpt2", bosId: undefined, eosId: 50_256, modelType: "gpt2", tokens: 670_383, supervised: 597_396, cut: 56 },
];

// Needs ../shared beside the checkout.
describe.skipIf(!existsSync(data)).each(vocabularies)(
  "LIMA with $name",
  ({ name, tokens, supervised, cut, ...ids }) => {
    it("gives the counts of an independent rendering", async () => {
      const json: unknown = JSON.parse(readFileSync(`${data}/tokenizers/${name}/tokenizer.json`, "utf8"));
      const model: TextModel = { tokenizer: tokenizerFromJson(json), hash: "", ...ids };
      const examples = loadExamples(`lima:${data}/lima/lima_data.jsonl`);
      const { certificate } = await collectRows(examples, {
        model,
        template: templateFrom(),
        objective: "instruction",
      });
      expect(certificate).toMatchObject({
        rows: 1030,
        rows_merged: 0,
        rows_cut: cut,
        rows_lossy: 0,
        responses: 1084,
        tokens,
        supervised_tokens: supervised,
      });
    });
  },
);
