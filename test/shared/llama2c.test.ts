/** The llama2.c vocabulary of stories260K: golden ids, the Rust core on its tokenizer.json, and llama2.c's own algorithm. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { llama2cTokenizer, llama2cTokenizerJson } from "../../src/text/llama2c.js";
import { llama2cEncodeSlowly } from "../llama2c-slowly.js";
import { awkwardText, runTokenizerContract } from "../tokenizer-oracle.js";

const folder = fileURLToPath(new URL("../../../shared/data/models", import.meta.url));

interface Golden {
  encodings: { text: string; ids: number[]; decoded: string }[];
  greedy: { ids: number[]; text: string };
}

// Needs ../shared beside the checkout.
describe.skipIf(!existsSync(folder))("tok512.bin", () => {
  const bytes = readFileSync(`${folder}/tok512.bin`);
  const tokenizer = llama2cTokenizer(bytes);
  const golden = JSON.parse(readFileSync(`${folder}/stories260K.golden.json`, "utf8")) as Golden;

  it.each(golden.encodings)("encodes and decodes $text", ({ text, ids, decoded }) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(decoded);
  });

  it("decodes the 257 greedy ids", () => {
    expect(tokenizer.decode(golden.greedy.ids)).toBe(golden.greedy.text);
  });

  it("is what the shipped model carries", () => {
    const shipped = readFileSync(new URL("../../assets/stories260k/tokenizer.json", import.meta.url), "utf8");
    expect(JSON.parse(shipped)).toEqual(llama2cTokenizerJson(bytes));
  });

  it("joins as llama2.c does on 10000 strings", () => {
    for (const text of fc.sample(awkwardText, { numRuns: 10_000, seed: 2 })) {
      if (/\p{Surrogate}/u.test(text)) continue; // no UTF-8 text holds one
      // As plain text: llama2.c has no control tokens in text.
      const ids = [1, ...tokenizer.encode(text, { special: false, plainText: true })];
      expect([text, ids]).toEqual([text, llama2cEncodeSlowly(bytes, text)]);
    }
  });

  runTokenizerContract({ json: llama2cTokenizerJson(bytes), runs: 10_000 });
});
