import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fakeTokenizer } from "../../test/fake-tokenizer.js";
import { UserError } from "../util/errors.js";
import { loadRules } from "./file.js";
import { resolveRules, unresolvedStrings } from "./resolve.js";
import { scoresRow } from "./row.js";
import { type Rule, type RuleSet, stopScore } from "./rules.js";

// 0 <s>, 1 </s>, 2-4 bytes, 5... ordinary; 12 is a hole, 13 and 14 stand for the same three spaces
const pieces = [
  "<s>",
  "</s>",
  "<0x0A>",
  "<0x21>",
  "<0xE2>",
  "!",
  "▁<",
  "<",
  "▁I",
  "I",
  "▁▁",
  "a",
  undefined,
  "▁▁▁",
  "   ",
];
const tokenizer = fakeTokenizer(pieces, { special: ["<s>", "</s>"], literal: ["   "] });
const vocabulary = { tokenizer, eosId: 1 };
const V = pieces.length;

const ruleSet = (...rules: Rule[]): RuleSet => ({ version: 1, name: "own", rules });
const scores = (name: string, entries: Record<string, number>): Rule => ({
  name,
  kind: "token_scores",
  scores: new Map(Object.entries(entries)),
});
const used = (name: string, score: number, scope: "response" | "conversation"): Rule => ({
  name,
  kind: "used_tokens",
  score,
  scope,
});
const ramp = (name: string, after: "grow" | "hold" | "zero"): Rule => ({
  name,
  kind: "eos_ramp",
  score: 15,
  tokens: 250,
  after,
});

describe("strings name tokens by their bytes", () => {
  const found = (string: string) => {
    const entry = resolveRules(ruleSet(scores("a", { [string]: 1 })), vocabulary).report[0]?.tokens[0];
    return entry?.found ? { id: entry.id, byte: entry.byte, alternatives: entry.alternatives } : entry?.reason;
  };

  it.each([
    ["<", { id: 7, byte: false, alternatives: [] }],
    [" <", { id: 6, byte: false, alternatives: [] }],
    [" I", { id: 8, byte: false, alternatives: [] }],
    ["I", { id: 9, byte: false, alternatives: [] }],
    ["\n", { id: 2, byte: true, alternatives: [] }], // only the byte piece
    ["!", { id: 5, byte: false, alternatives: [] }], // the ordinary piece wins over <0x21>
    ["   ", { id: 14, byte: false, alternatives: [13] }], // the one that encoding gives, of two
    [" a", "not one token in this vocabulary"],
    ["</s>", "a special token; rules name ordinary tokens only"],
    ["▁I", "a piece as the vocabulary writes it; rules name the text that it stands for"],
    ["<0x0A>", "a piece as the vocabulary writes it; rules name the text that it stands for"],
    ["â", "not one token in this vocabulary"], // starts with no lone byte 0xE2
  ])("%j", (string, expected) => expect(found(string)).toEqual(expected));

  it("a piece of six ordinary characters that looks like a byte piece is ordinary", () => {
    const literal = fakeTokenizer(["</s>", "<0x41>"], { special: ["</s>"], literal: ["<0x41>"] });
    const { report, resolved } = resolveRules(ruleSet(scores("a", { "<0x41>": 2, A: 3 })), {
      tokenizer: literal,
      eosId: 0,
    });
    expect([...resolved.constant]).toEqual([[1, 2]]);
    expect(report[0]?.tokens.map((token) => token.found)).toEqual([true, false]);
  });

  it("what is not one token is reported once and ignored", () => {
    const { report, resolved } = resolveRules(
      ruleSet(scores("a", { "<": 1, zz: 2 }), scores("b", { zz: 3 })),
      vocabulary,
    );
    expect(unresolvedStrings(report)).toEqual(["zz"]);
    expect([...resolved.constant]).toEqual([[7, 1]]);
  });
});

describe("scores of all rules add up", () => {
  it("constants by id, ramps by n, penalties by scope", () => {
    const rules = ruleSet(
      scores("a", { "<": -4, "!": 1 }),
      scores("b", { "<": -1 }),
      ramp("grow", "grow"),
      ramp("zero", "zero"),
      used("r", -1.5, "response"),
      used("r2", -0.5, "response"),
      used("c", -1, "conversation"),
    );
    const { resolved } = resolveRules(rules, vocabulary);
    expect(Object.fromEntries(resolved.constant)).toEqual({ 7: -5, 5: 1 });
    expect([0, 50, 249, 250, 500].map((n) => stopScore(resolved, n))).toEqual([0, 6, 29.88, 15, 30]);
    expect(resolved.usedTokens).toEqual([
      { scope: "response", score: -2 },
      { scope: "conversation", score: -1 },
    ]);
    const row = scoresRow(resolved, V, { responseIds: [7, 7, 1], conversationIds: [7, 9] });
    // 0.36: both ramps at n = 3; id 1 is EOS and was used; id 7 was used in both scopes, once each
    expect(row[1]).toBeCloseTo(0.36 - 3, 6);
    expect([5, 7, 9].map((id) => row[id])).toEqual([1, -8, -1]);
    expect(row.filter((score) => score !== 0)).toHaveLength(4);
  });

  it("a disabled rule adds nothing and its name must exist", () => {
    const rules = ruleSet(scores("a", { "<": -4 }), ramp("eos", "grow"), used("r", -1.5, "response"));
    const { resolved, report } = resolveRules(rules, vocabulary, { disabled: ["eos", "a", "r"] });
    expect(resolved).toEqual({ eosId: 1, constant: new Map(), eosRamps: [], usedTokens: [] });
    expect(report.map((entry) => entry.disabled)).toEqual([true, true, true]);
    expect(() => resolveRules(rules, vocabulary, { disabled: ["EOS"] })).toThrow(UserError);
    expect(() => resolveRules(rules, vocabulary, { disabled: ["EOS"] })).toThrow(/no rule named "EOS"/);
  });
});

describe("the paper's adapter on one row", () => {
  const wide = fakeTokenizer(
    [
      "</s>",
      "<0x0A>",
      "<",
      "▁<",
      "|",
      "▁I",
      "I",
      "▁We",
      "What",
      "▁should",
      "▁*",
      "▁-",
      "▁▁▁",
      "▁#",
      "▁##",
      "!",
      "x",
      "y",
      "z",
    ],
    { special: ["</s>"] },
  );
  const state = { responseIds: [16, 2, 16], conversationIds: [16, 17, 15] };

  it("exact scores, both readings", async () => {
    const row = async (name: string) => {
      const { resolved } = resolveRules((await loadRules(name)).rules, { tokenizer: wide, eosId: 0 });
      return [...scoresRow(resolved, wide.vocabSize, state)];
    };
    const uniform = [0, 1, -4, -4, -4, -5, -5, -3, -5, -6, 1, 1, 1, 1, 1, 1, 0, 0, 0];
    const expected = (usedIds: number[]) =>
      uniform.map((score, id) =>
        Math.fround(score + (id === 0 ? (15 * 3) / 250 : 0) + (usedIds.includes(id) ? -1.5 : 0)),
      );
    expect(await row("paper")).toEqual(expected([16, 2]));
    expect(await row("reference")).toEqual(expected([16, 2, 17, 15]));
  });

  it("softmax(logits + scores) is the renormalised product of the two distributions", async () => {
    const { resolved } = resolveRules((await loadRules("reference")).rules, { tokenizer: wide, eosId: 0 });
    const id = fc.nat(wide.vocabSize - 1);
    const logit = fc.double({ min: -20, max: 20, noNaN: true });
    const logits = fc.array(logit, { minLength: wide.vocabSize, maxLength: wide.vocabSize });
    fc.assert(
      fc.property(logits, fc.array(id), fc.array(id), (row, responseIds, conversationIds) => {
        const ruleRow = [...scoresRow(resolved, wide.vocabSize, { responseIds, conversationIds })];
        expect(ruleRow.every(Number.isFinite)).toBe(true);
        const model = softmax(row);
        const rules = softmax(ruleRow);
        const product = model.map((p, i) => p * (rules[i] ?? 0));
        const z = product.reduce((sum, p) => sum + p, 0);
        const adapted = softmax(row.map((value, i) => value + (ruleRow[i] ?? 0)));
        for (const [i, p] of adapted.entries()) expect(p).toBeCloseTo((product[i] ?? 0) / z, 12);
      }),
    );
  });

  it("the diversity rule counts a token once, however often it was used", async () => {
    const { resolved } = resolveRules(
      (await loadRules("paper")).rules,
      { tokenizer: wide, eosId: 0 },
      { disabled: ["eos"] },
    );
    fc.assert(
      fc.property(fc.array(fc.nat(wide.vocabSize - 1), { maxLength: 50 }), (ids) => {
        const once = scoresRow(resolved, wide.vocabSize, { responseIds: [...new Set(ids)], conversationIds: [] });
        const repeated = scoresRow(resolved, wide.vocabSize, {
          responseIds: [...ids, ...ids],
          conversationIds: [3, 4],
        });
        expect([...repeated]).toEqual([...once]);
      }),
    );
  });
});

function softmax(row: readonly number[]): number[] {
  const top = Math.max(...row);
  const weights = row.map((value) => Math.exp(value - top));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

it("a vocabulary is read once, also where rules change", () => {
  let read = 0;
  const counting = {
    ...tokenizer,
    bytes: (id: number) => {
      read += 1;
      return tokenizer.bytes(id);
    },
  };
  const resolve = (...names: string[]) => {
    const entries = Object.fromEntries(names.map((name) => [name, 1]));
    return resolveRules(ruleSet(scores("a", entries)), { tokenizer: counting, eosId: 1 }).resolved.constant;
  };
  const first = resolve("<", "I", "nowhere");
  const once = read;
  expect(once).toBe(V - 2); // all but the special ones
  expect(resolve("<", "I", "nowhere")).toEqual(first);
  expect(resolve("nowhere").size).toBe(0);
  expect(read).toBe(once);
  expect([...resolve("a", "<").keys()]).toEqual([11, 7]);
  expect(read).toBe(2 * once);
});
