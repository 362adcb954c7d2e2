/** The rules against a Transformers `LogitsProcessor` (`python/fixtures/rules_processor.py`): ids, and every score of every traced step. */
import { describe, expect, it } from "vitest";
import { templateFrom } from "../../src/options/template.js";
import { resolveRules, unresolvedStrings } from "../../src/rules/resolve.js";
import { scoresRow } from "../../src/rules/row.js";
import { loadTextModel } from "../../src/text/load.js";
import { renderPrompt } from "../../src/text/render.js";
import { expectedOf, modelFolder, modelNames, ruleSetOf } from "./fixtures.js";

describe.each(modelNames)("%s", (name) => {
  const { rules } = expectedOf(name);

  it("resolves strings to the ids of the reference and reports the one that is not one token", async () => {
    const { tokenizer, eosId } = await loadTextModel(modelFolder(name));
    const { resolved, report } = resolveRules(ruleSetOf("paper", rules.variants.paper!), { tokenizer, eosId });
    const found = report.flatMap((entry) => entry.tokens.flatMap((t) => (t.found ? [[t.string, t.id]] : [])));
    expect(Object.fromEntries(found)).toEqual(rules.token_ids);
    expect(unresolvedStrings(report)).toEqual(["no one token"]);
    expect(resolved.eosId).toBe(rules.eos_id);
  });

  it("counts the ids after the opening as the conversation", async () => {
    const model = await loadTextModel(modelFolder(name));
    for (const run of rules.runs) {
      const prompt = renderPrompt(model, templateFrom(), run.instruction);
      expect(prompt.promptIds).toEqual(run.prompt_ids);
      expect(prompt.conversationIds).toEqual(run.conversation_ids);
    }
  });

  const traced = rules.runs.filter((run) => run.trace !== undefined);
  it.each(traced)("scores each chosen token as the reference: $variant, $instruction", async (run) => {
    const model = await loadTextModel(modelFolder(name));
    const { resolved } = resolveRules(ruleSetOf(run.variant, rules.variants[run.variant]!), model);
    const conversationIds = run.conversation_ids;
    const [, ...others] = run.trace!.map((step, n) => {
      const state = { conversationIds, responseIds: run.trace!.slice(0, n).map((earlier) => earlier.id) };
      const score = scoresRow(resolved, model.tokenizer.vocabSize, state)[step.id]!;
      expect(score).toBeCloseTo(step.constant + step.stop + step.used, 5); // float32 against rounding to six digits
      return score;
    });
    expect(others.some((score) => score !== 0)).toBe(true);
  });

  it("holds runs in which each reading decides: ended early, ran to the limit", () => {
    const stops = new Set(rules.runs.map((run) => run.stop));
    expect([...stops].sort()).toEqual(["eos", "length"]);
  });
});
