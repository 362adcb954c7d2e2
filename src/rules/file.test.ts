import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UserError } from "../util/errors.js";
import { loadRules, parseRules, shippedRules } from "./file.js";
import { rampScore } from "./rules.js";

const head = "version: 1\nname: own\nrules:\n";
const lineOf = (text: string): string => {
  try {
    parseRules(text, "own.yaml");
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return "accepted";
};

describe("shipped rule files", () => {
  it.each(shippedRules)("%s holds the fifteen scores of table 8", async (name) => {
    const { rules, hash } = await loadRules(name);
    expect(rules.name).toBe(name);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    const uniform = rules.rules.find((rule) => rule.kind === "token_scores");
    expect(Object.fromEntries(uniform?.scores ?? [])).toEqual({
      "<": -4,
      " <": -4,
      "|": -4,
      " I": -5,
      I: -5,
      " We": -3,
      What: -5,
      " should": -6,
      " *": 1,
      " -": 1,
      "   ": 1,
      " #": 1,
      " ##": 1,
      "\n": 1,
      "!": 1,
    });
  });

  it("differ in the ramp's end and in what counts as used, and in nothing else", async () => {
    const paper = (await loadRules("paper")).rules.rules;
    const reference = (await loadRules("reference")).rules.rules;
    expect(paper[0]).toEqual({ name: "eos", kind: "eos_ramp", score: 15, tokens: 250, after: "grow" });
    expect(reference[0]).toEqual({ name: "eos", kind: "eos_ramp", score: 15, tokens: 250, after: "zero" });
    expect(paper[1]).toEqual(reference[1]);
    expect(paper[2]).toEqual({ name: "diversity", kind: "used_tokens", score: -1.5, scope: "response" });
    expect(reference[2]).toEqual({ name: "diversity", kind: "used_tokens", score: -1.5, scope: "conversation" });
  });
});

describe("errors name file, line and column", () => {
  it.each([
    ["", "own.yaml:1:1: expected object, received null"],
    ["- 1\n", "own.yaml:1:1: expected object, received array"],
    ["version: 2\nname: own\nrules: []\n", "own.yaml:1:10: version: expected 1"],
    ["version: 1\nname: own\n", "own.yaml:1:1: rules: expected array, received undefined"],
    ["version: 1\nname: own\nrules: []\nrule: 3\n", 'own.yaml:4:7: Unrecognized key: "rule"'],
    [
      `${head}  - { name: a, kind: eos_ramps }\n`,
      "own.yaml:4:22: rules[0].kind: Invalid discriminator value. Expected 'eos_ramp' | 'token_scores' | 'used_tokens'",
    ],
    [
      `${head}  - { name: a, kind: eos_ramp, score: 15, tokens: 0, after: grow }\n`,
      "own.yaml:4:51: rules[0].tokens: Too small: expected number to be >0",
    ],
    [
      `${head}  - name: a\n    kind: token_scores\n    scores:\n      " I": -5\n      "<": "-4"\n`,
      'own.yaml:8:12: rules[0].scores["<"]: expected number, received string',
    ],
    [
      `${head}  - name: a\n    kind: token_scores\n    scores:\n      "": 1\n`,
      'own.yaml:7:11: rules[0].scores[""]: Too small: expected string to have >=1 characters',
    ],
    [
      `${head}  - { name: a, kind: token_scores, scores: { "x": .nan } }\n`,
      "own.yaml:4:51: rules[0].scores.x: expected number, received NaN",
    ],
    [
      `${head}  - { name: a, kind: token_scores, scores: { "x": -.inf } }\n`,
      "own.yaml:4:51: rules[0].scores.x: expected number, received -Infinity",
    ],
    [
      `${head}  - { name: a, kind: token_scores, scores: { 1: 2 } }\n`,
      'own.yaml:4:46: a key must be a string: write it in double quotes, as in "1": -2',
    ],
    [`${head}  - { name: a, kind: token_scores, scores: { "x": 1, "x": 2 } }\n`, 'own.yaml:4:54: duplicate key "x"'],
    [
      `${head}  - { name: a, kind: used_tokens, score: -1.5, scope: prompt }\n`,
      'own.yaml:4:55: rules[0].scope: Invalid option: expected one of "response"|"conversation"',
    ],
    [
      `${head}  - { name: a, kind: used_tokens, score: -1, scope: response }\n  - { name: a, kind: used_tokens, score: -1, scope: response }\n`,
      'own.yaml:5:13: two rules are named "a"; names must differ',
    ],
    [`${head}  - { name: a\n`, /^own\.yaml:5:1: .*/],
    [
      `${head}  - { name: a, kind: token_scores, scores: { "\\ud800": 1 } }\n`,
      /^own\.yaml:4:\d+: rules\[0\]\.scores\[.*half a surrogate pair/,
    ],
  ])("%j", (text, expected) => {
    if (typeof expected === "string") expect(lineOf(text)).toBe(expected);
    else expect(lineOf(text)).toMatch(expected);
  });

  it("an unquoted ! is a tag in YAML and not the exclamation mark", () => {
    expect(lineOf(`${head}  - { name: a, kind: token_scores, scores: { !: 2 } }\n`)).toMatch(/^own\.yaml:4:\d+: /);
    expect(lineOf(`${head}  - { name: a, kind: token_scores, scores: { !x : 2 } }\n`)).toMatch(/^own\.yaml:4:\d+: /);
  });

  it("aliases that expand without bound are refused", () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`;
    expect(lineOf(bomb)).toContain("aliases that stand for too many values");
  });

  it("a missing file and a file that is not UTF-8", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tacit-rules-"));
    await expect(loadRules(join(folder, "none.yaml"))).rejects.toThrow(/none\.yaml: no such file or folder/);
    await writeFile(join(folder, "latin.yaml"), Buffer.from([0x6e, 0xe9]));
    await expect(loadRules(join(folder, "latin.yaml"))).rejects.toThrow(/not UTF-8/);
  });
});

it("any token string survives the file, __proto__ and control characters included", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ unit: "binary", minLength: 1 }), { maxLength: 5 }), (strings) => {
      const keys = [...new Set([...strings, "__proto__", "constructor", "1", "\n"])];
      const scores = `{ ${keys.map((key, i) => `${JSON.stringify(key)}: ${i - 2}`).join(", ")} }`;
      const rules = parseRules(`${head}  - { name: a, kind: token_scores, scores: ${scores} }\n`, "own.yaml").rules;
      const rule = rules[0];
      expect(rule?.kind === "token_scores" && [...rule.scores].sort()).toEqual(
        keys.map((key, i) => [key, i - 2]).sort(),
      );
    }),
  );
});

describe("the EOS ramp", () => {
  const ramp = { score: 15, tokens: 250 } as const;

  it("has the paper's and the reference's values", () => {
    expect([0, 1, 50, 249, 250, 500, 1025].map((n) => rampScore({ ...ramp, after: "grow" }, n))).toEqual([
      0, 0.06, 3, 14.94, 15, 30, 61.5,
    ]);
    expect([0, 1, 249, 250, 251, 2000].map((n) => rampScore({ ...ramp, after: "zero" }, n))).toEqual([
      0, 0.06, 14.94, 0, 0, 0,
    ]);
    expect([249, 250, 251, 2000].map((n) => rampScore({ ...ramp, after: "hold" }, n))).toEqual([14.94, 15, 15, 15]);
  });

  it("never falls before its stated end, and with grow and hold not after it", () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.nat(5000), fc.constantFrom("grow", "hold", "zero"), (a, b, after) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        if (after === "zero" && high >= ramp.tokens) expect(rampScore({ ...ramp, after }, high)).toBe(0);
        else expect(rampScore({ ...ramp, after }, low)).toBeLessThanOrEqual(rampScore({ ...ramp, after }, high));
      }),
    );
  });
});
