/** Tokens that several files declare, against what Transformers 4 and 5 do (`python/fixtures/make_added_tokens.py`). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { modelsFolder } from "../../test/parity/fixtures.js";
import { tokenizerFromJson } from "./huggingface.js";

interface Expected {
  readonly ids: readonly (readonly number[])[];
  /** With special tokens spelled out. */
  readonly plain: readonly (readonly number[])[];
  /** Tokens beyond the vocabulary. */
  readonly added: number;
  /** Of the first four ids and the added ones, those that decoding skips. */
  readonly skipped: readonly number[];
  readonly eos: string;
}
interface Variant {
  readonly name: string;
  readonly added_tokens: readonly object[];
  readonly files: Readonly<Record<string, unknown>>;
  readonly expected: Readonly<Record<string, Expected | { readonly error: string }>>;
}
const folder = join(modelsFolder, "tokenizers");
const read = (...path: string[]): unknown => JSON.parse(readFileSync(join(folder, ...path), "utf8"));
const fixture = read("added-tokens.json") as { texts: string[]; size: number; variants: Variant[] };
const pieces = read("pieces", "tokenizer.json") as object;

const open = ({ added_tokens, files }: Variant) =>
  tokenizerFromJson(
    { ...pieces, added_tokens },
    {
      config: files["tokenizer_config.json"],
      addedTokens: files["added_tokens.json"],
      specialTokensMap: files["special_tokens_map.json"],
    },
  );

/** Ids that disagree: Transformers gives a token another id than the file says, and no word. */
const REFUSED: Readonly<Record<string, string>> = {
  "an id that is not the token's place":
    'tokenizer_config.json: the token "<think>" has the id 402; by tokenizer.json it is 397',
  "a token of tokenizer.json under another id":
    'tokenizer_config.json: the token "<|im_end|>" has the id 400; by tokenizer.json it is 397',
  "an id of tokenizer.json under another token":
    'tokenizer_config.json: the token "<think>" has the id 397, where tokenizer.json has "<|im_end|>"; by tokenizer.json it is 398',
  "an id that is not the token's place, in added_tokens.json":
    'added_tokens.json: the token "<think>" has the id 402; by tokenizer.json it is 397',
};
/** Where the two versions part: 4 makes every named token special, 5 only those under a name of their own. We follow 4. */
const AS_FOUR_ONLY = [
  "special_tokens_map.json names tokens",
  "special_tokens_map.json names what added_tokens.json holds",
  "additional_special_tokens names an ordinary token",
];
const isRun = (run: Expected | { readonly error: string }): run is Expected => "ids" in run;

describe.each(fixture.variants.filter(({ name }) => !(name in REFUSED)))("$name", (variant) => {
  const tokenizer = open(variant);
  const runs = Object.entries(variant.expected).filter(
    ([version]) => version.startsWith("4.") || !AS_FOUR_ONLY.includes(variant.name),
  );
  const known = [0, 1, 2, 3, ...Array.from({ length: tokenizer.vocabSize - fixture.size }, (_, i) => fixture.size + i)];
  it.each(runs.flatMap(([version, run]) => (isRun(run) ? [[version, run] as const] : [])))("is as in %s", (_, run) => {
    expect(fixture.texts.map((text) => tokenizer.encode(text, { special: false }))).toEqual(run.ids);
    expect(fixture.texts.map((text) => tokenizer.encode(text, { special: false, plainText: true }))).toEqual(run.plain);
    expect(tokenizer.vocabSize - fixture.size).toBe(run.added);
    expect(known.filter((id) => tokenizer.decode([id]) === "")).toEqual(run.skipped);
    expect(known.filter((id) => tokenizer.isSpecial(id))).toEqual(run.skipped);
  });
});

describe("ids that disagree", () => {
  it.each(Object.entries(REFUSED))("%s", (name, message) => {
    const variant = fixture.variants.find((one) => one.name === name)!;
    expect(() => open(variant)).toThrow(message);
  });

  it("shows a bounded part of what a file calls a token", () => {
    const content = `<${"\u001b[31m".repeat(1000)}>`;
    const config = { added_tokens_decoder: { "9": { content } } };
    const thrown = (): unknown => {
      try {
        return tokenizerFromJson({ ...pieces, added_tokens: [] }, { config });
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(thrown()).toMatch(
      /^tokenizer_config\.json: the token .{1,120} has the id 9, where tokenizer\.json has "<0x06>"; by tokenizer\.json it is 397$/,
    );
  });

  it.each([
    [
      "a key that is no id",
      { added_tokens_decoder: { x: { content: "<a>" } } },
      "tokenizer_config.json: added_tokens_decoder.x: ",
    ],
    [
      "a token without content",
      { added_tokens_decoder: { "397": {} } },
      "tokenizer_config.json: added_tokens_decoder.397.content: ",
    ],
    ["a list", { added_tokens_decoder: [] }, "tokenizer_config.json: added_tokens_decoder: "],
  ])("refuses %s by its file", (_, config, message) => {
    expect(() => tokenizerFromJson(pieces, { config })).toThrow(message);
  });
});
