/** The tokenizers of Llama 2, OLMo and GPT-2 against ids from Hugging Face's Rust core. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { tokenizerFromJson } from "../../src/text/huggingface.js";
import { runTokenizerContract } from "../tokenizer-oracle.js";

const folder = fileURLToPath(new URL("../../../shared/data/tokenizers", import.meta.url));
const json = (path: string): unknown => JSON.parse(readFileSync(`${folder}/${path}`, "utf8"));
const names = ["llama2", "olmo", "gpt2"] as const;

interface Golden {
  text: string;
  ids: number[];
  ids_no_special: number[];
  tokens: string[];
}

// Needs ../shared beside the checkout.
describe.skipIf(!existsSync(folder)).each(names)("%s", (name) => {
  const tokenizer = tokenizerFromJson(json(`${name}/tokenizer.json`));
  const golden = (json("golden_encodings.json") as { tokenizers: Record<string, Golden[]> }).tokenizers[name]!;
  it.each(golden)("encodes $text", ({ text, ids, ids_no_special, tokens }) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.encode(text, { special: false })).toEqual(ids_no_special);
    // For a control token in the text the Rust core reports the stretch it matched ("▁</s>"), not the piece.
    const pieceOr = (id: number, i: number) => (tokenizer.isSpecial(id) ? tokens[i] : tokenizer.piece(id));
    expect(ids.map(pieceOr)).toEqual(tokens);
  });

  runTokenizerContract({ json: json(`${name}/tokenizer.json`), runs: 10_000 });
});
