import { describe, expect, it } from "vitest";
import {
  bertLike,
  gemmaLike,
  gpt2Like,
  llama2Like,
  llama3Like,
  metaspaceLike,
  olmoLike,
  smollmLike,
  unknownLike,
} from "../../test/small-tokenizers.js";
import { runTokenizerContract } from "../../test/tokenizer-oracle.js";
import { tokenizerFromJson } from "./huggingface.js";

const kinds: Record<string, object> = {
  "GPT-2 (bytes)": gpt2Like(),
  "OLMo (NFC, added spaces)": olmoLike(),
  "SmolLM (digits)": smollmLike(),
  "Llama 3 (own pattern, whole words)": llama3Like(),
  "Llama 2 (byte fallback)": llama2Like(),
  "Llama 2, control tokens not normalized": llama2Like({ normalized: false }),
  "Gemma (added newlines)": gemmaLike(),
  "unknowns fused": unknownLike(true),
  "unknowns apart": unknownLike(false),
  "Metaspace always, split": metaspaceLike("always", true),
  "Metaspace first, whole": metaspaceLike("first", false),
  "Metaspace never, split": metaspaceLike("never", true),
  "BERT (WordPiece)": bertLike(),
  "BERT, cased": bertLike({ cased: true }),
};

// On five times as many strings in test/e2e/tokenizers.test.ts: the paper's kinds.
describe.each(Object.entries(kinds))("%s", (_, json) => {
  runTokenizerContract({ json, runs: 2000 });
});

describe("plain text", () => {
  it("spells control tokens out", () => {
    const tokenizer = tokenizerFromJson(gpt2Like());
    const end = tokenizer.idOf("<|endoftext|>")!;
    expect(tokenizer.encode("a<|endoftext|>b")).toContain(end);
    const ids = tokenizer.encode("a<|endoftext|>b", { plainText: true });
    expect(ids).not.toContain(end);
    expect(tokenizer.decode(ids)).toBe("a<|endoftext|>b");
  });

  it("does not reach a control token by merging either", () => {
    const json = gpt2Like();
    // A vocabulary whose merges lead to its own control token, as those derived from GGUF scores can.
    const next = Object.keys(json.model.vocab).length;
    const vocab = { ...json.model.vocab, "<s": next, "<s>": next + 1 };
    const joining = {
      ...json,
      added_tokens: [{ id: next + 1, content: "<s>", special: true, normalized: false }],
      pre_tokenizer: { ...json.pre_tokenizer, use_regex: false },
      model: { ...json.model, vocab, merges: ["< s", "<s >"] },
    };
    const tokenizer = tokenizerFromJson(joining);
    expect(tokenizer.encode("<s>", { plainText: true }).map((id) => tokenizer.piece(id))).toEqual(["<s", ">"]);
  });

  it("leaves the tokenizer's own first space out where text goes on", () => {
    const tokenizer = tokenizerFromJson(llama2Like());
    const pieces = (continued: boolean) =>
      tokenizer.encode("The end", { special: false, continued }).map((id) => tokenizer.piece(id));
    expect(pieces(false).join("")).toBe("▁The▁end");
    expect(pieces(true).join("")).toBe("The▁end");
  });

  it("takes the special tokens that tokenizer_config.json names as special too", () => {
    const tokenizer = tokenizerFromJson(gpt2Like(), { config: { eos_token: { content: "!" } } });
    expect(tokenizer.isSpecial(tokenizer.idOf("!")!)).toBe(true);
    expect(tokenizer.decode([tokenizer.idOf("!")!, ...tokenizer.encode("a")])).toBe("a");
  });
});

describe("bytes", () => {
  it.each([
    ["GPT-2", gpt2Like(), asHex],
    ["Gemma", gemmaLike(), asHex],
  ] as const)("%s: the bytes of the ids of a text are the text's", (_, json, hex) => {
    const tokenizer = tokenizerFromJson(json);
    const text = "café  你好\n\n\n🙂 the <0x0A> end";
    const ids = tokenizer.encode(text, { special: false });
    expect(hex(Buffer.concat(ids.map((id) => tokenizer.bytes(id)!)))).toBe(hex(Buffer.from(text)));
  });
});

function asHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

describe("refusals", () => {
  const base = gpt2Like();
  const without = (model: object) => ({ ...base, model: { ...base.model, ...model } });
  it.each([
    ["no object", 7, "tokenizer.json: file: "],
    [
      "WordPiece without its unknown token",
      { ...base, model: { type: "WordPiece", vocab: { a: 0 } }, added_tokens: [] },
      'the unknown token "[UNK]" is not in the vocabulary',
    ],
    ["Unigram", without({ type: "Unigram" }), "the model type Unigram is not supported"],
    ["dropout", without({ dropout: 0.1 }), "model.dropout is 0.1"],
    ["suffix", without({ end_of_word_suffix: "</w>" }), 'model.end_of_word_suffix "</w>"'],
    ["prefix", without({ continuing_subword_prefix: "##" }), 'model.continuing_subword_prefix "##"'],
    ["a vocabulary of strings", without({ vocab: { a: "1" } }), '"a" has the id "1"'],
    ["an absurd id", without({ vocab: { a: 4e9 } }), '"a" has the id 4000000000'],
    ["two pieces of one id", without({ vocab: { a: 1, b: 1 } }), '"a" and "b" share the id 1'],
    ["merges that are no list", without({ merges: {} }), "model.merges is not a list"],
    ["a merge of three", without({ merges: ["a b c"] }), 'model.merges[0] is not a pair: "a b c"'],
    [
      "a merge of unknown pieces",
      without({ merges: ["a", "qq zz"].slice(1) }),
      'model.merges[0]: "qq zz" names a piece',
    ],
    [
      "an added token that disagrees",
      { ...base, added_tokens: [{ id: 3, content: "!" }] },
      'added token "!" has the id 3',
    ],
    ["an unknown normalizer", { ...base, normalizer: { type: "Precompiled" } }, "the normalizer Precompiled"],
    ["an unknown pre-tokenizer", { ...base, pre_tokenizer: { type: "Punctuation" } }, "the pre-tokenizer Punctuation"],
    ["an unknown decoder", { ...base, decoder: { type: "CTC" } }, "the decoder CTC is not supported"],
    ["an unknown post-processor", { ...base, post_processor: { type: "X" } }, "the post-processor X is not supported"],
    [
      "a pattern that is none",
      { ...base, pre_tokenizer: { type: "Split", pattern: { Regex: "(" }, behavior: "Isolated" } },
      'cannot use the pattern "("',
    ],
    [
      "something after ByteLevel",
      { ...base, pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "ByteLevel" }, { type: "Digits" }] } },
      "a pre-tokenizer after ByteLevel",
    ],
    [
      "a post-processor's unknown id",
      { ...base, post_processor: { type: "BertProcessing", cls: ["a", 99_999], sep: ["b", 1] } },
      "adds the id 99999",
    ],
  ])("%s", (_, json, message) => {
    expect(() => tokenizerFromJson(json)).toThrow(message);
  });
});

describe("text without tokens", () => {
  it("is left out as the Rust core does, and reported", () => {
    const base = gpt2Like();
    const { "!": _gone, ...vocab } = base.model.vocab;
    const numbered = Object.fromEntries(Object.keys(vocab).map((piece, id) => [piece, id]));
    const lacking = { ...base, added_tokens: [], model: { ...base.model, vocab: numbered, merges: [] } };
    const tokenizer = tokenizerFromJson(lacking);
    expect(tokenizer.decode(tokenizer.encode("a!b"))).toBe("ab");
    expect([tokenizer.drops?.("a!b"), tokenizer.drops?.("ab")]).toEqual([true, false]);
    for (const json of [base, olmoLike(), llama2Like(), gemmaLike()]) {
      expect(tokenizerFromJson(json).drops?.("!你🙂\u{8ffff}")).toBe(false);
    }
  });
});
