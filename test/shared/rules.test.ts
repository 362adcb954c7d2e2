/** The shipped rules in the vocabularies of Llama 2, OLMo and GPT-2. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadRules, shippedRules } from "../../src/rules/file.js";
import { resolveRules, unresolvedStrings } from "../../src/rules/resolve.js";
import { scoresRow } from "../../src/rules/row.js";
import { tokenizerFromJson } from "../../src/text/huggingface.js";
import type { Tokenizer } from "../../src/text/tokenizer.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "shared", "data", "tokenizers");
const reason = existsSync(root) ? "" : ` (skipped: ${root} is not there)`;

const load = (name: string): Tokenizer => {
  const config = join(root, name, "tokenizer_config.json");
  const read = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));
  return tokenizerFromJson(
    read(join(root, name, "tokenizer.json")),
    existsSync(config) ? { config: read(config) } : {},
  );
};

// The paper's table 8.
const llamaIds = {
  ...{ "<": 29966, " <": 529, "|": 29989, " I": 306, I: 29902, " We": 1334, What: 5618, " should": 881 },
  ...{ " *": 334, " -": 448, "   ": 1678, " #": 396, " ##": 444, "\n": 13, "!": 29991 },
};

describe.skipIf(reason !== "")(`shipped rules in real vocabularies${reason}`, () => {
  it.each(shippedRules)("%s: the fifteen ids of the paper in Llama 2's vocabulary", async (name) => {
    const { rules } = await loadRules(name);
    const { report, resolved } = resolveRules(rules, { tokenizer: load("llama2"), eosId: 2 });
    const tokens = report.flatMap((rule) => rule.tokens);
    expect(Object.fromEntries(tokens.map((token) => [token.string, token.found ? token.id : token.reason]))).toEqual(
      llamaIds,
    );
    expect(tokens.flatMap((token) => (token.found ? token.alternatives : []))).toEqual([]);
    expect(unresolvedStrings(report)).toEqual([]);
    expect(tokens.filter((token) => token.found && token.byte).map((token) => token.string)).toEqual(["\n"]);
    expect(resolved.constant.size).toBe(15);
    const row = scoresRow(resolved, 32000, { responseIds: [306, 306], conversationIds: [529] });
    expect([row[306], row[529], row[29966], row[881]]).toEqual([-6.5, name === "paper" ? -4 : -5.5, -4, -6]);
    expect(row[2]).toBeCloseTo((15 * 2) / 250, 7);
    expect(row.filter((score) => score !== 0)).toHaveLength(16);
  });

  it("OLMo: all fifteen; three spaces are the added token that encoding gives, not the merge that never comes out", async () => {
    const tokenizer = load("olmo");
    const { report } = resolveRules((await loadRules("paper")).rules, { tokenizer, eosId: 50279 });
    const spaces = report.flatMap((rule) => rule.tokens).find((token) => token.string === "   ");
    expect(spaces).toMatchObject({ found: true, id: 50275, alternatives: [341] });
    expect(unresolvedStrings(report)).toEqual([]);
  });

  it("GPT-2: all but the three spaces, which are not one token there", async () => {
    const { report, resolved } = resolveRules((await loadRules("paper")).rules, {
      tokenizer: load("gpt2"),
      eosId: 50256,
    });
    expect(unresolvedStrings(report)).toEqual(["   "]);
    expect(resolved.constant.size).toBe(14);
    expect(resolved.constant.get(198)).toBe(1); // Ċ
    expect(resolved.constant.get(314)).toBe(-5); // ĠI
  });

  it.each(["llama2", "olmo", "gpt2"])("%s: whatever token a string of its bytes names has those bytes", (name) => {
    const tokenizer = load(name);
    const strings = new Map<string, number>();
    for (let id = 0; id < tokenizer.vocabSize; id += 37) {
      const text = new TextDecoder().decode(tokenizer.bytes(id) ?? new Uint8Array());
      if (text !== "" && !text.includes("\ufffd")) strings.set(text, 1);
    }
    const rules = { version: 1, name: "all", rules: [{ name: "all", kind: "token_scores", scores: strings }] } as const;
    const { report } = resolveRules(rules, { tokenizer, eosId: 2 });
    expect(strings.size).toBeGreaterThan(500);
    for (const token of report[0]!.tokens) {
      expect([token.string, token.found]).toEqual([token.string, true]);
      if (token.found) expect(new TextDecoder().decode(tokenizer.bytes(token.id))).toBe(token.string);
    }
  });
});
