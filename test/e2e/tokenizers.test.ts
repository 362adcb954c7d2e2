/** The paper's kinds of tokenizers beside Hugging Face's on many strings; the quick suite asks all kinds about a fifth of them. */
import { describe } from "vitest";
import { gemmaLike, gpt2Like, llama2Like, olmoLike } from "../small-tokenizers.js";
import { runTokenizerContract } from "../tokenizer-oracle.js";

const kinds: Record<string, object> = {
  "GPT-2 (bytes)": gpt2Like(),
  "OLMo (NFC, added spaces)": olmoLike(),
  "Llama 2 (byte fallback)": llama2Like(),
  "Gemma (added newlines)": gemmaLike(),
};

describe.each(Object.entries(kinds))("%s", (_, json) => {
  runTokenizerContract({ json, runs: 10_000 });
});
