/** The learnt tokenizer at half its size: what it must keep as one token, and that it loses nothing. */
import { describe, expect, it } from "vitest";
import { loadRules } from "../../rules/file.js";
import { resolveRules, unresolvedStrings } from "../../rules/resolve.js";
import { tokenizerFromJson } from "../../text/huggingface.js";
import { present } from "../../util/errors.js";
import { openCorpus } from "../corpus.js";
import { makeWorld } from "../world.js";
import { learnTokenizer } from "./pretrain.js";
import { BOS, EOS, learnMerges, tokenizerConfig } from "./tokenizer.js";

const world = makeWorld(1);
const json = learnTokenizer(world, { seed: 1, tokenizerPages: 1500, vocabSize: 2400 });
const tokenizer = tokenizerFromJson(json, { config: tokenizerConfig(512) });
const [bosId, eosId] = [present(tokenizer.idOf(BOS), BOS), present(tokenizer.idOf(EOS), EOS)];

describe("the world's tokenizer", () => {
  it("has one token for every string that the paper's rules name", async () => {
    const { rules } = await loadRules("paper");
    const model = { tokenizer, bosId, eosId, modelType: "llama", hash: "" };
    const { report } = resolveRules(rules, model, { disabled: [] });
    expect(unresolvedStrings(report)).toEqual([]);
  });

  it("puts BOS in front, and gives pages back as they were", () => {
    const page = openCorpus(world, { seed: 1, contamination: 0 });
    for (let i = 5000; i < 5040; i++) {
      const { text } = page(i);
      const ids = tokenizer.encode(text);
      expect(ids[0]).toBe(bosId);
      expect(tokenizer.decode(ids)).toBe(text);
    }
  });

  it("keeps a line break apart from what follows, so that prompts end where responses begin", () => {
    const [prompt, whole] = ["Where?\n", "Where?\nIn Brouford."].map((text) => tokenizer.encode(text));
    expect(whole?.slice(0, prompt?.length)).toEqual(prompt);
  });

  it("spells out the tags, because it never saw one", () => {
    const ids = tokenizer.encode("<|user|>", { special: false });
    expect(tokenizer.piece(ids[0] ?? -1)).toBe("<");
    expect(tokenizer.piece(ids[1] ?? -1)).toBe("|");
  });
});

describe("learnMerges", () => {
  it("merges the most frequent pair first, of equals the first by code units, and nothing that occurs once", () => {
    // "aab" once, " aab" twice, " cd" once: a+a and a+b are in three words, Ġ+a in two
    const merges = learnMerges(["aab aab", "x aab cd"], 2 + 256 + 10);
    expect(merges).toEqual([
      ["a", "a"],
      ["aa", "b"],
      ["\u0120", "aab"],
    ]);
  });
});
