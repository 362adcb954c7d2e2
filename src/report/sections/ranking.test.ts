import { expect, it } from "vitest";
import type { StudyFolder } from "../read.js";
import { ranking } from "./ranking.js";

const rate = (estimate: number | null) => ({ estimate, low: null, high: null, n: 0, method: "a test" });
const totalsOf = (estimate: number | null) => ({
  ...{ instructions: 0, pairs: 0, self_draws: 0, unscored: 0, unscored_reasons: {} },
  ...{ sum: { greater: 0, less: 0, ties: 0, rate: rate(estimate) }, mean: { rate: rate(estimate) } },
});

it("calls a rate without a pair undefined, not 0", () => {
  const rankings = [0.584, null].map((estimate, i) => ({
    ...{ model: "base", arm: ["tuned", "untuned"][i], seed: null, totals: totalsOf(estimate) },
  }));
  const study = { record: { study: { models: { base: {} } } }, results: { rankings } } as unknown as StudyFolder;
  const blocks = ranking(study)?.blocks ?? [];
  const [figure] = blocks.flatMap((block) => (block.kind === "figure" ? [block.figure] : []));
  expect(figure?.alt).toMatch(/: tuned 58\.4 percent, untuned undefined\.$/);
});
