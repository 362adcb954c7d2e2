import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { llama2cEncodeSlowly } from "../../test/llama2c-slowly.js";
import { awkwardText, runTokenizerContract } from "../../test/tokenizer-oracle.js";
import { UserError } from "../util/errors.js";
import { llama2cTokenizer, llama2cTokenizerConfig, llama2cTokenizerJson } from "./llama2c.js";

/** A vocabulary of our own in llama2.c's format; scores fall by one, as SentencePiece gives them. */
const bytePieces = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
const joined = [
  " t",
  "he",
  " the",
  "an",
  " a",
  "and",
  " and",
  "aa",
  "aaaa",
  "  ",
  "    ",
  "is",
  " is",
  "er",
  "on",
  "é!",
];
const letters = [..." etaoinshrdlucmfwypvbgkjqxz.,!?'<|>12340é▁"];
const pieces = ["<unk>", "\n<s>\n", "\n</s>\n", ...bytePieces, ...joined, ...letters];

function vocabularyFile(rows: readonly { piece: string | Uint8Array; score: number }[], longest = 12): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(longest);
  return Buffer.concat([
    head,
    ...rows.flatMap(({ piece, score }) => {
      const bytes = Buffer.from(piece as string, "utf8");
      const numbers = Buffer.alloc(8);
      numbers.writeFloatLE(score);
      numbers.writeInt32LE(bytes.length, 4);
      return [numbers, bytes];
    }),
  ]);
}

const rows = pieces.map((piece, id) => ({ piece, score: id < 259 ? 0 : 259 - id }));
const file = vocabularyFile(rows);
const withRow = (id: number, row: { piece: string | Uint8Array; score: number }): Buffer =>
  vocabularyFile(rows.map((old, i) => (i === id ? row : old)));

describe("llama2.c vocabulary", () => {
  const tokenizer = llama2cTokenizer(file);

  it("encodes as llama2.c does", () => {
    fc.assert(
      fc.property(fc.oneof(awkwardText, fc.stringMatching(/^[ aethnd]{0,40}$/)), (text) => {
        fc.pre(!/\p{Surrogate}/u.test(text));
        const ids = [1, ...tokenizer.encode(text, { special: false, plainText: true })];
        expect(ids).toEqual(llama2cEncodeSlowly(file, text));
      }),
      { numRuns: 1000 },
    );
  });

  it("keeps a real ▁ apart from a space, and drops the first space when decoding", () => {
    const ids = tokenizer.encode("the ▁ and");
    expect(ids.map((id) => tokenizer.piece(id))).toEqual(["\n<s>\n", " the", " ", "▁", " and"]);
    expect(tokenizer.decode(ids)).toBe("the ▁ and");
    expect(Buffer.from(tokenizer.bytes(ids[3]!)!).toString("utf8")).toBe("▁");
    expect(tokenizer.encode("")).toEqual([1]);
  });

  it("names its begin token as the end too: that is what such models were trained with", () => {
    expect(llama2cTokenizerConfig(file)).toMatchObject({ bos_token: "\n<s>\n", eos_token: "\n<s>\n" });
  });

  runTokenizerContract({ json: llama2cTokenizerJson(file), runs: 2000 });
});

describe("refusals", () => {
  it.each<[string, Uint8Array, string]>([
    ["nothing", Buffer.alloc(0), "it has 0 bytes"],
    ["a cut number", file.subarray(0, 9), "it ends inside token 0"],
    ["a cut piece", file.subarray(0, file.length - 1), `token ${pieces.length - 1} claims 3 bytes`],
    ["a piece that claims too much", vocabularyFile(rows, 3), "token 0 claims 5 bytes"],
    ["too few tokens", vocabularyFile(rows.slice(0, 100)), "it has 100 tokens, fewer than the 259"],
    ["no byte pieces", withRow(20, { piece: "qq", score: 0 }), "token 20 is not <0x11>"],
    ["a piece twice", withRow(300, { piece: " the", score: -90 }), "tokens 261 and 300 are both"],
    ["bad UTF-8", withRow(300, { piece: Uint8Array.of(0xff), score: -90 }), "token 300 is not UTF-8"],
    ["a score that is no number", withRow(300, { piece: "zz", score: Number.NaN }), "token 300 has the score NaN"],
    ["scores without an order", withRow(260, { piece: "he", score: 0 }), "share the score 0"],
  ])("%s", (_, bytes, message) => {
    expect(() => llama2cTokenizerJson(bytes)).toThrow(UserError);
    expect(() => llama2cTokenizerJson(bytes)).toThrow(message);
  });

  it("damaged files give one line or a vocabulary, never anything else", () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.nat(255), fc.nat(file.length), (at, byte, length) => {
        const damaged = Uint8Array.from(file.subarray(0, length));
        if (at < damaged.length) damaged[at] = byte;
        try {
          llama2cTokenizer(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 300 },
    );
  });
});
