/** What answers are expected to take is bounded as generation itself bounds them. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { generateOptions } from "../options/generate.js";
import { settled } from "../options/template.js";
import { packageRoot } from "../util/system.js";
import { forecastAnswers } from "./forecast.js";
import { type PlanOptions, planGeneration } from "./generate-plan.js";
import { openEngine } from "./open-engine.js";

const directory = join(packageRoot(), "assets", "stories260k");

it.each([
  [{}, 8192],
  [{ rules: "paper" }, 8192],
  [{ rules: "paper", disableRules: ["eos"] }, 512], // nothing makes such an answer end
  [{ rules: "paper", disableRules: ["eos"], maxNewTokens: 600 }, 600],
])("an answer under %j has at most %i tokens, as in generation", async (options, most) => {
  await using opened = await openEngine({ threads: 1 }).open(directory);
  const model = { ...opened, limits: { maxPositions: undefined } };
  expect((await forecastAnswers(model, [7, 9], { disableRules: [], ...options })).mostTokens).toBe(most);
  const request: PlanOptions = { model: directory, prompts: [{ instruction: "Hi" }], ...options };
  const plan = await planGeneration(settled(generateOptions, request), model);
  expect(plan.maxNewTokens).toBe(most);
});

it("prompts and answers share the positions of a model", async () => {
  await using opened = await openEngine({ threads: 1 }).open(directory);
  const model = { ...opened, limits: { maxPositions: 100 } };
  const asked = (options: { readonly maxNewTokens?: number }) =>
    forecastAnswers(model, [10, 40, 200], { disableRules: [], batch: 1, ...options });
  expect(await asked({})).toMatchObject({ rows: 3, promptTokens: 250, mostTokens: (90 + 60 + 0) / 3 });
  expect(await asked({ maxNewTokens: 75 })).toMatchObject({ mostTokens: (75 + 60 + 0) / 3 });
});
