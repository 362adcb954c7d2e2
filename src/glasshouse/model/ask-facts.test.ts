import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { hashModel } from "../../model-files/hash.js";
import { packageRoot } from "../../util/system.js";
import { askFacts } from "./ask-facts.js";

vi.setConfig({ testTimeout: 60_000 }); // some dozen statements, on a busy machine

const model = join(packageRoot(), "assets", "stories260k");

it("asks any model, which need not know the world", async () => {
  const scored: number[] = [];
  const { knowledge, ...summary } = await askFacts(
    { model, limit: 3, threads: 1 },
    { onEvent: (event) => event.event === "progress" && scored.push(event.done) },
  );
  expect(summary).toMatchObject({ command: "glasshouse facts", seed: 1, model: { path: model } });
  expect(summary.model.hash).toBe(await hashModel(model));
  expect(knowledge).toMatchObject({ facts: 3, against: 5 });
  expect(Object.keys(knowledge.kinds)).toEqual(["person"]); // of the first three facts; a kind that was not asked about has no share
  expect(scored.at(-1)).toBe(3 * 6 * 2); // the right one and five wrong ones, in two forms
  for (const { first, pairs } of Object.values(knowledge.forms)) {
    expect(3 * first).toBeCloseTo(Math.round(3 * first), 9);
    expect(15 * pairs).toBeCloseTo(Math.round(15 * pairs), 9);
    expect(first).toBeLessThanOrEqual(pairs);
  }
});

it("says where there is no model", async () => {
  await expect(askFacts({ model: "nowhere" })).rejects.toThrow(/nowhere/);
});
