/** Vocabularies made here. The ids that come out are checked in test/models on real ones. */
import { describe, expect, it } from "vitest";
import { type Meta, writeGguf } from "../../test/gguf-writer.js";
import { UserError } from "../util/errors.js";
import { memorySource } from "./byte-source.js";
import { ggufMetadata, readGguf } from "./gguf.js";
import { ggufTokenizer, recoverMerges, type Vocabulary } from "./gguf-tokenizer.js";

const vocabulary = (tokens: string[], types = tokens.map(() => 1)): Vocabulary => ({
  tokens,
  types,
  ids: new Map(tokens.map((token, id) => [token, id])),
});

async function convert(architecture: string, metadata: Record<string, Meta>, rows = 1000) {
  const file = await readGguf(memorySource("m.gguf", writeGguf({ metadata, tensors: [] })));
  return ggufTokenizer(architecture, ggufMetadata("m.gguf", file.metadata), rows, "m.gguf");
}
const byteLevel: Record<string, Meta> = {
  "tokenizer.ggml.model": { type: "string", value: "gpt2" },
  "tokenizer.ggml.pre": { type: "string", value: "smollm" },
  "tokenizer.ggml.tokens": { type: "strings", value: ["<|end|>", "Ġ", "a", "b", "ab", "Ġab", "<think>", "[PAD7]"] },
  "tokenizer.ggml.token_type": { type: "i32s", value: [3, 1, 1, 1, 1, 1, 4, 5] },
  "tokenizer.ggml.merges": { type: "strings", value: ["a b", "Ġ ab"] },
  "tokenizer.ggml.eos_token_id": { type: "u32", value: 0 },
  "tokenizer.chat_template": { type: "string", value: "{{ x }}" },
};
const pieces: Record<string, Meta> = {
  "tokenizer.ggml.model": { type: "string", value: "llama" },
  "tokenizer.ggml.tokens": {
    type: "strings",
    value: ["<unk>", "<s>", "</s>", "<0x0A>", "▁", "a", "b", "▁a", "ab", "▁ab", "  "],
  },
  "tokenizer.ggml.token_type": { type: "i32s", value: [2, 3, 3, 6, 1, 1, 1, 1, 1, 1, 4] },
  "tokenizer.ggml.scores": { type: "f32s", value: [0, 0, 0, 0, -9, -9, -9, -2, -1, -3, -1000] },
  "tokenizer.ggml.bos_token_id": { type: "u32", value: 1 },
  "tokenizer.ggml.unknown_token_id": { type: "u32", value: 0 },
};

describe("recoverMerges", () => {
  it("cuts every token in every way that the vocabulary allows, best token first, longer left part first", () => {
    const v = vocabulary(["a", "b", "c", "ab", "bc", "abc"]);
    expect(recoverMerges(v, [0, 0, 0, -2, -1, -3])).toEqual([
      ["b", "c"],
      ["a", "b"],
      ["ab", "c"],
      ["a", "bc"],
    ]);
  });

  it("orders tokens of one score by their parts' lengths, and else as found", () => {
    const v = vocabulary(["a", "b", "aa", "bb", "aab", "abb"]);
    expect(recoverMerges(v, [0, 0, -1, -1, -1, -1])).toEqual([
      ["aa", "b"],
      ["a", "bb"],
      ["a", "a"],
      ["b", "b"],
    ]);
  });

  it("never cuts within a character, and never makes a control or byte token", () => {
    const v = vocabulary(["🙂", "🙃", "🙂🙃", "<", "s>", "<s>", "\ud83d"], [1, 1, 1, 1, 1, 3, 1]);
    expect(recoverMerges(v, [0, 0, 0, 0, 0, 0, 0])).toEqual([["🙂", "🙃"]]);
  });
});

describe("a byte-level vocabulary", () => {
  it("keeps ids, merges and control tokens, and leaves out fillers", async () => {
    const { tokenizer, config } = await convert("llama", byteLevel);
    expect(tokenizer).toMatchObject({
      normalizer: null,
      post_processor: null,
      decoder: { type: "ByteLevel" },
      model: {
        type: "BPE",
        byte_fallback: false,
        vocab: { "<|end|>": 0, Ġ: 1, a: 2, b: 3, ab: 4, Ġab: 5, "<think>": 6 },
        merges: [
          ["a", "b"],
          ["Ġ", "ab"],
        ],
      },
    });
    const added = tokenizer.added_tokens as { id: number; content: string; special: boolean }[];
    expect(added.map(({ id, content, special }) => [id, content, special])).toEqual([
      [0, "<|end|>", true],
      [6, "<think>", false],
    ]);
    expect(config).toEqual({
      clean_up_tokenization_spaces: false,
      tokenizer_class: "PreTrainedTokenizerFast",
      eos_token: "<|end|>",
      chat_template: "{{ x }}",
    });
  });

  it.each([
    ["smollm", ["Digits", "ByteLevel"]],
    ["llama-bpe", ["Split", "ByteLevel"]],
  ])("splits text as %s does", async (pre, types) => {
    const { tokenizer } = await convert("llama", {
      ...byteLevel,
      "tokenizer.ggml.pre": { type: "string", value: pre },
    });
    const split = tokenizer.pre_tokenizer as { pretokenizers: { type: string }[] };
    expect(split.pretokenizers.map(({ type }) => type)).toEqual(types);
  });

  it.each<[string, Record<string, Meta>, RegExp]>([
    ["an unknown split", { "tokenizer.ggml.pre": { type: "string", value: "nova" } }, /split "nova"/],
    ["no split named", { "tokenizer.ggml.pre": { type: "string", value: "default" } }, /split "default"/],
    ["an unknown kind", { "tokenizer.ggml.model": { type: "string", value: "t5" } }, /kind "t5" is not supported/],
    [
      "a merge of strangers",
      { "tokenizer.ggml.merges": { type: "strings", value: ["a c"] } },
      /merge "a c" names pieces/,
    ],
    ["a merge of one", { "tokenizer.ggml.merges": { type: "strings", value: ["ab"] } }, /merge "ab"/],
    ["an id beyond", { "tokenizer.ggml.eos_token_id": { type: "u32", value: 99 } }, /eos_token is id 99/],
    ["a filler as end", { "tokenizer.ggml.eos_token_id": { type: "u32", value: 7 } }, /eos_token is id 7/],
    ["types for others", { "tokenizer.ggml.token_type": { type: "i32s", value: [1] } }, /8 tokens, but 1 token types/],
    [
      "a token twice",
      { "tokenizer.ggml.tokens": { type: "strings", value: ["a", "b", "a", "c", "d", "e", "f", "g"] } },
      /tokens 0 and 2 are both "a"/,
    ],
  ])("refuses %s", async (_, change, expected) => {
    await expect(convert("llama", { ...byteLevel, ...change })).rejects.toThrow(expected);
    await expect(convert("llama", { ...byteLevel, ...change })).rejects.toThrow(UserError);
  });

  it("refuses more tokens than the embedding has rows", async () => {
    await expect(convert("llama", byteLevel, 7)).rejects.toThrow("8 tokens, but the embedding has 7 rows");
  });
});

describe("a vocabulary of pieces", () => {
  it("of Llama: a begin token, a space in front, merges by score", async () => {
    const { tokenizer } = await convert("llama", pieces);
    expect(tokenizer).toMatchObject({
      normalizer: {
        normalizers: [
          { type: "Prepend", prepend: "▁" },
          { type: "Replace", content: "▁" },
        ],
      },
      post_processor: { type: "TemplateProcessing", special_tokens: { "<s>": { ids: [1] } } },
      decoder: {
        decoders: [{ type: "Replace" }, { type: "ByteFallback" }, { type: "Fuse" }, { type: "Strip", start: 1 }],
      },
      model: {
        unk_token: "<unk>",
        byte_fallback: true,
        fuse_unk: true,
        merges: [
          ["a", "b"],
          ["▁", "a"],
          ["▁a", "b"],
          ["▁", "ab"],
        ],
      },
    });
  });

  it("of Gemma: no space in front, runs of spaces respelled, merges in the order of ids", async () => {
    const { tokenizer } = await convert("gemma3", {
      ...pieces,
      "tokenizer.ggml.add_bos_token": { type: "bool", value: true },
    });
    expect(tokenizer).toMatchObject({
      normalizer: { type: "Replace" },
      decoder: { decoders: [{ type: "Replace" }, { type: "ByteFallback" }, { type: "Fuse" }] },
      model: {
        vocab: { "▁▁": 10 },
        merges: [
          ["▁", "a"],
          ["a", "b"],
          ["▁a", "b"],
          ["▁", "ab"],
          ["▁", "▁"],
        ],
      },
    });
    expect((tokenizer.added_tokens as { content: string }[]).map(({ content }) => content)).toEqual([
      "<unk>",
      "<s>",
      "</s>",
    ]);
  });

  it("refuses a begin token that it does not name", async () => {
    const { "tokenizer.ggml.bos_token_id": _, ...rest } = pieces;
    await expect(convert("llama", rest)).rejects.toThrow("adds a begin token, but names none");
  });
});
